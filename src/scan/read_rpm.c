/* rpm's databases, of all its formats (Berkeley DB, ndb, SQLite): all hold the headers of packages
 * as they are, and the data of a header begins with "C", name, version and release, each with a NUL
 * behind it. They are looked for in the bytes as they pass, since a database that is read in a
 * stream cannot be walked. Whether all were found tells the number of heads: the 16 bytes that each
 * header's index begins with. What was removed and not yet overwritten may be listed, too. */
#include <string.h>

#include "read_lines.h"

/* NAME_MAX and the others hold for what distributions ship; KEPT is more than all of them. */
enum { NAME_SIZE = 128, VERSION_SIZE = 64, KEPT = 512, SEEN_MAX = 65536 };

static bool is_rpm(const char *path)
{
    static const char *const folders[] = {"var/lib/rpm/", "usr/lib/sysimage/rpm/",
                                          "usr/share/rpm/"};
    static const char *const names[] = {"Packages", "Packages.db", "rpmdb.sqlite",
                                        "rpmdb.sqlite-wal"};

    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (text_starts_with(path, folders[i]))
            for (size_t k = 0; k < ARRAY_COUNT(names); k++)
                if (strcmp(path + strlen(folders[i]), names[k]) == 0)
                    return true;
    return false;
}

static void begin_rpm(struct read_state *state)
{
    findings_drop_packages(state->findings, state->path);
}

/* A word of name or version characters with a NUL behind it: its size, or 0. */
static size_t word_at(const char *at, const char *end, size_t max, bool needs_digit)
{
    bool digit = false;
    size_t size = 0;

    while (at + size < end && size < max && at[size]) {
        char c = at[size++];
        bool number = c >= '0' && c <= '9';
        if (!number && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !strchr("+._-~^", c))
            return 0;
        digit = digit || number;
    }
    return at + size < end && at[size] == '\0' && (digit || !needs_digit) ? size : 0;
}

/* Behind the release comes a line of prose. */
static bool is_summary(const char *at, const char *end)
{
    enum { FEWEST = 3 };

    for (int i = 0; i < FEWEST; i++)
        if (at + i >= end || (unsigned char)at[i] < ' ')
            return false;
    return true;
}

static void add(struct read_state *state, const char *name, const char *version,
                const char *release)
{
    AUTO_FREE char *full = text_new("%s-%s", version, release);
    AUTO_FREE char *key = text_new("%s %s", name, full);

    state->told++;
    if (!state->seen)
        state->seen = map_new();
    if (strcmp(name, "gpg-pubkey") == 0 || map_get(state->seen, key) ||
        map_count(state->seen) == SEEN_MAX)
        return;
    map_set(state->seen, key, state);
    findings_add_package(state->findings, PACKAGE_RPM, name, full, state->path);
}

/* Is it the beginning of a header's data? Then the size of it. */
static size_t take_package(struct read_state *state, const char *at, const char *end)
{
    const char *name = at + 2;
    size_t name_size = word_at(name, end, NAME_SIZE, false);
    if (name_size == 0 || strchr("+._-~^", *name))
        return 0;
    const char *version = name + name_size + 1;
    size_t version_size = word_at(version, end, VERSION_SIZE, true);
    const char *release = version + version_size + 1;
    size_t release_size = version_size > 0 ? word_at(release, end, VERSION_SIZE, true) : 0;
    if (release_size == 0 || !is_summary(release + release_size + 1, end))
        return 0;
    add(state, name, version, release);
    return (size_t)(release + release_size + 1 - at);
}

/* Tag 63, a block of bytes, at a place behind here, 16 of them. */
static bool is_head(const char *at)
{
    static const char tag[] = {0, 0, 0, 0x3f, 0, 0, 0, 7, 0}, count[] = {0, 0, 0, 16};

    return memcmp(at, tag, sizeof(tag)) == 0 && memcmp(at + 12, count, sizeof(count)) == 0;
}

/* Looks at all places but the last `kept`, which come again. */
static void look(struct read_state *state, size_t kept)
{
    const char *start = state->bytes.data, *end = start + state->bytes.length;
    const char *at = start;

    while ((size_t)(end - at) > kept) {
        size_t size = 0;
        if (at[0] == '\0' && end - at >= 16)
            state->heads += is_head(at);
        else if (at[0] == 'C' && end - at > 2 && at[1] == '\0')
            size = take_package(state, at, end);
        at += size > 0 ? size : 1;
    }
    size_t rest = (size_t)(end - at);
    memmove(state->bytes.data, at, rest);
    state->bytes.length = rest;
}

static void push_rpm(struct read_state *state, const uint8_t *bytes, size_t size)
{
    enum { PIECE = 32 * 1024 };

    while (size > 0) {
        size_t part = size < PIECE ? size : PIECE;
        text_add_bytes(&state->bytes, bytes, part);
        if (state->bytes.length > KEPT)
            look(state, KEPT);
        bytes += part;
        size -= part;
    }
}

static void end_rpm(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    if (state->bytes.length > 0)
        look(state, 0);
    if (broken || state->told < state->heads)
        findings_limit(state->findings, "packages of rpm that are scattered in its database");
}

const struct reader_type reader_rpm = {
    .recognises = is_rpm, .begin = begin_rpm, .push = push_rpm, .end = end_rpm};
