/* A window slides over a text; what it finds does not depend on how the text was cut. A secret that
 * begins in the last part of a window is left to the next one, which sees it whole. */
#include "secret_window.h"

#include <string.h>

#include "content.h"
#include "regwarden/crypto.h"
#include "regwarden/secret_text.h"
#include "signals.h"

/* WINDOW_SIZE is looked at in one go, of which the last OVERLAP bytes come again, and CONTEXT
 * before them, since a token is told by what stands before it. */
enum {
    WINDOW_SIZE = 128 * 1024,
    OVERLAP = 16 * 1024,
    CONTEXT = 64,
    MATCHES_MAX = 64,
    PER_FILE_MAX = 64
};

struct secret_window {
    struct findings *findings;
    bool has_salt;
    unsigned char salt[CONTENT_SALT_SIZE];
    struct text path;
    bool in_library;
    char bytes[WINDOW_SIZE + 1];
    size_t size;
    size_t start;   /* what stands before was looked at */
    uint64_t lines; /* before the window */
    size_t found;
};

/* Formats that stand in examples, tests and manuals of libraries without being anybody's secret. */
static const char *const common_in_libraries[] = {"private-key", "jwt", "url-password",
                                                  "authorization-header", "docker-auth"};

struct secret_window *secret_window_new(struct findings *findings, const unsigned char *salt)
{
    struct secret_window *window = memory_new(sizeof(*window));

    window->findings = findings;
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
    free(window);
}

static bool is_prose(const char *path)
{
    static const char *const endings[] = {".md",  ".rst",    ".adoc", ".html",
                                          ".htm", ".js.map", ".css"};

    for (size_t i = 0; i < ARRAY_COUNT(endings); i++)
        if (text_ends_with(path, endings[i]))
            return true;
    return false;
}

void secret_window_begin(struct secret_window *window, const char *path)
{
    text_clear(&window->path);
    text_add(&window->path, path);
    window->in_library = signal_in_library(path) || is_prose(path);
    window->size = window->start = window->found = 0;
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

static bool is_wanted(const struct secret_window *window, const struct secret_match *match)
{
    for (size_t i = 0; window->in_library && i < ARRAY_COUNT(common_in_libraries); i++)
        if (strcmp(match->kind, common_in_libraries[i]) == 0)
            return false;
    return true;
}

/* Looks at [start, end); what begins behind `end` comes again. Returns where the next look begins.
 */
static size_t look(struct secret_window *window, size_t end)
{
    struct secret_match matches[MATCHES_MAX];
    size_t from = window->start > CONTEXT ? window->start - CONTEXT : 0, next = end;
    size_t count = MATCHES_MAX;

    while (count == MATCHES_MAX && window->found <= PER_FILE_MAX) {
        count = secret_text_find(window->bytes + from, matches, MATCHES_MAX);
        for (size_t i = 0; i < count; i++) {
            matches[i].start += from;
            size_t match_end = matches[i].start + matches[i].size;
            bool here = matches[i].start >= window->start && matches[i].start < end;
            if (here && is_wanted(window, &matches[i]))
                report(window, &matches[i]);
            if (here && match_end > next)
                next = match_end;
        }
        if (count > 0)
            from = matches[count - 1].start + matches[count - 1].size;
    }
    return next;
}

static void slide(struct secret_window *window)
{
    size_t next = look(window, window->size - OVERLAP);
    size_t dropped = next > CONTEXT ? next - CONTEXT : 0;

    window->lines += count_lines(window->bytes, dropped);
    memmove(window->bytes, window->bytes + dropped, window->size - dropped);
    window->size -= dropped;
    window->start = next - dropped;
}

void secret_window_push(struct secret_window *window, const uint8_t *bytes, size_t size)
{
    while (size > 0 && window->found <= PER_FILE_MAX) {
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
    look(window, window->size);
}
