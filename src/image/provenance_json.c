/* The groups "provenance" and "referrers" of the facts document, written and read back. Absent
 * values are left out; provenance_schema.c describes what is written here. */
#include "fields.h"
#include "regwarden/provenance.h"
#include "writer.h"

enum { LAYER_COUNT_MAX = 1 << 20 };

static void set_if_any(struct json *object, const char *key, const char *value)
{
    json_set_string(object, key, value && *value ? value : NULL);
}

static struct json *material_json(const struct material *material)
{
    struct json *object = json_new_object();

    json_set_string(object, "uri", material->uri);
    json_set_string(object, "role", material_role_name(material->role));
    json_set_string(object, "name", material->name);
    json_set_string(object, "tag", material->tag);
    writer_digest(object, "digest", &material->digest);
    if (material->name || material->layout)
        json_set_string(object, "pinned", answer_name(material->pinned));
    if (material->layout)
        json_set_bool(object, "layout", true);
    return object;
}

static struct json *base_json(const struct provenance_base *base)
{
    struct json *object = json_new_object();

    json_set_string(object, "name", base->name);
    json_set_string(object, "tag", base->tag);
    writer_digest(object, "digest", &base->digest);
    json_set_string(object, "pinned", answer_name(base->pinned));
    if (base->layer_count >= 0)
        json_set_integer(object, "layerCount", base->layer_count);
    json_set_string(object, "how", provenance_base_how_name(base->how));
    return object;
}

static void set_build(struct json *object, const struct provenance *statement)
{
    struct json *materials = json_new_array();

    set_if_any(object, "buildType", statement->build_type);
    set_if_any(object, "builder", statement->builder);
    json_set_string(object, "mode", provenance_mode_name(statement->mode));
    json_set_string(object, "source", statement->source);
    json_set_string(object, "revision", statement->revision);
    for (size_t i = 0; i < statement->material_count; i++)
        json_append_take(materials, material_json(&statement->materials[i]));
    json_set_take(object, "materials", materials);
    if (statement->materials_left_out > 0)
        json_set_integer(object, "materialsLeftOut", (int64_t)statement->materials_left_out);
    json_set_take(object, "base", base_json(&statement->base));
    json_set_string(object, "dockerfileName", statement->dockerfile_name);
    json_set_string(object, "dockerfile", statement->dockerfile);
}

static struct json *statement_json(const struct provenance *statement)
{
    struct json *object = json_new_object();

    writer_digest(object, "digest", &statement->digest);
    set_if_any(object, "predicateType", statement->predicate_type);
    json_set_string(object, "subject", provenance_subject_name(statement->subject));
    json_set_bool(object, "isProvenance", statement->is_provenance);
    json_set_bool(object, "signed", statement->enveloped);
    json_set_string(object, "verified", answer_name(statement->verified));
    if (statement->is_provenance)
        set_build(object, statement);
    return object;
}

struct json *provenance_to_json(const struct facts_provenance *provenance)
{
    struct json *object = json_new_object();
    struct json *statements = json_new_array();

    for (size_t i = 0; i < provenance->count; i++)
        json_append_take(statements, statement_json(&provenance->statements[i]));
    json_set_take(object, "statements", statements);
    return object;
}

struct json *referrers_to_json(const struct facts_referrers *referrers)
{
    struct json *object = json_new_object();
    struct json *items = json_new_array();

    for (size_t i = 0; i < referrers->count; i++) {
        const struct referrer *referrer = &referrers->items[i];
        struct json *item = json_new_object();

        json_set_string(item, "kind", referrer_kind_name(referrer->kind));
        json_set_string(item, "way", referrer_way_name(referrer->way));
        if (referrer->of_index)
            json_set_bool(item, "ofIndex", true);
        set_if_any(item, "type", referrer->type);
        writer_digest(item, "digest", &referrer->digest);
        json_set_bool(item, "signed", referrer->enveloped);
        json_set_string(item, "verified", answer_name(referrer->verified));
        json_append_take(items, item);
    }
    json_set_take(object, "items", items);
    return object;
}

/* Reads members one after another; the first fault is kept. */
struct reader {
    const struct json *object;
    const char *what;
    struct error *err;
    int failure;
};

static struct reader reader_of(const struct json *object, const char *what, struct error *err)
{
    struct reader reader = {.object = object, .what = what, .err = err};

    if (!json_is(object, JSON_KIND_OBJECT))
        reader.failure = error_set(err, FAILURE_INPUT, "facts document: %s is no object", what);
    return reader;
}

static void fault(struct reader *reader, const char *key)
{
    reader->failure = error_set(reader->err, FAILURE_INPUT,
                                "facts document: \"%s\" of %s is not valid", key, reader->what);
}

static void read_text(struct reader *reader, const char *key, char **ret)
{
    if (reader->failure == 0)
        reader->failure = fields_string(reader->object, key, reader->what, ret, reader->err);
}

static void read_bool(struct reader *reader, const char *key, bool *ret)
{
    if (reader->failure == 0)
        reader->failure = fields_bool(reader->object, key, reader->what, ret, reader->err);
}

static void read_digest(struct reader *reader, struct digest *ret)
{
    const struct json *value = NULL;

    if (reader->failure == 0)
        reader->failure = fields_member(reader->object, "digest", reader->what, JSON_KIND_STRING,
                                        &value, reader->err);
    if (reader->failure == 0 && value)
        reader->failure = digest_parse(json_string(value), ret, reader->err);
}

static const struct json *read_array(struct reader *reader, const char *key)
{
    const struct json *value = NULL;

    if (reader->failure == 0)
        reader->failure =
            fields_member(reader->object, key, reader->what, JSON_KIND_ARRAY, &value, reader->err);
    return value;
}

/* A member that is one of a few words: `find` is the enumeration's _from_name. */
#define READ_WORD(reader, key, find, ret)                                     \
    do {                                                                      \
        const struct json *word = json_get((reader)->object, key);            \
        if ((reader)->failure == 0 && word && (find)(json_string(word), ret)) \
            fault(reader, key);                                               \
    } while (0)

static int read_material(const struct json *object, struct material *ret, struct error *err)
{
    struct reader reader = reader_of(object, "a material", err);

    read_text(&reader, "uri", &ret->uri);
    READ_WORD(&reader, "role", material_role_from_name, &ret->role);
    read_text(&reader, "name", &ret->name);
    read_text(&reader, "tag", &ret->tag);
    read_digest(&reader, &ret->digest);
    READ_WORD(&reader, "pinned", answer_from_name, &ret->pinned);
    read_bool(&reader, "layout", &ret->layout);
    return reader.failure;
}

static void read_materials(struct reader *reader, struct provenance *ret)
{
    const struct json *array = read_array(reader, "materials");

    if (json_count(array) > PROVENANCE_MATERIALS_MAX)
        fault(reader, "materials");
    if (reader->failure || !array)
        return;
    ret->materials = memory_new_array(json_count(array), sizeof(*ret->materials));
    ret->material_count = json_count(array);
    for (size_t i = 0; reader->failure == 0 && i < ret->material_count; i++)
        reader->failure = read_material(json_at(array, i), &ret->materials[i], reader->err);
    ret->materials_left_out = (size_t)json_get_integer(reader->object, "materialsLeftOut", 0);
}

static int read_base(const struct json *object, struct provenance_base *ret, struct error *err)
{
    struct reader reader = reader_of(object, "a statement's base", err);
    int64_t layers = json_get_integer(object, "layerCount", -1);

    read_text(&reader, "name", &ret->name);
    read_text(&reader, "tag", &ret->tag);
    read_digest(&reader, &ret->digest);
    READ_WORD(&reader, "pinned", answer_from_name, &ret->pinned);
    READ_WORD(&reader, "how", provenance_base_how_from_name, &ret->how);
    if (reader.failure == 0 && (layers < -1 || layers > LAYER_COUNT_MAX))
        fault(&reader, "layerCount");
    ret->layer_count = (int)layers;
    return reader.failure;
}

static int read_statement(const struct json *object, struct provenance *ret, struct error *err)
{
    struct reader reader = reader_of(object, "a statement", err);
    const struct json *base = json_get(object, "base");

    ret->subject = SUBJECT_IMAGE;
    ret->base.layer_count = -1;
    read_digest(&reader, &ret->digest);
    read_text(&reader, "predicateType", &ret->predicate_type);
    ret->is_provenance = !ret->predicate_type || predicate_is_provenance(ret->predicate_type);
    READ_WORD(&reader, "subject", provenance_subject_from_name, &ret->subject);
    read_bool(&reader, "isProvenance", &ret->is_provenance);
    read_bool(&reader, "signed", &ret->enveloped);
    READ_WORD(&reader, "verified", answer_from_name, &ret->verified);
    read_text(&reader, "buildType", &ret->build_type);
    read_text(&reader, "builder", &ret->builder);
    READ_WORD(&reader, "mode", provenance_mode_from_name, &ret->mode);
    read_text(&reader, "source", &ret->source);
    read_text(&reader, "revision", &ret->revision);
    read_materials(&reader, ret);
    read_text(&reader, "dockerfileName", &ret->dockerfile_name);
    read_text(&reader, "dockerfile", &ret->dockerfile);
    if (reader.failure == 0 && base)
        reader.failure = read_base(base, &ret->base, err);
    return reader.failure;
}

int provenance_from_json(const struct json *object, struct facts_provenance **ret,
                         struct error *err)
{
    struct reader reader = reader_of(object, "the provenance", err);
    struct facts_provenance *provenance = memory_new(sizeof(*provenance));
    const struct json *array = read_array(&reader, "statements");

    if (reader.failure == 0 && json_count(array) > PROVENANCE_STATEMENTS_MAX)
        fault(&reader, "statements");
    for (size_t i = 0; reader.failure == 0 && i < json_count(array); i++) {
        struct provenance statement = {0};

        reader.failure = read_statement(json_at(array, i), &statement, err);
        (void)facts_provenance_add_take(provenance, &statement);
    }
    if (reader.failure == 0)
        *ret = provenance;
    else
        facts_provenance_free(provenance);
    return reader.failure;
}

static int read_referrer(const struct json *object, struct referrer *ret, struct error *err)
{
    struct reader reader = reader_of(object, "a referrer", err);

    READ_WORD(&reader, "kind", referrer_kind_from_name, &ret->kind);
    READ_WORD(&reader, "way", referrer_way_from_name, &ret->way);
    read_bool(&reader, "ofIndex", &ret->of_index);
    read_text(&reader, "type", &ret->type);
    read_digest(&reader, &ret->digest);
    ret->enveloped = ret->kind == REFERRER_SIGNATURE;
    read_bool(&reader, "signed", &ret->enveloped);
    READ_WORD(&reader, "verified", answer_from_name, &ret->verified);
    return reader.failure;
}

int referrers_from_json(const struct json *object, struct facts_referrers **ret, struct error *err)
{
    struct reader reader = reader_of(object, "the referrers", err);
    struct facts_referrers *referrers = memory_new(sizeof(*referrers));
    const struct json *array = read_array(&reader, "items");

    if (reader.failure == 0 && json_count(array) > REFERRERS_KEPT_MAX)
        fault(&reader, "items");
    for (size_t i = 0; reader.failure == 0 && i < json_count(array); i++) {
        struct referrer referrer = {0};

        reader.failure = read_referrer(json_at(array, i), &referrer, err);
        (void)facts_referrers_add_take(referrers, &referrer);
    }
    if (reader.failure == 0)
        *ret = referrers;
    else
        facts_referrers_free(referrers);
    return reader.failure;
}
