/* Facts by digest: what was gathered once is never fetched again. Facts of another version count as
 * unknown; gathering writes over them. */
#include "facts_store.h"

#include "document.h"
#include "regwarden/memory.h"

static int put_packed(const struct session *session, const struct digest *digest,
                      const struct text *packed, struct error *err)
{
    static const char sql[] = "INSERT INTO facts (digest, version, document) VALUES ($1, $2, $3)"
                              " ON CONFLICT (digest) DO UPDATE SET version = excluded.version,"
                              " document = excluded.document";

    return driver_run(session->driver, sql,
                      BINDS(bind_digest(digest), bind_integer(FACTS_VERSION),
                            bind_bytes(packed->data, packed->length)),
                      err);
}

enum { CHILDREN_MAX = 256 };

/* So that what comes for an image later is known to concern the index, too. */
static int put_children(const struct session *session, const struct manifest *index,
                        struct error *err)
{
    static const char sql[] = "INSERT INTO index_children (child, parent) VALUES ($1, $2)"
                              " ON CONFLICT (child, parent) DO NOTHING";
    size_t count = 0;

    for (size_t i = 0; i < index->child_count && count < CHILDREN_MAX; i++) {
        const struct descriptor *child = &index->children[i];
        int failure;

        if (!descriptor_is_runnable(child))
            continue;
        count++;
        failure = driver_run(session->driver, sql,
                             BINDS(bind_digest(&child->digest), bind_digest(&index->digest)), err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

int facts_put(const struct session *session, const struct store_image *image, struct error *err)
{
    AUTO_JSON struct json *json = facts_to_json(image->facts);
    AUTO_TEXT struct text own = {0};
    struct text *packed = image->ret_packed ? image->ret_packed : &own;
    const struct manifest *manifest = image->facts->manifest;
    int failure = document_pack(session->codec, json, packed, err);

    if (failure == 0)
        failure = put_packed(session, &image->digest, packed, err);
    if (failure == 0 && manifest && manifest->kind == MANIFEST_INDEX)
        failure = put_children(session, manifest, err);
    return failure;
}

static bool take_document(void *argument, const struct row *row)
{
    size_t size;
    const void *bytes = row_bytes(row, 0, &size);

    text_add_bytes(argument, bytes, size);
    return false;
}

int facts_find(const struct session *session, const struct digest *digest, struct facts **ret,
               bool *ret_are_large, struct error *err)
{
    static const char sql[] = "SELECT document FROM facts WHERE digest = $1 AND version = $2";
    AUTO_TEXT struct text packed = {0};
    AUTO_JSON struct json *json = NULL;
    struct facts *facts = NULL;
    int failure =
        driver_each(session->driver, sql, BINDS(bind_digest(digest), bind_integer(FACTS_VERSION)),
                    (struct each){take_document, &packed}, err);

    if (failure < 0)
        return failure;
    if (ret_are_large)
        *ret_are_large =
            document_plain_bytes(packed.data, packed.length) > STORE_CONTEXT_FACTS_BYTES_MAX;
    if (packed.length > 0 && !(ret_are_large && *ret_are_large)) {
        failure = document_unpack(session->codec, packed.data, packed.length, &json, err);
        if (failure < 0)
            return failure;
        if (facts_from_json(json, &facts, NULL) < 0)
            facts = NULL; /* not what this program writes: gathered anew */
    }
    *ret = facts;
    return 0;
}

/* --- the door --- */

int store_unpack_facts(struct store *store, const void *packed, size_t size, struct facts **ret,
                       struct error *err)
{
    AUTO_JSON struct json *json = NULL;
    int failure = document_unpack(store_codec(store), packed, size, &json, err);

    return failure < 0 ? failure : facts_from_json(json, ret, err);
}

struct read_facts {
    struct operation base;
    store_facts_f *done;
    void *argument;
    struct digest digest;
    struct facts *facts;
};

static int read_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct read_facts *read_it = (struct read_facts *)operation;

    facts_free(TAKE(read_it->facts));
    return facts_find(session, &read_it->digest, &read_it->facts, NULL, err);
}

static void read_finish(struct operation *operation)
{
    struct read_facts *read_it = (struct read_facts *)operation;

    if (operation->error)
        facts_free(TAKE(read_it->facts));
    read_it->done(read_it->argument, operation->error, TAKE(read_it->facts));
    operation_free(operation);
}

static const struct operation_type read_type = {
    .doing = "read facts",
    .lane = LANE_READ,
    .run = read_run,
    .finish = read_finish,
};

void store_read_facts(struct store *store, const struct digest *digest, store_facts_f *done,
                      void *argument)
{
    struct read_facts *read_it = memory_new(sizeof(*read_it));

    *read_it = (struct read_facts){
        .base.type = &read_type, .done = done, .argument = argument, .digest = *digest};
    store_submit(store, &read_it->base);
}

struct keep_facts {
    struct operation base;
    struct digest digest;
    struct text packed;
};

static int keep_run(struct operation *operation, const struct session *session, struct error *err)
{
    const struct keep_facts *keep = (const struct keep_facts *)operation;

    return put_packed(session, &keep->digest, &keep->packed, err);
}

static void keep_finish(struct operation *operation)
{
    text_release(&((struct keep_facts *)operation)->packed);
    operation_free(operation);
}

static const struct operation_type keep_type = {
    .doing = "keep facts",
    .lane = LANE_WRITE,
    .run = keep_run,
    .finish = keep_finish,
};

void store_keep_facts(struct store *store, const struct digest *digest, const struct facts *facts)
{
    struct keep_facts *keep = memory_new(sizeof(*keep));
    AUTO_JSON struct json *json = facts_to_json(facts);

    *keep = (struct keep_facts){.base.type = &keep_type, .digest = *digest};
    if (document_pack(store_codec(store), json, &keep->packed, NULL) < 0)
        operation_free(&keep->base);
    else
        store_submit(store, &keep->base);
}
