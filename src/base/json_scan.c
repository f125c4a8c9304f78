/* Counting depth and values of a JSON document, so that a small text cannot become a large tree:
 * four megabytes of "[[],[],…" would be hundreds of megabytes of objects. Not a parser. */
#include "json_scan.h"

struct scan {
    size_t values;
    unsigned depth;
    bool in_string;
    bool escaped;
    bool just_opened; /* behind '[' or '{': whatever is not its end is a first value */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* How much of a string follows that neither ends nor escapes anything: most of most documents. */
static size_t plain_run(const char *bytes, size_t size)
{
    size_t run = 0;
    while (run < size && bytes[run] != '"' && bytes[run] != '\\')
        run++;
    return run;
}

static void scan_in_string(struct scan *scan, char c)
{
    if (scan->escaped)
        scan->escaped = false;
    else if (c == '\\')
        scan->escaped = true;
    else if (c == '"')
        scan->in_string = false;
}

/* A comma announces one more value, and so does the first thing behind an opening bracket. */
static void scan_outside(struct scan *scan, char c)
{
    if (is_blank(c))
        return;
    bool closes = c == ']' || c == '}';
    bool opens = c == '[' || c == '{';
    if (c == ',' || (scan->just_opened && !closes))
        scan->values++;
    scan->just_opened = opens;
    scan->in_string = c == '"';
    scan->depth += opens;
    scan->depth -= closes && scan->depth > 0;
}

int json_scan(const char *bytes, size_t size, const struct json_limits *limits, struct error *err)
{
    struct scan scan = {.values = 1};
    for (size_t i = 0; i < size; i++) {
        if (scan.in_string && !scan.escaped)
            i += plain_run(bytes + i, size - i);
        if (i == size)
            break;
        if (scan.in_string)
            scan_in_string(&scan, bytes[i]);
        else
            scan_outside(&scan, bytes[i]);
        if (scan.depth > limits->max_depth)
            return error_set(err, FAILURE_LIMIT, "JSON is nested deeper than %u levels",
                             limits->max_depth);
        if (scan.values > limits->max_values)
            return error_set(err, FAILURE_LIMIT, "JSON holds more than %zu values",
                             limits->max_values);
    }
    return 0;
}
