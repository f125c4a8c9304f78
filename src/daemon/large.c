/* Large facts are held by one review at a time: the others wait in line until it has recorded what
 * it found, or is put off. */
#include "review.h"

TAILQ_HEAD(large_list, review);

struct large {
    struct review *holder;
    struct large_list waiting;
};

struct large *large_new(void)
{
    struct large *large = memory_new(sizeof *large);

    TAILQ_INIT(&large->waiting);
    return large;
}

void large_free(struct large *large)
{
    free(large);
}

static bool enter(struct large *large, struct review *review)
{
    if (!large->holder)
        large->holder = review;
    if (large->holder == review || review->waits_for_large)
        return large->holder == review;
    review->waits_for_large = true;
    TAILQ_INSERT_TAIL(&large->waiting, review, large_link);
    return false;
}

static void leave_line(struct large *large, struct review *review)
{
    TAILQ_REMOVE(&large->waiting, review, large_link);
    review->waits_for_large = false;
}

void large_leave(struct large *large, struct review *review)
{
    struct review *next;

    if (review->waits_for_large)
        leave_line(large, review);
    if (large->holder != review)
        return;
    large->holder = next = TAILQ_FIRST(&large->waiting);
    if (!next)
        return;
    leave_line(large, next);
    review_wake(next);
}

static void unpacked(void *argument, const struct error *error, struct facts *facts)
{
    struct review *review = argument;

    if (error) {
        review_not_stored(review, error);
        return;
    }
    review->context.facts = facts;
    review_resume(review, REVIEW_CONFIRM);
}

enum progress review_unpack(struct review *review)
{
    if (!review->context.facts_are_large)
        return PROGRESS_NEXT;
    if (enter(review->daemon->large, review))
        store_read_facts(review->daemon->store, &review->event.digest, unpacked, review);
    return PROGRESS_WAITING; /* large_leave() of another wakes it */
}
