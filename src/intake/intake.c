/* The intake as its owner sees it: its life, and messages that come another way than by HTTP. */
#include "intake_private.h"
#include "message.h"
#include "queues.h"

static void hooks_free(struct hook *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hook_release(&hooks[i]);
    free(hooks);
}

static int hooks_read(const struct config *config, struct hook **ret, struct error *err)
{
    struct hook *hooks = memory_new_array(config->registry_count, sizeof(*hooks));
    for (size_t i = 0; i < config->registry_count; i++) {
        int r = hook_init(&hooks[i], config, &config->registries[i], err);
        if (r != 0) {
            hooks_free(hooks, i);
            return r;
        }
    }
    *ret = hooks;
    return 0;
}

struct hook *intake_hook(struct intake *intake, const char *registry)
{
    for (size_t i = 0; i < intake->hook_count; i++) {
        if (text_equal(intake->hooks[i].registry->name, registry))
            return &intake->hooks[i];
    }
    return NULL;
}

/* --- messages --- */

static struct hook *hook_of(struct intake *intake, const struct intake_body *body,
                            struct error *err)
{
    struct hook *hook = intake_hook(intake, body->registry);
    if (hook == NULL) {
        AUTO_FREE char *name = text_printable(body->registry == NULL ? "" : body->registry, 64);
        error_set(err, FAILURE_ABSENT, "no registry \"%s\" is configured", name);
    }
    return hook;
}

/* Nothing is written unless all of the body is understood now: what was understood the first time
 * was taken then. */
static int must_be_understood(const struct hook *hook, const struct hook_message *message,
                              struct error *err)
{
    struct decode_input input = {.registry = hook->registry, .message = message};
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    int r = decode_body(&input, &decoded, &decoder, err);
    if (r == 0 && decoded.fault_count > 0)
        r = error_set(err, decoded.faults[0].kind, "%s", decoded.faults[0].text);
    decoded_release(&decoded);
    return r;
}

void intake_replay(struct intake *intake, const struct intake_body *body, store_done_f *done,
                   void *argument)
{
    struct error err = {0};
    struct hook *hook = hook_of(intake, body, &err);
    if (hook == NULL) {
        done(argument, &err);
        return;
    }
    struct hook_message message;
    message_from_body(body, &message);
    if (must_be_understood(hook, &message, &err) != 0) {
        done(argument, &err);
        return;
    }
    intake_take(intake, hook, &message,
                &(struct receiver){.replay = done, .replay_argument = argument});
}

void intake_take_message(struct intake *intake, const struct intake_body *body, store_done_f *done,
                         void *argument)
{
    struct error err = {0};
    struct hook *hook = hook_of(intake, body, &err);
    if (hook == NULL) {
        done(argument, &err);
        return;
    }
    if (intake->waiting_bytes > WAITING_BYTES_MAX) {
        error_set(&err, FAILURE_LATER, "too much is being written already");
        done(argument, &err);
        return;
    }
    struct hook_message message;
    message_from_body(body, &message);
    intake->counters.received++;
    intake_take(intake, hook, &message,
                &(struct receiver){.replay = done, .replay_argument = argument});
}

/* --- life --- */

int intake_reload(struct intake *intake, const struct config *config, struct error *err)
{
    struct hook *fresh = NULL;
    struct queues *queues = NULL;
    int r = hooks_read(config, &fresh, err);
    if (r != 0)
        return r;
    r = queues_new(intake, &intake->options, config, &queues, err);
    if (r != 0) {
        hooks_free(fresh, config->registry_count);
        return r;
    }
    for (size_t i = 0; i < config->registry_count; i++) {
        struct hook *old = intake_hook(intake, fresh[i].registry->name);
        if (old != NULL)
            hook_move_instances(&fresh[i], old);
    }
    hooks_free(intake->hooks, intake->hook_count);
    intake->hooks = fresh;
    intake->hook_count = config->registry_count;
    intake->options.config = config;
    queues_free(intake->queues);
    intake->queues = queues;
    if (intake->polls)
        queues_start(queues);
    return 0;
}

void intake_start_polling(struct intake *intake)
{
    intake->polls = true;
    queues_start(intake->queues);
}

void intake_stop_polling(struct intake *intake)
{
    intake->polls = false;
    queues_free(TAKE(intake->queues));
}

bool intake_queue(const struct intake *intake, size_t index, struct intake_queue *ret)
{
    return queues_status(intake->queues, index, ret);
}

void intake_counters(const struct intake *intake, struct intake_counters *ret)
{
    *ret = intake->counters;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    if (intake->keys != NULL)
        keys_stop(intake->keys);
    http_client_free(TAKE(intake->client)); /* those who wait for it are answered */
    keys_free(intake->keys);
    queues_free(intake->queues);
    for (struct delivery *delivery = intake->deliveries; delivery != NULL;
         delivery = delivery->next)
        delivery->intake = NULL; /* its callbacks still come, and free it */
    hooks_free(intake->hooks, intake->hook_count);
    free(intake);
}

static int client_new(const struct intake_options *options, const struct intake_tuning *tuning,
                      struct http_client **ret, struct error *err)
{
    enum { CONNECTIONS_MAX = 4 };
    const struct http_client_options client = {
        .unix_socket = tuning->unix_socket,
        .ca_file = tuning->ca_file,
        .max_connections = CONNECTIONS_MAX,
    };
    if (options->loop == NULL)
        return 0;
    return http_client_new(options->loop, &client, ret, err);
}

int intake_new_tuned(const struct intake_options *options, const struct intake_tuning *tuning,
                     struct intake **ret, struct error *err)
{
    struct hook *hooks = NULL;
    struct http_client *client = NULL;
    int r = hooks_read(options->config, &hooks, err);
    if (r != 0)
        return r;
    r = client_new(options, tuning, &client, err);
    if (r != 0) {
        hooks_free(hooks, options->config->registry_count);
        return r;
    }
    struct intake *intake = memory_new(sizeof(*intake));
    intake->options = *options;
    intake->client = client;
    intake->keys = client == NULL ? NULL : keys_new(client, endpoint_resume, intake);
    intake->hooks = hooks;
    intake->hook_count = options->config->registry_count;
    r = queues_new(intake, options, options->config, &intake->queues, err);
    if (r != 0) {
        intake_free(intake);
        return r;
    }
    *ret = intake;
    return 0;
}

int intake_new(const struct intake_options *options, struct intake **ret, struct error *err)
{
    return intake_new_tuned(options, &(struct intake_tuning){NULL, NULL}, ret, err);
}
