/* The grammar of cursors: "+<name>", or "<pages>.<mark>:<path>". */
#include "cursor.h"

#include <string.h>

#include "regwarden/digest.h"
#include "regwarden/text.h"

static int refuse(struct error *err)
{
    return error_set(err, FAILURE_ABSENT, "the place in the list is of another kind of list");
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

int cursor_read(const char *text, struct cursor *ret, struct error *err)
{
    const char *dot, *colon;
    AUTO_FREE char *number = NULL;
    uint64_t pages;

    *ret = (struct cursor){0};
    if (!text || !*text)
        return 0;
    if (strlen(text) > CURSOR_MAX || !is_printable(text))
        return refuse(err);
    if (*text == '+') {
        ret->after = text + 1;
        return 0;
    }
    dot = strchr(text, '.');
    colon = dot ? strchr(dot, ':') : NULL;
    if (!colon || colon[1] != '/' || colon[2] == '/' || colon - dot != CURSOR_MARK_DIGITS + 1)
        return refuse(err);
    number = memory_copy_bytes(text, (size_t)(dot - text));
    if (text_parse_uint(number, UINT32_MAX, &pages, NULL) < 0)
        return refuse(err);
    ret->target = colon + 1;
    ret->pages = (unsigned)pages;
    memcpy(ret->mark, dot + 1, CURSOR_MARK_DIGITS);
    return 0;
}

static bool is_power_of_two(unsigned number)
{
    return (number & (number - 1)) == 0;
}

/* Brent's way to find a circle: the mark stays on one page while twice as many pages pass, then
 * moves on. A circle of any length comes back to a mark that stands long enough. */
int cursor_to_target(const struct cursor *current, const char *target, unsigned max_pages,
                     char **ret, struct error *err)
{
    unsigned pages = current->pages + 1;
    char own[DIGEST_SHORT_SIZE];
    struct digest digest;

    digest_compute(NULL, target, strlen(target), &digest);
    digest_format_short(&digest, own);
    if (strcmp(own, current->mark) == 0 ||
        (current->target && strcmp(current->target, target) == 0))
        return error_set(err, FAILURE_INPUT, "the pages lead in a circle");
    if (pages >= max_pages)
        return error_set(err, FAILURE_LIMIT, "there are more than %u pages", max_pages);
    *ret = text_new("%u.%s:%s", pages, is_power_of_two(pages) ? own : current->mark, target);
    if (strlen(*ret) <= CURSOR_MAX && is_printable(*ret))
        return 0;
    free(*ret);
    *ret = NULL;
    return error_set(err, FAILURE_LIMIT, "the address of the next page is too long");
}

char *cursor_behind(const char *name)
{
    return text_new("+%s", name);
}
