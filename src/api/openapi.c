/* The OpenAPI 3.1 document, made from the table of routes: what it says is what is checked. */
#include "call.h"

#define ERROR_REF "#/components/schemas/Error"

static struct json *typed(const char *type)
{
    struct json *schema = json_new_object();
    json_set_string(schema, "type", type);
    return schema;
}

static struct json *reference(const char *to)
{
    struct json *schema = json_new_object();
    json_set_string(schema, "$ref", to);
    return schema;
}

static struct json *names(const char *const *list)
{
    struct json *array = json_new_array();
    for (size_t i = 0; list[i] != NULL; i++)
        json_append_take(array, json_new_string(list[i]));
    return array;
}

/* {media type: {"schema": schema}}. Takes schema. */
static struct json *content(const char *media_type, struct json *schema)
{
    struct json *media = json_new_object(), *map = json_new_object();
    json_set_take(media, "schema", schema);
    json_set_take(map, media_type, media);
    return map;
}

/* --- parameters --- */

static struct json *parameter_schema(const struct parameter *parameter)
{
    struct json *schema = typed(parameter->type == PARAMETER_COUNT ? "integer" : "string");
    if (parameter->type == PARAMETER_CHOICE)
        json_set_take(schema, "enum", names(parameter->choices));
    else if (parameter->type == PARAMETER_COUNT)
        json_set_integer(schema, "minimum", 1);
    else
        json_set_integer(schema, "minLength", 1);
    if (parameter->maximum > 0)
        json_set_integer(schema, "maximum", parameter->maximum);
    return schema;
}

static struct json *query_parameter(const struct parameter *parameter)
{
    struct json *json = json_new_object();
    json_set_string(json, "name", parameter->name);
    json_set_string(json, "in", "query");
    json_set_string(json, "description", parameter->description);
    json_set_bool(json, "required", parameter->required);
    json_set_take(json, "schema", parameter_schema(parameter));
    return json;
}

static struct json *path_parameter(enum segment id)
{
    struct json *json = json_new_object();
    struct json *schema = typed(id == SEGMENT_NUMBER ? "integer" : "string");
    if (id == SEGMENT_NUMBER)
        json_set_integer(schema, "minimum", 1);
    json_set_string(json, "name", "id");
    json_set_string(json, "in", "path");
    json_set_bool(json, "required", true);
    json_set_take(json, "schema", schema);
    return json;
}

static struct json *parameters_of(const struct route *route)
{
    struct json *list = json_new_array();
    if (route->id != SEGMENT_NONE)
        json_append_take(list, path_parameter(route->id));
    for (size_t i = 0; route->parameters != NULL && route->parameters[i] != NULL; i++)
        json_append_take(list, query_parameter(route->parameters[i]));
    return list;
}

/* --- bodies --- */

static struct json *body_schema(const struct field *fields)
{
    struct json *schema = typed("object");
    struct json *properties = json_new_object(), *required = json_new_array();
    for (; fields->name != NULL; fields++) {
        struct json *property = typed(fields->type == FIELD_FLAG ? "boolean" : "string");
        json_set_string(property, "description", fields->description);
        json_set_take(properties, fields->name, property);
        if (fields->required)
            json_append_take(required, json_new_string(fields->name));
    }
    json_set_bool(schema, "additionalProperties", false);
    json_set_take(schema, "properties", properties);
    json_set_take(schema, "required", required);
    return schema;
}

static struct json *request_body(const struct route *route)
{
    struct json *body = json_new_object();
    json_set_bool(body, "required", route->body_required);
    json_set_take(body, "content", content("application/json", body_schema(route->fields)));
    return body;
}

/* --- answers --- */

static struct json *response(const char *description, struct json *media)
{
    struct json *json = json_new_object();
    json_set_string(json, "description", description);
    json_set_take(json, "content", media);
    return json;
}

static struct json *responses_of(const struct route *route)
{
    struct json *json = json_new_object();
    AUTO_FREE char *status = text_new("%d", route->status);
    const char *media_type = route->media_type == NULL ? "application/json" : route->media_type;
    struct json *schema = typed(route->media_type == NULL ? "object" : "string");
    json_set_take(json, status, response("Done.", content(media_type, schema)));
    json_set_take(
        json, "default",
        response("It could not be done.", content("application/json", reference(ERROR_REF))));
    return json;
}

static struct json *security_of(const struct route *route)
{
    struct json *list = json_new_array();
    if (route->role != ROLE_ANYONE) {
        struct json *token = json_new_object();
        json_set_take(token, "token", json_new_array());
        json_append_take(list, token);
    }
    return list;
}

static struct json *operation_of(const struct route *route)
{
    struct json *json = json_new_object();
    json_set_string(json, "summary", route->summary);
    json_set_take(json, "parameters", parameters_of(route));
    if (route->fields != NULL)
        json_set_take(json, "requestBody", request_body(route));
    json_set_take(json, "responses", responses_of(route));
    json_set_take(json, "security", security_of(route));
    return json;
}

/* --- the document --- */

/* "/a/:id/b" as OpenAPI writes it: "/a/{id}/b". Returns new. */
static char *path_of(const char *pattern)
{
    AUTO_TEXT struct text path = {0};
    const char *colon = strstr(pattern, ":id");
    if (colon == NULL)
        return memory_copy_text(pattern);
    text_add_bytes(&path, pattern, (size_t)(colon - pattern));
    text_add(&path, "{id}");
    text_add(&path, colon + strlen(":id"));
    return text_take(&path);
}

static const char *method_of(const struct route *route)
{
    return text_equal(route->method, "GET")    ? "get"
           : text_equal(route->method, "POST") ? "post"
                                               : "delete";
}

static struct json *paths(void)
{
    struct json *json = json_new_object();
    for (const struct route *route = routes; route->method != NULL; route++) {
        AUTO_FREE char *path = path_of(route->pattern);
        if (json_get(json, path) == NULL)
            json_set_take(json, path, json_new_object());
        json_set_take(json_get(json, path), method_of(route), operation_of(route));
    }
    return json;
}

static struct json *error_schema(void)
{
    struct json *schema = typed("object"), *inner = typed("object");
    struct json *outer_members = json_new_object(), *members = json_new_object();
    static const char *const required[] = {"kind", "message", NULL};
    static const char *const outer_required[] = {"error", NULL};
    json_set_take(members, "kind", typed("string"));
    json_set_take(members, "message", typed("string"));
    json_set_take(members, "hint", typed("string"));
    json_set_take(inner, "properties", members);
    json_set_take(inner, "required", names(required));
    json_set_take(outer_members, "error", inner);
    json_set_take(schema, "properties", outer_members);
    json_set_take(schema, "required", names(outer_required));
    return schema;
}

static struct json *components(void)
{
    struct json *json = json_new_object(), *schemas = json_new_object();
    struct json *schemes = json_new_object(), *token = json_new_object();
    json_set_string(token, "type", "http");
    json_set_string(token, "scheme", "bearer");
    json_set_take(schemes, "token", token);
    json_set_take(schemas, "Error", error_schema());
    json_set_take(json, "schemas", schemas);
    json_set_take(json, "securitySchemes", schemes);
    return json;
}

static struct json *openapi_document(void)
{
    struct json *json = json_new_object(), *info = json_new_object();
    json_set_string(info, "title", "regwarden");
    json_set_string(info, "version", REGWARDEN_VERSION);
    json_set_string(info, "description",
                    "Over the unix socket no token is needed. Lists come in pages: \"items\", and "
                    "\"next\" when there may be more, to be sent as the parameter \"before\".");
    json_set_string(json, "openapi", "3.1.0");
    json_set_take(json, "info", info);
    json_set_take(json, "paths", paths());
    json_set_take(json, "components", components());
    return json;
}

void handle_openapi(struct call *call)
{
    AUTO_JSON struct json *document = openapi_document();
    reply_json(call->exchange, 200, document);
}
