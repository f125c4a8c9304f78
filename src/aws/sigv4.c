/* The canonical request, the string to sign and the signing key. It sends nothing and reads no
 * clock. */
#include "sigv4.h"

#include <assert.h>
#include <time.h>

#include "regwarden/crypto.h"
#include "regwarden/http_client.h"

enum { DATE_LENGTH = 8, SHA256_SIZE = 32 };

void sigv4_time(int64_t wall_ms, char ret[static SIGV4_TIME_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts = {0};

    (void)gmtime_r(&seconds, &parts);
    if (strftime(ret, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &parts) == 0)
        ret[0] = '\0';
}

static void add_hash(const void *bytes, size_t size, struct text *to)
{
    uint8_t hash[HASH_SIZE_MAX];
    char hex[2 * SHA256_SIZE + 1];

    crypto_hash(HASH_SHA256, bytes ? bytes : "", size, hash);
    crypto_hex(hash, SHA256_SIZE, hex);
    text_add(to, hex);
}

/* --- path: without empty segments and dots, each segment encoded --- */

static void take_segment(struct text_list *segments, const char *start, size_t size)
{
    if (size == 0 || (size == 1 && start[0] == '.'))
        return;
    if (size == 2 && start[0] == '.' && start[1] == '.') {
        if (segments->count > 0)
            free(segments->items[--segments->count]);
        return;
    }
    text_list_add_take(segments, memory_copy_bytes(start, size));
}

static void add_path(const char *path, struct text *to)
{
    AUTO_TEXT_LIST struct text_list segments = {0};
    const char *at = path;

    while (*at) {
        size_t size = strcspn(at, "/");

        take_segment(&segments, at, size);
        at += size + (at[size] == '/');
    }
    for (size_t i = 0; i < segments.count; i++) {
        text_add_char(to, '/');
        url_encode(to, segments.items[i]);
    }
    if (segments.count == 0 || (at > path && at[-1] == '/'))
        text_add_char(to, '/');
}

/* --- query and headers: sorted --- */

static int compare_pairs(const void *a, const void *b)
{
    const struct text_pair *left = a;
    const struct text_pair *right = b;
    int order = strcmp(left->key, right->key);

    return order != 0 ? order : strcmp(left->value, right->value);
}

static void add_query(const struct text_pairs *query, struct text *to)
{
    struct text_pairs encoded = {0};

    for (size_t i = 0; query && i < query->count; i++) {
        AUTO_TEXT struct text name = {0};
        AUTO_TEXT struct text value = {0};

        url_encode(&name, query->items[i].key);
        url_encode(&value, query->items[i].value);
        text_pairs_add(&encoded, text_data(&name), text_data(&value));
    }
    if (encoded.count > 1)
        qsort(encoded.items, encoded.count, sizeof(*encoded.items), compare_pairs);
    for (size_t i = 0; i < encoded.count; i++)
        text_format(to, "%s%s=%s", i > 0 ? "&" : "", encoded.items[i].key, encoded.items[i].value);
    text_pairs_release(&encoded);
}

static char *lower_case(const char *name)
{
    char *copy = memory_copy_text(name);

    for (char *c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return copy;
}

/* The names in lower case, sorted, each once. */
static void sort_names(const struct text_pairs *headers, struct text_list *ret)
{
    struct text_pairs names = {0};

    for (size_t i = 0; i < headers->count; i++) {
        AUTO_FREE char *name = lower_case(headers->items[i].key);

        text_pairs_add(&names, name, "");
    }
    if (names.count > 1)
        qsort(names.items, names.count, sizeof(*names.items), compare_pairs);
    for (size_t i = 0; i < names.count; i++) {
        if (i == 0 || !text_equal(names.items[i].key, names.items[i - 1].key))
            text_list_add(ret, names.items[i].key);
    }
    text_pairs_release(&names);
}

/* Without blanks around it, and runs of blanks as one. */
static void add_trimmed(const char *value, struct text *to)
{
    const char *at = value + strspn(value, " ");

    while (*at) {
        size_t size = strcspn(at, " ");
        size_t blanks = strspn(at + size, " ");

        text_add_bytes(to, at, size);
        at += size + blanks;
        if (*at)
            text_add_char(to, ' ');
    }
}

static void add_header(const struct text_pairs *headers, const char *name, struct text *to)
{
    const char *separator = "";

    text_format(to, "%s:", name);
    for (size_t i = 0; i < headers->count; i++) {
        if (!text_equal_nocase(headers->items[i].key, name))
            continue;
        text_add(to, separator);
        add_trimmed(headers->items[i].value, to);
        separator = ",";
    }
    text_add_char(to, '\n');
}

static void add_names(const struct text_pairs *headers, struct text *to)
{
    AUTO_TEXT_LIST struct text_list names = {0};

    sort_names(headers, &names);
    for (size_t i = 0; i < names.count; i++)
        text_format(to, "%s%s", i > 0 ? ";" : "", names.items[i]);
}

void sigv4_canonical(const struct sigv4_request *request, struct text *to)
{
    AUTO_TEXT_LIST struct text_list names = {0};

    assert(request->headers && request->headers->count > 0);
    text_format(to, "%s\n", request->method);
    add_path(request->path, to);
    text_add_char(to, '\n');
    add_query(request->query, to);
    text_add_char(to, '\n');
    sort_names(request->headers, &names);
    for (size_t i = 0; i < names.count; i++)
        add_header(request->headers, names.items[i], to);
    text_add_char(to, '\n');
    add_names(request->headers, to);
    text_add_char(to, '\n');
    add_hash(request->body, request->body_size, to);
}

/* --- the signature --- */

static void add_scope(const struct sigv4_key *key, struct text *to)
{
    text_add_bytes(to, key->time, DATE_LENGTH);
    text_format(to, "/%s/%s/aws4_request", key->region, key->service);
}

/* A chain of four: what one gives is the key of the next. */
static void make_signing_key(const struct sigv4_key *key, uint8_t ret[static HASH_SIZE_MAX])
{
    AUTO_FREE char *date = memory_copy_bytes(key->time, DATE_LENGTH);
    const char *const words[] = {date, key->region, key->service, "aws4_request"};
    AUTO_TEXT struct text first = {0};
    uint8_t next[HASH_SIZE_MAX];

    text_format(&first, "AWS4%s", key->secret_access_key);
    crypto_hmac(HASH_SHA256, first.data, first.length, words[0], strlen(words[0]), ret);
    for (size_t i = 1; i < ARRAY_COUNT(words); i++) {
        crypto_hmac(HASH_SHA256, ret, SHA256_SIZE, words[i], strlen(words[i]), next);
        memcpy(ret, next, SHA256_SIZE);
    }
    crypto_erase(next, sizeof(next));
    crypto_erase(first.data, first.length);
}

static void add_signature(const struct sigv4_request *request, const struct sigv4_key *key,
                          struct text *to)
{
    AUTO_TEXT struct text canonical = {0};
    AUTO_TEXT struct text string = {0};
    uint8_t signing_key[HASH_SIZE_MAX];
    uint8_t signature[HASH_SIZE_MAX];
    char hex[2 * SHA256_SIZE + 1];

    sigv4_canonical(request, &canonical);
    text_format(&string, "AWS4-HMAC-SHA256\n%s\n", key->time);
    add_scope(key, &string);
    text_add_char(&string, '\n');
    add_hash(canonical.data, canonical.length, &string);
    make_signing_key(key, signing_key);
    crypto_hmac(HASH_SHA256, signing_key, SHA256_SIZE, string.data, string.length, signature);
    crypto_hex(signature, SHA256_SIZE, hex);
    text_add(to, hex);
    crypto_erase(signing_key, sizeof(signing_key));
    crypto_erase(canonical.data, canonical.length); /* holds the session's token */
}

char *sigv4_authorization(const struct sigv4_request *request, const struct sigv4_key *key)
{
    struct text value = {0};

    assert(strlen(key->time) > DATE_LENGTH);
    text_format(&value, "AWS4-HMAC-SHA256 Credential=%s/", key->access_key_id);
    add_scope(key, &value);
    text_add(&value, ", SignedHeaders=");
    add_names(request->headers, &value);
    text_add(&value, ", Signature=");
    add_signature(request, key, &value);
    return text_take(&value);
}
