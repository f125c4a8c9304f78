/* What operators ask for through the API and what takes its time: an answer for each, also when the
 * daemon stops meanwhile. Knows nothing of what was asked. */
#include "asks.h"

#include <assert.h>

void ask_begin(struct ask *ask, struct daemon *daemon, uint64_t request)
{
    ask->daemon = daemon;
    ask->request = request;
    ask->link = &daemon->asks;
    ask->next = daemon->asks;
    if (ask->next)
        ask->next->link = &ask->next;
    daemon->asks = ask;
}

static void ask_free(struct ask *ask)
{
    *ask->link = ask->next;
    if (ask->next)
        ask->next->link = ask->link;
    ask->release(ask);
    free(ask);
}

void ask_answer(struct ask *ask, int status, const struct json *body)
{
    if (!ask->daemon->closing) /* else there is nobody left to tell */
        api_answer(ask->daemon->api, ask->request, status, body);
    ask_free(ask);
}

void ask_fail(struct ask *ask, const struct error *error)
{
    AUTO_JSON struct json *body = api_error_body(error);

    ask_answer(ask, api_status_of(error->kind), body);
}

bool ask_is_too_late(struct ask *ask)
{
    struct error error;

    if (!ask->daemon->closing)
        return false;
    error_set(&error, FAILURE_LATER, "the daemon is stopping");
    ask_fail(ask, &error);
    return true;
}

void asks_free(struct daemon *daemon)
{
    assert(!daemon->asks || daemon->closing);
    for (struct ask *ask = daemon->asks, *next; ask; ask = next) {
        next = ask->next;
        ask_free(ask);
    }
}
