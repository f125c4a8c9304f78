/* The life of a registry client: settings, secrets and trust in, everything that runs ended at the
 * end. What it can be asked to do is in the other files. */
#include "regwarden/registry.h"

#include <assert.h>

#include "regwarden/memory.h"

#include "auth.h"
#include "ecr.h"
#include "profile.h"
#include "queue.h"

const struct registry_tuning registry_tuning_default = {
    .attempts = 4,
    .backoff_first_ms = 250,
    .backoff_max_ms = 8000,
    .hold_max_ms = INT64_C(20) * 1000,
    .breaker_failures = 6,
    .breaker_open_ms = 2000,
    .breaker_open_max_ms = INT64_C(60) * 1000,
    .slowest_bytes_per_s = UINT64_C(16) * 1024,
    .max_redirects = 5,
    .max_pages = 10000,
};

enum { PLACES_DEFAULT = 8, CONNECTIONS_SPARE = 4 };
#define IDLE_DEFAULT_MS (30 * INT64_C(1000))

static const struct queue_owner queue_owner = {.run = exchange_run, .refuse = exchange_refuse};

static unsigned places_of(const struct config_registry *settings)
{
    return settings->concurrency > 0 ? (unsigned)settings->concurrency : PLACES_DEFAULT;
}

static int read_url(const struct config_registry *settings, struct url *ret, struct error *err)
{
    int rc = url_parse(settings->url ? settings->url : "", ret, err);

    if (rc < 0)
        return error_wrap(err, "url");
    if (!text_equal(ret->path, "/")) {
        url_release(ret);
        return error_set(err, FAILURE_INPUT, "url: a registry's address has no path");
    }
    return 0;
}

static int open_http(struct registry *registry, struct error *err)
{
    const struct config_registry *settings = registry->settings;
    struct http_client_options options = {
        .ca_file = settings->ca_file,
        .client_certificate_file = settings->client_certificate_file,
        .client_key_file = settings->client_key_file,
        /* Companions and token requests need no place but a connection. */
        .max_connections = 2 * places_of(settings) + CONNECTIONS_SPARE,
    };

    return http_client_new(registry->loop, &options, &registry->http, err);
}

static void tell_refused(void *argument)
{
    struct registry *registry = argument;
    struct operation *operation = TAILQ_FIRST(&registry->operations);

    while (operation) {
        if (!operation->refused) {
            operation = TAILQ_NEXT(operation, link);
            continue;
        }
        operation_fail(operation, &operation->error);
        /* The callback may have changed the list anywhere. */
        operation = TAILQ_FIRST(&registry->operations);
    }
}

static void end_operations(struct registry *registry)
{
    struct error error = {0};
    struct operation *operation;

    (void)error_set(&error, FAILURE_LATER, "the registry client is closing");
    while ((operation = TAILQ_FIRST(&registry->operations)))
        operation_fail(operation, &error);
}

static int open_parts(struct registry *registry, struct error *err)
{
    int rc = read_url(registry->settings, &registry->url, err);

    if (rc == 0 && ecr_is_meant(registry->settings, &registry->url))
        rc = ecr_new(registry, &registry->ecr, err);
    if (rc < 0)
        return rc;
    rc = auth_new(registry, &registry->auth, err);
    if (rc < 0)
        return rc;
    return open_http(registry, err);
}

int registry_new_tuned(struct loop *loop, const struct config_registry *settings,
                       const struct registry_tuning *tuning, struct registry **ret,
                       struct error *err)
{
    struct registry *registry = memory_new(sizeof(*registry));
    int rc;

    registry->loop = loop;
    registry->settings = settings;
    registry->tuning = *tuning;
    registry->idle_ms = settings->timeout_ms > 0 ? settings->timeout_ms : IDLE_DEFAULT_MS;
    TAILQ_INIT(&registry->operations);
    rc = open_parts(registry, err);
    if (rc < 0) {
        registry_free(registry);
        return error_wrap(err, "registry %s", settings->name);
    }
    registry->queue = queue_new(loop, &queue_owner, &registry->tuning, places_of(settings));
    registry->soon = timer_new(loop, tell_refused, registry);
    profiles_begin(registry);
    *ret = registry;
    return 0;
}

int registry_new(struct loop *loop, const struct config_registry *settings, struct registry **ret,
                 struct error *err)
{
    return registry_new_tuned(loop, settings, &registry_tuning_default, ret, err);
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    assert(registry->calling == 0);
    end_operations(registry);
    timer_free(registry->soon);
    queue_free(registry->queue);
    auth_free(registry->auth);
    ecr_free(registry->ecr);
    http_client_free(registry->http);
    url_release(&registry->url);
    free(registry);
}

const char *registry_get_name(const struct registry *registry)
{
    return registry->settings->name;
}

void registry_abilities(const struct registry *registry, struct registry_abilities *ret)
{
    *ret = registry->abilities;
}

void registry_counters(const struct registry *registry, struct registry_counters *ret)
{
    struct queue_counts counts;

    queue_count(registry->queue, &counts);
    *ret = registry->counters;
    ret->active = counts.active;
    ret->waiting = counts.waiting;
    ret->breaker_open = counts.breaker_open;
    if (registry->ecr)
        ecr_count(registry->ecr, ret);
}
