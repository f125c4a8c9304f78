/* Who wants to be told: copies of the configured notifiers, so that a reload never pulls a string
 * out from under a notification that is on its way. */
#include "receivers.h"

#include <stdlib.h>

#include "regwarden/crypto.h"
#include "regwarden/file.h"

void receivers_release(struct receivers *receivers)
{
    for (size_t i = 0; i < receivers->count; i++) {
        struct receiver *receiver = &receivers->items[i];
        free(receiver->name);
        free(receiver->url);
        if (receiver->key.data != NULL)
            crypto_erase(receiver->key.data, receiver->key.length);
        text_release(&receiver->key);
        text_list_release(&receiver->on);
    }
    free(receivers->items);
    *receivers = (struct receivers){0};
}

static int read_one(const struct config_notifier *settings, struct receiver *receiver,
                    struct error *err)
{
    receiver->name = memory_copy_text(settings->name);
    receiver->url = memory_copy_text(settings->url);
    receiver->format = settings->format == 1 ? NOTIFICATION_SLACK : NOTIFICATION_CLOUDEVENTS;
    receiver->timeout_ms = settings->timeout_ms;
    text_list_copy(&receiver->on, &settings->on);
    if (settings->secret_file == NULL)
        return 0;
    if (file_read_secret(settings->secret_file, &receiver->key, err) != 0)
        return error_wrap(err, "notifier %s", settings->name);
    return 0;
}

int receivers_read(const struct config *config, struct receivers *ret, struct error *err)
{
    struct receivers receivers = {
        .items = memory_new_array(config->notifier_count, sizeof(struct receiver)),
        .count = config->notifier_count,
    };
    for (size_t i = 0; i < receivers.count; i++) {
        int rc = read_one(&config->notifiers[i], &receivers.items[i], err);
        if (rc != 0) {
            receivers_release(&receivers);
            return rc;
        }
    }
    *ret = receivers;
    return 0;
}

const struct receiver *receivers_find(const struct receivers *receivers, const char *name)
{
    for (size_t i = 0; i < receivers->count; i++)
        if (text_equal(receivers->items[i].name, name))
            return &receivers->items[i];
    return NULL;
}

void receivers_names(const struct receivers *receivers, enum verdict_status verdict,
                     struct text_list *ret)
{
    for (size_t i = 0; i < receivers->count; i++)
        if (text_list_has(&receivers->items[i].on, verdict_status_name(verdict)))
            text_list_add(ret, receivers->items[i].name);
}
