/* Waivers of the ledger. None is ever deleted: who excused what, until when, stays on record. */
#include <inttypes.h>

#include "operation.h"
#include "regwarden/clock.h"
#include "regwarden/memory.h"

/* --- add --- */

struct add_waiver {
    struct operation base;
    struct done done;
    char *id, *document;
    int64_t created_ms, expires_ms;
    struct error fault; /* a waiver that could not be read back must not get in */
};

static int add_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "INSERT INTO waivers (id, created_ms, expires_ms, revoked_ms, document)"
        " VALUES ($1, $2, $3, 0, $4) ON CONFLICT (id) DO NOTHING";
    struct add_waiver *add = (struct add_waiver *)operation;
    int64_t added = 0;

    if (add->fault.kind != FAILURE_NONE) {
        *err = add->fault;
        return (int)add->fault.kind;
    }
    int failure = driver_change(session->driver, sql,
                                BINDS(bind_text(add->id), bind_integer(add->created_ms),
                                      bind_integer(add->expires_ms), bind_text(add->document)),
                                &added, err);

    if (failure < 0 || added > 0)
        return failure;
    error_set(err, FAILURE_INPUT, "a waiver with this id has been there already");
    return error_hint(err, "give the new one an id of its own; ids are never used again");
}

static void add_finish(struct operation *operation)
{
    struct add_waiver *add = (struct add_waiver *)operation;

    done_call(add->done, operation);
    free(add->id);
    free(add->document);
    operation_free(operation);
}

static const struct operation_type add_type = {
    .doing = "add a waiver",
    .lane = LANE_WRITE,
    .run = add_run,
    .finish = add_finish,
};

void store_add_waiver(struct store *store, const struct waiver *waiver, store_done_f *done,
                      void *argument)
{
    struct add_waiver *add = memory_new(sizeof(*add));
    AUTO_JSON struct json *json = waiver_to_json(waiver);
    struct text document = {0};

    json_write(json, JSON_COMPACT, &document);
    add->base.type = &add_type;
    add->done = (struct done){done, argument};
    add->id = memory_copy_text(waiver->id ? waiver->id : "");
    add->document = text_take(&document);
    add->created_ms = clock_wall_ms();
    add->expires_ms = waiver->expires_ms;
    if (waiver_check(waiver, &add->fault) == 0 && !waiver->id)
        error_set(&add->fault, FAILURE_INPUT, "a waiver needs an id");
    store_submit(store, &add->base);
}

/* --- revoke --- */

struct revoke_waiver {
    struct operation base;
    struct done done;
    char *id, *by;
    int64_t at_ms;
};

static int revoke_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] = "UPDATE waivers SET revoked_ms = $2, revoked_by = $3"
                              " WHERE id = $1 AND revoked_ms = 0";
    struct revoke_waiver *revoke = (struct revoke_waiver *)operation;
    int64_t revoked = 0;
    int failure = driver_change(
        session->driver, sql,
        BINDS(bind_text(revoke->id), bind_integer(revoke->at_ms), bind_text(revoke->by)), &revoked,
        err);

    if (failure < 0 || revoked > 0)
        return failure;
    return error_set(err, FAILURE_ABSENT, "there is no such waiver in force");
}

static void revoke_finish(struct operation *operation)
{
    struct revoke_waiver *revoke = (struct revoke_waiver *)operation;

    done_call(revoke->done, operation);
    free(revoke->id);
    free(revoke->by);
    operation_free(operation);
}

static const struct operation_type revoke_type = {
    .doing = "revoke a waiver",
    .lane = LANE_WRITE,
    .run = revoke_run,
    .finish = revoke_finish,
};

void store_revoke_waiver(struct store *store, const char *id, int64_t at_ms, const char *by,
                         store_done_f *done, void *argument)
{
    struct revoke_waiver *revoke = memory_new(sizeof(*revoke));

    revoke->base.type = &revoke_type;
    revoke->done = (struct done){done, argument};
    revoke->id = memory_copy_text(id ? id : "");
    revoke->by = memory_copy_text(by);
    revoke->at_ms = at_ms > 0 ? at_ms : clock_wall_ms();
    store_submit(store, &revoke->base);
}

/* --- load --- */

struct load_waivers {
    struct operation base;
    store_waivers_f *done;
    void *argument;
    struct waiver *waivers;
    size_t count, capacity;
    struct error error;
};

static void forget_waivers(struct load_waivers *load)
{
    for (size_t i = 0; i < load->count; i++)
        waiver_release(&load->waivers[i]);
    load->count = 0;
}

static bool take_waiver(void *argument, const struct row *row)
{
    struct load_waivers *load = argument;
    const char *document = row_text(row, 0);
    AUTO_JSON struct json *json = NULL;
    struct waiver waiver;

    if (json_parse(document, strlen(document), NULL, &json, &load->error) < 0 ||
        waiver_from_json(json, &waiver, &load->error) < 0) {
        error_wrap(&load->error, "a stored waiver is damaged");
        load->error.kind = FAILURE_SYSTEM;
        return false;
    }
    load->waivers =
        memory_grow(load->waivers, load->count, &load->capacity, sizeof(*load->waivers));
    load->waivers[load->count++] = waiver;
    return true;
}

static int load_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] = "SELECT document FROM waivers WHERE revoked_ms = 0 ORDER BY number";
    struct load_waivers *load = (struct load_waivers *)operation;

    forget_waivers(load);
    load->error = (struct error){0};
    int failure =
        driver_each(session->driver, sql, NO_BINDS, (struct each){take_waiver, load}, err);
    if (failure == 0 && load->error.kind != FAILURE_NONE) {
        *err = load->error;
        failure = (int)load->error.kind;
    }
    return failure;
}

static void load_finish(struct operation *operation)
{
    struct load_waivers *load = (struct load_waivers *)operation;

    load->done(load->argument, operation->error, load->waivers, operation->error ? 0 : load->count);
    forget_waivers(load);
    free(load->waivers);
    operation_free(operation);
}

static const struct operation_type load_type = {
    .doing = "read waivers",
    .lane = LANE_READ,
    .run = load_run,
    .finish = load_finish,
};

void store_load_waivers(struct store *store, store_waivers_f *done, void *argument)
{
    struct load_waivers *load = memory_new(sizeof(*load));

    load->base.type = &load_type;
    load->done = done;
    load->argument = argument;
    store_submit(store, &load->base);
}
