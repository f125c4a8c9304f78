/* Lists and sums: the way from the door to the function that makes one, and what they share. They
 * have a thread of their own, so that a long one delays no review. */
#include "list.h"

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

static list_f *const makers[] = {
    [STORE_LIST_VERDICTS] = list_verdicts,
    [STORE_LIST_HISTORY] = list_history,
    [STORE_LIST_DEAD_LETTERS] = list_dead_letters,
    [STORE_LIST_PLANS] = list_plans,
    [STORE_LIST_WAIVERS] = list_waivers,
    [STORE_LIST_SWEEPS] = list_sweeps,
    [STORE_LIST_STATUS] = list_status,
    [STORE_LIST_REPORT] = list_report,
};

/* Where a filter has strings. */
static const size_t filter_texts[] = {
    offsetof(struct store_filter, registry), offsetof(struct store_filter, repository),
    offsetof(struct store_filter, tag),      offsetof(struct store_filter, verdict),
    offsetof(struct store_filter, rule),     offsetof(struct store_filter, kind),
    offsetof(struct store_filter, state),
};

struct list {
    struct operation base;
    store_json_f *done;
    void *argument;
    enum store_list which;
    struct store_filter filter;
    char *texts[ARRAY_COUNT(filter_texts)]; /* the filter's strings, ours */
    struct json *json;
};

static const char **filter_text(struct store_filter *filter, size_t i)
{
    return (const char **)(void *)((char *)filter + filter_texts[i]);
}

bool list_takes_repository(const struct listing *listing, const char *registry,
                           const char *repository)
{
    const struct store_filter *filter = listing->filter;

    return (!filter->registry || text_equal(filter->registry, registry)) &&
           (!filter->repository || text_glob_match(filter->repository, repository));
}

bool list_add_take(struct listing *listing, struct json *item)
{
    json_append_take(listing->array, item);
    return json_count(listing->array) < listing->limit;
}

bool list_fail(struct listing *listing, const struct error *error)
{
    listing->error = *error;
    return false;
}

int list_rows(struct listing *listing, const struct query *query, struct json **ret,
              struct error *err)
{
    listing->array = json_new_array();
    listing->error = (struct error){0};
    int failure = driver_each(listing->session->driver, query->sql, query->binds,
                              (struct each){query->each.row, listing}, err);
    if (failure == 0 && listing->error.kind != FAILURE_NONE) {
        *err = listing->error;
        failure = (int)listing->error.kind;
    }
    if (failure < 0)
        json_release(TAKE(listing->array));
    else
        *ret = TAKE(listing->array);
    return failure;
}

void json_set_time(struct json *object, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms != 0)
        json_set_string(object, key, clock_format_rfc3339(ms, text));
}

void json_set_digest(struct json *object, const char *key, const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    if (digest_is_set(digest))
        json_set_string(object, key, digest_format(digest, text));
}

static int list_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct list *list = (struct list *)operation;
    size_t limit = list->filter.limit ? list->filter.limit : LIST_LIMIT_DEFAULT;
    struct listing listing = {
        .session = session,
        .filter = &list->filter,
        .before = list->filter.before > 0 ? list->filter.before : INT64_MAX,
        .limit = limit < LIST_LIMIT_MAX ? limit : LIST_LIMIT_MAX,
        .now_ms = clock_wall_ms(),
    };

    json_release(TAKE(list->json));
    return makers[list->which](&listing, &list->json, err);
}

static void list_finish(struct operation *operation)
{
    struct list *list = (struct list *)operation;

    list->done(list->argument, operation->error, operation->error ? NULL : list->json);
    json_release(list->json);
    for (size_t i = 0; i < ARRAY_COUNT(filter_texts); i++)
        free(list->texts[i]);
    operation_free(operation);
}

static const struct operation_type list_type = {
    .doing = "read a list",
    .lane = LANE_LIST,
    .run = list_run,
    .finish = list_finish,
};

void store_list(struct store *store, enum store_list list, const struct store_filter *filter,
                store_json_f *done, void *argument)
{
    struct list *own = memory_new(sizeof(*own));

    own->base.type = &list_type;
    own->done = done;
    own->argument = argument;
    own->which = list;
    if (filter)
        own->filter = *filter;
    for (size_t i = 0; i < ARRAY_COUNT(filter_texts); i++) {
        own->texts[i] = memory_copy_text(*filter_text(&own->filter, i));
        *filter_text(&own->filter, i) = own->texts[i];
    }
    store_submit(store, &own->base);
}
