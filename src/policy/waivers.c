/* Waivers: what they must say, which finding they excuse, and their JSON form. A finding is judged
 * first and waived then; nothing here keeps a rule from being judged. */
#include "compiled.h"

#include <stdlib.h>
#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { WAIVER_TEXT_MAX = 1024 };

void waiver_release(struct waiver *waiver)
{
    free(waiver->id);
    free(waiver->rule);
    free(waiver->policy);
    free(waiver->repository);
    free(waiver->tag);
    free(waiver->path);
    free(waiver->fingerprint);
    free(waiver->reason);
    free(waiver->owner);
    *waiver = (struct waiver){0};
}

static struct waiver waiver_copy(const struct waiver *waiver)
{
    struct waiver copy = *waiver;

    copy.id = memory_copy_text(waiver->id);
    copy.rule = memory_copy_text(waiver->rule);
    copy.policy = memory_copy_text(waiver->policy);
    copy.repository = memory_copy_text(waiver->repository);
    copy.tag = memory_copy_text(waiver->tag);
    copy.path = memory_copy_text(waiver->path);
    copy.fingerprint = memory_copy_text(waiver->fingerprint);
    copy.reason = memory_copy_text(waiver->reason);
    copy.owner = memory_copy_text(waiver->owner);
    return copy;
}

/* The text members, for checking and JSON. */
static const struct {
    const char *key;
    size_t offset;
    bool required;
} waiver_texts[] = {
    {"id", offsetof(struct waiver, id), true},
    {"rule", offsetof(struct waiver, rule), true},
    {"policy", offsetof(struct waiver, policy), false},
    {"repository", offsetof(struct waiver, repository), false},
    {"tag", offsetof(struct waiver, tag), false},
    {"path", offsetof(struct waiver, path), false},
    {"fingerprint", offsetof(struct waiver, fingerprint), false},
    {"reason", offsetof(struct waiver, reason), true},
    {"owner", offsetof(struct waiver, owner), true},
};

static char *const *waiver_text(const struct waiver *waiver, size_t index)
{
    return (char *const *)(const void *)((const char *)waiver + waiver_texts[index].offset);
}

int waiver_check(const struct waiver *waiver, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(waiver_texts); i++) {
        const char *text = *waiver_text(waiver, i);

        if (waiver_texts[i].required && (!text || text[strspn(text, " \t")] == '\0'))
            return error_set(err, FAILURE_INPUT, "a waiver needs '%s'", waiver_texts[i].key);
        if (text && text[0] == '\0')
            return error_set(err, FAILURE_INPUT, "'%s' of a waiver may not be empty",
                             waiver_texts[i].key);
        if (text && strlen(text) > WAIVER_TEXT_MAX)
            return error_set(err, FAILURE_LIMIT, "'%s' of a waiver is longer than %d bytes",
                             waiver_texts[i].key, WAIVER_TEXT_MAX);
    }
    if (waiver->fingerprint &&
        (strlen(waiver->fingerprint) != FINGERPRINT_SIZE - 1 ||
         waiver->fingerprint[strspn(waiver->fingerprint, "0123456789abcdef")] != '\0'))
        return error_set(err, FAILURE_INPUT, "'fingerprint' of a waiver is %d hex digits",
                         FINGERPRINT_SIZE - 1);
    if (waiver->expires_ms <= 0) {
        error_set(err, FAILURE_INPUT, "a waiver needs 'expires'");
        return error_hint(err, "give the day on which it ends, such as 2030-01-31");
    }
    return 0;
}

struct json *waiver_to_json(const struct waiver *waiver)
{
    struct json *json = json_new_object();
    char digest[DIGEST_TEXT_SIZE];
    char expires[CLOCK_TEXT_SIZE];

    for (size_t i = 0; i < ARRAY_COUNT(waiver_texts); i++)
        json_set_string(json, waiver_texts[i].key, *waiver_text(waiver, i));
    if (digest_is_set(&waiver->digest))
        json_set_string(json, "digest", digest_format(&waiver->digest, digest));
    json_set_string(json, "expires", clock_format_rfc3339(waiver->expires_ms, expires));
    return json;
}

int waiver_expires_parse(const char *text, int64_t *ret_ms, struct error *err)
{
    const size_t day = strlen("2030-01-31");
    AUTO_FREE char *end_of_day =
        strlen(text) == day ? text_new("%sT23:59:59.999Z", text) : memory_copy_text(text);
    AUTO_FREE char *shown = text_printable(text, 40);

    if (clock_parse_rfc3339(end_of_day, ret_ms, NULL) == 0)
        return 0;
    error_set(err, FAILURE_INPUT, "'%s' is not a day", shown);
    return error_hint(err, "write 2030-01-31 (until the end of that day, UTC) or "
                           "2030-01-31T12:00:00Z");
}

static int waiver_fill(const struct json *json, struct waiver *waiver, struct error *err)
{
    const char *digest = json_get_string(json, "digest");
    const char *expires = json_get_string(json, "expires");
    int rc;

    if (!json_is(json, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "a waiver is an object");
    for (size_t i = 0; i < ARRAY_COUNT(waiver_texts); i++) {
        const struct json *value = json_get(json, waiver_texts[i].key);

        if (value && !json_is(value, JSON_KIND_NULL) && !json_string(value))
            return error_set(err, FAILURE_INPUT, "'%s' of a waiver is not a text",
                             waiver_texts[i].key);
        *(char **)(void *)((char *)waiver + waiver_texts[i].offset) =
            memory_copy_text(json_string(value));
    }
    if (json_get(json, "digest") && !digest)
        return error_set(err, FAILURE_INPUT, "'digest' of a waiver is not a text");
    rc = digest ? digest_parse(digest, &waiver->digest, err) : 0;
    if (rc < 0)
        return rc;
    rc = expires ? waiver_expires_parse(expires, &waiver->expires_ms, err) : 0;
    return rc < 0 ? rc : waiver_check(waiver, err);
}

int waiver_from_json(const struct json *json, struct waiver *ret, struct error *err)
{
    struct waiver waiver = {0};
    int rc = waiver_fill(json, &waiver, err);

    if (rc < 0) {
        waiver_release(&waiver);
        return rc;
    }
    *ret = waiver;
    return 0;
}

void waiver_list_add(struct waiver_list *list, const struct waiver *waiver)
{
    struct waiver_entry *entry;

    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    entry = &list->items[list->count++];
    entry->waiver = waiver_copy(waiver);
    glob_compile(entry->waiver.repository ? entry->waiver.repository : "*", &entry->repository);
    glob_compile(entry->waiver.tag ? entry->waiver.tag : "*", &entry->tag);
    glob_compile(entry->waiver.path ? entry->waiver.path : "*", &entry->path);
}

void waiver_list_release(struct waiver_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        waiver_release(&list->items[i].waiver);
    free(list->items);
    *list = (struct waiver_list){0};
}

static int compare_rules(const void *a, const void *b)
{
    const struct waiver_entry *left = a;
    const struct waiver_entry *right = b;

    return strcmp(left->waiver.rule, right->waiver.rule);
}

void waiver_list_sort(struct waiver_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), compare_rules);
}

/* A pattern that says something is not met by what has no such name. */
static bool matches_name(const struct glob *glob, const char *name)
{
    if (!name || name[0] == '\0')
        return glob->kind == GLOB_ALL && !glob->excludes;
    return glob_match(glob, name) != glob->excludes;
}

static bool waiver_excuses(const struct waiver_entry *entry, const struct finding *finding,
                           const struct placement *placement, int64_t now_ms)
{
    const struct waiver *waiver = &entry->waiver;

    return waiver->expires_ms > now_ms &&
           (!waiver->policy || strcmp(waiver->policy, finding->policy) == 0) &&
           (!waiver->fingerprint || strcmp(waiver->fingerprint, finding->fingerprint) == 0) &&
           (!digest_is_set(&waiver->digest) || digest_equal(&waiver->digest, &placement->digest)) &&
           matches_name(&entry->repository, placement->repository) &&
           matches_name(&entry->tag, placement->tag) && matches_name(&entry->path, finding->path);
}

/* First entry whose rule is not less than `rule`. */
static size_t lower_bound(const struct waiver_list *list, const char *rule)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(list->items[middle].waiver.rule, rule) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct waiver *waiver_list_find(const struct waiver_list *list, const struct finding *finding,
                                      const struct placement *placement, int64_t now_ms)
{
    const char *const rules[] = {"*", finding->id, finding->rule};

    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        for (size_t at = lower_bound(list, rules[i]);
             at < list->count && strcmp(list->items[at].waiver.rule, rules[i]) == 0; at++) {
            if (waiver_excuses(&list->items[at], finding, placement, now_ms))
                return &list->items[at].waiver;
        }
    }
    return NULL;
}
