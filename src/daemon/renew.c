/* Policies changed while a plan waited: what asked for too much may have been withdrawn since, or a
 * waiver granted. Then not the verdict of then decides but one of now: the plan is skipped, and the
 * placement is judged again like a push. Only what has begun is brought to its end: a tag that was
 * taken away must not be left without a plan that says where its image is. */
#include "renew.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"

struct renewal {
    struct daemon *daemon;
    const struct acts_job *work; /* the caller's, until `done` */
    size_t first;
    struct event event;
    renew_done_f *done;
    void *argument;
};

bool renew_is_due(const struct daemon *daemon, const struct acts_job *work, size_t first)
{
    return work->plans[first].kind != ACTION_NOTIFY &&
           !text_equal(work->verdict.policy_revision, policy_set_revision(daemon->policies));
}

static void finish(struct renewal *renewal, enum renewed renewed, const struct error *error)
{
    renewal->done(renewal->argument, renewed, error);
    event_release(&renewal->event);
    free(renewal);
}

static void event_added(void *argument, const struct error *error)
{
    struct renewal *renewal = argument;

    if (!error)
        dispatcher_add(renewal->daemon->dispatcher, &renewal->event, 1);
    finish(renewal, RENEWED, error);
}

/* The store writes in the order in which it is asked: the plans are skipped when the event is seen.
 */
static void judge_again(struct renewal *renewal)
{
    const struct acts_job *work = renewal->work;
    struct store *store = renewal->daemon->store;
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    log_info(event_log_fields(&work->placement, &buffer, fields),
             "%s: skipped, the policies have changed since, judging again",
             action_kind_name(work->plans[renewal->first].kind));
    for (size_t i = renewal->first; i < work->plan_count; i++) {
        struct plan_update update = {.id = work->plans[i].id,
                                     .state = PLAN_SKIPPED,
                                     .reason = "the policies have changed since: judged again",
                                     .at_ms = clock_wall_ms()};

        if (!work->plans[i].audit)
            store_update_plan(store, &update, NULL, NULL);
    }
    event_copy(&renewal->event, &work->placement);
    renewal->event.id = 0;
    renewal->event.action = EVENT_PUSH;
    renewal->event.cause = EVENT_CAUSE_MANUAL;
    renewal->event.received_ms = clock_wall_ms();
    store_add_events(store, &renewal->event, 1, event_added, renewal);
}

static void resolved(void *argument, const struct registry_answer *answer)
{
    struct renewal *renewal = argument;

    if (!answer->error && digest_equal(&answer->digest, &renewal->work->placement.digest))
        judge_again(renewal);
    else if (!answer->error || answer->error->kind == FAILURE_ABSENT)
        finish(renewal, RENEW_CARRY_ON, NULL);
    else
        finish(renewal, RENEW_CARRY_ON, answer->error);
}

void renew_start(struct daemon *daemon, struct registry *client, const struct renew_order *order,
                 renew_done_f *done, void *argument)
{
    struct renewal *renewal = memory_new(sizeof *renewal);

    *renewal = (struct renewal){.daemon = daemon,
                                .work = order->work,
                                .first = order->first,
                                .done = done,
                                .argument = argument};
    if (order->work->placement.tag)
        registry_resolve(client, order->work->placement.repository, order->work->placement.tag,
                         resolved, renewal);
    else
        judge_again(renewal);
}
