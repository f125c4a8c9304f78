/* The choice of a driver by URL, and the short forms of its calls. Knows no database. */
#include "driver.h"

#include <assert.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

static const struct driver_type *const drivers[] = {&driver_sqlite};

size_t digest_pack(const struct digest *digest, uint8_t ret[static DIGEST_PACKED_SIZE])
{
    size_t size = 0;

    ret[0] = (uint8_t)digest->algorithm;
    switch (digest->algorithm) {
    case DIGEST_NONE:
        return 0;
    case DIGEST_SHA256:
        size = 32;
        break;
    case DIGEST_SHA512:
        size = 64;
        break;
    case DIGEST_OTHER:
        size = sizeof(digest->other);
        memcpy(ret + 1, digest->other, size);
        return 1 + size;
    }
    memcpy(ret + 1, digest->bytes, size);
    return 1 + size;
}

static void digest_unpack(const uint8_t *bytes, size_t size, struct digest *ret)
{
    *ret = (struct digest){0};
    if (size == 1 + 32 && bytes[0] == DIGEST_SHA256) {
        ret->algorithm = DIGEST_SHA256;
        memcpy(ret->bytes, bytes + 1, 32);
    } else if (size == 1 + 64 && bytes[0] == DIGEST_SHA512) {
        ret->algorithm = DIGEST_SHA512;
        memcpy(ret->bytes, bytes + 1, 64);
    } else if (size == 1 + sizeof(ret->other) && bytes[0] == DIGEST_OTHER) {
        ret->algorithm = DIGEST_OTHER;
        memcpy(ret->other, bytes + 1, sizeof(ret->other) - 1);
    }
}

int64_t row_integer(const struct row *row, int column)
{
    return row->type->row_integer(row, column);
}

const char *row_text(const struct row *row, int column)
{
    return row->type->row_text(row, column);
}

const void *row_bytes(const struct row *row, int column, size_t *ret_size)
{
    return row->type->row_bytes(row, column, ret_size);
}

void row_digest(const struct row *row, int column, struct digest *ret)
{
    size_t size;
    const uint8_t *bytes = row_bytes(row, column, &size);

    digest_unpack(bytes, size, ret);
}

char *row_copy(const struct row *row, int column)
{
    return memory_copy_text(row_text(row, column));
}

int driver_open(const char *url, bool reader, struct driver **ret, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(drivers); i++) {
        size_t length = strlen(drivers[i]->scheme);

        if (text_starts_with(url, drivers[i]->scheme) && url[length] == ':')
            return drivers[i]->open(
                &(struct driver_options){.path = url + length + 1, .reader = reader}, ret, err);
    }
    error_set(err, FAILURE_INPUT, "the store's URL names no kind of database that is built in");
    return error_hint(err, "write sqlite:/path/regwarden.db");
}

void driver_close(struct driver *driver)
{
    if (driver)
        driver->type->close(driver);
}

int driver_run(struct driver *driver, const char *sql, struct binds binds, struct error *err)
{
    return driver->type->execute(driver, &(struct query){.sql = sql, .binds = binds}, err);
}

int driver_each(struct driver *driver, const char *sql, struct binds binds, struct each each,
                struct error *err)
{
    return driver->type->execute(driver, &(struct query){.sql = sql, .binds = binds, .each = each},
                                 err);
}

int driver_insert(struct driver *driver, const char *sql, struct binds binds, int64_t *ret_id,
                  struct error *err)
{
    return driver->type->execute(
        driver, &(struct query){.sql = sql, .binds = binds, .ret_id = ret_id}, err);
}

int driver_change(struct driver *driver, const char *sql, struct binds binds, int64_t *ret_changed,
                  struct error *err)
{
    return driver->type->execute(
        driver, &(struct query){.sql = sql, .binds = binds, .ret_changed = ret_changed}, err);
}
