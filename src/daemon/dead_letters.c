/* An operator wants a dead letter tried again: an event is judged once more, a notification is sent
 * once more, a body that was not understood is read once more. The letter is removed only when that
 * was taken over safely. */
#include "asks.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"
#include "regwarden/reference.h"

struct again {
    struct ask ask;
    int64_t id;
    struct event event; /* of kind event */
};

static void again_release(struct ask *ask)
{
    event_release(&((struct again *)ask)->event);
}

static void refuse(struct again *again, enum failure kind, const char *why)
{
    struct error error;

    error_set(&error, kind, "dead letter %lld: %s", (long long)again->id, why);
    ask_fail(&again->ask, &error);
}

static void removed(void *argument, const struct error *error)
{
    struct again *again = argument;
    AUTO_JSON struct json *body = NULL;

    if (error) {
        ask_fail(&again->ask, error);
        return;
    }
    body = json_new_object();
    json_set_integer(body, "id", again->id);
    json_set_string(body, "state", "retried");
    ask_answer(&again->ask, 200, body);
}

static void taken_over(struct again *again)
{
    store_remove_dead_letter(again->ask.daemon->store, again->id, removed, again);
}

static void event_added(void *argument, const struct error *error)
{
    struct again *again = argument;

    if (error) {
        ask_fail(&again->ask, error);
        return;
    }
    dispatcher_add(again->ask.daemon->dispatcher, &again->event, 1);
    taken_over(again);
}

static void resent(void *argument, const struct action_result *result)
{
    struct again *again = argument;

    if (result->state == PLAN_DONE)
        taken_over(again);
    else
        refuse(again, FAILURE_LATER, result->error ? result->error->text : "was not delivered");
}

static void taken_in(void *argument, const struct error *error)
{
    struct again *again = argument;
    struct error why;

    if (!error) {
        taken_over(again);
        return;
    }
    why = *error;
    error_wrap(&why, "dead letter %lld", (long long)again->id);
    ask_fail(&again->ask, &why);
}

/* Cut bodies are not offered: half a notification could be understood as another one. */
static void retry_hook(struct again *again, const struct json *letter)
{
    AUTO_PAIRS struct text_pairs headers = {0};
    struct intake_body body = {.registry = json_get_string(letter, "registry"),
                               .bytes = json_get_string(letter, "body"),
                               .headers = &headers};

    (void)json_to_pairs(json_get(letter, "headers"), "headers", &headers, NULL);
    body.size = body.bytes ? strlen(body.bytes) : 0;
    if (!body.registry || json_get_integer(letter, "bodyBytes", -1) != (int64_t)body.size) {
        refuse(again, FAILURE_INPUT,
               "its body was not kept whole; push again, or run `regwarden sweep`");
        return;
    }
    intake_replay(again->ask.daemon->intake, &body, taken_in, again);
}

static bool names_an_image(const struct event *event)
{
    return event->registry && event->repository && repository_is_valid(event->repository) &&
           (event->tag ? tag_is_valid(event->tag) : digest_is_set(&event->digest));
}

static void retry_event(struct again *again, const struct json *body)
{
    const char *digest = json_get_string(body, "digest");

    again->event = (struct event){
        .received_ms = clock_wall_ms(),
        .action = EVENT_PUSH,
        .cause = EVENT_CAUSE_MANUAL,
        .registry = memory_copy_text(json_get_string(body, "registry")),
        .repository = memory_copy_text(json_get_string(body, "repository")),
        .tag = memory_copy_text(json_get_string(body, "tag")),
        .media_type = memory_copy_text(json_get_string(body, "mediaType")),
        .actor = memory_copy_text(json_get_string(body, "actor")),
    };
    if ((digest && digest_parse_verifiable(digest, &again->event.digest, NULL) < 0) ||
        !names_an_image(&again->event)) {
        refuse(again, FAILURE_INPUT, "does not name an image");
        return;
    }
    store_add_events(again->ask.daemon->store, &again->event, 1, event_added, again);
}

static void loaded(void *argument, const struct error *error, struct json *letters)
{
    struct again *again = argument;
    const struct json *letter = json_at(letters, 0);
    const char *kind = json_get_string(letter, "kind");
    const char *text = json_get_string(letter, "body");
    AUTO_JSON struct json *body = NULL;

    if (ask_is_too_late(&again->ask))
        return;
    if (error) {
        ask_fail(&again->ask, error);
        return;
    }
    if (!letter) {
        refuse(again, FAILURE_ABSENT, "is not there");
        return;
    }
    if (text_equal(kind, "hook")) {
        retry_hook(again, letter);
        return;
    }
    if (!text || json_parse(text, strlen(text), NULL, &body, NULL) < 0) {
        refuse(again, FAILURE_INPUT, "holds nothing that could be retried");
        return;
    }
    if (text_equal(kind, "notification"))
        action_resend(again->ask.daemon->actions, body, resent, again);
    else
        retry_event(again, body);
}

void daemon_retry_dead_letter(struct daemon *daemon, uint64_t request, int64_t id)
{
    struct store_filter filter = {.id = id, .limit = 1};
    struct again *again = memory_new(sizeof *again);

    again->ask.release = again_release;
    ask_begin(&again->ask, daemon, request);
    again->id = id;
    store_list(daemon->store, STORE_LIST_DEAD_LETTERS, &filter, loaded, again);
}
