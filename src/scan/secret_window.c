/* A window slides over a text; what it finds does not depend on how the text was cut. A secret that
 * begins in the last part of a window is left to the next one, which sees it whole. Clues are
 * looked for in the window as it stands; each that is found is then checked closely. */
#include "secret_window.h"

#include <string.h>

#include "content.h"
#include "patterns.h"
#include "regwarden/crypto.h"
#include "regwarden/secret_text.h"
#include "signals.h"

/* WINDOW_SIZE is looked at in one go, of which the last OVERLAP bytes come again, and CONTEXT
 * before them, since a token is told by what stands before it. */
enum { WINDOW_SIZE = 128 * 1024, OVERLAP = 16 * 1024, CONTEXT = 128, PER_FILE_MAX = 64 };

struct secret_window {
    struct findings *findings;
    bool has_salt;
    unsigned char salt[CONTENT_SALT_SIZE];
    struct text path;
    bool names_too; /* a list of variables: names tell of secrets as in an image's environment */
    bool skipped;   /* a manual of a library */
    bool sure_only; /* a place where weak formats are nobody's secret */
    char bytes[WINDOW_SIZE + 1];
    size_t size;
    size_t start;   /* what stands before was looked at */
    size_t taken;   /* where the last secret ends: the next one does not begin before */
    uint64_t lines; /* before the window */
    size_t found;
    struct patterns_search *patterns;
    struct secret_search *search;
};

struct secret_window *secret_window_new(struct findings *findings, const unsigned char *salt)
{
    struct secret_window *window = memory_new(sizeof(*window));

    window->findings = findings;
    window->patterns = patterns_search_new();
    window->search = secret_search_new();
    window->has_salt = salt != NULL;
    if (salt)
        memcpy(window->salt, salt, CONTENT_SALT_SIZE);
    return window;
}

void secret_window_free(struct secret_window *window)
{
    if (!window)
        return;
    crypto_erase(window->salt, sizeof(window->salt));
    text_release(&window->path);
    patterns_search_free(window->patterns);
    secret_search_free(window->search);
    free(window);
}

static bool ends_in_one(const char *path, const char *const *endings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_ends_with(path, endings[i]))
            return true;
    return false;
}

static bool is_prose(const char *path)
{
    static const char *const endings[] = {".md",  ".rst",    ".adoc", ".html",
                                          ".htm", ".js.map", ".css"};

    return ends_in_one(path, endings, ARRAY_COUNT(endings));
}

/* Tests and examples. */
static bool is_illustration(const char *path)
{
    static const char *const endings[] = {
        "_test.go", "_test.py", "/tests.py", "/test.js", ".test.js",  ".test.ts",
        ".spec.js", ".spec.ts", "_spec.rb",  "_test.rb", "Test.java", "Test.php",
        "Tests.cs", ".d.ts",    ".example",  ".sample",  ".template", ".dist"};
    static const char *const folders[] = {"/test/",     "/tests/",    "/testdata/", "/__tests__/",
                                          "/fixtures/", "/example/",  "/examples/", "/locale/",
                                          "/locales/",  "/doc/",      "/docs/",     ".dist-info/",
                                          "/test_",     "/test_data/"};

    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (strstr(path, folders[i]) || text_starts_with(path, folders[i] + 1))
            return true;
    return ends_in_one(path, endings, ARRAY_COUNT(endings));
}

/* ".env", ".env.production", "app.env": values in quotes or without, one in a line. */
static bool is_env_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return text_starts_with(name, ".env") || text_ends_with(name, ".env");
}

void secret_window_begin(struct secret_window *window, const char *path)
{
    text_clear(&window->path);
    text_add(&window->path, path);
    bool in_library = signal_in_library(path), prose = is_prose(path);
    window->skipped = in_library && prose;
    window->sure_only = in_library || prose || is_illustration(path);
    window->names_too = !window->sure_only && is_env_file(path);
    window->size = window->start = window->taken = window->found = 0;
    window->lines = 1;
}

static uint64_t count_lines(const char *bytes, size_t size)
{
    uint64_t lines = 0;

    for (const char *at = bytes, *end = bytes + size; (at = memchr(at, '\n', (size_t)(end - at)));
         at++)
        lines++;
    return lines;
}

static void report(struct secret_window *window, const struct secret_match *match)
{
    const char *secret = window->bytes + match->start;
    AUTO_FREE char *masked = secret_text_mask(secret, match->size);
    uint8_t mac[HASH_SIZE_MAX];
    char hash[17];
    struct found_hit hit = {
        .kind = SIGNAL_SECRET,
        .what = match->kind,
        .path = text_data(&window->path),
        .path_size = window->path.length,
        .detail = masked,
        .line = window->lines + count_lines(window->bytes, match->start),
    };

    if (window->has_salt) {
        crypto_hmac(HASH_SHA256, window->salt, CONTENT_SALT_SIZE, secret, match->size, mac);
        crypto_hex(mac, 8, hash);
        hit.hash = hash;
    }
    if (window->found++ == PER_FILE_MAX)
        findings_limit(window->findings, "more secrets in one file than are kept");
    if (window->found <= PER_FILE_MAX)
        findings_add_hit(window->findings, &hit);
}

/* A line NAME=value whose name, and nothing else, says that the value is a secret. */
static void look_at_line(struct secret_window *window, size_t at, size_t size)
{
    enum { LINE_MAX_BYTES = 4096 };
    const char *line = window->bytes + at, *equals = memchr(line, '=', size);
    struct secret_match match;

    if (!equals || size > LINE_MAX_BYTES || *line == '#')
        return;
    const char *value = equals + 1, *end = line + size;
    while (end > value && strchr(" \t\r", end[-1]))
        end--;
    bool quoted = end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value;
    value += quoted;
    end -= quoted;
    AUTO_FREE char *name = memory_copy_bytes(line, (size_t)(equals - line));
    AUTO_FREE char *text = memory_copy_bytes(value, (size_t)(end - value));
    bool found = secret_text_pair(name, text, &match) && strcmp(match.kind, "named-value") == 0;
    if (found && window->found <= PER_FILE_MAX) {
        match.start += (size_t)(value - window->bytes);
        report(window, &match);
    }
    crypto_erase(text, (size_t)(end - value));
}

/* Lines that begin in [start, end). */
static void look_at_lines(struct secret_window *window, size_t end)
{
    size_t at = window->start;

    if (at > 0 && window->bytes[at - 1] != '\n') {
        const char *next = memchr(window->bytes + at, '\n', window->size - at);
        at = next ? (size_t)(next + 1 - window->bytes) : window->size;
    }
    while (at < end) {
        const char *next = memchr(window->bytes + at, '\n', window->size - at);
        size_t size = next ? (size_t)(next - window->bytes) - at : window->size - at;
        look_at_line(window, at, size);
        at += size + 1;
    }
}

/* Looks at [start, end); what begins behind `end` comes again. Returns where the next look begins.
 */
static size_t look(struct secret_window *window, size_t end)
{
    size_t from = window->start > CONTEXT ? window->start - CONTEXT : 0;
    const struct patterns_place *places;
    size_t count =
        patterns_find(window->patterns, window->bytes + from, window->size - from, &places);

    if (window->names_too)
        look_at_lines(window, end);
    secret_search_begin(window->search, window->bytes, window->size);
    for (size_t i = 0; i < count && window->found <= PER_FILE_MAX; i++) {
        struct secret_match match;
        size_t at = from + places[i].at;
        if (at < window->start || at < window->taken || at >= end ||
            !secret_search_try(window->search, places[i].clue, at, &match) ||
            match.start < window->taken)
            continue;
        if (!match.weak || !window->sure_only)
            report(window, &match);
        window->taken = match.start + match.size;
    }
    return window->taken > end ? window->taken : end;
}

static void slide(struct secret_window *window)
{
    size_t next = look(window, window->size - OVERLAP);
    size_t dropped = next > CONTEXT ? next - CONTEXT : 0;

    window->lines += count_lines(window->bytes, dropped);
    memmove(window->bytes, window->bytes + dropped, window->size - dropped);
    window->size -= dropped;
    window->start = next - dropped;
    window->taken -= window->taken < dropped ? window->taken : dropped;
}

void secret_window_push(struct secret_window *window, const uint8_t *bytes, size_t size)
{
    while (size > 0 && !window->skipped && window->found <= PER_FILE_MAX) {
        size_t room = WINDOW_SIZE - window->size, taken = size < room ? size : room;
        char *to = window->bytes + window->size;
        memcpy(to, bytes, taken);
        for (char *nul;
             (nul = memchr(to, 0, taken - (size_t)(to - (window->bytes + window->size)))); to = nul)
            *nul = '\n';
        window->size += taken;
        window->bytes[window->size] = '\0';
        bytes += taken;
        size -= taken;
        if (window->size == WINDOW_SIZE)
            slide(window);
    }
}

void secret_window_end(struct secret_window *window)
{
    if (window->size > 0)
        look(window, window->size);
}
