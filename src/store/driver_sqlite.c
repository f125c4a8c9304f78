/* SQLite behind the driver interface: the only file that knows it.
 *
 * WAL with synchronous=FULL: what is committed survives a power cut. One connection writes and
 * checkpoints; readers neither checkpoint nor do so when they close, since SQLite before 3.51.3
 * may damage the database when two connections reset the log at once. For the same reason a
 * second process is kept out by a lock file. */
#include "driver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum {
    BUSY_TIMEOUT_MS = 2000,
    CHECKPOINT_PAGES = 4000, /* 16 MiB of log */
    LOG_KEPT_BYTES = 64 * 1024 * 1024,
    STATEMENTS_MAX = 256,                     /* compiled ones; a power of two */
    CHECKED_ALWAYS_BYTES = 128 * 1024 * 1024, /* a whole check takes under a second */
    PARAMETERS_MAX = 32,
    APPLICATION_ID = 0x52575244, /* "RWRD", in the file's header */
};

struct statement {
    const char *sql; /* the key is the address */
    sqlite3_stmt *handle;
    uint8_t order[PARAMETERS_MAX]; /* SQLite numbers $n by appearance: which n is the i-th? */
    int parameter_count;
};

struct sqlite_driver {
    struct driver base;
    sqlite3 *handle;
    bool reader;
    int lock_fd;
    struct statement statements[STATEMENTS_MAX];
    size_t statement_count;
};

/* The number of the last failure of the log's file, and else of the database's: the connection's
 * own record of it is overwritten by what SQLite does on the way out. */
static int last_errno(sqlite3 *handle)
{
    sqlite3_file *log = NULL;
    int number = 0;

    sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    if (number == 0)
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
    return number != 0 ? number : sqlite3_system_errno(handle);
}

static bool is_out_of_space(sqlite3 *handle, int code)
{
    if ((code & 0xff) == SQLITE_FULL)
        return true;
    if ((code & 0xff) != SQLITE_IOERR)
        return false;
    int number = last_errno(handle);
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

static int fail(sqlite3 *handle, int code, struct error *err)
{
    if (is_out_of_space(handle, code)) {
        error_set(err, FAILURE_LATER, "no space is left for the store");
        return error_hint(err, "free space on the disk that holds the database");
    }
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, FAILURE_LATER, "another program has locked the store's database");
    case SQLITE_NOMEM:
        return error_set(err, FAILURE_LATER, "no memory is left for the store");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        error_set(err, FAILURE_SYSTEM, "the store's database is damaged: %s",
                  sqlite3_errmsg(handle));
        return error_hint(err, "move the file away, or put a backup in its place, and start again");
    default:
        return error_set(err, FAILURE_SYSTEM, "the store's database failed: %s",
                         sqlite3_errmsg(handle));
    }
}

static struct sqlite_driver *sqlite_of(struct driver *driver)
{
    return (struct sqlite_driver *)driver;
}

/* Asked once per statement, since answering takes SQLite longer than binding does. */
static void read_order(struct statement *statement)
{
    statement->parameter_count = sqlite3_bind_parameter_count(statement->handle);
    assert(statement->parameter_count <= PARAMETERS_MAX);
    for (int i = 0; i < statement->parameter_count; i++) {
        const char *name = sqlite3_bind_parameter_name(statement->handle, i + 1); /* "$1" */
        uint64_t number = 0;

        if (text_parse_uint(name + 1, PARAMETERS_MAX, &number, NULL) < 0 || number == 0)
            abort(); /* a statement of ours is misspelt */
        statement->order[i] = (uint8_t)(number - 1);
    }
}

static struct statement *find_statement(struct sqlite_driver *driver, const char *sql)
{
    size_t i = ((uintptr_t)sql >> 3) * 0x9e3779b9u;

    while (driver->statements[i % STATEMENTS_MAX].sql &&
           driver->statements[i % STATEMENTS_MAX].sql != sql)
        i++;
    return &driver->statements[i % STATEMENTS_MAX];
}

/* NULL, and SQLite's code, when the statement cannot be compiled. */
static struct statement *prepare(struct sqlite_driver *driver, const char *sql, int *ret_code)
{
    struct statement *statement = find_statement(driver, sql);

    if (statement->sql)
        return statement;
    *ret_code = sqlite3_prepare_v3(driver->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                   &statement->handle, NULL);
    if (*ret_code != SQLITE_OK)
        return NULL;
    assert(driver->statement_count < STATEMENTS_MAX / 2);
    driver->statement_count++;
    read_order(statement);
    statement->sql = sql;
    return statement;
}

static int bind_one(sqlite3_stmt *handle, int place, const struct bind *bind)
{
    uint8_t packed[DIGEST_PACKED_SIZE];

    switch (bind->kind) {
    case BIND_NULL:
        return sqlite3_bind_null(handle, place);
    case BIND_INTEGER:
        return sqlite3_bind_int64(handle, place, bind->integer);
    case BIND_TEXT:
        return sqlite3_bind_text(handle, place, bind->data, -1, SQLITE_STATIC);
    case BIND_BYTES:
        return sqlite3_bind_blob64(handle, place, bind->size ? bind->data : "", bind->size,
                                   SQLITE_STATIC);
    case BIND_DIGEST:
        break;
    }
    size_t size = digest_pack(bind->data, packed);
    return sqlite3_bind_blob64(handle, place, packed, size, SQLITE_TRANSIENT);
}

static int bind_all(const struct statement *statement, struct binds binds)
{
    for (int i = 0; i < statement->parameter_count; i++) {
        assert(statement->order[i] < binds.count);
        int code = bind_one(statement->handle, i + 1, &binds.items[statement->order[i]]);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

static int step_all(sqlite3_stmt *handle, struct each each)
{
    struct row row = {.type = &driver_sqlite, .handle = handle};
    int code;

    while ((code = sqlite3_step(handle)) == SQLITE_ROW) {
        if (each.row && !each.row(each.argument, &row))
            return SQLITE_DONE;
    }
    return code;
}

static int sqlite_execute(struct driver *base, const struct query *query, struct error *err)
{
    struct sqlite_driver *driver = sqlite_of(base);
    int code = SQLITE_OK;
    struct statement *statement = prepare(driver, query->sql, &code);

    if (!statement)
        return fail(driver->handle, code, err);
    code = bind_all(statement, query->binds);
    if (code == SQLITE_OK)
        code = step_all(statement->handle, query->each);
    int failure = code == SQLITE_DONE ? 0 : fail(driver->handle, code, err);
    if (failure == 0 && query->ret_id)
        *query->ret_id = sqlite3_last_insert_rowid(driver->handle);
    if (failure == 0 && query->ret_changed)
        *query->ret_changed = sqlite3_changes(driver->handle);
    sqlite3_reset(statement->handle);
    return failure;
}

static int sqlite_begin(struct driver *driver, struct error *err)
{
    static const char begin_writing[] = "BEGIN IMMEDIATE";
    static const char begin_reading[] = "BEGIN";

    return driver_run(driver, sqlite_of(driver)->reader ? begin_reading : begin_writing, NO_BINDS,
                      err);
}

static int sqlite_commit(struct driver *driver, struct error *err)
{
    static const char commit[] = "COMMIT";

    return driver_run(driver, commit, NO_BINDS, err);
}

static bool sqlite_in_transaction(struct driver *driver)
{
    return sqlite3_get_autocommit(sqlite_of(driver)->handle) == 0;
}

/* After some failures SQLite has rolled back by itself. */
static void sqlite_rollback(struct driver *driver)
{
    static const char rollback[] = "ROLLBACK";

    if (sqlite_in_transaction(driver))
        driver_run(driver, rollback, NO_BINDS, NULL);
}

static const struct {
    const char *word;
    const char *type;
} types[] = {
    {"{id}", "INTEGER PRIMARY KEY AUTOINCREMENT"}, /* slower, but ids outlive their rows */
    {"{key}", "INTEGER PRIMARY KEY"},
    {"{bytes}", "BLOB"},
};

/* Appends what stands for the next piece of `sql` and returns its length. */
static size_t translate(const char *sql, struct text *to)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (text_starts_with(sql, types[i].word)) {
            text_add(to, types[i].type);
            return strlen(types[i].word);
        }
    }
    text_add_char(to, *sql);
    return 1;
}

static int sqlite_define(struct driver *base, const char *sql, struct error *err)
{
    struct sqlite_driver *driver = sqlite_of(base);
    AUTO_TEXT struct text text = {0};

    for (const char *c = sql; *c;)
        c += translate(c, &text);
    int code = sqlite3_exec(driver->handle, text_data(&text), NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : fail(driver->handle, code, err);
}

static int64_t sqlite_written(struct driver *driver)
{
    return sqlite3_total_changes(sqlite_of(driver)->handle);
}

static bool take_integer(void *argument, const struct row *row)
{
    *(int64_t *)argument = row_integer(row, 0);
    return true;
}

static int64_t sqlite_size(struct driver *driver)
{
    static const char pages[] = "PRAGMA page_count";
    static const char page_size[] = "PRAGMA page_size";
    int64_t count = 0;
    int64_t size = 0;

    driver_each(driver, pages, NO_BINDS, (struct each){take_integer, &count}, NULL);
    driver_each(driver, page_size, NO_BINDS, (struct each){take_integer, &size}, NULL);
    return count * size;
}

static int64_t sqlite_row_integer(const struct row *row, int column)
{
    return sqlite3_column_int64(row->handle, column);
}

static const char *sqlite_row_text(const struct row *row, int column)
{
    return (const char *)sqlite3_column_text(row->handle, column);
}

static const void *sqlite_row_bytes(const struct row *row, int column, size_t *ret_size)
{
    const void *bytes = sqlite3_column_blob(row->handle, column);

    *ret_size = (size_t)sqlite3_column_bytes(row->handle, column);
    return bytes;
}

static void sqlite_close(struct driver *base)
{
    struct sqlite_driver *driver = sqlite_of(base);

    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(driver->statements[i].handle);
    sqlite3_close(driver->handle);
    if (driver->lock_fd >= 0)
        close(driver->lock_fd);
    free(driver);
}

/* The lock goes with the process, however it ends; the file stays. */
static int take_database(struct sqlite_driver *driver, const char *path, struct error *err)
{
    AUTO_FREE char *lock = text_new("%s.lock", path);

    driver->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (driver->lock_fd < 0) {
        int number = errno;
        error_set_errno(err, FAILURE_SYSTEM, number, "cannot open the lock file %s", lock);
        return error_hint(err, "the directory must exist and belong to the daemon's user");
    }
    if (flock(driver->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(err, FAILURE_LATER, "%s is in use by another process", path);
        return error_hint(err, "stop the other regwarden, or give this one a store of its own");
    }
    /* SQLite would create the file readable for all. The log takes over its mode. */
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot open %s", path);
    return 0;
}

static int set_up(struct sqlite_driver *driver, const char *sql, struct error *err)
{
    int code = sqlite3_exec(driver->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : fail(driver->handle, code, err);
}

static int open_reader(struct sqlite_driver *driver, struct error *err)
{
    sqlite3_wal_autocheckpoint(driver->handle, 0);
    sqlite3_db_config(driver->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return set_up(driver, "PRAGMA query_only=1; PRAGMA cache_size=-2000; PRAGMA temp_store=MEMORY",
                  err);
}

static bool take_word(void *argument, const struct row *row)
{
    text_clear(argument);
    text_add(argument, row_text(row, 0) ? row_text(row, 0) : "");
    return false;
}

/* A log beside the file says that the last process did not end cleanly. */
static int check_damage(struct sqlite_driver *driver, bool was_killed, struct error *err)
{
    static const char check[] = "PRAGMA quick_check(1)";
    AUTO_TEXT struct text answer = {0};

    if (!was_killed && sqlite_size(&driver->base) > CHECKED_ALWAYS_BYTES)
        return 0;
    int failure =
        driver_each(&driver->base, check, NO_BINDS, (struct each){take_word, &answer}, err);
    if (failure < 0)
        return failure;
    if (text_equal(text_data(&answer), "ok"))
        return 0;
    AUTO_FREE char *what = text_printable(text_data(&answer), 200);
    error_set(err, FAILURE_SYSTEM, "the store's database is damaged: %s", what);
    return error_hint(err, "move the file away, or put a backup in its place, and start again");
}

/* Before anything is written: the path may name some other program's file. */
static int check_owner(struct sqlite_driver *driver, struct error *err)
{
    static const char count_tables[] = "SELECT count(*) FROM sqlite_schema";
    static const char read_mark[] = "PRAGMA application_id";
    int64_t tables = 0;
    int64_t mark = 0;
    int failure = driver_each(&driver->base, count_tables, NO_BINDS,
                              (struct each){take_integer, &tables}, err);

    if (failure == 0)
        failure = driver_each(&driver->base, read_mark, NO_BINDS,
                              (struct each){take_integer, &mark}, err);
    if (failure < 0)
        return failure;
    if (mark == APPLICATION_ID)
        return 0;
    if (tables > 0) {
        error_set(err, FAILURE_INPUT, "the store's file is the database of another program");
        return error_hint(err, "name a file that regwarden may have for itself");
    }
    AUTO_FREE char *set_mark = text_new("PRAGMA application_id=%d", APPLICATION_ID);
    return set_up(driver, set_mark, err);
}

static int open_writer(struct sqlite_driver *driver, const char *path, struct error *err)
{
    static const char use_log[] = "PRAGMA journal_mode=WAL";
    AUTO_FREE char *log = text_new("%s-wal", path);
    AUTO_FREE char *settings =
        text_new("PRAGMA synchronous=FULL; PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;"
                 "PRAGMA journal_size_limit=%d",
                 LOG_KEPT_BYTES);
    AUTO_TEXT struct text mode = {0};
    bool was_killed = access(log, F_OK) == 0;

    int failure = check_owner(driver, err);
    if (failure == 0)
        failure =
            driver_each(&driver->base, use_log, NO_BINDS, (struct each){take_word, &mode}, err);
    if (failure < 0)
        return failure;
    if (!text_equal(text_data(&mode), "wal")) {
        error_set(err, FAILURE_SYSTEM, "the file system cannot hold a database with a log");
        return error_hint(err, "put the store on a local disk");
    }
    sqlite3_wal_autocheckpoint(driver->handle, CHECKPOINT_PAGES);
    failure = set_up(driver, settings, err);
    return failure < 0 ? failure : check_damage(driver, was_killed, err);
}

static int open_connection(struct sqlite_driver *driver, const char *path, struct error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    if (!driver->reader) {
        int failure = take_database(driver, path, err);
        if (failure < 0)
            return failure;
    }
    int code = sqlite3_open_v2(path, &driver->handle, flags, NULL);
    if (code != SQLITE_OK)
        return fail(driver->handle, code, err);
    sqlite3_busy_timeout(driver->handle, BUSY_TIMEOUT_MS);
    return driver->reader ? open_reader(driver, err) : open_writer(driver, path, err);
}

static int sqlite_open(const struct driver_options *options, struct driver **ret, struct error *err)
{
    struct sqlite_driver *driver = memory_new(sizeof(*driver));

    driver->base.type = &driver_sqlite;
    driver->reader = options->reader;
    driver->lock_fd = -1;
    int failure = options->path[0] == '/'
                      ? open_connection(driver, options->path, err)
                      : error_set(err, FAILURE_INPUT, "the store's path must begin with a slash");
    if (failure < 0) {
        sqlite_close(&driver->base);
        return failure;
    }
    *ret = &driver->base;
    return 0;
}

const struct driver_type driver_sqlite = {
    .scheme = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .in_transaction = sqlite_in_transaction,
    .execute = sqlite_execute,
    .define = sqlite_define,
    .written = sqlite_written,
    .size = sqlite_size,
    .row_integer = sqlite_row_integer,
    .row_text = sqlite_row_text,
    .row_bytes = sqlite_row_bytes,
};
