/* Confirming a subscription to a topic of Amazon SNS: its signature, its topic and the address were
 * checked by the proof. A topic that is not the registry's never comes this far. */
#include "intake_private.h"
#include "replies.h"

#include "regwarden/http_server.h"

enum { CONFIRM_TIMEOUT_MS = 10000 }; /* SNS waits for 15 s */

struct confirmation {
    struct intake *intake;
    uint64_t exchange;
    char *registry;
};

static void tell(const struct confirmation *confirmation, const char *what)
{
    const struct intake_options *options = &confirmation->intake->options;
    if (options->told != NULL)
        options->told(options->argument, confirmation->registry, what);
}

static void visited(void *argument, const struct http_response *response)
{
    struct confirmation *confirmation = argument;
    struct intake *intake = confirmation->intake;
    struct http_exchange *exchange =
        http_server_find(intake->options.server, confirmation->exchange);
    bool confirmed = response->status == 200;
    tell(confirmation, confirmed ? "the subscription to its topic of Amazon SNS was confirmed"
                                 : "the subscription to its topic of Amazon SNS could not be "
                                   "confirmed; SNS asks again");
    if (exchange != NULL && confirmed)
        http_exchange_reply(exchange, answer_for("sns", SITUATION_HANDSHAKE).status, NULL, NULL,
                            NULL, 0);
    else if (exchange != NULL)
        intake_refuse_now(intake, "sns", exchange);
    free(confirmation->registry);
    free(confirmation);
}

void sns_confirm(struct intake *intake, const struct hook *hook, const char *url,
                 struct http_exchange *exchange)
{
    struct confirmation *confirmation = memory_new(sizeof(*confirmation));
    struct http_request request = {
        .method = "GET",
        .url = url,
        .connect_timeout_ms = CONFIRM_TIMEOUT_MS,
        .total_timeout_ms = CONFIRM_TIMEOUT_MS,
    };
    *confirmation = (struct confirmation){
        .intake = intake,
        .exchange = http_exchange_id(exchange),
        .registry = memory_copy_text(hook->registry->name),
    };
    http_client_send(intake->client, &request, visited, confirmation);
}
