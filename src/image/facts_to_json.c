/* The facts document, written. facts_from_json.c reads it, facts_schema.c describes it: a member
 * added here is added there. Absent values are left out, and in steps, of which there are many,
 * empty ones and "false" too. */
#include "facts_base.h"
#include "regwarden/facts.h"
#include "regwarden/facts_files.h"
#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"
#include "writer.h"

/* Names may repeat, so this is an array and no object. */
static struct json *named_values(const struct text_pairs *pairs)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < pairs->count; i++) {
        struct json *item = json_new_object();
        json_set_string(item, "name", pairs->items[i].key);
        json_set_string(item, "value", pairs->items[i].value);
        json_append_take(array, item);
    }
    return array;
}

static struct json *platform_json(const struct platform *platform)
{
    struct json *object = json_new_object();
    json_set_string(object, "os", platform->os);
    json_set_string(object, "architecture", platform->architecture);
    json_set_string(object, "variant", platform->variant);
    json_set_string(object, "osVersion", platform->os_version);
    return object;
}

static struct json *descriptor_json(const struct descriptor *descriptor)
{
    struct json *object = json_new_object();
    json_set_string(object, "mediaType", descriptor->media_type);
    writer_digest(object, "digest", &descriptor->digest);
    json_set_integer(object, "size", (int64_t)descriptor->size);
    if (descriptor->platform.os || descriptor->platform.architecture)
        json_set_take(object, "platform", platform_json(&descriptor->platform));
    json_set_string(object, "artifactType", descriptor->artifact_type);
    if (descriptor->annotations.count > 0)
        json_set_take(object, "annotations", json_from_pairs(&descriptor->annotations));
    return object;
}

static struct json *descriptors_json(const struct descriptor *descriptors, size_t count)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append_take(array, descriptor_json(&descriptors[i]));
    return array;
}

static struct json *manifest_json(const struct manifest *manifest)
{
    struct json *object = json_new_object();
    json_set_string(object, "kind", manifest_kind_name(manifest->kind));
    json_set_string(object, "mediaType", manifest->media_type);
    writer_digest(object, "digest", &manifest->digest);
    json_set_integer(object, "size", (int64_t)manifest->size);
    if (digest_is_set(&manifest->config.digest))
        json_set_take(object, "config", descriptor_json(&manifest->config));
    json_set_take(object, "layers", descriptors_json(manifest->layers, manifest->layer_count));
    json_set_take(object, "children", descriptors_json(manifest->children, manifest->child_count));
    json_set_string(object, "artifactType", manifest->artifact_type);
    if (manifest->has_subject)
        json_set_take(object, "subject", descriptor_json(&manifest->subject));
    json_set_take(object, "annotations", json_from_pairs(&manifest->annotations));
    return object;
}

static struct json *healthcheck_json(const struct healthcheck *healthcheck)
{
    struct json *object = json_new_object();
    json_set_take(object, "test", json_from_list(&healthcheck->test));
    json_set_integer(object, "intervalMs", healthcheck->interval_ms);
    json_set_integer(object, "timeoutMs", healthcheck->timeout_ms);
    json_set_integer(object, "startPeriodMs", healthcheck->start_period_ms);
    json_set_integer(object, "retries", healthcheck->retries);
    return object;
}

static struct json *config_json(const struct image_config *config)
{
    struct json *object = json_new_object();
    json_set_take(object, "platform", platform_json(&config->platform));
    writer_time_if(object, "created", config->has_created, config->created_ms);
    json_set_string(object, "author", config->author);
    json_set_string(object, "user", config->user);
    json_set_take(object, "env", named_values(&config->env));
    json_set_take(object, "entrypoint", json_from_list(&config->entrypoint));
    json_set_bool(object, "entrypointIsShell", config->entrypoint_is_shell);
    json_set_take(object, "cmd", json_from_list(&config->cmd));
    json_set_bool(object, "cmdIsShell", config->cmd_is_shell);
    json_set_take(object, "exposedPorts", json_from_list(&config->exposed_ports));
    json_set_take(object, "volumes", json_from_list(&config->volumes));
    json_set_string(object, "workingDir", config->working_dir);
    json_set_take(object, "labels", json_from_pairs(&config->labels));
    json_set_take(object, "onBuild", json_from_list(&config->on_build));
    json_set_take(object, "shell", json_from_list(&config->shell));
    if (config->healthcheck.present)
        json_set_take(object, "healthcheck", healthcheck_json(&config->healthcheck));
    json_set_string(object, "stopSignal", config->stop_signal);
    writer_digests(object, "diffIds", config->diff_ids, config->diff_id_count);
    return object;
}

static void set_if_any(struct json *object, const char *key, const char *value)
{
    json_set_string(object, key, *value ? value : NULL);
}

static void set_if_true(struct json *object, const char *key, bool value)
{
    if (value)
        json_set_bool(object, key, true);
}

static void set_entry(struct json *object, const struct history_entry *entry)
{
    writer_time_if(object, "created", entry->has_created, entry->created_ms);
    set_if_any(object, "createdBy", entry->created_by);
    set_if_any(object, "comment", entry->comment);
    set_if_any(object, "author", entry->author);
}

static struct json *step_json(const struct step *step, const struct history_entry *entry)
{
    struct json *object = json_new_object();
    json_set_string(object, "kind", step_kind_name(step->kind));
    json_set_string(object, "text", step->text);
    if (step->args.count > 0)
        json_set_take(object, "args", named_values(&step->args));
    set_if_true(object, "empty", step->empty);
    if (step->layer >= 0)
        json_set_integer(object, "layer", step->layer);
    json_set_string(object, "origin", origin_name(step->origin));
    set_if_true(object, "shellForm", step->shell_form);
    if (entry)
        set_entry(object, entry);
    return object;
}

static struct json *history_json(const struct facts *facts)
{
    const struct facts_history *history = &facts->history;
    struct json *object = json_new_object();
    struct json *steps = json_new_array();
    json_set_string(object, "builder", image_builder_name(history->builder));
    json_set_bool(object, "aligned", history->aligned);
    for (size_t i = 0; i < history->count; i++) {
        bool entry = facts->config && i < facts->config->history_count;
        json_append_take(steps,
                         step_json(&history->steps[i], entry ? &facts->config->history[i] : NULL));
    }
    json_set_take(object, "steps", steps);
    return object;
}

static struct json *runtime_json(const struct facts_runtime *runtime)
{
    struct json *object = json_new_object();
    json_set_string(object, "name", runtime_name(runtime->runtime));
    json_set_string(object, "version", runtime->version);
    json_set_string(object, "sdk", answer_name(runtime->sdk));
    json_set_string(object, "evidence", evidence_name(runtime->evidence));
    return object;
}

static struct json *secret_json(const struct facts_secret *secret)
{
    struct json *object = json_new_object();
    json_set_string(object, "kind", secret->kind);
    json_set_string(object, "place", secret_place_name(secret->place));
    json_set_string(object, "key", secret->key);
    if (secret->step >= 0)
        json_set_integer(object, "step", secret->step);
    json_set_string(object, "masked", secret->masked);
    json_set_string(object, "hash", secret->hash);
    return object;
}

static struct json *groups_json(const struct facts *facts)
{
    struct json *object = json_new_object();
    for (size_t i = 0; i < FACT_GROUP_COUNT; i++) {
        struct json *group = json_new_object();
        json_set_string(group, "state", fact_state_name(facts->status[i].state));
        json_set_string(group, "reason", facts->status[i].reason);
        json_set_take(object, fact_group_name((enum fact_group)i), group);
    }
    return object;
}

struct json *facts_to_json(const struct facts *facts)
{
    struct json *object = json_new_object();
    struct json *secrets = json_new_array();
    json_set_integer(object, "factsVersion", FACTS_VERSION);
    json_set_take(object, "groups", groups_json(facts));
    if (facts->manifest)
        json_set_take(object, "manifest", manifest_json(facts->manifest));
    if (facts->config)
        json_set_take(object, "config", config_json(facts->config));
    if (facts->history.count > 0)
        json_set_take(object, "history", history_json(facts));
    if (facts->status[FACT_BASE].state != FACT_ABSENT)
        json_set_take(object, "base", facts_base_to_json(&facts->base));
    if (facts->status[FACT_RUNTIME].state != FACT_ABSENT)
        json_set_take(object, "runtime", runtime_json(&facts->runtime));
    if (facts->provenance)
        json_set_take(object, "provenance", provenance_to_json(facts->provenance));
    if (facts->referrers)
        json_set_take(object, "referrers", referrers_to_json(facts->referrers));
    if (facts->vulnerabilities)
        json_set_take(object, "vulnerabilities", vulnerabilities_to_json(facts->vulnerabilities));
    for (size_t i = 0; i < facts->secret_count; i++)
        json_append_take(secrets, secret_json(&facts->secrets[i]));
    json_set_take(object, "secrets", secrets);
    if (facts->files)
        json_set_take(object, "files", facts_files_to_json(facts->files));
    return object;
}
