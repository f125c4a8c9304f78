/* Lists and sums of the record. Each is read by the store and shaped here when it comes back. */
#include "call.h"

enum { PAGE_LIMIT = 100 };

static struct store_filter filter_of(const struct call *call)
{
    const struct query *query = &call->query;
    return (struct store_filter){
        .registry = query->registry,
        .repository = query->repository,
        .tag = query->tag,
        .verdict = query->verdict,
        .rule = query->rule,
        .kind = query->kind,
        .state = query->state,
        .since_ms = query->since_ms,
        .id = call->id,
        .before = query->before,
        .limit = query->limit > 0 ? (size_t)query->limit : PAGE_LIMIT,
    };
}

static void ask(const struct call *call, enum store_list list, const struct store_filter *filter,
                pending_list_f *shape)
{
    struct pending *pending = pending_new(call);
    pending->list = shape;
    pending->limit = filter->limit;
    store_list(call->api->options.store, list, filter, pending_listed, pending);
}

/* --- shapes --- */

/* Waivers have names of their own for ids; they are paged by "number". */
static int64_t position_of(const struct json *item)
{
    return json_get_integer(item, "number", json_get_integer(item, "id", 0));
}

static void shape_page(struct pending *pending, struct http_exchange *exchange,
                       const struct json *json)
{
    AUTO_JSON struct json *page = json_new_object();
    struct json *items = json_new_array();
    size_t count = json_count(json);
    for (size_t i = 0; i < count; i++)
        json_append_take(items, json_retain(json_at(json, i)));
    json_set_take(page, "items", items);
    if (count > 0 && count >= pending->limit)
        json_set_integer(page, "next", position_of(json_at(json, count - 1)));
    reply_json(exchange, 200, page);
}

static void shape_one(struct pending *pending, struct http_exchange *exchange,
                      const struct json *json)
{
    (void)pending;
    struct error err = {0};
    if (json_count(json) > 0) {
        reply_json(exchange, 200, json_at(json, 0));
        return;
    }
    error_set(&err, FAILURE_ABSENT, "there is none with this id");
    reply_error(exchange, &err);
}

static void merge(struct json *to, const struct json *from)
{
    for (void *i = json_iterate(from); i != NULL; i = json_next(from, i))
        json_set_take(to, json_iterator_key(i), json_retain(json_iterator_value(i)));
}

static void shape_status(struct pending *pending, struct http_exchange *exchange,
                         const struct json *json)
{
    const struct api_options *options = &pending->api->options;
    AUTO_JSON struct json *status = json_new_object();
    AUTO_JSON struct json *live = options->live_status(options->argument);
    json_set_string(status, "version", REGWARDEN_VERSION);
    merge(status, json);
    merge(status, live);
    reply_json(exchange, 200, status);
}

static void shape_report(struct pending *pending, struct http_exchange *exchange,
                         const struct json *json)
{
    AUTO_TEXT struct text text = {0};
    pending->format->write(json, &text);
    reply_text(exchange, &(struct reply_text){200, pending->format->media_type, &text});
}

/* --- handlers --- */

static void handle_page(const struct call *call, enum store_list list)
{
    struct store_filter filter = filter_of(call);
    ask(call, list, &filter, shape_page);
}

static void handle_one(const struct call *call, enum store_list list)
{
    struct store_filter filter = filter_of(call);
    ask(call, list, &filter, shape_one);
}

void handle_status(struct call *call)
{
    struct store_filter filter = filter_of(call);
    ask(call, STORE_LIST_STATUS, &filter, shape_status);
}

void handle_verdicts(struct call *call)
{
    handle_page(call, STORE_LIST_VERDICTS);
}

/* Of the history, so that what a plan or a notification names can still be looked up when a later
 * verdict has taken its place. */
void handle_verdict(struct call *call)
{
    handle_one(call, STORE_LIST_HISTORY);
}

void handle_history(struct call *call)
{
    handle_page(call, STORE_LIST_HISTORY);
}

void handle_dead_letters(struct call *call)
{
    handle_page(call, STORE_LIST_DEAD_LETTERS);
}

void handle_dead_letter(struct call *call)
{
    handle_one(call, STORE_LIST_DEAD_LETTERS);
}

void handle_plans(struct call *call)
{
    handle_page(call, STORE_LIST_PLANS);
}

void handle_quarantine(struct call *call)
{
    struct store_filter filter = filter_of(call);
    filter.kind = action_kind_name(ACTION_QUARANTINE);
    if (filter.state == NULL)
        filter.state = plan_state_name(PLAN_DONE);
    ask(call, STORE_LIST_PLANS, &filter, shape_page);
}

void handle_waivers(struct call *call)
{
    handle_page(call, STORE_LIST_WAIVERS);
}

void handle_sweeps(struct call *call)
{
    handle_page(call, STORE_LIST_SWEEPS);
}

void handle_report(struct call *call)
{
    struct store_filter filter = filter_of(call);
    const char *name = call->query.format == NULL ? "json" : call->query.format;
    struct pending *pending = pending_new(call);
    pending->list = shape_report;
    pending->format = report_format_find(name);
    store_list(call->api->options.store, STORE_LIST_REPORT, &filter, pending_listed, pending);
}
