/* An operator wants a dead letter tried again: an event is judged once more, a notification is sent
 * once more. A hook body that was not understood cannot be: the sweep finds what it was about. The
 * letter is removed only when that was taken over safely. */
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"

struct again {
    struct daemon *daemon;
    uint64_t request;
    int64_t id;
    struct event event; /* of kind event */
};

static void again_free(struct again *again)
{
    event_release(&again->event);
    free(again);
}

static void answer_error(struct again *again, const struct error *error)
{
    AUTO_JSON struct json *body = api_error_body(error);

    api_answer(again->daemon->api, again->request, api_status_of(error->kind), body);
    again_free(again);
}

static void refuse(struct again *again, enum failure kind, const char *why)
{
    struct error error;

    error_set(&error, kind, "dead letter %lld: %s", (long long)again->id, why);
    answer_error(again, &error);
}

static void removed(void *argument, const struct error *error)
{
    struct again *again = argument;
    AUTO_JSON struct json *body = NULL;

    if (error) {
        answer_error(again, error);
        return;
    }
    body = json_new_object();
    json_set_integer(body, "id", again->id);
    json_set_string(body, "state", "retried");
    api_answer(again->daemon->api, again->request, 200, body);
    again_free(again);
}

static void taken_over(struct again *again)
{
    store_remove_dead_letter(again->daemon->store, again->id, removed, again);
}

static void event_added(void *argument, const struct error *error)
{
    struct again *again = argument;

    if (error) {
        answer_error(again, error);
        return;
    }
    dispatcher_add(again->daemon->dispatcher, &again->event, 1);
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
    if (!again->event.registry || !again->event.repository ||
        (digest && digest_parse_verifiable(digest, &again->event.digest, NULL) < 0) ||
        (!digest && !again->event.tag)) {
        refuse(again, FAILURE_INPUT, "does not name an image");
        return;
    }
    store_add_events(again->daemon->store, &again->event, 1, event_added, again);
}

static void loaded(void *argument, const struct error *error, struct json *letters)
{
    struct again *again = argument;
    const struct json *letter = json_at(letters, 0);
    const char *kind = json_get_string(letter, "kind");
    const char *text = json_get_string(letter, "body");
    AUTO_JSON struct json *body = NULL;

    if (error) {
        answer_error(again, error);
        return;
    }
    if (!letter) {
        refuse(again, FAILURE_ABSENT, "is not there");
        return;
    }
    if (text_equal(kind, "hook")) {
        refuse(again, FAILURE_INPUT,
               "was not understood when it came; push again, or run `regwarden sweep`");
        return;
    }
    if (!text || json_parse(text, strlen(text), NULL, &body, NULL) < 0) {
        refuse(again, FAILURE_INPUT, "holds nothing that could be retried");
        return;
    }
    if (text_equal(kind, "notification"))
        action_resend(again->daemon->actions, body, resent, again);
    else
        retry_event(again, body);
}

void daemon_retry_dead_letter(struct daemon *daemon, uint64_t request, int64_t id)
{
    struct store_filter filter = {.id = id, .limit = 1};
    struct again *again = memory_new(sizeof *again);

    again->daemon = daemon;
    again->request = request;
    again->id = id;
    store_list(daemon->store, STORE_LIST_DEAD_LETTERS, &filter, loaded, again);
}
