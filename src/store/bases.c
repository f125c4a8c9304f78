/* The catalogue of known bases: one document for each image, in its published form, and the
 * references that operators asked to be followed. */
#include "regwarden/bases.h"
#include "operation.h"
#include "regwarden/clock.h"
#include "regwarden/memory.h"

/* --- change --- */

struct saved_base {
    struct digest digest;
    char *document;
};

struct change_bases {
    struct operation base;
    struct done done;
    struct saved_base *saved;
    size_t saved_count;
    struct digest *gone;
    size_t gone_count;
    char *add_source, *remove_source, *by;
    int64_t at_ms;
};

static int save_all(const struct change_bases *change, struct driver *driver, struct error *err)
{
    static const char sql[] = "INSERT INTO bases (digest, document) VALUES ($1, $2)"
                              " ON CONFLICT (digest) DO UPDATE SET document = excluded.document";
    int failure = 0;

    for (size_t i = 0; failure == 0 && i < change->saved_count; i++)
        failure = driver_run(
            driver, sql,
            BINDS(bind_digest(&change->saved[i].digest), bind_text(change->saved[i].document)),
            err);
    return failure;
}

static int remove_all(const struct change_bases *change, struct driver *driver, struct error *err)
{
    static const char sql[] = "DELETE FROM bases WHERE digest = $1";
    int failure = 0;

    for (size_t i = 0; failure == 0 && i < change->gone_count; i++)
        failure = driver_run(driver, sql, BINDS(bind_digest(&change->gone[i])), err);
    return failure;
}

static int change_sources(const struct change_bases *change, struct driver *driver,
                          struct error *err)
{
    static const char add[] = "INSERT INTO base_sources (reference, added_ms, added_by)"
                              " VALUES ($1, $2, $3) ON CONFLICT (reference) DO NOTHING";
    static const char drop[] = "DELETE FROM base_sources WHERE reference = $1";
    int failure = 0;

    if (change->add_source)
        failure = driver_run(driver, add,
                             BINDS(bind_text(change->add_source), bind_integer(change->at_ms),
                                   bind_text(change->by)),
                             err);
    if (failure == 0 && change->remove_source)
        failure = driver_run(driver, drop, BINDS(bind_text(change->remove_source)), err);
    return failure;
}

static int change_run(struct operation *operation, const struct session *session, struct error *err)
{
    const struct change_bases *change = (struct change_bases *)operation;
    int failure = save_all(change, session->driver, err);

    if (failure == 0)
        failure = remove_all(change, session->driver, err);
    if (failure == 0)
        failure = change_sources(change, session->driver, err);
    return failure;
}

static void change_finish(struct operation *operation)
{
    struct change_bases *change = (struct change_bases *)operation;

    done_call(change->done, operation);
    for (size_t i = 0; i < change->saved_count; i++)
        free(change->saved[i].document);
    free(change->saved);
    free(change->gone);
    free(change->add_source);
    free(change->remove_source);
    free(change->by);
    operation_free(operation);
}

static const struct operation_type change_type = {
    .doing = "keep bases",
    .lane = LANE_WRITE,
    .run = change_run,
    .finish = change_finish,
};

static void copy_saved(struct change_bases *change, const struct bases_change *from)
{
    change->saved = memory_new_array(from->saved_count, sizeof(*change->saved));
    change->saved_count = from->saved_count;
    for (size_t i = 0; i < from->saved_count; i++) {
        AUTO_JSON struct json *json = base_image_to_json(from->saved[i]);
        struct text document = {0};

        json_write(json, JSON_COMPACT, &document);
        change->saved[i] =
            (struct saved_base){.digest = from->saved[i]->digest, .document = text_take(&document)};
    }
}

void store_change_bases(struct store *store, const struct bases_change *from, store_done_f *done,
                        void *argument)
{
    struct change_bases *change = memory_new(sizeof(*change));

    change->base.type = &change_type;
    change->done = (struct done){done, argument};
    copy_saved(change, from);
    change->gone = memory_new_array(from->gone_count, sizeof(*change->gone));
    change->gone_count = from->gone_count;
    for (size_t i = 0; i < from->gone_count; i++)
        change->gone[i] = from->gone[i];
    change->add_source = memory_copy_text(from->add_source);
    change->remove_source = memory_copy_text(from->remove_source);
    change->by = memory_copy_text(from->by);
    change->at_ms = clock_wall_ms();
    store_submit(store, &change->base);
}

/* --- load --- */

struct load_bases {
    struct operation base;
    store_json_f *done;
    void *argument;
    struct json *json;
    struct error error;
};

static bool take_base(void *argument, const struct row *row)
{
    struct load_bases *load = argument;
    const char *document = row_text(row, 0);
    struct json *json = NULL;

    if (json_parse(document, strlen(document), NULL, &json, &load->error) < 0) {
        error_wrap(&load->error, "a stored base is damaged");
        load->error.kind = FAILURE_SYSTEM;
        return false;
    }
    json_append_take(json_get(load->json, "bases"), json);
    return true;
}

static bool take_source(void *argument, const struct row *row)
{
    struct load_bases *load = argument;
    struct json *source = json_new_object();
    char at[CLOCK_TEXT_SIZE];

    json_set_string(source, "reference", row_text(row, 0));
    json_set_string(source, "addedAt", clock_format_rfc3339(row_integer(row, 1), at));
    json_set_string(source, "by", row_text(row, 2));
    json_append_take(json_get(load->json, "sources"), source);
    return true;
}

static int load_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char bases[] = "SELECT document FROM bases ORDER BY digest";
    static const char sources[] =
        "SELECT reference, added_ms, added_by FROM base_sources ORDER BY reference";
    struct load_bases *load = (struct load_bases *)operation;

    json_release(load->json);
    load->json = json_new_object();
    load->error = (struct error){0};
    json_set_integer(load->json, "basesVersion", BASES_VERSION);
    json_set_take(load->json, "bases", json_new_array());
    json_set_take(load->json, "sources", json_new_array());
    int failure =
        driver_each(session->driver, bases, NO_BINDS, (struct each){take_base, load}, err);
    if (failure == 0)
        failure =
            driver_each(session->driver, sources, NO_BINDS, (struct each){take_source, load}, err);
    if (failure == 0 && load->error.kind != FAILURE_NONE) {
        *err = load->error;
        failure = (int)load->error.kind;
    }
    return failure;
}

static void load_finish(struct operation *operation)
{
    struct load_bases *load = (struct load_bases *)operation;

    load->done(load->argument, operation->error, operation->error ? NULL : load->json);
    json_release(load->json);
    operation_free(operation);
}

static const struct operation_type load_type = {
    .doing = "read bases",
    .lane = LANE_READ,
    .run = load_run,
    .finish = load_finish,
};

void store_load_bases(struct store *store, store_json_f *done, void *argument)
{
    struct load_bases *load = memory_new(sizeof(*load));

    load->base.type = &load_type;
    load->done = done;
    load->argument = argument;
    store_submit(store, &load->base);
}
