/* The endpoint: which hook, who sends, and what is answered to those who may not. What is in a
 * message is not looked at before its sender is known. */
#include "intake_private.h"
#include "message.h"
#include "replies.h"

#include "regwarden/clock.h"

static struct hook *intake_route(struct intake *intake, const char *path)
{
    char *name = NULL;
    if (http_route_match("/hooks/:registry", path, &name, 1) != 1)
        return NULL;
    struct hook *hook = intake_hook(intake, name);
    free(name);
    return hook;
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
    hook_refuse(exchange, &refusal);
}

static void refuse_method(struct http_exchange *exchange)
{
    static const struct refusal refusal = {
        .answer = {.status = 405},
        .kind = FAILURE_INPUT,
        .message = "notifications are sent with POST",
        .header = {"Allow", "POST"},
    };
    hook_refuse(exchange, &refusal);
}

/* A sender that was set up wrongly tells nobody. Others may knock as often as they like. */
static void tell_refusal(const struct intake *intake, struct hook *hook, const struct error *why)
{
    enum { TELL_EVERY_MS = 60 * 1000 };
    int64_t now_ms = clock_steady_ms();
    if (intake->options.told == NULL ||
        (hook->refusal_told_ms > 0 && now_ms - hook->refusal_told_ms < TELL_EVERY_MS))
        return;
    hook->refusal_told_ms = now_ms;
    AUTO_FREE char *reason = error_with_hint(why);
    AUTO_FREE char *what = text_new("a sender of events is refused: %s", reason);
    intake->options.told(intake->options.argument, hook->registry->name, what);
}

static void refuse_sender(struct intake *intake, struct hook *hook, const struct error *why,
                          struct http_exchange *exchange)
{
    const struct refusal refusal = {
        .answer = answer_for(hook_sender(hook), SITUATION_UNAUTHORISED),
        .kind = FAILURE_DENIED,
        .message = why->text,
        .hint = why->hint[0] == '\0' ? NULL : why->hint,
        .header = {hook->proof->challenge == NULL ? NULL : "WWW-Authenticate",
                   hook->proof->challenge},
    };
    intake->counters.unauthorised++;
    tell_refusal(intake, hook, why);
    hook_refuse(exchange, &refusal);
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
    hook_refuse(exchange, &refusal);
}

/* --- before anything is sent: CloudEvents' protection against abuse --- */

/* Senders that ask first. Only the origin of the dialect that is configured gets a permission, and
 * its callback address is never called. The question needs no proof: it brings no event, and what
 * is sent afterwards has to prove itself. */
static const struct {
    const char *dialect;
    const char *origin;
} askers[] = {
    {"eventgrid", "eventgrid.azure.net"},
};

static const char *origin_of(const struct hook *hook, const struct http_exchange *exchange)
{
    const char *origin = http_exchange_header(exchange, "WebHook-Request-Origin");
    for (size_t i = 0; origin != NULL && i < ARRAY_COUNT(askers); i++) {
        if (text_equal(askers[i].dialect, hook->registry->dialect) &&
            text_equal_nocase(askers[i].origin, origin))
            return askers[i].origin;
    }
    return NULL;
}

static void answer_question(const struct hook *hook, struct http_exchange *exchange)
{
    enum { RATE_MAX = 1000000 };
    const char *origin = origin_of(hook, exchange);
    const char *rate = http_exchange_header(exchange, "WebHook-Request-Rate");
    uint64_t number = 0;
    if (origin == NULL) {
        refuse_method(exchange);
        return;
    }
    bool rated = rate != NULL && text_parse_uint(rate, RATE_MAX, &number, NULL) == 0 && number > 0;
    struct http_reply_header headers[] = {
        {"Allow", "POST"},
        {"WebHook-Allowed-Origin", origin},
        {rated ? "WebHook-Allowed-Rate" : NULL, rate},
        {NULL, NULL},
    };
    http_exchange_reply(exchange, 200, headers, NULL, NULL, 0);
}

/* --- who sends --- */

static enum proof_state prove(struct intake *intake, struct hook *hook,
                              const struct hook_message *message, struct http_exchange *exchange,
                              struct proof_outcome *ret)
{
    struct error err = {0};
    AUTO_FREE char *code = http_exchange_parameter(exchange, "code");
    AUTO_FREE char *secret = http_exchange_parameter(exchange, "secret");
    struct proof_input input = {
        .hook = hook,
        .message = message,
        .subject = http_exchange_client_subject(exchange),
        .code = code,
        .secret = secret,
        .keys = intake->keys,
        .now_ms = clock_wall_ms(),
    };
    enum proof_state state = hook->proof->prove(&input, ret, &err);
    if (state == PROOF_FETCH)
        keys_fetch(intake->keys, ret->url, http_exchange_id(exchange));
    else if (state == PROOF_LATER)
        intake_refuse_now(intake, hook_sender(hook), exchange);
    else if (state == PROOF_REFUSED)
        refuse_sender(intake, hook, &err, exchange);
    return state;
}

/* True when the message goes on; else the exchange was answered, or waits. */
static bool may_send(struct intake *intake, struct hook *hook, const struct hook_message *message,
                     struct http_exchange *exchange)
{
    AUTO(proof_outcome_release) struct proof_outcome outcome = {0};
    if (hook->proof == NULL && is_from_browser(exchange)) {
        refuse_browser(intake, exchange);
        return false;
    }
    if (hook->proof != NULL && prove(intake, hook, message, exchange, &outcome) != PROOF_PROVEN)
        return false;
    if (outcome.news == PROOF_NEWS_NONE)
        return true;
    if (outcome.news == PROOF_NEWS_SUBSCRIPTION) {
        sns_confirm(intake, hook, outcome.url, exchange);
        return false;
    }
    if (intake->options.told != NULL)
        intake->options.told(intake->options.argument, hook->registry->name,
                             "the subscription to its topic of Amazon SNS has ended: no more "
                             "events come from there");
    http_exchange_reply(exchange, 200, NULL, NULL, NULL, 0);
    return false;
}

static void intake_receive(struct intake *intake, struct http_exchange *exchange)
{
    struct hook *hook = intake_route(intake, http_exchange_path(exchange));
    if (hook == NULL) {
        refuse_unknown(intake, exchange);
        return;
    }
    const char *method = http_exchange_method(exchange);
    if (text_equal(method, "OPTIONS")) {
        answer_question(hook, exchange);
        return;
    }
    if (!text_equal(method, "POST")) {
        refuse_method(exchange);
        return;
    }
    AUTO_PAIRS struct text_pairs headers = {0};
    struct hook_message message;
    message_from_exchange(exchange, &headers, &message);
    if (!may_send(intake, hook, &message, exchange))
        return;
    if (intake->waiting_bytes > WAITING_BYTES_MAX) {
        intake_refuse_now(intake, hook_sender(hook), exchange);
        return;
    }
    intake_take(intake, hook, &message, &(struct receiver){.exchange = exchange});
}

/* All is asked anew: the settings may be others by now. */
void endpoint_resume(void *argument, uint64_t waiter)
{
    struct intake *intake = argument;
    struct http_exchange *exchange = http_server_find(intake->options.server, waiter);
    if (exchange != NULL)
        intake_receive(intake, exchange);
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
