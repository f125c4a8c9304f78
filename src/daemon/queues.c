/* The registries' queues as operators hear of them: once when one cannot be polled, once when it
 * can again, and in the status meanwhile. */
#include "daemon_priv.h"

#include "regwarden/log.h"

void daemon_queue_trouble(void *argument, const char *registry, const struct error *error)
{
    AUTO_FREE char *reason = error_with_hint(error);

    (void)argument;
    if (error)
        log_warning(LOG_FIELDS({"registry", registry}), "%s, trying again", reason);
    else
        log_notice(LOG_FIELDS({"registry", registry}), "the queue is polled again");
}

struct json *daemon_queues_status(const struct daemon *daemon)
{
    struct json *status = json_new_array();
    struct intake_queue queue;

    for (size_t i = 0; intake_queue(daemon->intake, i, &queue); i++) {
        struct json *item = json_new_object();

        json_set_string(item, "registry", queue.registry);
        json_set_string(item, "error", queue.error);
        json_set_integer(item, "messages", (int64_t)queue.messages);
        json_set_integer(item, "inFlight", (int64_t)queue.in_flight);
        json_append_take(status, item);
    }
    return status;
}
