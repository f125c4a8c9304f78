/* Long polls one after the other, messages in flight, deletes in batches. It decodes nothing. */
#include "sqs.h"

#include <sys/queue.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/http_client.h"
#include "regwarden/loop.h"

#include "sqs_wire.h"

enum { BATCH_MAX = 10, IN_FLIGHT_MAX = 50 };
#define ANSWER_BYTES_MAX (UINT64_C(16) * 1024 * 1024)
#define POLL_SLACK_MS (INT64_C(15) * 1000)

const struct sqs_tuning sqs_tuning_default = {
    .wait_s = 20,
    .visibility_s = 60,
    .extend_ms = INT64_C(25) * 1000,
    .delete_ms = 100,
    .backoff_first_ms = 1000,
    .backoff_max_ms = INT64_C(60) * 1000,
};

enum message_state { MESSAGE_WRITING, MESSAGE_DONE };

/* While it is written, it may outlive its poller. */
struct message {
    TAILQ_ENTRY(message) link;
    struct sqs *sqs; /* NULL: gone */
    char *receipt;
    int64_t hidden_at_ms; /* steady clock */
    enum message_state state;
};
TAILQ_HEAD(message_list, message);

struct sqs {
    struct sqs_options options;
    struct sqs_tuning tuning;
    struct aws *aws;
    char *endpoint; /* NULL: the settings' */
    struct message_list messages;
    size_t in_flight;
    size_t to_delete;  /* MESSAGE_DONE */
    uint64_t poll_id;  /* under way, or 0 */
    int64_t asked_ms;  /* it was, by the steady clock */
    unsigned max;      /* messages to ask for */
    unsigned failures; /* in a row */
    bool is_started;
    bool is_ending;
    bool is_paused;
    struct timer *pause;
    struct timer *deletes;
    struct timer *extend;
    struct error trouble; /* FAILURE_NONE: the queue works */
    struct intake_queue counters;
};

static void poll_queue(struct sqs *sqs);

static uint64_t send(struct sqs *sqs, const char *target, struct json *taken, aws_done_f *done)
{
    struct aws_call call = {.service = "sqs",
                            .endpoint = sqs->endpoint,
                            .target = target,
                            .json_version = "1.0",
                            .input = taken,
                            .idle_timeout_ms = sqs->tuning.wait_s * INT64_C(1000) + POLL_SLACK_MS,
                            .max_body_bytes = ANSWER_BYTES_MAX};
    uint64_t id;

    json_set_string(taken, "QueueUrl", sqs->options.registry->aws.queue_url);
    id = aws_send(sqs->aws, &call, done, sqs);
    json_release(taken);
    return id;
}

/* --- trouble --- */

static void add_hint(const struct sqs *sqs, struct error *error)
{
    if (error->hint[0])
        return;
    if (error->kind == FAILURE_ABSENT)
        (void)error_hint(error, "look at aws.queue-url (%s) and at whose account this is",
                         sqs->options.registry->aws.queue_url);
    else if (error->kind == FAILURE_DENIED)
        (void)error_hint(error, "allow sqs:ReceiveMessage, sqs:DeleteMessage and "
                                "sqs:ChangeMessageVisibility on the queue");
}

static void set_trouble(struct sqs *sqs, const struct error *error)
{
    bool was_well = sqs->trouble.kind == FAILURE_NONE;

    if (sqs->is_ending)
        return;
    sqs->counters.failures++;
    sqs->trouble = *error;
    add_hint(sqs, &sqs->trouble);
    if (was_well)
        sqs->options.trouble(sqs->options.argument, sqs->options.registry, &sqs->trouble);
}

static void clear_trouble(struct sqs *sqs)
{
    sqs->failures = 0;
    if (sqs->trouble.kind == FAILURE_NONE)
        return;
    sqs->trouble = (struct error){0};
    sqs->options.trouble(sqs->options.argument, sqs->options.registry, NULL);
}

/* Messages that cannot be kept would only grow old in the queue, and end where its redrive policy
 * sends what was received too often. */
static void pause_polling(struct sqs *sqs)
{
    int64_t top_ms = sqs->tuning.backoff_first_ms;
    uint64_t random = 0;

    for (unsigned i = 0; i < sqs->failures && top_ms < sqs->tuning.backoff_max_ms; i++)
        top_ms *= 2;
    if (top_ms > sqs->tuning.backoff_max_ms)
        top_ms = sqs->tuning.backoff_max_ms;
    sqs->failures++;
    crypto_random(&random, sizeof(random));
    sqs->is_paused = true;
    timer_arm(sqs->pause, top_ms / 2 + (int64_t)(random % (uint64_t)(top_ms / 2 + 1)));
}

/* A long poll without messages takes its time. What answers so at once is no SQS, or a broken one,
 * and would be asked as fast as it can answer. */
static void rest(struct sqs *sqs)
{
    int64_t taken_ms = clock_steady_ms() - sqs->asked_ms;

    if (sqs->is_paused || taken_ms >= sqs->tuning.backoff_first_ms)
        return;
    sqs->is_paused = true;
    timer_arm(sqs->pause, sqs->tuning.backoff_first_ms - taken_ms);
}

static void on_pause_ended(void *argument)
{
    struct sqs *sqs = argument;

    sqs->is_paused = false;
    poll_queue(sqs);
}

/* --- messages --- */

static void message_free(struct message *message)
{
    struct sqs *sqs = message->sqs;

    if (sqs) {
        TAILQ_REMOVE(&sqs->messages, message, link);
        sqs->in_flight--;
        sqs->to_delete -= message->state == MESSAGE_DONE;
    }
    free(message->receipt);
    free(message);
}

static void on_written(void *argument, const struct error *error)
{
    struct message *message = argument;
    struct sqs *sqs = message->sqs;

    if (!sqs) {
        message_free(message);
        return;
    }
    if (error) {
        struct error told = *error;

        (void)error_wrap(&told, "keep a message of the queue");
        message_free(message);
        set_trouble(sqs, &told);
        if (!sqs->is_paused)
            pause_polling(sqs);
        return;
    }
    message->state = MESSAGE_DONE;
    sqs->to_delete++;
    if (sqs->to_delete == 1)
        timer_arm(sqs->deletes, sqs->tuning.delete_ms);
    if (sqs->to_delete >= BATCH_MAX)
        timer_arm(sqs->deletes, 0);
}

static void take_message(struct sqs *sqs, const struct sqs_message *received)
{
    struct message *message = memory_new(sizeof(*message));
    struct intake_body body = {.registry = sqs->options.registry->name,
                               .bytes = received->body,
                               .size = strlen(received->body)};

    message->sqs = sqs;
    message->receipt = memory_copy_text(received->receipt);
    message->hidden_at_ms = clock_steady_ms();
    TAILQ_INSERT_TAIL(&sqs->messages, message, link);
    sqs->in_flight++;
    sqs->counters.messages++;
    sqs->options.take(sqs->options.argument, &body, on_written, message);
}

static void on_received(void *argument, const struct aws_answer *answer)
{
    struct sqs *sqs = argument;
    struct sqs_message received;
    bool is_empty = true;

    sqs->poll_id = 0;
    if (answer->error) {
        /* Ten large messages may be more than is read at once; one never is. */
        if (answer->error->kind == FAILURE_LIMIT)
            sqs->max = 1;
        set_trouble(sqs, answer->error);
        pause_polling(sqs);
        return;
    }
    sqs->max = BATCH_MAX;
    clear_trouble(sqs);
    for (size_t i = 0; i < sqs_message_count(answer->body) && i < BATCH_MAX; i++) {
        if (!sqs_read_message(answer->body, i, &received))
            continue;
        is_empty = false;
        take_message(sqs, &received);
    }
    if (is_empty)
        rest(sqs);
    poll_queue(sqs);
}

static void poll_queue(struct sqs *sqs)
{
    struct json *input;

    if (!sqs->is_started || sqs->is_paused || sqs->poll_id ||
        sqs->in_flight + BATCH_MAX > IN_FLIGHT_MAX)
        return;
    input = json_new_object();
    json_set_integer(input, "MaxNumberOfMessages", sqs->max);
    json_set_integer(input, "WaitTimeSeconds", sqs->tuning.wait_s);
    json_set_integer(input, "VisibilityTimeout", sqs->tuning.visibility_s);
    sqs->asked_ms = clock_steady_ms();
    sqs->poll_id = send(sqs, "AmazonSQS.ReceiveMessage", input, on_received);
}

/* --- deletes --- */

/* What could not be deleted comes again and is known then: nothing is to be done. */
static void on_deleted(void *argument, const struct aws_answer *answer)
{
    struct sqs *sqs = argument;

    if (answer->error)
        set_trouble(sqs, answer->error);
    else
        sqs->counters.deleted += json_count(json_get(answer->body, "Successful"));
}

static void delete_batch(struct sqs *sqs)
{
    struct json *input = json_new_object();
    struct json *entries = json_new_array();
    struct message *message = TAILQ_FIRST(&sqs->messages);

    while (message && json_count(entries) < BATCH_MAX) {
        struct message *next = TAILQ_NEXT(message, link);

        if (message->state == MESSAGE_DONE) {
            sqs_add_entry(entries, message->receipt, -1);
            message_free(message);
        }
        message = next;
    }
    json_set_take(input, "Entries", entries);
    (void)send(sqs, "AmazonSQS.DeleteMessageBatch", input, on_deleted);
}

static void on_deletes_due(void *argument)
{
    struct sqs *sqs = argument;

    while (sqs->to_delete > 0)
        delete_batch(sqs);
    poll_queue(sqs);
}

/* --- hiding anew --- */

static void on_extended(void *argument, const struct aws_answer *answer)
{
    struct sqs *sqs = argument;

    if (answer->error)
        set_trouble(sqs, answer->error);
}

static void on_extend_due(void *argument)
{
    struct sqs *sqs = argument;
    struct json *entries = json_new_array();
    int64_t now_ms = clock_steady_ms();
    struct message *message;

    TAILQ_FOREACH(message, &sqs->messages, link)
    {
        if (json_count(entries) == BATCH_MAX)
            break; /* the others follow at the next turn */
        if (message->state != MESSAGE_WRITING ||
            now_ms - message->hidden_at_ms < sqs->tuning.extend_ms)
            continue;
        message->hidden_at_ms = now_ms;
        sqs_add_entry(entries, message->receipt, sqs->tuning.visibility_s);
    }
    if (json_count(entries) > 0) {
        struct json *input = json_new_object();

        json_set_take(input, "Entries", entries);
        (void)send(sqs, "AmazonSQS.ChangeMessageVisibilityBatch", input, on_extended);
    } else {
        json_release(entries);
    }
    timer_arm(sqs->extend, sqs->tuning.extend_ms / 5);
}

/* --- life --- */

int sqs_new(const struct sqs_options *options, struct sqs **ret, struct error *err)
{
    const struct config_aws *settings = &options->registry->aws;
    AUTO_FREE char *region = sqs_region(settings->queue_url);
    struct sqs *sqs = memory_new(sizeof(*sqs));
    int rc = aws_new(options->loop, settings, region, &sqs->aws, err);

    if (rc < 0) {
        free(sqs);
        return error_wrap(err, "queue of the registry %s", options->registry->name);
    }
    sqs->options = *options;
    sqs->tuning = options->tuning ? *options->tuning : sqs_tuning_default;
    sqs->endpoint = settings->sqs_endpoint ? NULL : sqs_origin(settings->queue_url);
    sqs->max = BATCH_MAX;
    sqs->counters.registry = options->registry->name;
    sqs->pause = timer_new(options->loop, on_pause_ended, sqs);
    sqs->deletes = timer_new(options->loop, on_deletes_due, sqs);
    sqs->extend = timer_new(options->loop, on_extend_due, sqs);
    TAILQ_INIT(&sqs->messages);
    *ret = sqs;
    return 0;
}

void sqs_start(struct sqs *sqs)
{
    sqs->is_started = true;
    timer_arm(sqs->extend, sqs->tuning.extend_ms / 5);
    poll_queue(sqs);
}

void sqs_free(struct sqs *sqs)
{
    struct message *message;

    if (!sqs)
        return;
    sqs->is_started = false;
    while ((message = TAILQ_FIRST(&sqs->messages))) {
        TAILQ_REMOVE(&sqs->messages, message, link);
        message->sqs = NULL;
        if (message->state != MESSAGE_WRITING)
            message_free(message);
    }
    sqs->is_ending = true; /* the calls under way end with a failure that is none */
    aws_free(sqs->aws);
    timer_free(sqs->pause);
    timer_free(sqs->deletes);
    timer_free(sqs->extend);
    free(sqs->endpoint);
    free(sqs);
}

void sqs_status(const struct sqs *sqs, struct intake_queue *ret)
{
    *ret = sqs->counters;
    ret->error = sqs->trouble.kind == FAILURE_NONE ? NULL : sqs->trouble.text;
    ret->in_flight = sqs->in_flight;
}
