#include "outcome.h"

static void describe_event(const struct event *event, struct text *to)
{
    char digest[DIGEST_TEXT_SIZE];
    text_format(to, "%s %s", event_action_name(event->action), event->repository);
    if (event->tag != NULL)
        text_format(to, ":%s", event->tag);
    if (digest_is_set(&event->digest))
        text_format(to, "@%.12s", strchr(digest_format(&event->digest, digest), ':') + 1);
    if (event->actor != NULL)
        text_format(to, " by %s", event->actor);
    text_add_char(to, '\n');
}

void outcome_describe(const struct decoded *decoded, struct text *to)
{
    for (size_t i = 0; i < decoded->count; i++)
        describe_event(&decoded->events[i], to);
    if (decoded->ignored > 0)
        text_format(to, "ignored %zu\n", decoded->ignored);
    for (size_t i = 0; i < decoded->fault_count; i++)
        text_format(to, "fault %s\n", decoded->faults[i].text);
    if (decoded->confirm != HOOK_CONFIRM_NONE)
        text_format(to, "confirm %d\n", (int)decoded->confirm);
    if (decoded->reply != NULL)
        text_format(to, "reply %s\n", decoded->reply);
}
