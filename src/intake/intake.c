/* The endpoint: which hook, who sends, what is in it, and the answer once it is on disk. Knows no
 * dialect and no store driver; what to answer stands in answers.c. */
#include <assert.h>

#include "answers.h"
#include "decode.h"
#include "delivery.h"
#include "hook.h"

#include "regwarden/clock.h"
#include "regwarden/http_server.h"

/* Bytes of bodies whose events are being written. A sender that closes its connection without
 * waiting could otherwise queue without end. */
enum { WAITING_BYTES_MAX = 16 << 20 };

struct intake {
    struct intake_options options;
    struct hook *hooks;
    size_t hook_count;
    struct delivery *deliveries;
    size_t waiting_bytes;
    struct intake_counters counters;
};

/* Who gets to know how it went: an HTTP exchange, or the caller of a replay. */
struct receiver {
    struct http_exchange *exchange;
    store_done_f *replay;
    void *replay_argument;
};

/* --- hooks --- */

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
        int r = hook_init(&hooks[i], &config->registries[i], err);
        if (r != 0) {
            hooks_free(hooks, i);
            return r;
        }
    }
    *ret = hooks;
    return 0;
}

static struct hook *intake_hook(struct intake *intake, const char *registry)
{
    for (size_t i = 0; i < intake->hook_count; i++) {
        if (text_equal(intake->hooks[i].registry->name, registry))
            return &intake->hooks[i];
    }
    return NULL;
}

static struct hook *intake_route(struct intake *intake, const char *path)
{
    char *name = NULL;
    if (http_route_match("/hooks/:registry", path, &name, 1) != 1)
        return NULL;
    struct hook *hook = intake_hook(intake, name);
    free(name);
    return hook;
}

/* --- answers --- */

static void reply_json(struct http_exchange *exchange, struct hook_answer answer,
                       const struct http_reply_header *extra, const struct text *body)
{
    char seconds[16];
    struct http_reply_header headers[3] = {{NULL, NULL}};
    size_t count = 0;
    if (extra != NULL)
        headers[count++] = *extra;
    if (answer.retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%d", answer.retry_after_s);
        headers[count++] = (struct http_reply_header){"Retry-After", seconds};
    }
    http_exchange_reply(exchange, answer.status, headers, body == NULL ? NULL : "application/json",
                        body == NULL ? NULL : body->data, body == NULL ? 0 : body->length);
}

struct refusal {
    struct hook_answer answer;
    enum failure kind;
    const char *message;
    const char *hint;
    struct http_reply_header header;
};

static void refuse(struct http_exchange *exchange, const struct refusal *refusal)
{
    AUTO_JSON struct json *body = json_new_object();
    struct json *error = json_new_object();
    json_set_string(error, "kind", failure_name(refusal->kind));
    json_set_string(error, "message", refusal->message);
    json_set_string(error, "hint", refusal->hint);
    json_set_take(body, "error", error);
    AUTO_TEXT struct text text = {0};
    json_write(body, JSON_COMPACT, &text);
    text_add_char(&text, '\n');
    reply_json(exchange, refusal->answer, refusal->header.name == NULL ? NULL : &refusal->header,
               &text);
}

static void refuse_unknown(struct intake *intake, struct http_exchange *exchange)
{
    static const struct refusal refusal = {
        .answer = {.status = 404},
        .kind = FAILURE_ABSENT,
        .message = "no registry of this name is configured",
        .hint = "The path is /hooks/ and the registry's name in the configuration.",
    };
    intake->counters.unknown_registry++;
    refuse(exchange, &refusal);
}

static void refuse_method(struct http_exchange *exchange)
{
    static const struct refusal refusal = {
        .answer = {.status = 405},
        .kind = FAILURE_INPUT,
        .message = "notifications are sent with POST",
        .header = {"Allow", "POST"},
    };
    refuse(exchange, &refusal);
}

static void refuse_sender(struct intake *intake, const struct hook *hook,
                          struct http_exchange *exchange)
{
    const struct refusal refusal = {
        .answer = answer_for(hook->registry->dialect, SITUATION_UNAUTHORISED),
        .kind = FAILURE_DENIED,
        .message = "the hook's secret is missing or wrong",
        .hint = "Send the content of the registry's hook-secret-file in its hook-secret-header.",
        .header = {"WWW-Authenticate", "Basic realm=\"hooks\""},
    };
    intake->counters.unauthorised++;
    refuse(exchange, &refusal);
}

/* A web page that an operator looks at can have the browser post to what listens on loopback. */
static bool is_from_browser(const struct http_exchange *exchange)
{
    return http_exchange_header_count(exchange, "Origin") > 0 ||
           http_exchange_header_count(exchange, "Sec-Fetch-Site") > 0;
}

static void refuse_browser(struct intake *intake, struct http_exchange *exchange)
{
    static const struct refusal refusal = {
        .answer = {.status = 403},
        .kind = FAILURE_DENIED,
        .message = "a browser sent this, not a registry",
        .hint = "Set a hook-secret-file for the registry if its notifications look like this.",
    };
    intake->counters.unauthorised++;
    refuse(exchange, &refusal);
}

static void refuse_now(struct intake *intake, const char *dialect, struct http_exchange *exchange)
{
    const struct refusal refusal = {
        .answer = answer_for(dialect, SITUATION_BUSY),
        .kind = FAILURE_LATER,
        .message = "the notification cannot be kept now",
        .hint = "Send it again.",
    };
    intake->counters.failed++;
    refuse(exchange, &refusal);
}

/* --- deliveries --- */

static void delivery_link(struct intake *intake, struct delivery *delivery)
{
    delivery->intake = intake;
    delivery->link = &intake->deliveries;
    delivery->next = intake->deliveries;
    if (delivery->next != NULL)
        delivery->next->link = &delivery->next;
    intake->deliveries = delivery;
    intake->waiting_bytes += delivery->size_bytes;
}

static void delivery_unlink(struct delivery *delivery)
{
    if (delivery->intake == NULL)
        return;
    *delivery->link = delivery->next;
    if (delivery->next != NULL)
        delivery->next->link = delivery->link;
    delivery->intake->waiting_bytes -= delivery->size_bytes;
}

static void delivery_answer(struct intake *intake, const struct delivery *delivery)
{
    struct http_exchange *exchange = http_server_find(intake->options.server, delivery->exchange);
    if (exchange == NULL)
        return; /* the sender did not wait; what it sent is kept all the same */
    bool dead = delivery->reason != NULL;
    AUTO_TEXT struct text body = {0};
    text_format(&body, "{\"events\":%zu,\"ignored\":%zu,\"deadLetters\":%d}\n",
                delivery->event_count, delivery->ignored, dead ? 1 : 0);
    enum situation situation = dead                         ? SITUATION_DEAD_LETTER
                               : delivery->event_count == 0 ? SITUATION_NOTHING
                                                            : SITUATION_ACCEPTED;
    struct hook_answer answer = answer_for(delivery->dialect, situation);
    reply_json(exchange, answer, NULL, answer.status == 204 ? NULL : &body);
}

static void delivery_fail(struct intake *intake, const struct delivery *delivery)
{
    struct http_exchange *exchange = http_server_find(intake->options.server, delivery->exchange);
    if (exchange != NULL)
        refuse_now(intake, delivery->dialect, exchange);
    else
        intake->counters.failed++;
}

static void delivery_finish(struct delivery *delivery)
{
    struct intake *intake = delivery->intake;
    bool failed = delivery->error.kind != FAILURE_NONE;
    delivery_unlink(delivery);
    if (delivery->replay != NULL)
        delivery->replay(delivery->replay_argument, failed ? &delivery->error : NULL);
    else if (intake != NULL && failed)
        delivery_fail(intake, delivery);
    else if (intake != NULL)
        delivery_answer(intake, delivery);
    delivery_free(delivery);
}

static void delivery_step(struct delivery *delivery, const struct error *error)
{
    assert(delivery->waiting > 0);
    if (error != NULL)
        delivery->error = *error;
    if (--delivery->waiting == 0)
        delivery_finish(delivery);
}

static void events_stored(void *argument, const struct error *error)
{
    struct delivery *delivery = argument;
    struct intake *intake = delivery->intake;
    if (error == NULL && intake != NULL) {
        intake->counters.events += delivery->event_count;
        intake->options.accept(intake->options.argument, delivery->events, delivery->event_count);
    }
    delivery_step(delivery, error);
}

static void letter_stored(void *argument, const struct error *error)
{
    struct delivery *delivery = argument;
    if (error == NULL && delivery->intake != NULL)
        delivery->intake->counters.dead++;
    delivery_step(delivery, error);
}

/* The answer waits for both writes: a 2xx promises that nothing of the body is lost. */
static void delivery_store(struct intake *intake, struct delivery *delivery)
{
    bool has_events = delivery->event_count > 0;
    bool has_letter = delivery->reason != NULL;
    delivery->waiting = (has_events ? 1 : 0) + (has_letter ? 1 : 0);
    delivery_link(intake, delivery);
    if (delivery->waiting == 0) {
        delivery_finish(delivery);
        return;
    }
    if (has_events)
        store_add_events(intake->options.store, delivery->events, delivery->event_count,
                         events_stored, delivery);
    if (has_letter)
        store_add_dead_letter(intake->options.store, &delivery->letter, letter_stored, delivery);
}

static void delivery_take_events(struct delivery *delivery, struct decoded *decoded)
{
    int64_t now_ms = clock_wall_ms();
    delivery->events = TAKE(decoded->events);
    delivery->event_count = decoded->count;
    delivery->ignored = decoded->ignored;
    decoded->count = 0;
    for (size_t i = 0; i < delivery->event_count; i++) {
        delivery->events[i].registry = memory_copy_text(delivery->registry);
        delivery->events[i].received_ms = now_ms;
    }
}

static void note_instance(struct intake *intake, struct hook *hook, const struct decoded *decoded)
{
    if (hook_note_instance(hook, decoded->instance) && intake->options.instance_changed != NULL)
        intake->options.instance_changed(intake->options.argument, hook->registry->name);
}

/* --- receiving --- */

static struct delivery *delivery_new(const struct hook *hook, const struct receiver *receiver,
                                     size_t size)
{
    struct delivery *delivery = memory_new(sizeof(*delivery));
    delivery->registry = memory_copy_text(hook->registry->name);
    delivery->exchange = receiver->exchange == NULL ? 0 : http_exchange_id(receiver->exchange);
    delivery->replay = receiver->replay;
    delivery->replay_argument = receiver->replay_argument;
    delivery->size_bytes = size;
    return delivery;
}

static void intake_count(struct intake *intake, const struct error *whole,
                         const struct decoded *decoded)
{
    intake->counters.ignored += decoded->ignored;
    if (whole != NULL && whole->kind == FAILURE_LIMIT)
        intake->counters.too_large++;
}

static void intake_take(struct intake *intake, struct hook *hook, const struct decode_input *input,
                        const struct receiver *receiver)
{
    struct decoded decoded = {0};
    struct error err = {0};
    const struct decoder *decoder = NULL;
    bool understood = decode_body(input, &decoded, &decoder, &err) == 0;
    struct delivery *delivery = delivery_new(hook, receiver, input->message->size);
    delivery->dialect = decoder == NULL ? NULL : decoder->name;
    intake_count(intake, understood ? NULL : &err, &decoded);
    note_instance(intake, hook, &decoded);
    if (!understood || decoded.fault_count > 0)
        delivery_set_letter(delivery, understood ? NULL : &err, &decoded, input->message->bytes,
                            input->message->size);
    delivery_take_events(delivery, &decoded);
    decoded_release(&decoded);
    delivery_store(intake, delivery);
}

static void intake_receive(struct intake *intake, struct http_exchange *exchange)
{
    struct hook *hook = intake_route(intake, http_exchange_path(exchange));
    if (hook == NULL) {
        refuse_unknown(intake, exchange);
        return;
    }
    if (!text_equal(http_exchange_method(exchange), "POST")) {
        refuse_method(exchange);
        return;
    }
    const char *header = hook->registry->hook_secret_header;
    if (!hook_admits(hook,
                     http_exchange_header(exchange, header == NULL ? "Authorization" : header))) {
        refuse_sender(intake, hook, exchange);
        return;
    }
    if (hook->secret == NULL && is_from_browser(exchange)) {
        refuse_browser(intake, exchange);
        return;
    }
    if (intake->waiting_bytes > WAITING_BYTES_MAX) {
        refuse_now(intake, hook->registry->dialect, exchange);
        return;
    }
    struct hook_message message = {.content_type = http_exchange_header(exchange, "Content-Type")};
    struct decode_input input = {.registry = hook->registry, .message = &message};
    message.bytes = http_exchange_body(exchange, &message.size);
    intake_take(intake, hook, &input, &(struct receiver){.exchange = exchange});
}

bool intake_handle(struct intake *intake, struct http_exchange *exchange)
{
    const char *path = http_exchange_path(exchange);
    if (!text_equal(path, "/hooks") && !text_starts_with(path, "/hooks/"))
        return false;
    intake->counters.received++;
    intake_receive(intake, exchange);
    return true;
}

/* Nothing is written unless all of the body is understood now: what was understood the first time
 * was taken then. */
static int replay_check(const struct decode_input *input, struct error *err)
{
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    int r = decode_body(input, &decoded, &decoder, err);
    if (r == 0 && decoded.fault_count > 0)
        r = error_set(err, decoded.faults[0].kind, "%s", decoded.faults[0].text);
    decoded_release(&decoded);
    return r;
}

void intake_replay(struct intake *intake, const struct intake_body *body, store_done_f *done,
                   void *argument)
{
    struct error err = {0};
    struct hook *hook = intake_hook(intake, body->registry);
    if (hook == NULL) {
        AUTO_FREE char *name = text_printable(body->registry == NULL ? "" : body->registry, 64);
        error_set(&err, FAILURE_ABSENT, "no registry \"%s\" is configured", name);
        done(argument, &err);
        return;
    }
    struct hook_message message = {.bytes = body->bytes, .size = body->size};
    struct decode_input input = {.registry = hook->registry, .message = &message};
    if (replay_check(&input, &err) != 0) {
        done(argument, &err);
        return;
    }
    intake_take(intake, hook, &input,
                &(struct receiver){.replay = done, .replay_argument = argument});
}

/* --- life --- */

int intake_reload(struct intake *intake, const struct config *config, struct error *err)
{
    struct hook *fresh = NULL;
    int r = hooks_read(config, &fresh, err);
    if (r != 0)
        return r;
    for (size_t i = 0; i < config->registry_count; i++) {
        struct hook *old = intake_hook(intake, fresh[i].registry->name);
        if (old != NULL)
            hook_move_instances(&fresh[i], old);
    }
    hooks_free(intake->hooks, intake->hook_count);
    intake->hooks = fresh;
    intake->hook_count = config->registry_count;
    intake->options.config = config;
    return 0;
}

void intake_counters(const struct intake *intake, struct intake_counters *ret)
{
    *ret = intake->counters;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    for (struct delivery *delivery = intake->deliveries; delivery != NULL;
         delivery = delivery->next)
        delivery->intake = NULL; /* its callbacks still come, and free it */
    hooks_free(intake->hooks, intake->hook_count);
    free(intake);
}

int intake_new(const struct intake_options *options, struct intake **ret, struct error *err)
{
    struct hook *hooks = NULL;
    int r = hooks_read(options->config, &hooks, err);
    if (r != 0)
        return r;
    struct intake *intake = memory_new(sizeof(*intake));
    intake->options = *options;
    intake->hooks = hooks;
    intake->hook_count = options->config->registry_count;
    *ret = intake;
    return 0;
}
