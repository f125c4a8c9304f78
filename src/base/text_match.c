/* Comparing text: equality, globs, suggestions, and the printable form of hostile bytes. */
#include "regwarden/text.h"

static unsigned char lower(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 'a' - 'A') : byte;
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_equal_nocase(const char *a, const char *b)
{
    if (a == b)
        return true;
    if (!a || !b)
        return false;
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool text_starts_with(const char *string, const char *prefix)
{
    return string && strncmp(string, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *string, const char *suffix)
{
    size_t length = string ? strlen(string) : 0;
    size_t tail = strlen(suffix);
    return string && length >= tail && memcmp(string + length - tail, suffix, tail) == 0;
}

char *text_printable(const char *string, size_t max)
{
    AUTO_TEXT struct text out = {0};
    size_t i = 0;
    for (; string && string[i] && i < max; i++) {
        unsigned char byte = (unsigned char)string[i];
        if (byte < 0x20 || byte > 0x7e || byte == '\\')
            text_format(&out, "\\x%02x", byte);
        else
            text_add_char(&out, (char)byte);
    }
    if (string && string[i])
        text_add(&out, "…");
    return text_take(&out);
}

/* A glob is run as a set of places in the pattern at which a match may stand: one pass over the
 * string, so that no pattern, however wild, makes it slow. */
enum { GLOB_SMALL = 256 };
struct glob {
    const char *pattern;
    size_t length;
    bool *now, *next; /* one flag per place, 0..length */
};

static bool is_two_stars(const struct glob *glob, size_t at)
{
    return glob->pattern[at] == '*' && glob->pattern[at + 1] == '*';
}

/* Two stars between slashes may also stand for no directory at all. */
static bool is_any_directories(const struct glob *glob, size_t at)
{
    bool starts_segment = at == 0 || glob->pattern[at - 1] == '/';
    return starts_segment && is_two_stars(glob, at) && glob->pattern[at + 2] == '/';
}

/* Stars match nothing, too: what stands at a star also stands behind it. Only what came to the
 * stars afresh may take them for no directory; what stayed there is in the middle of a name. */
static void glob_pass_star(const struct glob *glob, bool *places, size_t at, bool afresh)
{
    if (glob->pattern[at] != '*')
        return;
    places[at + (is_two_stars(glob, at) ? 2 : 1)] = true;
    if (afresh && is_any_directories(glob, at))
        places[at + 3] = true;
}

/* Takes one character of the string. Everything goes to the right, so one pass settles all places.
 * False when none is left. */
static bool glob_step(struct glob *glob, char c)
{
    bool any = false;
    memset(glob->next, 0, (glob->length + 1) * sizeof(bool));
    for (size_t at = 0; at < glob->length; at++) {
        char want = glob->pattern[at];
        bool afresh = glob->next[at];
        bool stays = glob->now[at] && (is_two_stars(glob, at) || (want == '*' && c != '/'));
        bool fits = want == '?' ? c != '/' : want != '*' && want == c;
        bool moves = glob->now[at] && fits;
        glob->next[at] |= stays;
        glob->next[at + 1] |= moves;
        if (glob->next[at])
            glob_pass_star(glob, glob->next, at, afresh);
        any |= stays || moves;
    }
    bool *swap = glob->now;
    glob->now = glob->next;
    glob->next = swap;
    return any;
}

bool text_glob_match(const char *pattern, const char *string)
{
    bool small[2][GLOB_SMALL] = {{false}};
    AUTO_FREE bool *large = NULL;
    struct glob glob = {pattern, strlen(pattern), small[0], small[1]};
    if (glob.length >= GLOB_SMALL) {
        large = memory_new_array(glob.length + 1, 2 * sizeof(bool));
        glob.now = large;
        glob.next = large + glob.length + 1;
    }
    glob.now[0] = true;
    for (size_t at = 0; at < glob.length; at++) {
        if (glob.now[at])
            glob_pass_star(&glob, glob.now, at, true);
    }
    for (; *string; string++) {
        if (!glob_step(&glob, *string))
            return false;
    }
    return glob.now[glob.length];
}

enum { SUGGEST_MAX = 64 };

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* '_' for '-' and capitals are the commonest slips of all: they cost nothing. */
static bool same_letter(char a, char b)
{
    return lower(a == '_' ? '-' : a) == lower(b == '_' ? '-' : b);
}

/* Edits (insert, delete, replace, swap two neighbours) that make `b` from `a`. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][SUGGEST_MAX + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned replaced = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            row[j] = smaller(replaced, smaller(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                           same_letter(a[i - 2], b[j - 1]);
            if (swapped)
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_suggest(const char *word, const char *const *names)
{
    size_t length = strlen(word);
    if (length == 0 || length > SUGGEST_MAX)
        return NULL;
    unsigned allowed = length < 4 ? 1 : length < 8 ? 2 : 3;
    const char *nearest = NULL;
    for (; *names; names++) {
        if (strlen(*names) > SUGGEST_MAX)
            continue;
        unsigned distance = edit_distance(word, *names);
        /* Something must be left of the word, or every short name is "near". */
        if (distance <= allowed && distance < length) {
            nearest = *names;
            allowed = distance > 0 ? distance - 1 : 0;
            if (distance == 0)
                return nearest;
        }
    }
    return nearest;
}
