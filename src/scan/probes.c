/* Probes: patterns are asked by their literal ends first, since most paths match none of them. */
#include "probes.h"

#include <regex.h>
#include <string.h>

#include "regwarden/crypto.h"

struct probe {
    const char *id;
    const char *pattern; /* relative to the root */
    size_t head;         /* literal bytes at its start … */
    const char *tail;    /* … and behind its last wildcard */
    bool has_content;
    regex_t content;
    bool active; /* the current entry matches the pattern */
    bool matched;
};

struct probes {
    struct findings *findings;
    struct probe *items;
    size_t count;
    size_t active;
    size_t active_content;
    struct text path;
    struct layer_probe found; /* of the current entry, but for the id */
    struct hash *hash;        /* NULL: nothing to hash */
    uint64_t size;
    struct text line;
    bool cut; /* a line or the file was too long to be looked at whole */
};

static bool prepare(struct probe *probe, const struct scan_probe *asked)
{
    const char *pattern = asked->path + (asked->path[0] == '/');
    size_t size = strlen(pattern), end = size;

    while (end > 0 && pattern[end - 1] != '*' && pattern[end - 1] != '?')
        end--;
    *probe = (struct probe){.id = asked->id,
                            .pattern = pattern,
                            .head = strcspn(pattern, "*?"),
                            .tail = pattern + end,
                            .has_content = asked->content != NULL};
    /* Two stars and a slash may stand for nothing: "**" + "/a" matches "a". */
    if (end > 0 && end < size && pattern[end] == '/' && pattern[end - 1] == '*')
        probe->tail++;
    return !asked->content ||
           regcomp(&probe->content, asked->content, REG_EXTENDED | REG_NOSUB) == 0;
}

struct probes *probes_new(struct findings *findings, const struct scan_probes *asked)
{
    struct probes *probes = memory_new(sizeof(*probes));
    size_t count = asked ? asked->count : 0;
    struct text_list *ids = &findings_facts(findings)->probes_asked;

    probes->findings = findings;
    probes->items = memory_new_array(count, sizeof(*probes->items));
    if (count > SCAN_PROBES_MAX)
        findings_limit(findings, "more probes than are asked");
    for (size_t i = 0; i < count && i < SCAN_PROBES_MAX; i++) {
        if (!prepare(&probes->items[probes->count], &asked->items[i]))
            continue;
        text_list_add(ids, asked->items[i].id); /* sorted, as the list is */
        probes->count++;
    }
    return probes;
}

void probes_free(struct probes *probes)
{
    if (!probes)
        return;
    for (size_t i = 0; i < probes->count; i++)
        if (probes->items[i].has_content)
            regfree(&probes->items[i].content);
    free(probes->items);
    hash_free(probes->hash);
    text_release(&probes->path);
    text_release(&probes->line);
    free(probes);
}

static bool path_matches(const struct probe *probe, const char *path)
{
    return strncmp(path, probe->pattern, probe->head) == 0 && text_ends_with(path, probe->tail) &&
           text_glob_match(probe->pattern, path);
}

static uint32_t owner(int64_t id)
{
    return id < 0 || id > UINT32_MAX ? UINT32_MAX : (uint32_t)id;
}

void probes_begin(struct probes *probes, const struct tar_entry *entry, enum layer_path_kind kind)
{
    probes->active = probes->active_content = 0;
    for (size_t i = 0; i < probes->count; i++) {
        struct probe *probe = &probes->items[i];
        probe->active = path_matches(probe, entry->path);
        probe->matched = false;
        probes->active += probe->active;
        probes->active_content += probe->active && probe->has_content;
    }
    if (probes->active == 0)
        return;
    text_clear(&probes->path);
    text_add(&probes->path, entry->path);
    text_clear(&probes->line);
    probes->found = (struct layer_probe){.kind = kind,
                                         .mode = entry->mode,
                                         .uid = owner(entry->uid),
                                         .gid = owner(entry->gid),
                                         .bytes = entry->size};
    probes->size = 0;
    probes->cut = entry->sparse; /* its holes are not given to us */
    hash_free(TAKE(probes->hash));
    if (kind == LAYER_PATH_FILE && !entry->sparse)
        probes->hash = hash_new(HASH_SHA256);
}

static void ask_line(struct probes *probes)
{
    const char *line = text_data(&probes->line);

    for (size_t i = 0; i < probes->count; i++) {
        struct probe *probe = &probes->items[i];
        if (!probe->active || !probe->has_content || probe->matched)
            continue;
        probe->matched = regexec(&probe->content, line, 0, NULL, 0) == 0;
        probes->active_content -= probe->matched;
    }
    text_clear(&probes->line);
}

/* Where the line ends: a NUL ends it, too. */
static size_t line_size(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr(bytes, '\n', size);
    size_t part = end ? (size_t)(end - bytes) : size;
    const uint8_t *nul = memchr(bytes, 0, part);

    return nul ? (size_t)(nul - bytes) : part;
}

static void push_lines(struct probes *probes, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t part = line_size(bytes, size);
        size_t room = PROBE_LINE_MAX - probes->line.length;
        bool ends = part < size;
        probes->cut = probes->cut || part > room;
        text_add_bytes(&probes->line, bytes, part < room ? part : room);
        if (ends)
            ask_line(probes);
        bytes += part + ends;
        size -= part + ends;
    }
}

void probes_push(struct probes *probes, const uint8_t *bytes, size_t size)
{
    if (probes->active == 0)
        return;
    if (probes->hash)
        hash_update(probes->hash, bytes, size);
    size_t room = PROBE_CONTENT_MAX - (size_t)probes->size;
    probes->cut = probes->cut || size > room;
    size = size < room ? size : room;
    probes->size += size;
    if (probes->active_content > 0)
        push_lines(probes, bytes, size);
}

static enum answer content_answer(const struct probes *probes, const struct probe *probe)
{
    if (!probe->has_content || probes->found.kind != LAYER_PATH_FILE)
        return ANSWER_UNKNOWN;
    if (probe->matched)
        return ANSWER_YES;
    return probes->cut ? ANSWER_UNKNOWN : ANSWER_NO;
}

void probes_end(struct probes *probes)
{
    if (probes->active == 0)
        return;
    if (probes->line.length > 0)
        ask_line(probes);
    if (probes->hash) {
        probes->found.sha256.algorithm = DIGEST_SHA256;
        hash_finish(probes->hash, probes->found.sha256.bytes);
        hash_free(TAKE(probes->hash));
    }
    probes->found.path = (char *)(uintptr_t)text_data(&probes->path);
    for (size_t i = 0; i < probes->count; i++) {
        const struct probe *probe = &probes->items[i];
        if (!probe->active)
            continue;
        probes->found.probe = (char *)(uintptr_t)probe->id;
        probes->found.content = content_answer(probes, probe);
        findings_add_probe(probes->findings, &probes->found);
    }
    probes->active = 0;
}
