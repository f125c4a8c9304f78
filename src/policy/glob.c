/* Lists of patterns: compiling and matching. The glob language itself is text_glob_match()'s. */
#include "glob.h"

#include <string.h>

#include "regwarden/memory.h"

/* Two stars, then neither a slash (which they may swallow) nor a wildcard. */
static bool ends_in_literal(const char *pattern)
{
    return pattern[0] == '*' && pattern[1] == '*' && pattern[2] != '/' &&
           pattern[2 + strcspn(pattern + 2, "*?")] == '\0';
}

void glob_compile(const char *pattern, struct glob *ret)
{
    *ret = (struct glob){.excludes = pattern[0] == '!'};
    ret->pattern = pattern + (ret->excludes ? 1 : 0);
    ret->literal = strcspn(ret->pattern, "*?");
    if (text_equal(ret->pattern, "*") || text_equal(ret->pattern, "**"))
        ret->kind = GLOB_ALL;
    else if (ret->pattern[ret->literal] == '\0')
        ret->kind = GLOB_LITERAL;
    else if (text_equal(ret->pattern + ret->literal, "**"))
        ret->kind = GLOB_BELOW;
    else if (text_equal(ret->pattern + ret->literal, "*"))
        ret->kind = GLOB_BEGINS;
    else if (ends_in_literal(ret->pattern))
        ret->kind = GLOB_ENDS;
    else
        ret->kind = GLOB_PATTERN;
}

bool glob_match(const struct glob *glob, const char *string)
{
    switch (glob->kind) {
    case GLOB_ALL:
        return true;
    case GLOB_LITERAL:
        return strcmp(glob->pattern, string) == 0;
    case GLOB_BELOW:
        return strncmp(glob->pattern, string, glob->literal) == 0;
    case GLOB_BEGINS:
        return strncmp(glob->pattern, string, glob->literal) == 0 &&
               !strchr(string + glob->literal, '/');
    case GLOB_ENDS:
        return text_ends_with(string, glob->pattern + 2);
    case GLOB_PATTERN:
        return strncmp(glob->pattern, string, glob->literal) == 0 &&
               text_glob_match(glob->pattern, string);
    }
    return false;
}

int glob_list_compile(const struct text_list *patterns, struct glob_list *ret, struct error *err)
{
    struct glob_list list = {.only_excludes = patterns->count > 0};

    list.items = memory_new_array(patterns->count, sizeof(*list.items));
    for (size_t i = 0; i < patterns->count; i++) {
        struct glob *glob = &list.items[list.count++];

        glob_compile(patterns->items[i], glob);
        if (glob->pattern[0] == '\0') {
            glob_list_release(&list);
            return error_set(err, FAILURE_INPUT, "an empty pattern matches nothing");
        }
        if (!glob->excludes) {
            list.only_excludes = false;
            list.has_all = list.has_all || glob->kind == GLOB_ALL;
        }
    }
    *ret = list;
    return 0;
}

void glob_list_release(struct glob_list *list)
{
    free(list->items);
    *list = (struct glob_list){0};
}

bool glob_list_match(const struct glob_list *list, const char *string)
{
    bool matched = list->only_excludes;

    for (size_t i = 0; i < list->count; i++) {
        const struct glob *glob = &list->items[i];

        if (glob->excludes) {
            if (glob_match(glob, string))
                return false;
        } else if (!matched) {
            matched = glob_match(glob, string);
        }
    }
    return matched;
}
