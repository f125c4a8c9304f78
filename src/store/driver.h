/* What the store asks of a database, one connection at a time.
 *
 * The SQL of the store is the subset that SQLite (from 3.35) and PostgreSQL share: parameters are
 * $1, $2, …, upserts are ON CONFLICT, no row ids, no type tricks. What differs (types in
 * definitions, the id of a new row, locking, error codes) is behind this table of functions. A
 * connection is used by one thread at a time. Digests go in and out in a packed form: one byte for
 * the algorithm, then its bytes; nothing at all for DIGEST_NONE. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"

enum bind_kind { BIND_NULL, BIND_INTEGER, BIND_TEXT, BIND_BYTES, BIND_DIGEST };

/* One parameter; what it points at must live until the call returns. */
struct bind {
    enum bind_kind kind;
    int64_t integer;
    const void *data;
    size_t size;
};
struct binds {
    const struct bind *items;
    size_t count;
};

static inline struct bind bind_integer(int64_t value)
{
    return (struct bind){.kind = BIND_INTEGER, .integer = value};
}

/* NULL binds NULL. */
static inline struct bind bind_text(const char *text)
{
    return (struct bind){.kind = text ? BIND_TEXT : BIND_NULL, .data = text};
}

static inline struct bind bind_bytes(const void *bytes, size_t size)
{
    return (struct bind){.kind = BIND_BYTES, .data = bytes, .size = size};
}

static inline struct bind bind_digest(const struct digest *digest)
{
    return (struct bind){.kind = BIND_DIGEST, .data = digest};
}

#define BINDS(...)                                      \
    ((struct binds){(const struct bind[]){__VA_ARGS__}, \
                    sizeof((const struct bind[]){__VA_ARGS__}) / sizeof(struct bind)})
#define NO_BINDS ((struct binds){NULL, 0})

/* A row of an answer. What the getters point at lives until the row function returns. */
struct row {
    const struct driver_type *type;
    void *handle;
};
int64_t row_integer(const struct row *row, int column);  /* 0 for NULL */
const char *row_text(const struct row *row, int column); /* NULL for NULL */
const void *row_bytes(const struct row *row, int column, size_t *ret_size);
void row_digest(const struct row *row, int column, struct digest *ret); /* DIGEST_NONE for NULL */
char *row_copy(const struct row *row, int column); /* returns new; NULL for NULL */

typedef bool row_f(void *argument, const struct row *row); /* false: no more rows are wanted */

/* Who gets the rows. */
struct each {
    row_f *row;
    void *argument;
};

struct driver {
    const struct driver_type *type;
};

struct driver_options {
    const char *path; /* what follows the scheme */
    bool reader;      /* only reads; the database exists already */
};

/* One statement. `sql` must live as long as the connection: its compiled form is kept. */
struct query {
    const char *sql;
    struct binds binds;
    struct each each;     /* row NULL: there are no rows, or nobody wants them */
    int64_t *ret_id;      /* of the row that this INSERT made; may be NULL */
    int64_t *ret_changed; /* rows; may be NULL */
};

struct driver_type {
    const char *scheme; /* "sqlite" */
    int (*open)(const struct driver_options *options, struct driver **ret, struct error *err);
    void (*close)(struct driver *driver);
    int (*begin)(struct driver *driver,
                 struct error *err); /* a reader's snapshot, or for writing */
    int (*commit)(struct driver *driver, struct error *err);
    void (*rollback)(struct driver *driver);
    bool (*in_transaction)(struct driver *driver);
    int (*execute)(struct driver *driver, const struct query *query, struct error *err);
    /* Definitions, in which {key} stands for an integer key that is given when none is named, {id}
     * for one that is never given twice, and {bytes} for a byte string. */
    int (*define)(struct driver *driver, const char *sql, struct error *err);
    int64_t (*written)(struct driver *driver); /* rows changed by this connection so far */
    int64_t (*size)(struct driver *driver);    /* of the database in bytes */
    int64_t (*row_integer)(const struct row *row, int column);
    const char *(*row_text)(const struct row *row, int column);
    const void *(*row_bytes)(const struct row *row, int column, size_t *ret_size);
};

extern const struct driver_type driver_sqlite;

/* "sqlite:/path". FAILURE_INPUT for a scheme that no driver has. The connection that writes takes
 * the database for this process. */
int driver_open(const char *url, bool reader, struct driver **ret, struct error *err);
void driver_close(struct driver *driver); /* accepts NULL */

/* FAILURE_LATER: full disk, locked. FAILURE_SYSTEM: damage and all else. */
int driver_run(struct driver *driver, const char *sql, struct binds binds, struct error *err);
int driver_each(struct driver *driver, const char *sql, struct binds binds, struct each each,
                struct error *err);
int driver_insert(struct driver *driver, const char *sql, struct binds binds, int64_t *ret_id,
                  struct error *err);
int driver_change(struct driver *driver, const char *sql, struct binds binds, int64_t *ret_changed,
                  struct error *err);

enum { DIGEST_PACKED_SIZE = 65 };
size_t digest_pack(const struct digest *digest, uint8_t ret[static DIGEST_PACKED_SIZE]);

#endif
