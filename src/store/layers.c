/* Layer facts by digest: what a layer holds never changes, so it is read once; what is asked of it
 * may change, so what was asked is kept beside it. */
#include <inttypes.h>

#include "document.h"
#include "operation.h"
#include "regwarden/clock.h"
#include "regwarden/layer_facts.h"
#include "regwarden/memory.h"

/* A layer that is used all the time need not be written all the time. */
#define TOUCH_AFTER_MS (INT64_C(60) * 60 * 1000)

/* --- put --- */

struct put_layer {
    struct operation base;
    struct done done;
    const struct layer_facts *facts; /* borrowed */
    struct text own;
    struct text *packed;
};

static char *probes_text(const struct text_list *probes)
{
    AUTO_TEXT struct text text = {0};

    for (size_t i = 0; i < probes->count; i++)
        text_format(&text, "%s ", probes->items[i]);
    return text_take(&text);
}

static int put_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "INSERT INTO layers (digest, version, probes, used_ms, document)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO UPDATE SET"
        " version = excluded.version, probes = excluded.probes, used_ms = excluded.used_ms,"
        " document = excluded.document";
    struct put_layer *put = (struct put_layer *)operation;
    AUTO_TEXT struct text plain = {0};
    AUTO_FREE char *probes = probes_text(&put->facts->probes_asked);
    int failure;

    layer_facts_write(put->facts, &plain);
    failure = document_pack_text(session->codec, &plain, put->packed, err);

    if (failure < 0)
        return failure;
    return driver_run(session->driver, sql,
                      BINDS(bind_digest(&put->facts->digest), bind_integer(LAYER_FACTS_VERSION),
                            bind_text(probes), bind_integer(clock_wall_ms()),
                            bind_bytes(put->packed->data, put->packed->length)),
                      err);
}

static void put_finish(struct operation *operation)
{
    struct put_layer *put = (struct put_layer *)operation;

    done_call(put->done, operation);
    text_release(&put->own);
    operation_free(operation);
}

static const struct operation_type put_type = {
    .doing = "keep what is in a layer",
    .lane = LANE_WRITE,
    .run = put_run,
    .finish = put_finish,
};

void store_put_layer(struct store *store, const struct layer_facts *facts, struct text *ret_packed,
                     store_done_f *done, void *argument)
{
    struct put_layer *put = memory_new(sizeof(*put));

    *put = (struct put_layer){.base.type = &put_type, .done = {done, argument}, .facts = facts};
    put->packed = ret_packed ? ret_packed : &put->own;
    store_submit(store, &put->base);
}

/* --- touch --- */

struct touch_layer {
    struct operation base;
    struct digest digest;
};

static int touch_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] = "UPDATE layers SET used_ms = $2 WHERE digest = $1";
    struct touch_layer *touch = (struct touch_layer *)operation;

    return driver_run(session->driver, sql,
                      BINDS(bind_digest(&touch->digest), bind_integer(clock_wall_ms())), err);
}

static const struct operation_type touch_type = {
    .doing = "note that a layer is used",
    .lane = LANE_WRITE,
    .run = touch_run,
    .finish = operation_free, /* should it fail, the layer is read once more one day */
};

static void touch(struct store *store, const struct digest *digest)
{
    struct touch_layer *touch = memory_new(sizeof(*touch));

    *touch = (struct touch_layer){.base.type = &touch_type, .digest = *digest};
    store_submit(store, &touch->base);
}

/* --- find --- */

struct find_layer {
    struct operation base;
    struct store *store;
    store_layer_f *done;
    void *argument;
    struct digest digest;
    bool known;
    int64_t used_ms;
    struct text_list probes;
};

static void split(const char *text, struct text_list *ret)
{
    while (*text) {
        size_t size = strcspn(text, " ");

        text_list_add_take(ret, memory_copy_bytes(text, size));
        text += size + (text[size] == ' ');
    }
}

static bool take_found(void *argument, const struct row *row)
{
    struct find_layer *find = argument;
    const char *probes = row_text(row, 0);

    find->known = true;
    find->used_ms = row_integer(row, 1);
    split(probes ? probes : "", &find->probes);
    return false;
}

static int find_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "SELECT probes, used_ms FROM layers WHERE digest = $1 AND version = $2";
    struct find_layer *find = (struct find_layer *)operation;

    find->known = false;
    text_list_release(&find->probes);
    return driver_each(session->driver, sql,
                       BINDS(bind_digest(&find->digest), bind_integer(LAYER_FACTS_VERSION)),
                       (struct each){take_found, find}, err);
}

static void find_finish(struct operation *operation)
{
    struct find_layer *find = (struct find_layer *)operation;

    if (find->known && clock_wall_ms() - find->used_ms > TOUCH_AFTER_MS)
        touch(find->store, &find->digest);
    find->done(find->argument, operation->error, find->known ? &find->probes : NULL);
    text_list_release(&find->probes);
    operation_free(operation);
}

static const struct operation_type find_type = {
    .doing = "look for a layer",
    .lane = LANE_READ,
    .run = find_run,
    .finish = find_finish,
};

void store_find_layer(struct store *store, const struct digest *digest, store_layer_f *done,
                      void *argument)
{
    struct find_layer *find = memory_new(sizeof(*find));

    *find = (struct find_layer){.base.type = &find_type,
                                .store = store,
                                .done = done,
                                .argument = argument,
                                .digest = *digest};
    store_submit(store, &find->base);
}

/* --- read --- */

struct read_layer {
    struct operation base;
    store_packed_f *done;
    void *argument;
    struct digest digest;
    struct text packed;
};

static bool take_document(void *argument, const struct row *row)
{
    size_t size;
    const void *bytes = row_bytes(row, 0, &size);

    text_add_bytes(argument, bytes, size);
    return false;
}

static int read_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] = "SELECT document FROM layers WHERE digest = $1 AND version = $2";
    struct read_layer *read_it = (struct read_layer *)operation;

    text_clear(&read_it->packed);
    return driver_each(session->driver, sql,
                       BINDS(bind_digest(&read_it->digest), bind_integer(LAYER_FACTS_VERSION)),
                       (struct each){take_document, &read_it->packed}, err);
}

static void read_finish(struct operation *operation)
{
    struct read_layer *read_it = (struct read_layer *)operation;
    bool known = !operation->error && read_it->packed.length > 0;

    read_it->done(read_it->argument, operation->error, known ? &read_it->packed : NULL);
    text_release(&read_it->packed);
    operation_free(operation);
}

static const struct operation_type read_type = {
    .doing = "read what is in a layer",
    .lane = LANE_READ,
    .run = read_run,
    .finish = read_finish,
};

void store_read_layer(struct store *store, const struct digest *digest, store_packed_f *done,
                      void *argument)
{
    struct read_layer *read_it = memory_new(sizeof(*read_it));

    *read_it = (struct read_layer){
        .base.type = &read_type, .done = done, .argument = argument, .digest = *digest};
    store_submit(store, &read_it->base);
}

int layer_facts_pack(const struct layer_facts *facts, struct text *ret, struct error *err)
{
    struct codec *codec = codec_new();
    AUTO_TEXT struct text plain = {0};
    int failure;

    layer_facts_write(facts, &plain);
    failure = document_pack_text(codec, &plain, ret, err);

    codec_free(codec);
    return failure;
}

size_t layer_facts_plain_bytes(const void *packed, size_t size)
{
    return document_plain_bytes(packed, size);
}

int layer_facts_unpack(const void *packed, size_t size, struct layer_facts **ret, struct error *err)
{
    struct codec *codec = codec_new();
    AUTO_JSON struct json *json = NULL;
    int failure = document_unpack(codec, packed, size, &json, err);

    codec_free(codec);
    if (failure < 0)
        return failure;
    if (layer_facts_from_json(json, ret, err) < 0) {
        if (err)
            err->kind = FAILURE_SYSTEM; /* no input of the user's */
        return error_wrap(err, "a stored document is damaged");
    }
    return 0;
}
