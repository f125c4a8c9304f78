/* The JSON body of a request, checked against its route's fields. */
#include "call.h"

#include <assert.h>

enum { BODY_FIELDS_MAX = 16, BODY_TEXT_MAX = 4096 };

static const struct json_limits body_limits = {
    .max_bytes = 64 << 10, .max_depth = 4, .max_values = 64};

static int fault_of_name(const struct field *fields, const char *name, struct error *err)
{
    const char *names[BODY_FIELDS_MAX] = {NULL};
    AUTO_FREE char *shown = text_printable(name, 40);
    for (size_t i = 0; fields[i].name != NULL; i++) {
        assert(i + 1 < BODY_FIELDS_MAX);
        names[i] = fields[i].name;
    }
    const char *near = text_suggest(name, names);
    error_set(err, FAILURE_INPUT, "there is no member \"%s\"", shown);
    return near == NULL ? err->kind : error_hint(err, "Did you mean \"%s\"?", near);
}

static const struct field *find(const struct field *fields, const char *name)
{
    for (; fields->name != NULL; fields++) {
        if (text_equal(fields->name, name))
            return fields;
    }
    return NULL;
}

static int check_value(const struct field *field, const struct json *value, struct error *err)
{
    if (field->type == FIELD_FLAG && !json_is(value, JSON_KIND_BOOL))
        return error_set(err, FAILURE_INPUT, "\"%s\" is true or false", field->name);
    if (field->type == FIELD_TEXT && !json_is(value, JSON_KIND_STRING))
        return error_set(err, FAILURE_INPUT, "\"%s\" is a string", field->name);
    if (field->type == FIELD_TEXT && strlen(json_string(value)) > BODY_TEXT_MAX)
        return error_set(err, FAILURE_LIMIT, "\"%s\" is longer than %d bytes", field->name,
                         BODY_TEXT_MAX);
    return 0;
}

static int check_members(const struct route *route, const struct json *body, struct error *err)
{
    for (void *i = json_iterate(body); i != NULL; i = json_next(body, i)) {
        const struct field *field = find(route->fields, json_iterator_key(i));
        if (field == NULL)
            return fault_of_name(route->fields, json_iterator_key(i), err);
        int r = check_value(field, json_iterator_value(i), err);
        if (r != 0)
            return r;
    }
    for (const struct field *field = route->fields; field->name != NULL; field++) {
        if (field->required && json_get(body, field->name) == NULL)
            return error_set(err, FAILURE_INPUT, "\"%s\" is needed", field->name);
    }
    return 0;
}

/* A browser sends this type across sites only after it was allowed to: it keeps foreign pages out.
 */
static bool is_json_type(const char *content_type)
{
    static const char wanted[] = "application/json";
    size_t length = sizeof(wanted) - 1;
    return content_type != NULL && strncasecmp(content_type, wanted, length) == 0 &&
           (content_type[length] == '\0' || content_type[length] == ';' ||
            content_type[length] == ' ');
}

int body_read(struct call *call, struct error *err)
{
    const struct route *route = call->route;
    size_t size = 0;
    const char *bytes = http_exchange_body(call->exchange, &size);
    if (size == 0 && !route->body_required)
        return 0;
    if (size == 0)
        return error_set(err, FAILURE_INPUT, "a JSON body is needed");
    if (route->fields == NULL)
        return error_set(err, FAILURE_INPUT, "%s takes no body", route->pattern);
    if (!is_json_type(http_exchange_header(call->exchange, "Content-Type")))
        return error_set(err, FAILURE_INPUT, "the body's Content-Type is not application/json");
    int r = json_parse(bytes, size, &body_limits, &call->body, err);
    if (r == 0 && !json_is(call->body, JSON_KIND_OBJECT))
        r = error_set(err, FAILURE_INPUT, "it is not an object");
    if (r == 0)
        r = check_members(route, call->body, err);
    return r == 0 ? 0 : error_wrap(err, "the body");
}
