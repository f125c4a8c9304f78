/* A message whose sender is known, on its way to the disk: its events and its dead letter are
 * written, then whoever waits is told. Knows no dialect and no store driver. */
#include <assert.h>

#include "intake_private.h"
#include "replies.h"

#include "regwarden/clock.h"

void intake_refuse_now(struct intake *intake, const char *dialect, struct http_exchange *exchange)
{
    const struct refusal refusal = {
        .answer = answer_for(dialect, SITUATION_BUSY),
        .kind = FAILURE_LATER,
        .message = "the notification cannot be kept now",
        .hint = "Send it again.",
    };
    intake->counters.failed++;
    hook_refuse(exchange, &refusal);
}

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
    if (delivery->reply != NULL) {
        text_add(&body, delivery->reply);
        hook_reply_json(exchange, answer_for(delivery->sender, SITUATION_HANDSHAKE), NULL, &body);
        return;
    }
    text_format(&body, "{\"events\":%zu,\"ignored\":%zu,\"deadLetters\":%d}\n",
                delivery->event_count, delivery->ignored, dead ? 1 : 0);
    enum situation situation = dead                         ? SITUATION_DEAD_LETTER
                               : delivery->event_count == 0 ? SITUATION_NOTHING
                                                            : SITUATION_ACCEPTED;
    struct hook_answer answer = answer_for(delivery->sender, situation);
    hook_reply_json(exchange, answer, NULL, answer.status == 204 ? NULL : &body);
}

static void delivery_fail(struct intake *intake, const struct delivery *delivery)
{
    struct http_exchange *exchange = http_server_find(intake->options.server, delivery->exchange);
    if (exchange != NULL)
        intake_refuse_now(intake, delivery->sender, exchange);
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

/* With the proof of SNS a confirmation is followed and never comes here. */
static void note_unconfirmed(struct decoded *decoded)
{
    struct error fault = {0};
    if (decoded->confirm != HOOK_CONFIRM_SUBSCRIPTION)
        return;
    error_set(&fault, FAILURE_INPUT, "a subscription of Amazon SNS waits to be confirmed");
    error_hint(&fault, "Set hook-proof to sns and list the topic in hook-topics, or confirm it by "
                       "hand.");
    decoded_add_fault(decoded, &fault);
}

static void intake_count(struct intake *intake, const struct error *whole,
                         const struct decoded *decoded)
{
    intake->counters.ignored += decoded->ignored;
    if (whole != NULL && whole->kind == FAILURE_LIMIT)
        intake->counters.too_large++;
}

void intake_take(struct intake *intake, struct hook *hook, const struct hook_message *message,
                 const struct receiver *receiver)
{
    struct decode_input input = {.registry = hook->registry, .message = message};
    struct decoded decoded = {0};
    struct error err = {0};
    const struct decoder *decoder = NULL;
    bool understood = decode_body(&input, &decoded, &decoder, &err) == 0;
    if (understood)
        note_unconfirmed(&decoded);
    struct delivery *delivery = delivery_new(hook, receiver, message->size);
    delivery->dialect = decoder == NULL ? NULL : decoder->name;
    delivery->sender = hook->proof == &proof_sns ? "sns" : delivery->dialect;
    delivery->reply = TAKE(decoded.reply);
    intake_count(intake, understood ? NULL : &err, &decoded);
    note_instance(intake, hook, &decoded);
    if (!understood || decoded.fault_count > 0)
        delivery_set_letter(delivery, understood ? NULL : &err, &decoded,
                            &(struct letter_source){message, decoder, hook->registry});
    delivery_take_events(delivery, &decoded);
    decoded_release(&decoded);
    delivery_store(intake, delivery);
}
