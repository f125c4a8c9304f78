/* Statuses and error documents of registries, as failures and plain words. It decides nothing about
 * repeating. */
#include "errors.h"

#include <string.h>

#include "regwarden/json.h"

enum { CODE_MAX = 48, MESSAGE_MAX = 200, PLAIN_MAX = 80 };

static const struct json_limits error_limits = {
    .max_bytes = (size_t)64 * 1024, .max_depth = 16, .max_values = 2000};

static const struct {
    int status;
    enum failure kind;
} kinds[] = {
    {401, FAILURE_DENIED}, {403, FAILURE_DENIED}, {404, FAILURE_ABSENT}, {405, FAILURE_DENIED},
    {408, FAILURE_LATER},  {410, FAILURE_ABSENT}, {412, FAILURE_DENIED}, {413, FAILURE_LIMIT},
    {423, FAILURE_LATER},  {425, FAILURE_LATER},  {429, FAILURE_LATER},  {500, FAILURE_LATER},
    {502, FAILURE_LATER},  {503, FAILURE_LATER},  {504, FAILURE_LATER},
};

static enum failure kind_of(int status)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (kinds[i].status == status)
            return kinds[i].kind;
    }
    return FAILURE_INPUT;
}

static bool is_json(const struct http_response *response)
{
    const char *body = response->body ? response->body : "";

    while (*body == ' ' || *body == '\n' || *body == '\r' || *body == '\t')
        body++;
    return *body == '{';
}

/* The "errors" array, or NULL. Returns new. */
static struct json *read_document(const struct http_response *response)
{
    struct json *document = NULL;

    if (!is_json(response))
        return NULL;
    if (json_parse(response->body, response->body_size, &error_limits, &document, NULL) < 0)
        return NULL;
    return document;
}

/* ": CODE: message", or nothing. */
static bool quote_document(const struct http_response *response, struct text *to)
{
    AUTO_JSON struct json *document = read_document(response);
    const struct json *first = json_at(json_get(document, "errors"), 0);
    const char *code = json_get_string(first, "code");
    const char *message = json_get_string(first, "message");

    /* Token servers and gateways have shapes of their own. */
    if (!message)
        message = json_get_string(document, "details");
    if (!message)
        message = json_get_string(document, "message");
    if (code && *code) {
        AUTO_FREE char *printable = text_printable(code, CODE_MAX);
        text_format(to, ": %s", printable);
    }
    if (message && *message) {
        AUTO_FREE char *printable = text_printable(message, MESSAGE_MAX);
        text_format(to, ": %s", printable);
    }
    return document != NULL;
}

static void quote_other(const struct http_response *response, struct text *to)
{
    const char *type = http_response_header(response, "content-type");

    if (response->body_size == 0)
        return;
    if (type && text_starts_with(type, "text/plain")) {
        AUTO_TEXT struct text line = {0};
        AUTO_FREE char *printable = NULL;

        for (const char *c = response->body; *c && *c != '\n' && line.length < PLAIN_MAX; c++)
            text_add_char(&line, *c);
        printable = text_printable(text_data(&line), PLAIN_MAX);
        text_format(to, ": %s", printable);
        return;
    }
    if (type && text_starts_with(type, "text/html"))
        text_add(to, " with a web page instead of a registry's error");
}

static const char no_project[] =
    "the account has no right to this, or the Harbor project does not exist or is hidden from it; "
    "`regwarden harbor connect` gives the rights and makes the quarantine project";

/* Refusals whose status alone does not say what they are. */
static const struct {
    int status;
    const char *code;
    const char *part; /* of the message; NULL: any */
    enum failure kind;
    const char *hint;
} known[] = {
    {403, "DENIED", "read only mode", FAILURE_LATER,
     "this Harbor is in read-only mode; what was to be done is tried again later"},
    {412, "PROJECTPOLICYVIOLATION", NULL, FAILURE_DENIED,
     "Harbor's own policy of the project (prevent vulnerable images, content trust) blocks this "
     "pull, regwarden's too: see regwarden-harbor(7)"},
    {412, "PRECONDITION", "immutable", FAILURE_DENIED,
     "a rule of the project makes this tag immutable; Harbor removes it only when the rule is "
     "changed. Labels and the gate work on immutable tags"},
    {412, "PRECONDITION", NULL, FAILURE_DENIED,
     "Harbor keeps it: it belongs to an index of several platforms, or a tag of it is immutable"},
    {403, "FORBIDDEN", NULL, FAILURE_DENIED,
     "the account has no right to this; for Harbor, `regwarden harbor connect` with the actions of "
     "the policies gives it"},
    {401, "UNAUTHORIZED", "unauthorized to access repository", FAILURE_DENIED, no_project},
    {401, "UNAUTHORIZED", " not found", FAILURE_DENIED, no_project},
};

void errors_explain(const struct http_response *response, struct error *err)
{
    AUTO_JSON struct json *document = read_document(response);
    const struct json *first = json_at(json_get(document, "errors"), 0);
    const char *code = json_get_string(first, "code");
    const char *message = json_get_string(first, "message");

    for (size_t i = 0; i < ARRAY_COUNT(known) && err; i++) {
        if (known[i].status != response->status || !text_equal(known[i].code, code))
            continue;
        if (known[i].part && (!message || !strstr(message, known[i].part)))
            continue;
        err->kind = known[i].kind;
        (void)error_hint(err, "%s", known[i].hint);
        return;
    }
}

int errors_from_response(const struct http_response *response, bool quote, struct error *err)
{
    AUTO_TEXT struct text reason = {0};
    enum failure kind = kind_of(response->status);

    if (quote && !quote_document(response, &reason))
        quote_other(response, &reason);
    if (!quote)
        text_add(&reason, " (its text is left out: it repeats credentials)");
    (void)error_set(err, kind, "answered %d%s", response->status, text_data(&reason));
    if (err && kind == FAILURE_LATER)
        err->retry_after_ms = http_response_retry_after_ms(response);
    errors_explain(response, err);
    return err ? err->kind : kind;
}

bool errors_has_code(const struct http_response *response, const char *code)
{
    AUTO_JSON struct json *document = NULL;
    const struct json *errors;

    if (!response)
        return false;
    document = read_document(response);
    errors = json_get(document, "errors");
    for (size_t i = 0; i < json_count(errors); i++) {
        if (text_equal(json_get_string(json_at(errors, i), "code"), code))
            return true;
    }
    return false;
}
