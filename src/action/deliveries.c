/* Notifications on their way. Nobody waits for them: each receiver has its own queue, bounded, and
 * its own pauses; after the last attempt the notification becomes a dead letter. What it says is
 * notification.c. */
#include "deliveries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "notification.h"
#include "receivers.h"
#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/http_client.h"

enum {
    ATTEMPTS_MAX = 6,
    WAITING_MAX = 128, /* per receiver; more become dead letters at once */
    PAUSE_FIRST_MS = 1000,
    PAUSE_MAX_MS = 5 * 60 * 1000,
    STORE_PAUSE_MS = 30 * 1000,
};

/* One notification, for all its receivers. */
struct batch {
    struct json *notification;
    int64_t plan_id;   /* 0: none */
    struct task *task; /* of a single attempt that somebody waits for */
    size_t open, failed;
    bool replanned; /* the journal says "planned" again */
    struct error error;
};

struct delivery {
    struct deliveries *owner; /* NULL: freed while the store owed an answer */
    struct batch *batch;
    char *receiver;
    unsigned attempts;
    bool started, given_up, waits_for_store;
    bool taken; /* a good status has come, whatever becomes of the rest of the answer */
    uint64_t request;
    struct timer *timer;
    struct error error;
    char *letter; /* body of the dead letter while it is written */
};

struct deliveries {
    struct actions *actions;
    struct http_client *http;
    struct receivers receivers;
    struct delivery **items;
    size_t count, capacity;
};

static void give_up(struct delivery *delivery);
static void attempt(struct delivery *delivery);

/* --- the journal --- */

static void on_noted(void *argument, const struct error *error)
{
    (void)error; /* the journal then says what it said before, and the next start sends it again */
    free(argument);
}

static void note(struct deliveries *deliveries, const struct batch *batch, enum plan_state state)
{
    char *reason = memory_copy_text(batch->error.text);
    struct plan_update update = {
        .id = batch->plan_id,
        .state = state,
        .reason = reason,
        .at_ms = clock_wall_ms(),
    };
    if (batch->plan_id <= 0)
        free(reason);
    else
        store_update_plan(deliveries->actions->store, &update, on_noted, reason);
}

static void replan(struct deliveries *deliveries, struct batch *batch)
{
    if (!batch->replanned && batch->task == NULL)
        note(deliveries, batch, PLAN_PLANNED);
    batch->replanned = true;
}

/* --- one delivery's end --- */

static void batch_free(struct batch *batch)
{
    json_release(batch->notification);
    free(batch);
}

static void delivery_free(struct delivery *delivery)
{
    timer_free(delivery->timer);
    free(delivery->receiver);
    free(delivery->letter);
    free(delivery);
}

static void end_batch(struct deliveries *deliveries, struct batch *batch)
{
    if (batch->task != NULL && batch->failed > 0)
        task_fail(batch->task, &batch->error);
    else if (batch->task != NULL)
        task_done(batch->task);
    else if (batch->failed > 0)
        note(deliveries, batch, PLAN_FAILED);
    else if (batch->replanned)
        note(deliveries, batch, PLAN_DONE);
    if (batch->failed > 0 && batch->task == NULL)
        deliveries->actions->counters.failed[ACTION_NOTIFY]++;
    batch_free(batch);
}

static void end(struct delivery *delivery, bool delivered)
{
    struct deliveries *deliveries = delivery->owner;
    struct batch *batch = delivery->batch;
    size_t position = 0;
    while (deliveries->items[position] != delivery)
        position++;
    deliveries->items[position] = deliveries->items[--deliveries->count];
    if (delivered && batch->failed == 0)
        batch->error = (struct error){0};
    if (!delivered) {
        batch->failed++;
        batch->error = delivery->error;
    }
    delivery_free(delivery);
    if (--batch->open == 0)
        end_batch(deliveries, batch);
}

static void on_letter(void *argument, const struct error *error)
{
    struct delivery *delivery = argument;
    delivery->waits_for_store = false;
    if (delivery->owner == NULL)
        delivery_free(delivery);
    else if (error == NULL)
        end(delivery, false);
    else
        timer_arm(delivery->timer, STORE_PAUSE_MS);
}

static void give_up(struct delivery *delivery)
{
    struct batch *batch = delivery->batch;
    delivery->given_up = true;
    if (batch->task != NULL) {
        end(delivery, false);
        return;
    }
    AUTO_JSON struct json *json = notification_for(batch->notification, delivery->receiver);
    struct text body = {0};
    json_write(json, JSON_COMPACT, &body);
    struct dead_letter letter = {
        .at_ms = clock_wall_ms(),
        .kind = "notification",
        .registry = json_get_string(json_get(batch->notification, "data"), "registry"),
        .reason = delivery->error.text,
        .body_size = body.length,
    };
    free(delivery->letter);
    letter.body = delivery->letter = text_take(&body);
    delivery->waits_for_store = true;
    store_add_dead_letter(delivery->owner->actions->store, &letter, on_letter, delivery);
}

/* --- attempts --- */

static bool may_pass(int status)
{
    return status == 0 || status == 408 || status == 425 || status == 429 || status >= 500;
}

static int64_t pause_ms(const struct delivery *delivery, int64_t asked_ms)
{
    const struct config *config = delivery->owner->actions->config;
    int64_t pause = config->retry_first_ms > 0 ? config->retry_first_ms : PAUSE_FIRST_MS;
    uint8_t random;
    for (unsigned i = 1; i < delivery->attempts && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    crypto_random(&random, sizeof(random));
    pause += pause * random / 1024; /* up to a quarter more: receivers do not get all at once */
    if (pause < asked_ms)
        pause = asked_ms;
    return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

static void explain(struct delivery *delivery, const struct http_response *response)
{
    delivery->error = response->error;
    if (response->error.kind == FAILURE_NONE)
        error_set(&delivery->error, may_pass(response->status) ? FAILURE_LATER : FAILURE_DENIED,
                  "answered %d", response->status);
    error_wrap(&delivery->error, "notifier %s", delivery->receiver);
}

static void on_response(void *argument, const struct http_response *response)
{
    struct delivery *delivery = argument;
    delivery->request = 0;
    delivery->attempts++;
    if (delivery->taken || response->status / 100 == 2) {
        end(delivery, true);
        return;
    }
    explain(delivery, response);
    if (delivery->batch->task != NULL || delivery->attempts >= ATTEMPTS_MAX ||
        !may_pass(response->status)) {
        give_up(delivery);
        return;
    }
    delivery->batch->error = delivery->error;
    replan(delivery->owner, delivery->batch);
    timer_arm(delivery->timer, pause_ms(delivery, http_response_retry_after_ms(response)));
}

/* The body of a good answer: of no interest itself. */
static int on_taken(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct delivery *delivery = argument;
    (void)bytes;
    (void)size;
    (void)err;
    delivery->taken = true;
    return 0;
}

static void attempt(struct delivery *delivery)
{
    const struct receiver *receiver =
        receivers_find(&delivery->owner->receivers, delivery->receiver);
    AUTO_TEXT struct text body = {0};
    char timestamp[32], signature[SIGNATURE_SIZE];
    if (receiver == NULL) {
        error_set(&delivery->error, FAILURE_ABSENT, "notifier %s is not configured any more",
                  delivery->receiver);
        give_up(delivery);
        return;
    }
    notification_render(delivery->batch->notification, receiver->format, &body);
    snprintf(timestamp, sizeof(timestamp), "%" PRId64, clock_wall_ms() / 1000);
    struct http_header headers[] = {
        {"Content-Type", notification_content_type(receiver->format)},
        {"X-Regwarden-Timestamp", timestamp},
        {"X-Regwarden-Signature", signature},
        {NULL, NULL},
    };
    if (receiver->key.length == 0)
        headers[2] = (struct http_header){NULL, NULL};
    else
        notification_sign(&receiver->key, timestamp, &body, signature);
    delivery->request = http_client_send(delivery->owner->http,
                                         &(struct http_request){
                                             .method = "POST",
                                             .url = receiver->url,
                                             .headers = headers,
                                             .body = body.data,
                                             .body_size = body.length,
                                             .connect_timeout_ms = receiver->timeout_ms,
                                             .idle_timeout_ms = receiver->timeout_ms,
                                             .total_timeout_ms = receiver->timeout_ms,
                                             .body_write = on_taken,
                                         },
                                         on_response, delivery);
}

static void on_timer(void *argument)
{
    struct delivery *delivery = argument;
    if (delivery->given_up)
        give_up(delivery);
    else
        attempt(delivery);
}

/* --- queue --- */

static size_t waiting_for(const struct deliveries *deliveries, const char *receiver)
{
    size_t waiting = 0;
    for (size_t i = 0; i < deliveries->count; i++)
        waiting += text_equal(deliveries->items[i]->receiver, receiver);
    return waiting;
}

static void add(struct deliveries *deliveries, struct batch *batch, const char *receiver)
{
    struct delivery *delivery = memory_new(sizeof(*delivery));
    delivery->owner = deliveries;
    delivery->batch = batch;
    delivery->receiver = memory_copy_text(receiver);
    delivery->timer = timer_new(deliveries->actions->loop, on_timer, delivery);
    if (waiting_for(deliveries, receiver) >= WAITING_MAX) {
        delivery->given_up = true;
        error_set(&delivery->error, FAILURE_LIMIT, "notifier %s has %d notifications waiting",
                  receiver, WAITING_MAX);
    }
    batch->open++;
    deliveries->items = memory_grow(deliveries->items, deliveries->count, &deliveries->capacity,
                                    sizeof(struct delivery *));
    deliveries->items[deliveries->count++] = delivery;
}

void deliveries_names(const struct deliveries *deliveries, enum verdict_status verdict,
                      struct text_list *ret)
{
    receivers_names(&deliveries->receivers, verdict, ret);
}

size_t deliveries_add(struct deliveries *deliveries, const struct json *notification,
                      enum verdict_status verdict, int64_t plan_id)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    receivers_names(&deliveries->receivers, verdict, &names);
    if (names.count == 0)
        return 0;
    struct batch *batch = memory_new(sizeof(*batch));
    batch->notification = notification_for(notification, NULL);
    batch->plan_id = plan_id;
    for (size_t i = 0; i < names.count; i++)
        add(deliveries, batch, names.items[i]);
    return names.count;
}

void deliveries_add_once(struct deliveries *deliveries, const struct json *notification,
                         struct task *task)
{
    const char *name = json_get_string(notification, "notifier");
    struct batch *batch = memory_new(sizeof(*batch));
    batch->notification = notification_for(notification, NULL);
    batch->task = task;
    add(deliveries, batch, name == NULL ? "" : name);
    deliveries_start(deliveries);
}

bool deliveries_has_plan(const struct deliveries *deliveries, int64_t plan_id)
{
    for (size_t i = 0; i < deliveries->count; i++)
        if (plan_id > 0 && deliveries->items[i]->batch->plan_id == plan_id)
            return true;
    return false;
}

/* Starting may end a delivery at once, which takes it out of the array. */
static struct delivery *find_new(const struct deliveries *deliveries)
{
    for (size_t i = 0; i < deliveries->count; i++)
        if (!deliveries->items[i]->started)
            return deliveries->items[i];
    return NULL;
}

void deliveries_start(struct deliveries *deliveries)
{
    struct delivery *delivery;
    while ((delivery = find_new(deliveries)) != NULL) {
        delivery->started = true;
        on_timer(delivery);
    }
}

/* --- life --- */

int deliveries_new(struct actions *actions, struct deliveries **ret, struct error *err)
{
    struct deliveries *deliveries = memory_new(sizeof(*deliveries));
    deliveries->actions = actions;
    int rc =
        http_client_new(actions->loop, &(struct http_client_options){0}, &deliveries->http, err);
    if (rc == 0)
        rc = deliveries_reload(deliveries, actions->config, err);
    if (rc != 0) {
        deliveries_free(deliveries);
        return rc;
    }
    *ret = deliveries;
    return 0;
}

int deliveries_reload(struct deliveries *deliveries, const struct config *config, struct error *err)
{
    struct receivers receivers = {0};
    int rc = receivers_read(config, &receivers, err);
    if (rc != 0)
        return rc;
    receivers_release(&deliveries->receivers);
    deliveries->receivers = receivers;
    return 0;
}

static void abandon(struct delivery *delivery)
{
    struct deliveries *deliveries = delivery->owner;
    struct batch *batch = delivery->batch;
    if (delivery->request != 0)
        http_client_cancel(deliveries->http, delivery->request);
    replan(deliveries, batch);
    if (--batch->open == 0)
        batch_free(batch);
    delivery->owner = NULL;
    timer_free(TAKE(delivery->timer));
    if (!delivery->waits_for_store)
        delivery_free(delivery);
}

void deliveries_free(struct deliveries *deliveries)
{
    if (deliveries == NULL)
        return;
    for (size_t i = 0; i < deliveries->count; i++)
        abandon(deliveries->items[i]);
    free(deliveries->items);
    receivers_release(&deliveries->receivers);
    http_client_free(deliveries->http);
    free(deliveries);
}
