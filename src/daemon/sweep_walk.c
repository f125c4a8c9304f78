/* The walk of one sweep: catalogue page by page, the tags of each repository, the digest of each
 * tag (a few at once), and batches to the store, which says what is not judged yet. Nothing is
 * judged here. Memory holds the names of repositories and of one repository's tags, both bounded,
 * and one batch. One repository or tag that cannot be looked at does not keep us from the others.
 */
#include "sweep.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/log.h"
#include "regwarden/reference.h"

static void go_on(struct sweep *sweep);

static void fail(struct sweep *sweep, const struct error *error)
{
    if (sweep->failure.kind == FAILURE_NONE)
        sweep->failure = *error;
}

/* Broken for good: trying again would not help. */
static bool is_lasting(const struct error *error)
{
    return error->kind == FAILURE_INPUT || error->kind == FAILURE_LIMIT;
}

static void skip(struct sweep *sweep, const char *repository, const struct error *error)
{
    const struct text_list *exceptions = &sweep->exceptions;

    sweep->skipped++;
    if (sweep->skip.kind == FAILURE_NONE || (is_lasting(&sweep->skip) && !is_lasting(error)))
        sweep->skip = *error;
    if (exceptions->count == 0 || !text_equal(exceptions->items[exceptions->count - 1], repository))
        text_list_add(&sweep->exceptions, repository);
    if (exceptions->count > SWEEP_EXCEPTIONS_MAX)
        fail(sweep, error);
    if (error->kind == FAILURE_LATER && ++sweep->later_in_a_row >= SWEEP_LATER_MAX)
        fail(sweep, error);
}

static void add_name(struct sweep *sweep, struct text_list *list, size_t *bytes, const char *name)
{
    enum { OVERHEAD_BYTES = 40 }; /* of a list's item, about */
    struct error error;

    *bytes += strlen(name) + OVERHEAD_BYTES;
    if (*bytes <= SWEEP_NAMES_BYTES_MAX) {
        text_list_add(list, name);
        return;
    }
    error_set(&error, FAILURE_LIMIT, "the registry lists more names than %d MiB hold",
              SWEEP_NAMES_BYTES_MAX >> 20);
    error_hint(&error, "name what is to be swept under sweep-repositories");
    fail(sweep, &error);
}

/* Takes no further page once the walk has failed. True: that was the last one. */
static bool list_ended(struct sweep *sweep, const struct registry_answer *answer)
{
    if (answer->more && !answer->error && sweep->failure.kind == FAILURE_NONE)
        return false;
    if (answer->more && !answer->error)
        registry_cancel(sweep->registry->client, sweep->listing);
    sweep->listing = 0;
    return true;
}

/* --- which repositories --- */

static bool is_quarantine(const struct sweep *sweep, const char *repository)
{
    const char *prefix = sweep->registry->settings->quarantine_prefix;
    size_t length = prefix ? strlen(prefix) : 0;

    return length && strncmp(repository, prefix, length) == 0 && repository[length] == '/';
}

static bool is_in_scope(const struct sweep *sweep, const char *repository)
{
    const struct text_list *globs = &sweep->registry->settings->sweep_repositories;

    if (is_quarantine(sweep, repository) || !repository_is_valid(repository))
        return false;
    for (size_t i = 0; i < globs->count; i++)
        if (text_glob_match(globs->items[i], repository))
            return true;
    return globs->count == 0;
}

/* Plain names in the settings need no catalogue, which many registries do not offer. */
static bool take_plain_names(struct sweep *sweep)
{
    const struct text_list *globs = &sweep->registry->settings->sweep_repositories;

    for (size_t i = 0; i < globs->count; i++)
        if (strpbrk(globs->items[i], "*?"))
            return false;
    for (size_t i = 0; i < globs->count; i++)
        text_list_add(&sweep->repositories, globs->items[i]);
    return globs->count > 0;
}

static void repositories_listed(void *argument, const struct registry_answer *answer)
{
    struct sweep *sweep = argument;

    if (answer->error)
        fail(sweep, answer->error);
    for (size_t i = 0; answer->names && i < answer->names->count; i++)
        if (is_in_scope(sweep, answer->names->items[i]))
            add_name(sweep, &sweep->repositories, &sweep->repository_bytes,
                     answer->names->items[i]);
    if (!list_ended(sweep, answer))
        return;
    sweep->repositories_complete = true;
    go_on(sweep);
}

/* --- which tags --- */

static const char *present_repository(const struct sweep *sweep)
{
    return sweep->repositories.items[sweep->repository_index - 1];
}

static void tags_listed(void *argument, const struct registry_answer *answer)
{
    struct sweep *sweep = argument;

    if (answer->error &&
        answer->error->kind != FAILURE_ABSENT) /* a repository without tags, or gone since */
        skip(sweep, present_repository(sweep), answer->error);
    else
        sweep->later_in_a_row = 0;
    for (size_t i = 0; answer->names && i < answer->names->count; i++)
        if (tag_is_valid(answer->names->items[i]))
            add_name(sweep, &sweep->tags, &sweep->tag_bytes, answer->names->items[i]);
    if (!list_ended(sweep, answer))
        return;
    sweep->tags_complete = true;
    go_on(sweep);
}

static void next_repository(struct sweep *sweep)
{
    text_list_release(&sweep->tags);
    sweep->tag_index = 0;
    sweep->tag_bytes = 0;
    sweep->tags_complete = false;
    sweep->repository_index++;
    sweep->repository_count++;
    sweep->listing =
        registry_list_tags(sweep->registry->client, present_repository(sweep), tags_listed, sweep);
}

/* --- which digest --- */

struct resolve {
    struct sweep *sweep;
    char *repository;
    char *tag;
};

static void resolved(void *argument, const struct registry_answer *answer)
{
    struct resolve *resolve = argument;
    struct sweep *sweep = resolve->sweep;
    struct sweep_found *found;

    sweep->resolving--;
    if (answer->error) {
        if (answer->error->kind != FAILURE_ABSENT) /* deleted since it was listed */
            skip(sweep, resolve->repository, answer->error);
        free(resolve->repository);
        free(resolve->tag);
    } else {
        sweep->later_in_a_row = 0;
        found = &sweep->found[sweep->found_count++];
        *found = (struct sweep_found){
            .repository = resolve->repository, .tag = resolve->tag, .digest = answer->digest};
    }
    free(resolve);
    go_on(sweep);
}

static void start_resolves(struct sweep *sweep)
{
    while (sweep->failure.kind == FAILURE_NONE && !sweep->stopped && !sweep->saving &&
           sweep->tag_index < sweep->tags.count && sweep->resolving < SWEEP_RESOLVES &&
           sweep->found_count + sweep->resolving < SWEEP_BATCH) {
        struct resolve *resolve = memory_new(sizeof *resolve);

        resolve->sweep = sweep;
        resolve->repository = memory_copy_text(present_repository(sweep));
        resolve->tag = memory_copy_text(sweep->tags.items[sweep->tag_index++]);
        sweep->resolving++;
        sweep->tag_count++;
        registry_resolve(sweep->registry->client, resolve->repository, resolve->tag, resolved,
                         resolve);
    }
}

/* --- what of it is news --- */

static void clear_batch(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->found_count; i++) {
        free(sweep->found[i].repository);
        free(sweep->found[i].tag);
    }
    sweep->found_count = 0;
    for (size_t i = 0; i < sweep->event_count; i++)
        event_release(&sweep->events[i]);
    sweep->event_count = 0;
    sweep->saving = false;
}

static void events_added(void *argument, const struct error *error)
{
    struct sweep *sweep = argument;

    if (error)
        fail(sweep, error);
    else
        dispatcher_add(sweep->daemon->dispatcher, sweep->events, sweep->event_count);
    clear_batch(sweep);
    go_on(sweep);
}

static void add_event(struct sweep *sweep, const struct sweep_found *found)
{
    struct event *event = &sweep->events[sweep->event_count++];

    *event = (struct event){
        .received_ms = clock_wall_ms(),
        .action = EVENT_PUSH,
        .cause = sweep->is_first ? EVENT_CAUSE_EXISTING : EVENT_CAUSE_SWEEP,
        .registry = memory_copy_text(sweep->registry->settings->name),
        .repository = memory_copy_text(found->repository),
        .tag = memory_copy_text(found->tag),
        .digest = found->digest,
    };
}

static void batch_checked(void *argument, const struct error *error)
{
    struct sweep *sweep = argument;

    if (error)
        fail(sweep, error);
    for (size_t i = 0; !error && i < sweep->found_count; i++)
        if (sweep->wanted[i])
            add_event(sweep, &sweep->found[i]);
    sweep->wanted_count += sweep->event_count;
    if (sweep->event_count) {
        store_add_events(sweep->daemon->store, sweep->events, sweep->event_count, events_added,
                         sweep);
        return;
    }
    clear_batch(sweep);
    go_on(sweep);
}

static void save_batch(struct sweep *sweep)
{
    sweep->saving = true;
    for (size_t i = 0; i < sweep->found_count; i++) {
        sweep->items[i] = (struct sweep_item){.repository = sweep->found[i].repository,
                                              .tag = sweep->found[i].tag,
                                              .digest = sweep->found[i].digest};
        sweep->wanted[i] = false;
    }
    store_sweep_batch(sweep->daemon->store, sweep->registry->settings->name, sweep->id,
                      sweep->items, sweep->found_count, sweep->wanted, batch_checked, sweep);
}

/* --- the way on --- */

static void finish(struct sweep *sweep)
{
    struct error failure = sweep->failure;

    if (sweep->stopped && failure.kind == FAILURE_NONE)
        error_set(&failure, FAILURE_LATER, "stopped");
    if (failure.kind == FAILURE_NONE && sweep->skipped && !is_lasting(&sweep->skip)) {
        failure = sweep->skip;
        error_wrap(&failure, "%zu could not be looked at, the first", sweep->skipped);
    }
    sweep->walking = false;
    sweep_walk_release(sweep);
    sweep_walked(sweep, failure.kind == FAILURE_NONE ? NULL : &failure);
}

/* Looks at where the walk stands and does the next thing; every callback ends here. */
static void go_on(struct sweep *sweep)
{
    bool over = sweep->stopped || sweep->failure.kind != FAILURE_NONE;
    bool tags_left = sweep->tag_index < sweep->tags.count;

    if (sweep->saving || sweep->listing)
        return;
    if (over && sweep->resolving == 0) {
        finish(sweep);
        return;
    }
    if (over)
        return;
    start_resolves(sweep);
    if (sweep->resolving)
        return;
    if (sweep->found_count && (sweep->found_count >= SWEEP_BATCH || !tags_left)) {
        save_batch(sweep);
        return;
    }
    if (sweep->repository_index < sweep->repositories.count)
        next_repository(sweep);
    else if (sweep->repositories_complete)
        finish(sweep);
}

void sweep_walk(struct sweep *sweep)
{
    assert(!sweep->walking);
    sweep->walking = true;
    sweep->failure = sweep->skip = (struct error){0};
    sweep->skipped = 0;
    sweep->later_in_a_row = 0;
    sweep->repository_bytes = sweep->tag_bytes = 0;
    sweep->repository_index = sweep->tag_index = 0;
    text_list_release(&sweep->exceptions);
    sweep->exceptions = (struct text_list){0};
    sweep->found = memory_new_array(SWEEP_BATCH, sizeof *sweep->found);
    sweep->items = memory_new_array(SWEEP_BATCH, sizeof *sweep->items);
    sweep->wanted = memory_new_array(SWEEP_BATCH, sizeof *sweep->wanted);
    sweep->events = memory_new_array(SWEEP_BATCH, sizeof *sweep->events);
    sweep->repositories_complete = take_plain_names(sweep);
    if (sweep->repositories_complete)
        go_on(sweep);
    else
        sweep->listing =
            registry_list_repositories(sweep->registry->client, repositories_listed, sweep);
}

void sweep_walk_stop(struct sweep *sweep)
{
    sweep->stopped = true;
    if (sweep->listing) {
        registry_cancel(sweep->registry->client, sweep->listing);
        sweep->listing = 0;
        go_on(sweep);
    }
}

void sweep_walk_release(struct sweep *sweep)
{
    if (sweep->found)
        clear_batch(sweep);
    free(TAKE(sweep->found));
    free(TAKE(sweep->items));
    free(TAKE(sweep->wanted));
    free(TAKE(sweep->events));
    text_list_release(&sweep->repositories);
    text_list_release(&sweep->tags);
    sweep->repositories = sweep->tags = (struct text_list){0};
}
