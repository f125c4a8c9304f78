/* Vulnerabilities that a policy accepts for a while. */
#include "exceptions.h"

#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

const char *const exception_keys[] = {"id", "package", "until", "reason", NULL};

/* "2030-01-31" holds until that day is over. */
static int read_until(const char *text, int64_t *ret_ms, struct error *err)
{
    AUTO_FREE char *day = text_new("%.10sT23:59:59Z", text);
    AUTO_FREE char *shown = text_printable(text, 40);

    if (clock_parse_rfc3339(strlen(text) == strlen("2030-01-31") ? day : text, ret_ms, NULL) == 0)
        return 0;
    error_set(err, FAILURE_INPUT, "'%s' is not a day or a time", shown);
    return error_hint(err, "write 2030-01-31 or 2030-01-31T12:00:00Z");
}

static int compile_one(const struct text_pairs *record, struct exception *ret, struct error *err)
{
    static const char *const required[] = {"id", "until", "reason"};

    for (size_t i = 0; i < ARRAY_COUNT(required); i++) {
        const char *value = text_pairs_get(record, required[i]);

        if (!value || !*value)
            return error_set(err, FAILURE_INPUT,
                             "an exception needs id, until and reason: '%s' is "
                             "missing",
                             required[i]);
    }
    ret->id = text_pairs_get(record, "id");
    ret->package = text_pairs_get(record, "package");
    if (text_equal(ret->id, "*") && !ret->package)
        return error_set(err, FAILURE_INPUT,
                         "an exception for all vulnerabilities of all packages allows everything: "
                         "name an id or a package");
    return read_until(text_pairs_get(record, "until"), &ret->until_ms, err);
}

int exception_list_compile(const struct param_records *records, struct exception_list *ret,
                           struct error *err)
{
    ret->items = memory_new_array(records->count, sizeof(*ret->items));
    for (size_t i = 0; i < records->count; i++) {
        int failure = compile_one(&records->items[i], &ret->items[i], err);

        if (failure)
            return failure;
        ret->count++;
    }
    return 0;
}

void exception_list_release(struct exception_list *list)
{
    free(list->items);
    *list = (struct exception_list){0};
}

static bool names(const struct exception *exception, const struct vulnerability *item)
{
    return (text_equal(exception->id, "*") || text_equal_nocase(exception->id, item->id)) &&
           (!exception->package || text_equal(exception->package, item->package));
}

const struct exception *exception_find(const struct exception_list *list,
                                       const struct vulnerability *item)
{
    const struct exception *found = NULL;

    for (size_t i = 0; i < list->count; i++)
        if (names(&list->items[i], item) && (!found || list->items[i].until_ms > found->until_ms))
            found = &list->items[i];
    return found;
}
