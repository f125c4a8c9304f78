/* The store as a whole: opening, closing, and which thread an operation goes to. */
#include "regwarden/store.h"

#include <assert.h>
#include <stdatomic.h>

#include "document.h"
#include "mailbox.h"
#include "migrations.h"
#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/memory.h"
#include "store_open.h"
#include "worker.h"

enum { SALT_SIZE = 32 };

static const char *const lane_names[LANE_COUNT] = {
    [LANE_WRITE] = "store-write",
    [LANE_READ] = "store-read",
    [LANE_LIST] = "store-list",
};

struct store {
    struct mailbox *mailbox;
    struct worker *workers[LANE_COUNT];
    struct worker_counters counters; /* of the writes */
    unsigned char salt[SALT_SIZE];
    struct codec *codec; /* of the loop */
    bool closing;
};

struct salt {
    unsigned char bytes[SALT_SIZE];
    bool found;
};

static bool take_salt(void *argument, const struct row *row)
{
    struct salt *salt = argument;
    size_t size;
    const void *bytes = row_bytes(row, 0, &size);

    if (size == SALT_SIZE) {
        memcpy(salt->bytes, bytes, size);
        salt->found = true;
    }
    return false;
}

/* Made once. Another replica may make one at the same moment: the one that is kept is read. */
static int read_salt(struct driver *driver, unsigned char *ret, struct error *err)
{
    static const char insert[] =
        "INSERT INTO meta (name, value) VALUES ('salt', $1) ON CONFLICT (name) DO NOTHING";
    static const char select[] = "SELECT value FROM meta WHERE name = 'salt'";
    struct salt salt = {.found = false};
    unsigned char fresh[SALT_SIZE];

    crypto_random(fresh, sizeof(fresh));
    int failure = driver_run(driver, insert, BINDS(bind_bytes(fresh, sizeof(fresh))), err);
    crypto_erase(fresh, sizeof(fresh));
    if (failure == 0)
        failure = driver_each(driver, select, NO_BINDS, (struct each){take_salt, &salt}, err);
    if (failure < 0)
        return failure;
    if (!salt.found)
        return error_set(err, FAILURE_SYSTEM, "the salt of the store is damaged");
    memcpy(ret, salt.bytes, SALT_SIZE);
    return 0;
}

static int open_drivers(struct store *store, const char *url, struct driver **drivers,
                        struct error *err)
{
    int failure = driver_open(url, /* reader= */ false, &drivers[LANE_WRITE], err);

    if (failure == 0)
        failure = migrate(drivers[LANE_WRITE], migrations, migration_count, clock_wall_ms(), err);
    if (failure == 0)
        failure = read_salt(drivers[LANE_WRITE], store->salt, err);
    for (int lane = LANE_WRITE + 1; lane < LANE_COUNT && failure == 0; lane++)
        failure = driver_open(url, /* reader= */ true, &drivers[lane], err);
    return failure;
}

static void start_workers(struct store *store, struct driver **drivers, bool isolate)
{
    atomic_store(&store->counters.bytes, drivers[LANE_WRITE]->type->size(drivers[LANE_WRITE]));
    for (int lane = 0; lane < LANE_COUNT; lane++)
        store->workers[lane] = worker_start(&(struct worker_options){
            .name = lane_names[lane],
            .driver = drivers[lane],
            .mailbox = store->mailbox,
            .counters = lane == LANE_WRITE ? &store->counters : NULL,
            .isolate = isolate && lane == LANE_WRITE,
        });
}

int store_open_with(const struct store_options *options, struct store **ret, struct error *err)
{
    struct driver *drivers[LANE_COUNT] = {NULL};
    struct store *store = memory_new(sizeof(*store));
    int failure = open_drivers(store, options->url, drivers, err);

    if (failure < 0) {
        for (int lane = LANE_COUNT; lane-- > 0;)
            driver_close(drivers[lane]);
        free(store);
        return error_wrap(err, "cannot open the store");
    }
    store->codec = codec_new();
    store->mailbox = mailbox_new(options->loop);
    start_workers(store, drivers, options->isolate);
    *ret = store;
    return 0;
}

int store_open(struct loop *loop, const char *url, struct store **ret, struct error *err)
{
    return store_open_with(&(struct store_options){.loop = loop, .url = url}, ret, err);
}

/* The writer goes last: it alone may write the log back when it closes. */
void store_close(struct store *store)
{
    if (!store)
        return;
    store->closing = true;
    for (int lane = LANE_COUNT; lane-- > 0;)
        worker_stop(store->workers[lane]);
    mailbox_close(store->mailbox);
    codec_free(store->codec);
    crypto_erase(store->salt, sizeof(store->salt));
    free(store);
}

const unsigned char *store_salt(const struct store *store)
{
    return store->salt;
}

struct codec *store_codec(struct store *store)
{
    return store->codec;
}

void operation_free(struct operation *operation)
{
    free(operation->error);
    free(operation);
}

/* Answered like any other, through the mailbox: a callback never comes from within the call. */
static void refuse(struct store *store, struct operation *operation, const char *why)
{
    struct operations refused = {0};

    operation->error = memory_new(sizeof(*operation->error));
    error_set(operation->error, FAILURE_LATER, "cannot %s: %s", operation->type->doing, why);
    operations_add(&refused, operation);
    mailbox_put(store->mailbox, &refused);
}

void store_submit(struct store *store, struct operation *operation)
{
    if (store->closing)
        refuse(store, operation, "the store is closing");
    else if (!worker_put(store->workers[operation->type->lane], operation))
        refuse(store, operation, "too much is waiting for the store");
}

void store_counters(const struct store *store, struct store_counters *ret)
{
    *ret = (struct store_counters){
        .commits = atomic_load(&store->counters.commits),
        .operations = atomic_load(&store->counters.operations),
        .failures = atomic_load(&store->counters.failures),
        .waiting = worker_waiting(store->workers[LANE_WRITE]),
        .bytes = atomic_load(&store->counters.bytes),
    };
}
