/* Judging again after a policy change: every placement whose verdict was made under another
 * revision, a page at a time, and only while fresh events leave room. The old verdict stays in
 * force until the new one is recorded. Nothing is fetched for it unless the new policies need facts
 * that were never gathered. */
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"

enum { PAGE = 128, AFTER_FAILURE_MS = 30000 };

struct rejudge {
    struct daemon *daemon;
    struct timer *retry;
    bool active;
    bool loading;
    bool stopped;
    bool again;        /* something stale was left behind: walk once more */
    unsigned walk;     /* counts walks: what was asked for an earlier one is not taken */
    unsigned asked_in; /* walk of the page that is being loaded */
    int64_t after;
    uint64_t count;
    char revision[65]; /* that the walk is for */
};

static void retry_due(void *argument)
{
    struct rejudge *rejudge = argument;

    if (rejudge->again && !rejudge->active)
        rejudge_start(rejudge);
    else
        rejudge_more(rejudge);
}

struct rejudge *rejudge_new(struct daemon *daemon)
{
    struct rejudge *rejudge = memory_new(sizeof *rejudge);

    rejudge->daemon = daemon;
    rejudge->retry = timer_new(daemon->loop, retry_due, rejudge);
    return rejudge;
}

void rejudge_free(struct rejudge *rejudge)
{
    if (!rejudge)
        return;
    timer_free(rejudge->retry);
    free(rejudge);
}

static void walk_ended(struct rejudge *rejudge)
{
    rejudge->active = false;
    if (rejudge->count)
        log_info(NULL, "%llu verdicts are renewed under the new policies",
                 (unsigned long long)rejudge->count);
    if (rejudge->again)
        timer_arm(rejudge->retry, daemon_pause_ms(rejudge->daemon, AFTER_FAILURE_MS));
}

static void loaded(void *argument, const struct error *error, const struct event *events,
                   size_t count)
{
    struct rejudge *rejudge = argument;
    bool is_of_this_walk = rejudge->asked_in == rejudge->walk;
    size_t added = 0;

    if (rejudge->stopped)
        return;
    if (error) {
        rejudge->loading = false;
        log_warning(NULL, "looking for verdicts to renew failed: %s, retrying", error->text);
        timer_arm(rejudge->retry, daemon_pause_ms(rejudge->daemon, AFTER_FAILURE_MS));
        return;
    }
    for (size_t i = 0; i < count && is_of_this_walk; i++) {
        struct event event = events[i];

        event.id = 0; /* it named the placement; in the store there is no such event */
        event.received_ms = clock_wall_ms();
        rejudge->after = events[i].id;
        if (dispatcher_add_passing(rejudge->daemon->dispatcher, &event))
            added++;
        else
            rejudge->again = true; /* its registry has enough to do: found by another walk */
    }
    rejudge->count += added;
    rejudge->loading = false; /* only now: adding events asks for more */
    if (is_of_this_walk && count == 0)
        walk_ended(rejudge);
    else if (added == 0)
        rejudge_more(rejudge);
}

void rejudge_more(struct rejudge *rejudge)
{
    if (!rejudge || !rejudge->active || rejudge->loading || rejudge->stopped)
        return;
    rejudge->loading = true;
    rejudge->asked_in = rejudge->walk;
    store_load_stale(rejudge->daemon->store, rejudge->revision, rejudge->after, PAGE, loaded,
                     rejudge);
}

void rejudge_start(struct rejudge *rejudge)
{
    snprintf(rejudge->revision, sizeof rejudge->revision, "%s",
             policy_set_revision(rejudge->daemon->policies));
    rejudge->active = true;
    rejudge->again = false;
    rejudge->walk++;
    rejudge->after = 0;
    rejudge->count = 0;
    rejudge_more(rejudge);
}

void rejudge_left_one(struct rejudge *rejudge)
{
    rejudge->again = true;
    if (!rejudge->active && !rejudge->stopped)
        timer_arm(rejudge->retry, daemon_pause_ms(rejudge->daemon, AFTER_FAILURE_MS));
}

void rejudge_stop(struct rejudge *rejudge)
{
    rejudge->stopped = true;
    timer_disarm(rejudge->retry);
}
