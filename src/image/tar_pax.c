/* PAX records: "<length> <key>=<value>\n". Only what changes an entry is kept; the rest is checked
 * for form and dropped. Sparse maps are in tar_sparse.c. */
#include "tar_pax.h"

#include <string.h>

struct record {
    const char *key;
    size_t key_size;
    const char *value;
    size_t size;
};

static bool key_is(const struct record *record, const char *key)
{
    return record->key_size == strlen(key) && memcmp(record->key, key, record->key_size) == 0;
}

static int decimal(const char *bytes, size_t size, uint64_t *ret, struct error *err)
{
    uint64_t value = 0;

    if (size == 0 || size > 18)
        return error_set(err, FAILURE_INPUT, "a PAX record's number is none");
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return error_set(err, FAILURE_INPUT, "a PAX record's number is none");
        value = value * 10 + (uint64_t)(bytes[i] - '0');
    }
    *ret = value;
    return 0;
}

static int set_text(struct text *to, const struct record *record, struct error *err)
{
    if (memchr(record->value, 0, record->size))
        return error_set(err, FAILURE_INPUT, "a NUL in a path");
    text_clear(to);
    text_add_bytes(to, record->value, record->size);
    return 0;
}

static int read_path(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return set_text(&pax->path, record, err);
}

static int read_link(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return set_text(&pax->link, record, err);
}

/* An empty value takes back what was said before. */
static int read_number(bool *has, uint64_t *number, const struct record *record, struct error *err)
{
    *has = record->size > 0;
    return *has ? decimal(record->value, record->size, number, err) : 0;
}

static int read_size(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return read_number(&pax->has_size, &pax->size, record, err);
}

static int read_uid(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return read_number(&pax->has_uid, &pax->uid, record, err);
}

static int read_gid(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return read_number(&pax->has_gid, &pax->gid, record, err);
}

static int read_capability(struct tar_pax *pax, const struct record *record, struct error *err)
{
    (void)err;
    pax->capability = record->size > 0;
    return 0;
}

static int read_sparse_name(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return set_text(&pax->sparse_name, record, err);
}

static int read_real_size(struct tar_pax *pax, const struct record *record, struct error *err)
{
    pax->has_real_size = true;
    return decimal(record->value, record->size, &pax->sparse.real_size, err);
}

static int read_version(char *ret, const struct record *record, struct error *err)
{
    if (record->size != 1 || (*record->value != '0' && *record->value != '1'))
        return error_set(err, FAILURE_INPUT, "a sparse format that is not known");
    *ret = *record->value;
    return 0;
}

static int read_major(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return read_version(&pax->major, record, err);
}

static int read_minor(struct tar_pax *pax, const struct record *record, struct error *err)
{
    return read_version(&pax->minor, record, err);
}

/* Format 0.0: pairs of records. The size may follow the map, so bounds are checked at the end. */
static int read_offset(struct tar_pax *pax, const struct record *record, struct error *err)
{
    uint64_t offset;
    int failure = decimal(record->value, record->size, &offset, err);

    if (failure < 0)
        return failure;
    if (pax->sparse.offset >= 0)
        return error_set(err, FAILURE_INPUT, "a sparse fragment without a length");
    pax->map = TAR_MAP_IN_RECORDS;
    pax->sparse.offset = (int64_t)offset;
    return 0;
}

static int read_length(struct tar_pax *pax, const struct record *record, struct error *err)
{
    uint64_t size;
    int failure = decimal(record->value, record->size, &size, err);

    if (failure < 0)
        return failure;
    if (pax->sparse.offset < 0)
        return error_set(err, FAILURE_INPUT, "a sparse fragment without an offset");
    failure = tar_sparse_add(&pax->sparse, (uint64_t)pax->sparse.offset, size, err);
    pax->sparse.offset = -1;
    return failure;
}

/* Format 0.1: "offset,length,offset,length,…". */
static int read_map(struct tar_pax *pax, const struct record *record, struct error *err)
{
    const char *at = record->value, *end = at + record->size;

    pax->map = TAR_MAP_IN_RECORDS;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        struct record part = {.value = at, .size = (size_t)((comma ? comma : end) - at)};
        int failure =
            pax->sparse.offset < 0 ? read_offset(pax, &part, err) : read_length(pax, &part, err);
        if (failure < 0)
            return failure;
        at = comma ? comma + 1 : end;
    }
    return 0;
}

static int read_nothing(struct tar_pax *pax, const struct record *record, struct error *err)
{
    (void)pax;
    (void)record;
    (void)err;
    return 0;
}

static const struct key {
    const char *name;
    int (*read)(struct tar_pax *pax, const struct record *record, struct error *err);
} keys[] = {
    {"path", read_path},
    {"linkpath", read_link},
    {"size", read_size},
    {"uid", read_uid},
    {"gid", read_gid},
    {"SCHILY.xattr.security.capability", read_capability},
    {"GNU.sparse.name", read_sparse_name},
    {"GNU.sparse.size", read_real_size},
    {"GNU.sparse.realsize", read_real_size},
    {"GNU.sparse.major", read_major},
    {"GNU.sparse.minor", read_minor},
    {"GNU.sparse.numblocks", read_nothing},
    {"GNU.sparse.offset", read_offset},
    {"GNU.sparse.numbytes", read_length},
    {"GNU.sparse.map", read_map},
};

/* Takes the next record off. */
static int next_record(const char **bytes, size_t *left, struct record *ret, struct error *err)
{
    const char *blank = memchr(*bytes, ' ', *left < 20 ? *left : 20);
    uint64_t size = 0;

    if (!blank || decimal(*bytes, (size_t)(blank - *bytes), &size, NULL) < 0 || size > *left ||
        size < (size_t)(blank - *bytes) + 4 || (*bytes)[size - 1] != '\n')
        return error_set(err, FAILURE_INPUT, "a PAX record is damaged");
    ret->key = blank + 1;
    const char *end = *bytes + size - 1;
    const char *equals = memchr(ret->key, '=', (size_t)(end - ret->key));
    if (!equals || equals == ret->key)
        return error_set(err, FAILURE_INPUT, "a PAX record has no key");
    ret->key_size = (size_t)(equals - ret->key);
    ret->value = equals + 1;
    ret->size = (size_t)(end - ret->value);
    if (memchr(ret->key, 0, ret->key_size))
        return error_set(err, FAILURE_INPUT, "a NUL in a PAX key");
    *bytes += size;
    *left -= size;
    return 0;
}

static int take_record(struct tar_pax *pax, const struct record *record, bool global,
                       struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        if (!key_is(record, keys[i].name))
            continue;
        if (global)
            return error_set(err, FAILURE_INPUT, "%s for all entries: readers disagree about that",
                             keys[i].name);
        return keys[i].read(pax, record, err);
    }
    return 0;
}

/* Which sparse format it is, and whether its map is complete. */
static int settle_sparse(struct tar_pax *pax, struct error *err)
{
    if (pax->major == '1')
        pax->map = TAR_MAP_IN_DATA;
    if (pax->major == '1' && (pax->minor != '0' || pax->sparse.stored > 0))
        return error_set(err, FAILURE_INPUT, "a sparse format that is not known");
    /* some readers heed only what has a version that they know */
    if ((pax->major == '0') != (pax->minor && pax->major != '1'))
        return error_set(err, FAILURE_INPUT, "half a version of a sparse format");
    if (pax->map == TAR_MAP_NONE && pax->sparse_name.length > 0)
        return error_set(err, FAILURE_INPUT,
                         "a sparse file's name without a map: readers disagree about that");
    if (pax->map == TAR_MAP_NONE)
        return 0;
    if (!pax->has_real_size)
        return error_set(err, FAILURE_INPUT, "a sparse file without a size");
    if (pax->sparse.offset >= 0)
        return error_set(err, FAILURE_INPUT, "a sparse fragment without a length");
    if (pax->sparse.end > pax->sparse.real_size)
        return error_set(err, FAILURE_INPUT, "a sparse fragment behind the end of its file");
    return 0;
}

void tar_pax_clear(struct tar_pax *pax)
{
    tar_pax_release(pax);
    pax->sparse.offset = -1;
}

void tar_pax_release(struct tar_pax *pax)
{
    text_release(&pax->path);
    text_release(&pax->link);
    text_release(&pax->sparse_name);
    *pax = (struct tar_pax){0};
}

int tar_pax_read(const char *bytes, size_t size, bool global, struct tar_pax *ret,
                 struct error *err)
{
    /* the map of a sparse file may come before its size */
    ret->sparse.real_size = INT64_MAX;
    while (size > 0) {
        struct record record = {.key = "", .value = ""};
        int failure = next_record(&bytes, &size, &record, err);
        if (failure == 0)
            failure = take_record(ret, &record, global, err);
        if (failure < 0)
            return failure;
    }
    ret->given = ret->given || !global;
    return settle_sparse(ret, err);
}
