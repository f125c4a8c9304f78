/* The tables of signals, indexed by the last part of their patterns: asking costs a few comparisons
 * per directory of the path, however many rows there are. */
#include "signals.h"

#include <assert.h>
#include <string.h>

enum { BUCKETS = 1024, PARTS_MAX = 8 };

struct part {
    const char *text;
    size_t size;
};

struct pattern {
    const struct signal_row *row;
    struct pattern *next; /* in its bucket */
    struct part parts[PARTS_MAX];
    size_t part_count;
    bool anywhere;
};

struct signals {
    struct pattern *patterns;
    size_t count;
    struct pattern *by_name[BUCKETS]; /* last part without a star */
    struct pattern
        *by_extension[BUCKETS];    /* last part begins with a star: what follows its last dot */
    struct pattern *by_first[256]; /* other stars: its first byte */
};

static size_t bucket_of(const char *text, size_t size)
{
    uint32_t hash = 2166136261;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619;
    return (hash ^ hash >> 15) % BUCKETS;
}

/* What follows the last dot, or everything. */
static struct part extension_of(struct part part)
{
    const char *dot = memrchr(part.text, '.', part.size);
    size_t skip = dot ? (size_t)(dot + 1 - part.text) : 0;

    return (struct part){part.text + skip, part.size - skip};
}

static void cut(struct pattern *pattern, const char *text)
{
    pattern->anywhere = text_starts_with(text, "**/");
    text += pattern->anywhere ? 3 : 0;
    while (*text) {
        size_t size = strcspn(text, "/");
        assert(pattern->part_count < PARTS_MAX);
        pattern->parts[pattern->part_count++] = (struct part){text, size};
        text += size + (text[size] == '/');
    }
}

static struct pattern **place_of(struct signals *signals, const struct pattern *pattern)
{
    struct part last = pattern->parts[pattern->part_count - 1];
    const char *star = memchr(last.text, '*', last.size);

    if (!star)
        return &signals->by_name[bucket_of(last.text, last.size)];
    struct part extension = extension_of(last);
    if (*last.text == '*' && !memchr(extension.text, '*', extension.size))
        return &signals->by_extension[bucket_of(extension.text, extension.size)];
    return &signals->by_first[(unsigned char)*last.text];
}

static void add_rows(struct signals *signals, const struct signal_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct pattern *pattern = &signals->patterns[signals->count++];
        pattern->row = &rows[i];
        cut(pattern, rows[i].pattern);
        struct pattern **place = place_of(signals, pattern);
        pattern->next = *place;
        *place = pattern;
    }
}

struct signals *signals_new(void)
{
    struct signals *signals = memory_new(sizeof(*signals));

    signals->patterns =
        memory_new_array(signal_tools_count + signal_leaks_count, sizeof(*signals->patterns));
    add_rows(signals, signal_tools, signal_tools_count);
    add_rows(signals, signal_leaks, signal_leaks_count);
    return signals;
}

void signals_free(struct signals *signals)
{
    if (!signals)
        return;
    free(signals->patterns);
    free(signals);
}

/* Parts of a path from the root down to the one that is looked at. */
struct place {
    const struct part *parts;
    size_t count;
};

/* One star at most; it stands for any bytes, also none. */
static bool part_matches(struct part pattern, struct part text)
{
    const char *star = memchr(pattern.text, '*', pattern.size);

    if (!star)
        return pattern.size == text.size && memcmp(pattern.text, text.text, text.size) == 0;
    size_t head = (size_t)(star - pattern.text), tail = pattern.size - head - 1;
    const char *rest = memchr(star + 1, '*', tail);
    if (rest) /* two: the text between them stands somewhere inside */
        return part_matches((struct part){pattern.text, head + 1}, text) &&
               memmem(text.text + head, text.size - head, star + 1, (size_t)(rest - star - 1));
    return text.size >= head + tail && memcmp(pattern.text, text.text, head) == 0 &&
           memcmp(star + 1, text.text + text.size - tail, tail) == 0;
}

static bool pattern_matches(const struct pattern *pattern, const struct place *place)
{
    if (place->count < pattern->part_count ||
        (place->count > pattern->part_count && !pattern->anywhere))
        return false;
    for (size_t i = 1; i <= pattern->part_count; i++)
        if (!part_matches(pattern->parts[pattern->part_count - i], place->parts[place->count - i]))
            return false;
    return true;
}

static bool has_row(const struct signal_match *matches, size_t count, const struct signal_row *row)
{
    for (size_t i = 0; i < count; i++)
        if (matches[i].row->what == row->what || strcmp(matches[i].row->what, row->what) == 0)
            return true;
    return false;
}

struct asking {
    const char *path;
    int in_library; /* -1: not asked yet */
    struct signal_match *ret;
    size_t count;
};

static bool counts_here(struct asking *asking, const struct signal_row *row)
{
    if (!row->own_only)
        return true;
    if (asking->in_library < 0)
        asking->in_library = signal_in_library(asking->path);
    return !asking->in_library;
}

static void try_bucket(struct asking *asking, const struct pattern *pattern,
                       const struct place *place)
{
    const struct part *last = &place->parts[place->count - 1];

    for (; pattern && asking->count < SIGNAL_MATCHES_MAX; pattern = pattern->next) {
        if (!pattern_matches(pattern, place) || has_row(asking->ret, asking->count, pattern->row) ||
            !counts_here(asking, pattern->row))
            continue;
        asking->ret[asking->count++] = (struct signal_match){
            .row = pattern->row, .root_size = (size_t)(last->text + last->size - asking->path)};
    }
}

/* Each directory of the path may be the root of a match, the outermost first. */
size_t signals_match(const struct signals *signals, const char *path,
                     struct signal_match ret[static SIGNAL_MATCHES_MAX])
{
    enum { DEPTH_MAX = 64 };
    struct part parts[DEPTH_MAX];
    struct asking asking = {.path = path, .in_library = -1, .ret = ret};
    size_t depth = 0;

    for (const char *at = path; *at && depth < DEPTH_MAX;) {
        struct part part = {at, strcspn(at, "/")};
        parts[depth++] = part;
        const struct place place = {parts, depth};
        struct part extension = extension_of(part);
        try_bucket(&asking, signals->by_name[bucket_of(part.text, part.size)], &place);
        try_bucket(&asking, signals->by_extension[bucket_of(extension.text, extension.size)],
                   &place);
        try_bucket(&asking, signals->by_first[(unsigned char)*part.text], &place);
        try_bucket(&asking, signals->by_first['*'], &place);
        at += part.size + (at[part.size] == '/');
    }
    return asking.count;
}

bool signal_in_library(const char *path)
{
    static const char *const roots[] = {
        "usr/share/", "usr/lib/", "usr/lib64/", "usr/include/", "usr/local/go/",
        "usr/local/lib/python", "usr/local/lib/ruby", "usr/local/share/", "usr/local/include/",
        "opt/yarn-v", "opt/conda/", "lib/", "nix/store/",
        /* usr/src/app and its like are where the documentation of images puts applications */
        "usr/src/linux", "usr/src/kernels/", "usr/src/debug/", "usr/src/php/", "usr/src/python/",
        "usr/src/ruby/", "usr/src/gcc/", "usr/src/wordpress/", "usr/src/nextcloud/",
        "usr/src/googletest/",
        /* what others say of their packages: descriptions, lists, downloads */
        "var/lib/dpkg/", "var/lib/apt/", "var/lib/rpm/", "var/cache/",
        /* public keys, and a key that everybody has */
        "etc/trusted-key.key", "etc/unbound/root.key", "var/lib/unbound/root.key",
        "etc/ssl/private/ssl-cert-snakeoil.key"};
    static const char *const inside[] = {
        "/node_modules/",   "/site-packages/",   "/dist-packages/", "/vendor/",        "/gems/",
        "/go/pkg/mod/",     "/.cargo/registry/", "/.cargo/git/",    "/.npm/_cacache/", "/.cache/",
        "/.m2/repository/", "/.nuget/packages/", "/.gradle/caches/"};
    /* in a library's place, and the application's own */
    static const char web_root[] = "usr/share/nginx/html/";

    if (text_starts_with(path, web_root))
        path += strlen(web_root) - 1;
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++)
        if (text_starts_with(path, roots[i]))
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(inside); i++)
        if (strstr(path, inside[i]) || text_starts_with(path, inside[i] + 1))
            return true;
    return false;
}
