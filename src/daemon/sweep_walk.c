/* The walk of one sweep: repositories page by page, the images of each page by page, and the digest
 * of each tag where the listing does not name it (a few at once). Nothing is judged here. One
 * repository or tag that cannot be looked at does not keep us from the others.
 *
 * What a sweep costs: a request per page; and, where listings name no digests, a HEAD per tag, each
 * time. Nothing safe saves them there: a moved tag leaves catalogue and list of tags as they were,
 * so that an unchanged list proves nothing; and a HEAD that asks "changed since this digest?"
 * (If-None-Match) is a request like any other. Where listings name digests, there is nothing more
 * to ask about what is known. */
#include "sweep.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/reference.h"

void sweep_walk_fail(struct sweep *sweep, const struct error *error)
{
    if (sweep->failure.kind == FAILURE_NONE)
        sweep->failure = *error;
}

/* Broken for good: trying again would not help. */
static bool is_lasting(const struct error *error)
{
    return error->kind == FAILURE_INPUT || error->kind == FAILURE_LIMIT;
}

static void skip(struct sweep *sweep, struct sweep_box *box, const char *repository,
                 const struct error *error)
{
    struct sweep_position *position = &sweep->position;
    struct text_list *exceptions = &box->exceptions;

    if (position->skipped == 0 || (position->lasting && !is_lasting(error))) {
        free(position->reason);
        position->reason = memory_copy_text(error->text);
        position->lasting = is_lasting(error);
    }
    position->skipped++;
    if (exceptions->count == 0 ||
        !text_equal(exceptions->items[exceptions->count - 1], repository)) {
        text_list_add(exceptions, repository);
        sweep->exception_count++;
    }
    if (sweep->exception_count > SWEEP_EXCEPTIONS_MAX)
        sweep_walk_fail(sweep, error);
    if (error->kind == FAILURE_LATER && ++sweep->later_in_a_row >= SWEEP_LATER_MAX)
        sweep_walk_fail(sweep, error);
}

static bool has_ended(const struct sweep *sweep)
{
    return sweep->stopped || sweep->failure.kind != FAILURE_NONE;
}

static void pause_due(void *argument)
{
    struct sweep *sweep = argument;

    sweep->pausing = false;
    sweep_walk_on(sweep);
}

/* May one more request be sent now? Reviews come first: while requests wait for a place at the
 * registry, a sweep has no more than one under way. */
static bool may_ask(struct sweep *sweep)
{
    struct registry_counters counters;
    int64_t wait_ms;

    if (sweep->pausing)
        return false;
    registry_counters(sweep->registry->client, &counters);
    if (counters.waiting > 0 && (sweep->resolving > 0 || sweep->listing))
        return false;
    wait_ms = sweep_pace_take(&sweep->pace, clock_steady_ms());
    if (wait_ms > 0) {
        sweep->pausing = true;
        timer_arm(sweep->pause, wait_ms);
        return false;
    }
    sweep->counters.requests++;
    return true;
}

static bool leads_in_a_circle(const char *asked, const char *next, struct error *err)
{
    if (!next || !text_equal(asked ? asked : "", next))
        return false;
    error_set(err, FAILURE_INPUT, "the pages of the list lead in a circle");
    return true;
}

static bool is_without_end(unsigned pages, struct error *err)
{
    if (pages < SWEEP_PAGES_MAX)
        return false;
    error_set(err, FAILURE_LIMIT, "the list has more than %d pages", SWEEP_PAGES_MAX);
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

static void forget_repositories(struct sweep *sweep)
{
    text_list_release(&sweep->repositories);
    sweep->repositories = (struct text_list){0};
    sweep->repository_index = 0;
}

static void enter(struct sweep *sweep, char *repository_take, char *cursor_take)
{
    free(sweep->position.repository);
    free(sweep->position.images);
    sweep->position.repository = repository_take;
    sweep->position.images = cursor_take;
    *sweep->position.last = '\0';
    sweep->images_listed = repository_take == NULL;
}

/* A sweep that goes on is in one of these repositories. Should it be gone, the page is walked once
 * more. */
static void find_present(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->repositories.count; i++) {
        if (text_equal(sweep->repositories.items[i], sweep->position.repository)) {
            sweep->repository_index = i + 1;
            sweep->images_listed = false;
            return;
        }
    }
    enter(sweep, NULL, NULL);
}

static void take_repositories(struct sweep *sweep, const struct text_list *names)
{
    forget_repositories(sweep);
    for (size_t i = 0; names && i < names->count; i++)
        if (is_in_scope(sweep, names->items[i]))
            text_list_add(&sweep->repositories, names->items[i]);
    sweep->repositories_listed = true;
    find_present(sweep);
}

/* Plain names in the settings need no catalogue, which many registries do not offer. */
static bool names_are_plain(const struct sweep *sweep)
{
    const struct text_list *globs = &sweep->registry->settings->sweep_repositories;

    for (size_t i = 0; i < globs->count; i++)
        if (strpbrk(globs->items[i], "*?"))
            return false;
    return globs->count > 0;
}

static bool catalogue_starts_over(struct sweep *sweep, const struct error *error)
{
    if (error->kind != FAILURE_ABSENT || !sweep->position.catalogue || sweep->catalogue_restarted)
        return false;
    sweep->catalogue_restarted = true;
    free(TAKE(sweep->position.catalogue));
    enter(sweep, NULL, NULL);
    return true;
}

static void catalogue_came(void *argument, const struct registry_page *page)
{
    struct sweep *sweep = argument;
    struct error error;

    sweep->listing = 0;
    if (page->error) {
        if (!catalogue_starts_over(sweep, page->error))
            sweep_walk_fail(sweep, page->error);
    } else if (leads_in_a_circle(sweep->position.catalogue, page->cursor, &error) ||
               is_without_end(sweep->catalogue_pages, &error)) {
        sweep_walk_fail(sweep, &error);
    } else {
        sweep->catalogue_pages++;
        sweep->unsaved_pages++;
        free(sweep->next_catalogue);
        sweep->next_catalogue = memory_copy_text(page->cursor);
        take_repositories(sweep, page->repositories);
    }
    sweep_walk_on(sweep);
}

/* --- which images --- */

static bool images_start_over(struct sweep *sweep, const struct error *error)
{
    if (error->kind != FAILURE_ABSENT || !sweep->position.images || sweep->images_restarted)
        return false;
    sweep->images_restarted = true;
    free(TAKE(sweep->position.images));
    *sweep->position.last = '\0';
    return true;
}

static void leave_repository(struct sweep *sweep, const struct error *error)
{
    bool is_gone = error->kind == FAILURE_ABSENT && !sweep->position.images;

    if (is_gone) /* or has no tags */
        sweep->later_in_a_row = 0;
    else
        skip(sweep, sweep->boxes.filling, sweep->position.repository, error);
    sweep->images_listed = true;
}

static void take_images(struct sweep *sweep, const struct registry_page *page)
{
    sweep->later_in_a_row = 0;
    sweep->image_pages++;
    sweep->unsaved_pages++;
    sweep_page_fill(&sweep->page, page, sweep->registry->settings->label);
    sweep->page.read_ms = sweep->asked_ms;
    if (*sweep->position.last)
        sweep_page_go_past(&sweep->page, sweep->position.last);
    sweep->next_images = memory_copy_text(page->cursor);
    sweep->images_listed = true;
}

static void images_came(void *argument, const struct registry_page *page)
{
    struct sweep *sweep = argument;
    struct error error;

    sweep->listing = 0;
    if (page->error) {
        if (!images_start_over(sweep, page->error))
            leave_repository(sweep, page->error);
    } else if (leads_in_a_circle(sweep->position.images, page->cursor, &error) ||
               is_without_end(sweep->image_pages, &error)) {
        leave_repository(sweep, &error);
    } else {
        take_images(sweep, page);
    }
    sweep_walk_on(sweep);
}

/* --- which digest --- */

struct resolve {
    struct sweep *sweep;
    struct sweep_box *box;
    struct sweep_item *item;
};

static void resolved(void *argument, const struct registry_answer *answer)
{
    struct resolve *resolve = argument;
    struct sweep *sweep = resolve->sweep;
    struct sweep_item *item = resolve->item;

    sweep->resolving--;
    resolve->box->pending--;
    if (!answer->error || answer->error->kind == FAILURE_ABSENT)
        sweep->later_in_a_row = 0;
    else
        skip(sweep, resolve->box, item->event.repository, answer->error);
    if (answer->error) /* or it was deleted since it was listed */
        sweep_boxes_empty(item);
    else
        item->event.digest = answer->digest;
    free(resolve);
    sweep_walk_on(sweep);
}

static void start_resolve(struct sweep *sweep, struct sweep_item *item)
{
    struct resolve *resolve = memory_new(sizeof *resolve);

    *resolve = (struct resolve){.sweep = sweep, .box = sweep->boxes.filling, .item = item};
    item->event.received_ms = clock_wall_ms();
    resolve->box->pending++;
    sweep->resolving++;
    registry_resolve(sweep->registry->client, item->event.repository, item->event.tag, resolved,
                     resolve);
}

static bool row_has_digest(const struct sweep_page *page)
{
    return page->digests && digest_is_set(&page->digests[page->next]);
}

static void take_row(struct sweep *sweep, struct sweep_item *item)
{
    struct sweep_row row;
    char buffer[DIGEST_TEXT_SIZE];

    if (!sweep_page_take(&sweep->page, &row))
        return;
    snprintf(sweep->position.last, sizeof sweep->position.last, "%s", sweep_row_name(&row, buffer));
    sweep->position.tags++;
    sweep->counters.tags++;
    item->event.tag = memory_copy_text(row.tag);
    item->event.digest = row.digest;
    item->event.received_ms = sweep->page.read_ms;
    item->has_label = row.has_label;
    if (!digest_is_set(&row.digest))
        start_resolve(sweep, item);
}

static void take_rows(struct sweep *sweep)
{
    while (sweep->page.next < sweep->page.count) {
        bool asks = !row_has_digest(&sweep->page);
        struct sweep_item *item;

        if (asks && sweep->resolving >= SWEEP_RESOLVES)
            return;
        if (sweep->boxes.filling->count == SWEEP_BATCH && sweep->boxes.sealed)
            return; /* before anything is counted that is not sent */
        if (asks && !may_ask(sweep))
            return;
        item = sweep_boxes_place(sweep);
        assert(item);
        take_row(sweep, item);
    }
}

/* --- the way on --- */

/* The present page is through: what comes next? */
static void advance(struct sweep *sweep)
{
    struct sweep_position *position = &sweep->position;

    if (sweep->next_images) {
        enter(sweep, TAKE(position->repository), TAKE(sweep->next_images));
    } else if (sweep->repository_index < sweep->repositories.count) {
        enter(sweep, memory_copy_text(sweep->repositories.items[sweep->repository_index++]), NULL);
        sweep->images_restarted = false;
        sweep->image_pages = 0;
        position->repositories++;
    } else if (sweep->next_catalogue) {
        enter(sweep, NULL, NULL);
        free(position->catalogue);
        position->catalogue = TAKE(sweep->next_catalogue);
        sweep->repositories_listed = false;
    } else {
        sweep->over = true;
    }
}

static void ask_for_list(struct sweep *sweep)
{
    const struct sweep_position *position = &sweep->position;
    struct registry *client = sweep->registry->client;

    if (sweep->listing || sweep->page.next < sweep->page.count)
        return;
    if (sweep->repositories_listed && sweep->images_listed && !sweep->over)
        advance(sweep);
    if (sweep->over || !may_ask(sweep))
        return;
    sweep->asked_ms = clock_wall_ms();
    if (!sweep->repositories_listed)
        sweep->listing =
            registry_page_of_repositories(client, position->catalogue, catalogue_came, sweep);
    else
        sweep->listing = registry_page_of_images(client, position->repository, position->images,
                                                 images_came, sweep);
}

static void finish(struct sweep *sweep)
{
    const struct sweep_position *position = &sweep->position;
    struct error failure = sweep->failure;

    if (sweep->stopped && failure.kind == FAILURE_NONE)
        error_set(&failure, FAILURE_LATER, "stopped");
    sweep->broke_off = failure.kind != FAILURE_NONE;
    if (!sweep->broke_off && position->skipped && !position->lasting)
        error_set(&failure, FAILURE_LATER, "%llu could not be looked at, the first: %s",
                  (unsigned long long)position->skipped, position->reason);
    sweep->walking = false;
    sweep_walk_release(sweep);
    sweep_walked(sweep, failure.kind == FAILURE_NONE ? NULL : &failure);
}

void sweep_walk_on(struct sweep *sweep)
{
    if (has_ended(sweep)) {
        if (sweep->resolving == 0 && !sweep->boxes.saving && !sweep->listing)
            finish(sweep);
        return;
    }
    take_rows(sweep);
    ask_for_list(sweep);
    sweep_boxes_save(sweep, sweep->over || sweep->unsaved_pages >= SWEEP_UNSAVED_MAX);
    if (sweep->over && sweep_boxes_are_empty(sweep))
        finish(sweep);
}

void sweep_walk(struct sweep *sweep)
{
    assert(!sweep->walking);
    sweep->walking = true;
    sweep->over = sweep->advanced = sweep->broke_off = sweep->pausing = false;
    sweep->failure = (struct error){0};
    sweep->later_in_a_row = 0;
    sweep->exception_count = 0;
    sweep->catalogue_restarted = sweep->images_restarted = false;
    sweep->catalogue_pages = sweep->image_pages = sweep->unsaved_pages = 0;
    sweep->pace = (struct sweep_pace){.rate = sweep->registry->settings->sweep_rate};
    sweep->pause = timer_new(sweep->daemon->loop, pause_due, sweep);
    sweep->repositories_listed = false;
    sweep->images_listed = true;
    sweep_boxes_init(sweep);
    if (names_are_plain(sweep))
        take_repositories(sweep, &sweep->registry->settings->sweep_repositories);
    sweep_walk_on(sweep);
}

void sweep_walk_stop(struct sweep *sweep)
{
    sweep->stopped = true;
    if (!sweep->walking)
        return;
    if (sweep->listing)
        registry_cancel(sweep->registry->client, sweep->listing);
    sweep->listing = 0;
    sweep_walk_on(sweep);
}

void sweep_walk_release(struct sweep *sweep)
{
    sweep_boxes_release(sweep);
    sweep_page_release(&sweep->page);
    forget_repositories(sweep);
    timer_free(TAKE(sweep->pause));
    free(TAKE(sweep->next_catalogue));
    free(TAKE(sweep->next_images));
}
