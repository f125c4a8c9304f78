/* The numbers of all rooms as OpenMetrics, and the live part of `status`. */
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/report.h"
#include "regwarden/scan_pool.h"

static void one(struct text *to, const char *name, enum metric_kind kind, const char *help,
                double value)
{
    struct metric_sample sample = {.value = value};

    metric_family(to, name, kind, NULL, help);
    metric_sample(to, name, kind, &sample);
}

static void labelled(struct text *to, const char *name, enum metric_kind kind, const char *label,
                     const char *label_value, double value)
{
    AUTO_TEXT struct text labels = {0};
    struct metric_sample sample;

    metric_label(&labels, label, label_value);
    sample = (struct metric_sample){.labels = text_data(&labels), .value = value};
    metric_sample(to, name, kind, &sample);
}

static void write_intake(const struct daemon *daemon, struct text *to)
{
    struct intake_counters counters;

    intake_counters(daemon->intake, &counters);
    one(to, "regwarden_hook_requests", METRIC_COUNTER, "Notifications received.",
        (double)counters.received);
    one(to, "regwarden_events", METRIC_COUNTER, "Events accepted and made durable.",
        (double)counters.events);
    one(to, "regwarden_events_ignored", METRIC_COUNTER,
        "Blob, pull and other events dropped at the door.", (double)counters.ignored);
    one(to, "regwarden_hook_unauthorised", METRIC_COUNTER, "Notifications with a wrong secret.",
        (double)counters.unauthorised);
    one(to, "regwarden_dead_letters", METRIC_COUNTER,
        "Notifications kept because they were not understood.", (double)counters.dead);
    one(to, "regwarden_hook_failures", METRIC_COUNTER,
        "Notifications that could not be stored; answered 503.", (double)counters.failed);
}

struct queue_metric {
    const char *name;
    enum metric_kind kind;
    const char *help;
    double (*value)(const struct intake_queue *queue);
};

static double messages_of(const struct intake_queue *queue)
{
    return (double)queue->messages;
}

static double deleted_of(const struct intake_queue *queue)
{
    return (double)queue->deleted;
}

static double queue_failures_of(const struct intake_queue *queue)
{
    return (double)queue->failures;
}

static double queue_up_of(const struct intake_queue *queue)
{
    return queue->error == NULL;
}

static const struct queue_metric queue_metrics[] = {
    {"regwarden_queue_messages", METRIC_COUNTER, "Messages received from the registry's queue.",
     messages_of},
    {"regwarden_queue_deleted", METRIC_COUNTER, "Messages deleted from it, being durable here.",
     deleted_of},
    {"regwarden_queue_failures", METRIC_COUNTER, "Calls and messages of it that failed.",
     queue_failures_of},
    {"regwarden_queue_up", METRIC_GAUGE, "1 while the queue can be polled.", queue_up_of},
};

static void write_queues(const struct daemon *daemon, struct text *to)
{
    struct intake_queue queue;

    if (!intake_queue(daemon->intake, 0, &queue))
        return;
    for (size_t m = 0; m < ARRAY_COUNT(queue_metrics); m++) {
        const struct queue_metric *metric = &queue_metrics[m];

        metric_family(to, metric->name, metric->kind, NULL, metric->help);
        for (size_t i = 0; intake_queue(daemon->intake, i, &queue); i++)
            labelled(to, metric->name, metric->kind, "registry", queue.registry,
                     metric->value(&queue));
    }
}

static void write_reviews(const struct daemon *daemon, struct text *to)
{
    const struct daemon_counters *counters = &daemon->counters;

    one(to, "regwarden_reviews", METRIC_COUNTER, "Reviews begun.", (double)counters->reviews_begun);
    one(to, "regwarden_reviews_repeated", METRIC_COUNTER,
        "Reviews answered by the verdict in force.", (double)counters->reviews_repeated);
    one(to, "regwarden_reviews_retried", METRIC_COUNTER, "Times that a review was put off.",
        (double)counters->reviews_retried);
    one(to, "regwarden_reviews_given_up", METRIC_COUNTER, "Reviews that became dead letters.",
        (double)counters->reviews_given_up);
    one(to, "regwarden_own_pushes", METRIC_COUNTER,
        "Events about what regwarden itself had pushed.", (double)counters->own_pushes);
    metric_family(to, "regwarden_verdicts", METRIC_COUNTER, NULL, "Verdicts recorded.");
    for (int status = VERDICT_PASS; status <= VERDICT_FAIL; status++)
        labelled(to, "regwarden_verdicts", METRIC_COUNTER, "verdict",
                 verdict_status_name((enum verdict_status)status),
                 (double)counters->verdicts[status]);
    one(to, "regwarden_reviews_active", METRIC_GAUGE, "Reviews under way.",
        (double)dispatcher_active(daemon->dispatcher));
    one(to, "regwarden_events_in_memory", METRIC_GAUGE, "Events waiting, under review or put off.",
        (double)dispatcher_waiting(daemon->dispatcher));
}

static void write_actions(const struct daemon *daemon, struct text *to)
{
    struct action_counters counters;

    action_counters(daemon->actions, &counters);
    metric_family(to, "regwarden_actions", METRIC_COUNTER, NULL, "Actions carried out.");
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
        if (action_is_available((enum action_kind)kind))
            labelled(to, "regwarden_actions", METRIC_COUNTER, "action",
                     action_kind_name((enum action_kind)kind), (double)counters.done[kind]);
    metric_family(to, "regwarden_actions_failed", METRIC_COUNTER, NULL,
                  "Actions that failed for good.");
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
        if (action_is_available((enum action_kind)kind))
            labelled(to, "regwarden_actions_failed", METRIC_COUNTER, "action",
                     action_kind_name((enum action_kind)kind), (double)counters.failed[kind]);
}

static void write_layers(const struct daemon *daemon, struct text *to)
{
    struct layers_counters layers;
    struct scan_pool_counters pool;

    layers_counters(daemon->layers, &layers);
    scan_pool_counters(daemon->scan_pool, &pool);
    one(to, "regwarden_layers_scanned", METRIC_COUNTER, "Layers that were looked into.",
        (double)layers.scanned);
    one(to, "regwarden_layers_failed", METRIC_COUNTER, "Scans of layers that failed.",
        (double)layers.failed);
    one(to, "regwarden_layers_known", METRIC_COUNTER,
        "Layers asked for that were known, or were being looked into for somebody else.",
        (double)(layers.from_memory + layers.from_store + layers.joined));
    one(to, "regwarden_layers_received_bytes", METRIC_COUNTER,
        "Bytes of layers, as stored, that went into scans.", (double)layers.bytes);
    one(to, "regwarden_layers_active", METRIC_GAUGE, "Layers that are being looked into.",
        (double)layers.active);
    one(to, "regwarden_layers_waiting", METRIC_GAUGE, "Layers that wait for a worker.",
        (double)layers.waiting);
    one(to, "regwarden_scan_workers_killed", METRIC_COUNTER,
        "Scan workers that died or had to be ended.", (double)pool.killed);
}

struct registry_metric {
    const char *name;
    enum metric_kind kind;
    const char *help;
    double (*value)(const struct registry_counters *counters);
};

static double requests_of(const struct registry_counters *counters)
{
    return (double)counters->requests;
}

static double retries_of(const struct registry_counters *counters)
{
    return (double)counters->retries;
}

static double failures_of(const struct registry_counters *counters)
{
    return (double)counters->failures;
}

static double received_of(const struct registry_counters *counters)
{
    return (double)counters->bytes_received;
}

static double breaker_of(const struct registry_counters *counters)
{
    return counters->breaker_open;
}

static const struct registry_metric registry_metrics[] = {
    {"regwarden_registry_requests", METRIC_COUNTER, "Requests sent to the registry.", requests_of},
    {"regwarden_registry_retries", METRIC_COUNTER, "Requests sent once more.", retries_of},
    {"regwarden_registry_failures", METRIC_COUNTER, "Requests that failed for good.", failures_of},
    {"regwarden_registry_received_bytes", METRIC_COUNTER, "Bytes received from the registry.",
     received_of},
    {"regwarden_registry_breaker_open", METRIC_GAUGE, "1 while the registry is taken to be down.",
     breaker_of},
};

static void write_registries(const struct daemon *daemon, struct text *to)
{
    for (size_t m = 0; m < ARRAY_COUNT(registry_metrics); m++) {
        const struct registry_metric *metric = &registry_metrics[m];

        metric_family(to, metric->name, metric->kind, NULL, metric->help);
        for (size_t i = 0; i < daemon->registry_count; i++) {
            struct registry_counters counters;

            registry_counters(daemon->registries[i].client, &counters);
            labelled(to, metric->name, metric->kind, "registry",
                     daemon->registries[i].settings->name, metric->value(&counters));
        }
    }
}

struct sweep_metric {
    const char *name;
    enum metric_kind kind;
    const char *help;
    double (*value)(const struct sweep_counters *counters);
};

static double is_running(const struct sweep_counters *counters)
{
    return counters->running;
}

static double asked_of(const struct sweep_counters *counters)
{
    return (double)counters->requests;
}

static double tags_of(const struct sweep_counters *counters)
{
    return (double)counters->tags;
}

static double found_of(const struct sweep_counters *counters)
{
    return (double)counters->wanted;
}

static double redone_of(const struct sweep_counters *counters)
{
    return (double)counters->redone;
}

static const struct sweep_metric sweep_metrics[] = {
    {"regwarden_sweep_running", METRIC_GAUGE, "1 while the registry is swept.", is_running},
    {"regwarden_sweep_requests", METRIC_COUNTER, "Requests of sweeps.", asked_of},
    {"regwarden_sweep_tags", METRIC_COUNTER, "Tags and untagged images that sweeps saw.", tags_of},
    {"regwarden_sweep_found", METRIC_COUNTER, "Those of them that no event had announced.",
     found_of},
    {"regwarden_sweep_redone", METRIC_COUNTER,
     "Labels and tags of ours that somebody had taken off, and that are put back.", redone_of},
};

static void write_sweeps(const struct daemon *daemon, struct text *to)
{
    for (size_t m = 0; m < ARRAY_COUNT(sweep_metrics); m++) {
        const struct sweep_metric *metric = &sweep_metrics[m];

        metric_family(to, metric->name, metric->kind, NULL, metric->help);
        for (size_t i = 0; i < daemon->registry_count; i++) {
            struct sweep_counters counters;

            sweeps_counters(daemon->sweeps, i, &counters);
            labelled(to, metric->name, metric->kind, "registry",
                     daemon->registries[i].settings->name, metric->value(&counters));
        }
    }
}

static void write_store(const struct daemon *daemon, struct text *to)
{
    struct store_counters store;
    struct http_server_counters http;

    store_counters(daemon->store, &store);
    http_server_counters(daemon->server, &http);
    one(to, "regwarden_store_commits", METRIC_COUNTER, "Transactions committed.",
        (double)store.commits);
    one(to, "regwarden_store_operations", METRIC_COUNTER, "Operations in them.",
        (double)store.operations);
    one(to, "regwarden_store_failures", METRIC_COUNTER, "Operations that failed.",
        (double)store.failures);
    one(to, "regwarden_store_size_bytes", METRIC_GAUGE, "Size of the database.",
        (double)store.bytes);
    one(to, "regwarden_http_connections", METRIC_COUNTER, "Connections accepted.",
        (double)http.connections);
    one(to, "regwarden_http_requests", METRIC_COUNTER, "Requests served.", (double)http.requests);
    one(to, "regwarden_http_refused", METRIC_COUNTER, "Requests refused for their framing or size.",
        (double)(http.refused_framing + http.refused_size));
}

void daemon_write_metrics(struct daemon *daemon, struct text *to)
{
    write_intake(daemon, to);
    write_queues(daemon, to);
    write_reviews(daemon, to);
    write_actions(daemon, to);
    write_layers(daemon, to);
    write_registries(daemon, to);
    write_sweeps(daemon, to);
    write_store(daemon, to);
}

static struct json *layers_status(const struct daemon *daemon)
{
    struct json *status = json_new_object();
    struct layers_counters layers;

    layers_counters(daemon->layers, &layers);
    json_set_integer(status, "active", (int64_t)layers.active);
    json_set_integer(status, "waiting", (int64_t)layers.waiting);
    json_set_integer(status, "scanned", (int64_t)layers.scanned);
    json_set_integer(status, "failed", (int64_t)layers.failed);
    return status;
}

static struct json *abilities_status(const struct registry *registry)
{
    struct registry_abilities abilities;
    struct json *status = json_new_object();

    registry_abilities(registry, &abilities);
    json_set_string(status, "tagDelete", answer_name(abilities.tag_delete));
    json_set_string(status, "manifestDelete", answer_name(abilities.manifest_delete));
    json_set_string(status, "referrersApi", answer_name(abilities.referrers_api));
    json_set_string(status, "mount", answer_name(abilities.mount));
    json_set_string(status, "catalog", answer_name(abilities.catalog));
    json_set_string(status, "labels", answer_name(abilities.labels));
    json_set_string(status, "archive", answer_name(abilities.archive));
    json_set_string(status, "scanReports", answer_name(abilities.scan_reports));
    return status;
}

static struct json *registry_status(const struct daemon_registry *active)
{
    struct registry_counters counters;
    struct json *status = json_new_object();

    registry_counters(active->client, &counters);
    json_set_string(status, "name", active->settings->name);
    json_set_string(status, "url", active->settings->url);
    json_set_bool(status, "reachable", !counters.breaker_open);
    json_set_string(status, "type", registry_type_names[registry_get_type(active->client)]);
    json_set_take(status, "abilities", abilities_status(active->client));
    return status;
}

struct json *daemon_live_status(struct daemon *daemon)
{
    struct json *status = json_new_object();
    struct json *registries = json_new_array();

    json_set_string(status, "version", REGWARDEN_VERSION);
    json_set_bool(status, "dryRun", daemon->options->dry_run);
    json_set_integer(status, "reviewsActive", (int64_t)dispatcher_active(daemon->dispatcher));
    json_set_integer(status, "eventsInMemory", (int64_t)dispatcher_waiting(daemon->dispatcher));
    json_set_string(status, "policyRevision", policy_set_revision(daemon->policies));
    json_set_integer(status, "policies", (int64_t)policy_set_count(daemon->policies));
    json_set_take(status, "layers", layers_status(daemon));
    json_set_take(status, "queues", daemon_queues_status(daemon));
    json_set_take(status, "sweeping", sweeps_status(daemon->sweeps));
    for (size_t i = 0; i < daemon->registry_count; i++)
        json_append_take(registries, registry_status(&daemon->registries[i]));
    json_set_take(status, "registryClients", registries);
    return status;
}
