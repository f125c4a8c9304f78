/* Events as plain data: names, copy, release. Where they are kept is events.c. */
#include "regwarden/event.h"

#include "regwarden/memory.h"

static const char *const action_names[] = {
    [EVENT_PUSH] = "push",
    [EVENT_DELETE] = "delete",
    [EVENT_SCANNED] = "scanned",
};

static const char *const cause_names[] = {
    [EVENT_CAUSE_HOOK] = "hook",         [EVENT_CAUSE_SWEEP] = "sweep",
    [EVENT_CAUSE_EXISTING] = "existing", [EVENT_CAUSE_POLICY] = "policy",
    [EVENT_CAUSE_MANUAL] = "manual",     [EVENT_CAUSE_EVIDENCE] = "evidence",
};

const char *event_action_name(enum event_action action)
{
    return action_names[action];
}

const char *event_cause_name(enum event_cause cause)
{
    return cause_names[cause];
}

void event_release(struct event *event)
{
    free(event->registry);
    free(event->repository);
    free(event->tag);
    free(event->media_type);
    free(event->actor);
    free(event->source_id);
    *event = (struct event){0};
}

void event_copy(struct event *to, const struct event *from)
{
    *to = *from;
    to->registry = memory_copy_text(from->registry);
    to->repository = memory_copy_text(from->repository);
    to->tag = memory_copy_text(from->tag);
    to->media_type = memory_copy_text(from->media_type);
    to->actor = memory_copy_text(from->actor);
    to->source_id = memory_copy_text(from->source_id);
}
