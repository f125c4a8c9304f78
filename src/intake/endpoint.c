/* The endpoint: which hook, who sends, and what is answered to those who may not. What is in a
 * message is not looked at before its sender is known. */
#include "intake_private.h"
#include "message.h"
#include "replies.h"

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
        intake_refuse_now(intake, hook->registry->dialect, exchange);
        return;
    }
    AUTO_PAIRS struct text_pairs headers = {0};
    struct hook_message message;
    message_from_exchange(exchange, &headers, &message);
    intake_take(intake, hook, &message, &(struct receiver){.exchange = exchange});
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
