/* `check -o json`: one document. Its schema is check_schema.c; fields are only ever added. */
#include "check.h"

#include "regwarden/facts_files.h"

static struct json *base_to_json(const struct facts_base *base)
{
    char digest[DIGEST_TEXT_SIZE];
    struct json *json = json_new_object();
    json_set_string(json, "name", base->name);
    if (digest_is_set(&base->digest))
        json_set_string(json, "digest", digest_format(&base->digest, digest));
    json_set_string(json, "pinned", answer_name(base->pinned));
    json_set_string(json, "evidence", evidence_name(base->evidence));
    if (base->layer_count >= 0)
        json_set_integer(json, "layers", base->layer_count);
    return json;
}

static void add_sizes(struct json *json, const struct facts *facts)
{
    uint64_t own, base, unpacked = 0;
    json_set_integer(json, "compressedBytes", (int64_t)check_bytes(facts));
    if (check_split_bytes(facts, &own, &base)) {
        json_set_integer(json, "ownBytes", (int64_t)own);
        json_set_integer(json, "baseBytes", (int64_t)base);
    }
    if (facts->status[FACT_FILES].state != FACT_PRESENT)
        return;
    for (size_t i = 0; i < facts->files->layer_count; i++)
        unpacked += facts->files->layers[i].uncompressed_bytes;
    json_set_integer(json, "uncompressedBytes", (int64_t)unpacked);
}

static struct json *facts_summary(const struct facts *facts)
{
    if (facts == NULL)
        return json_new_null();
    struct json *json = json_new_object();
    json_set_string(json, "runtime", runtime_name(facts->runtime.runtime));
    json_set_string(json, "runtimeVersion", facts->runtime.version);
    if (facts->manifest != NULL && facts->manifest->kind != MANIFEST_INDEX)
        add_sizes(json, facts);
    json_set_take(json, "base", base_to_json(&facts->base));
    return json;
}

/* The verdict's own members stand beside those of the image. */
static void add_verdict(struct json *result, const struct verdict *verdict)
{
    AUTO_JSON struct json *members = verdict_to_json(verdict);
    for (void *i = json_iterate(members); i != NULL; i = json_next(members, i))
        json_set_take(result, json_iterator_key(i), json_retain(json_iterator_value(i)));
}

static struct json *result_to_json(const struct check_result *result)
{
    char digest[DIGEST_TEXT_SIZE];
    struct json *json = json_new_object();
    json_set_string(json, "reference", result->reference);
    if (digest_is_set(&result->digest))
        json_set_string(json, "digest", digest_format(&result->digest, digest));
    if (result->platform != NULL && result->platform[0] != '\0')
        json_set_string(json, "platform", result->platform);
    json_set_take(json, "facts", facts_summary(result->facts));
    add_verdict(json, result->verdict);
    return json;
}

static void write_json(const struct check_result *results, size_t count, bool color,
                       struct text *to)
{
    (void)color;
    AUTO_JSON struct json *document = json_new_object();
    struct json *list = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append_take(list, result_to_json(&results[i]));
    json_set_integer(document, "schemaVersion", 1);
    json_set_take(document, "results", list);
    json_write(document, JSON_INDENTED, to);
    text_add_char(to, '\n');
}

const struct check_format check_json = {
    .name = "json",
    .media_type = "application/json",
    .write = write_json,
};
