/* The query of a request, checked against its route's parameters: nothing is ignored, so that a
 * slip in a filter's name never looks like "nothing found". */
#include "call.h"

#include <assert.h>

#include "regwarden/clock.h"

enum { QUERY_PAIRS_MAX = 32, QUERY_NAMES_MAX = 16 };

static int fault_of_name(const struct route *route, const char *name, struct error *err)
{
    const char *names[QUERY_NAMES_MAX] = {NULL};
    AUTO_FREE char *shown = text_printable(name, 40);
    for (size_t i = 0; route->parameters != NULL && route->parameters[i] != NULL; i++) {
        assert(i + 1 < QUERY_NAMES_MAX);
        names[i] = route->parameters[i]->name;
    }
    const char *near = text_suggest(name, names);
    error_set(err, FAILURE_INPUT, "%s takes no parameter \"%s\"", route->pattern, shown);
    return near == NULL ? err->kind : error_hint(err, "Did you mean \"%s\"?", near);
}

static const struct parameter *find(const struct route *route, const char *name)
{
    for (size_t i = 0; route->parameters != NULL && route->parameters[i] != NULL; i++) {
        if (text_equal(route->parameters[i]->name, name))
            return route->parameters[i];
    }
    return NULL;
}

static void *member(struct query *query, const struct parameter *parameter)
{
    return (char *)query + parameter->offset;
}

static int read_choice(const struct parameter *parameter, const char *value, struct error *err)
{
    AUTO_TEXT struct text names = {0};
    for (size_t i = 0; parameter->choices[i] != NULL; i++) {
        if (text_equal(parameter->choices[i], value))
            return 0;
        text_format(&names, "%s%s", i == 0 ? "" : ", ", parameter->choices[i]);
    }
    AUTO_FREE char *shown = text_printable(value, 40);
    error_set(err, FAILURE_INPUT, "\"%s\" is no %s", shown, parameter->name);
    return error_hint(err, "One of %s.", text_data(&names));
}

static int read_count(const struct parameter *parameter, const char *value, int64_t *ret,
                      struct error *err)
{
    uint64_t number = 0;
    int r = text_parse_uint(value, (uint64_t)parameter->maximum, &number, err);
    if (r == 0 && number == 0)
        r = error_set(err, FAILURE_INPUT, "it starts at 1");
    if (r != 0)
        return r;
    *ret = (int64_t)number;
    return 0;
}

static int read_since(const char *value, int64_t *ret_ms, struct error *err)
{
    int64_t age_ms = 0;
    if (text_parse_duration(value, &age_ms, NULL) == 0) {
        int64_t now_ms = clock_wall_ms();
        *ret_ms = age_ms < now_ms ? now_ms - age_ms : 0;
        return 0;
    }
    if (clock_parse_rfc3339(value, ret_ms, NULL) == 0)
        return 0;
    error_set(err, FAILURE_INPUT, "it is neither a time nor an age");
    return error_hint(err, "Write 2026-01-31T00:00:00Z, or 30d for the last 30 days.");
}

static int read_value(const struct parameter *parameter, char **value, struct query *query,
                      struct error *err)
{
    void *place = member(query, parameter);
    int r = 0;
    switch (parameter->type) {
    case PARAMETER_COUNT:
        r = read_count(parameter, *value, place, err);
        break;
    case PARAMETER_SINCE:
        r = read_since(*value, place, err);
        break;
    case PARAMETER_CHOICE:
        r = read_choice(parameter, *value, err);
        if (r == 0)
            *(char **)place = TAKE(*value);
        break;
    case PARAMETER_TEXT:
        *(char **)place = TAKE(*value);
        break;
    }
    return r == 0 ? 0 : error_wrap(err, "the parameter \"%s\"", parameter->name);
}

static int read_pair(struct call *call, const char *name, struct text_list *seen, struct error *err)
{
    const struct parameter *parameter = find(call->route, name);
    if (parameter == NULL)
        return fault_of_name(call->route, name, err);
    if (text_list_has(seen, name))
        return error_set(err, FAILURE_INPUT, "the parameter \"%s\" is there twice", name);
    text_list_add(seen, name);
    AUTO_FREE char *value = http_exchange_parameter(call->exchange, name);
    if (value == NULL || value[0] == '\0')
        return error_set(err, FAILURE_INPUT, "the parameter \"%s\" is empty or badly encoded",
                         name);
    return read_value(parameter, &value, &call->query, err);
}

static int check_required(const struct route *route, const struct text_list *seen,
                          struct error *err)
{
    for (size_t i = 0; route->parameters != NULL && route->parameters[i] != NULL; i++) {
        const struct parameter *parameter = route->parameters[i];
        if (parameter->required && !text_list_has(seen, parameter->name))
            return error_set(err, FAILURE_INPUT, "the parameter \"%s\" is needed", parameter->name);
    }
    return 0;
}

/* Names are compared as they were sent: an encoded one is none of ours. */
static int read_pairs(struct call *call, const char *query, struct text_list *seen,
                      struct error *err)
{
    int r = 0;
    for (size_t pairs = 0; r == 0 && *query != '\0'; pairs++) {
        size_t length = strcspn(query, "&");
        AUTO_FREE char *name = memory_copy_bytes(query, strcspn(query, "=&"));
        if (pairs == QUERY_PAIRS_MAX)
            return error_set(err, FAILURE_LIMIT, "the query has more than %d parts",
                             QUERY_PAIRS_MAX);
        if (length > 0)
            r = read_pair(call, name, seen, err);
        query += length + (query[length] == '&' ? 1 : 0);
    }
    return r;
}

int query_read(struct call *call, struct error *err)
{
    const char *query = http_exchange_query(call->exchange);
    AUTO_TEXT_LIST struct text_list seen = {0};
    int r = query == NULL ? 0 : read_pairs(call, query, &seen, err);
    return r == 0 ? check_required(call->route, &seen, err) : r;
}

void query_release(struct query *query)
{
    free(query->registry);
    free(query->repository);
    free(query->tag);
    free(query->verdict);
    free(query->rule);
    free(query->kind);
    free(query->state);
    free(query->format);
    free(query->by);
    free(query->reference);
    *query = (struct query){0};
}
