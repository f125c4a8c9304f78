/* Searching in bulk: what is quickly looked for, and the check of what was found. */
#include <assert.h>
#include <string.h>

#include "secret_formats.h"

/* Short passwords stand in tests and manuals more often than in addresses that are used. */
static bool long_url_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    enum { PASSWORD_MIN = 6 };

    return secret_url_at(scan, at, ret) && ret->size >= PASSWORD_MIN;
}

/* Formats that are no rows of the table. `shift`: from the clue to where the check looks. */
static const struct {
    struct secret_clue clue;
    size_t shift;
    bool (*matches)(struct secret_text *scan, size_t at, struct secret_match *ret);
} specials[] = {
    {{"eyJ", "A-Za-z0-9_-", 7, false}, 0, secret_jwt_at},
    {{"-----BEGIN", "", 0, false}, 0, secret_pem_at},
    {{"://", "", 0, false}, 0, long_url_at},
    {{"\"auth", "\\\\\"", 1, false}, 1, secret_docker_auth_at},
};

struct secret_search {
    struct secret_text scan;
};

struct secret_search *secret_search_new(void)
{
    return memory_new(sizeof(struct secret_search));
}

void secret_search_free(struct secret_search *search)
{
    free(search);
}

void secret_search_begin(struct secret_search *search, const char *text, size_t size)
{
    search->scan = (struct secret_text){.text = text, .size = size};
}

size_t secret_clue_count(void)
{
    return ARRAY_COUNT(specials) + secret_formats_count();
}

struct secret_clue secret_clue(size_t index)
{
    enum { ENOUGH = 16, FEWEST = 2 };

    if (index < ARRAY_COUNT(specials))
        return specials[index].clue;
    const struct secret_format *format = secret_formats_row(index - ARRAY_COUNT(specials));
    if (format->name)
        return (struct secret_clue){.literal = format->name, .set = "", .any_case = true};
    size_t size = strlen(format->prefix);
    unsigned follow = size + FEWEST < ENOUGH ? (unsigned)(ENOUGH - size) : FEWEST;
    return (struct secret_clue){.literal = format->prefix,
                                .set = secret_set_class(format->set),
                                .follow = follow < format->min ? follow : format->min};
}

/* As in short texts: a token does not begin in the middle of a word. */
static bool begins_word(const struct secret_text *scan, size_t at)
{
    return at == 0 || !secret_set_has(SET_ALNUM, scan->text[at - 1]);
}

bool secret_search_try(struct secret_search *search, size_t clue, size_t at,
                       struct secret_match *ret)
{
    assert(at < search->scan.size);
    if (clue < ARRAY_COUNT(specials))
        return specials[clue].matches(&search->scan, at + specials[clue].shift, ret);
    const struct secret_format *format = secret_formats_row(clue - ARRAY_COUNT(specials));
    if (format->name)
        return secret_named_matches(&search->scan, at, format, ret);
    return at >= format->before && begins_word(&search->scan, at - format->before) &&
           secret_format_matches(&search->scan, at - format->before, format, ret);
}
