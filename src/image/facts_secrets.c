/* Finds the secrets in all texts of the facts, lists each once, and masks them: first where they
 * are recognised, then every repetition of the same bytes anywhere else. Bytes of secrets live in
 * memory only as long as this runs. */
#include "facts_secrets.h"

#include <string.h>

#include "facts_strings.h"
#include "regwarden/crypto.h"
#include "secret_repeats.h"
#include "secret_scan.h"

/* More are masked where they stand, but not listed: one would do to refuse an image. */
enum { SECRETS_MAX = 256, SALT_SIZE = 32, HASH_DIGITS = 16 };

struct collector {
    struct facts *facts;
    const unsigned char *salt;
    struct text_list bytes; /* of facts->secrets[i] */
    size_t capacity;
};

static void erase(struct text_list *bytes)
{
    for (size_t i = 0; i < bytes->count; i++)
        crypto_erase(bytes->items[i], strlen(bytes->items[i]));
    text_list_release(bytes);
}

static char *hash_of(const struct collector *collector, const char *secret)
{
    uint8_t mac[HASH_SIZE_MAX];
    char hex[HASH_DIGITS + 1];
    if (!collector->salt)
        return NULL;
    crypto_hmac(HASH_SHA256, collector->salt, SALT_SIZE, secret, strlen(secret), mac);
    crypto_hex(mac, HASH_DIGITS / 2, hex);
    return memory_copy_text(hex);
}

/* Environment and labels are written into history too: the step is noted with them and not listed a
 * second time. Build arguments stand in front of every RUN: the first one is listed. */
static bool is_listed(struct collector *collector, const struct facts_place *where, const char *key,
                      const char *secret)
{
    for (size_t i = 0; i < collector->bytes.count; i++) {
        struct facts_secret *listed = &collector->facts->secrets[i];
        if (strcmp(collector->bytes.items[i], secret) != 0)
            continue;
        bool same_place = listed->place == where->place && text_equal(listed->key, key);
        bool origin = (where->kind == STEP_ENV && listed->place == SECRET_ENV) ||
                      (where->kind == STEP_LABEL && listed->place == SECRET_LABEL);
        if (origin && listed->step < 0)
            listed->step = where->step;
        if (same_place || origin || where->raw)
            return true;
    }
    return false;
}

static void list_secret(struct collector *collector, const struct facts_place *where,
                        const char *kind, const char *key, const char *secret)
{
    struct facts *facts = collector->facts;
    if (facts->secret_count == SECRETS_MAX || is_listed(collector, where, key, secret))
        return;
    facts->secrets = memory_grow(facts->secrets, facts->secret_count, &collector->capacity,
                                 sizeof(*facts->secrets));
    facts->secrets[facts->secret_count++] = (struct facts_secret){
        .kind = memory_copy_text(kind),
        .place = where->place,
        .key = memory_copy_text(key),
        .step = where->step,
        .masked = secret_text_mask(secret, strlen(secret)),
        .hash = hash_of(collector, secret),
    };
    text_list_add(&collector->bytes, secret);
}

static void replace(char **text, struct text *result)
{
    crypto_erase(*text, strlen(*text));
    free(*text);
    *text = text_take(result);
}

/* Masks one span of a text; what stands around it stays. */
static void mask_span(struct collector *collector, const struct facts_place *where, const char *key,
                      char **text, const struct secret_match *match)
{
    struct text result = {0};
    AUTO_FREE char *secret = memory_copy_bytes(*text + match->start, match->size);
    AUTO_FREE char *masked = secret_text_mask(secret, match->size);
    list_secret(collector, where, match->kind, key, secret);
    text_add_bytes(&result, *text, match->start);
    text_add(&result, masked);
    text_add(&result, *text + match->start + match->size);
    replace(text, &result);
    crypto_erase(secret, match->size);
}

/* "ENV NAME value" without an equals sign, as old Dockerfiles have it. */
static void mask_old_form(struct collector *collector, const struct facts_place *where, char **text)
{
    struct secret_match match;
    size_t size = strcspn(*text, " =");
    if ((where->kind != STEP_ENV && where->kind != STEP_LABEL) || where->raw ||
        (*text)[size] != ' ')
        return;
    AUTO_FREE char *key = memory_copy_bytes(*text, size);
    size_t start = size + strspn(*text + size, " ");
    if (!secret_text_pair(key, *text + start, &match))
        return;
    match.start += start;
    mask_span(collector, where, key, text, &match);
}

static void mask_found(struct collector *collector, const struct facts_place *where, char **text)
{
    struct secret_text scan;
    struct secret_match match;
    struct secret_word name;
    struct text result = {0};
    size_t position = 0, copied = 0;
    secret_text_init(&scan, *text);
    while (secret_scan_next(&scan, &position, &match, &name)) {
        AUTO_FREE char *secret = memory_copy_bytes(*text + match.start, match.size);
        AUTO_FREE char *masked = secret_text_mask(secret, match.size);
        AUTO_FREE char *key =
            name.size > 0 ? memory_copy_bytes(*text + name.start, name.size) : NULL;
        list_secret(collector, where, match.kind, key ? key : where->key, secret);
        text_add_bytes(&result, *text + copied, match.start - copied);
        text_add(&result, masked);
        copied = match.start + match.size;
        crypto_erase(secret, match.size);
    }
    if (copied == 0)
        return;
    text_add(&result, *text + copied);
    replace(text, &result);
}

static void collect(void *argument, const struct facts_place *where, char **text)
{
    struct collector *collector = argument;
    struct secret_match match;
    if (where->key && secret_text_pair(where->key, *text, &match))
        mask_span(collector, where, where->key, text, &match);
    mask_old_form(collector, where, text);
    mask_found(collector, where, text);
}

/* The raw line may say the same in a form that only the step's reader understood. */
static void check_raw(struct facts *facts, size_t index)
{
    static const char mark[] = "****(";
    const struct step *step = &facts->history.steps[index];
    struct history_entry *entry = &facts->config->history[index];
    if (!strstr(step->text, mark) || strstr(entry->created_by, mark))
        return;
    free(entry->created_by);
    entry->created_by = text_new("%s %s", step_kind_name(step->kind), step->text);
}

static void mask_repeats(void *argument, const struct facts_place *where, char **text)
{
    const struct secret_repeats *repeats = argument;
    struct text result = {0};
    (void)where;
    if (secret_repeats_mask(repeats, *text, &result))
        replace(text, &result);
    text_release(&result);
}

void facts_mask_secrets(struct facts *facts, const unsigned char *salt)
{
    struct collector collector = {.facts = facts, .salt = salt};
    facts_visit(facts, collect, &collector);
    for (size_t i = 0; facts->config && i < facts->history.count; i++)
        check_raw(facts, i);
    struct secret_repeats *repeats = secret_repeats_new(&collector.bytes);
    facts_visit(facts, mask_repeats, repeats);
    for (size_t i = 0; i < facts->secret_count; i++)
        if (facts->secrets[i].key)
            mask_repeats(repeats, NULL, &facts->secrets[i].key);
    secret_repeats_free(repeats);
    erase(&collector.bytes);
}
