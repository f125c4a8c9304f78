/* The catalogue in its published form: what `regwarden base list --json` writes and `--bases`
 * reads. It comes from outside: every number is bounded. */
#include <string.h>

#include "bases_private.h"
#include "fields.h"
#include "writer.h"

enum { LAYERS_MAX = 1024, HISTORY_MAX = 1 << 20 };

/* --- written --- */

static struct json *name_json(const struct base_name *name)
{
    struct json *object = json_new_object();
    json_set_string(object, "name", name->name);
    writer_digest(object, "index", &name->index);
    writer_time(object, "since", name->since_ms);
    writer_time(object, "seenAt", name->seen_ms);
    writer_time(object, "supersededAt", name->superseded_ms);
    writer_digest(object, "supersededBy", &name->successor);
    return object;
}

struct json *base_image_to_json(const struct base_image *image)
{
    struct json *object = json_new_object();
    struct json *names = json_new_array();
    writer_digest(object, "digest", &image->digest);
    json_set_string(object, "platform", image->platform);
    for (size_t i = 0; i < image->name_count; i++)
        json_append_take(names, name_json(&image->names[i]));
    json_set_take(object, "names", names);
    writer_time_if(object, "created", image->has_created, image->created_ms);
    writer_time(object, "addedAt", image->added_ms);
    writer_digests(object, "layers", image->layers, image->layer_count);
    writer_digests(object, "diffIds", image->diff_ids, image->diff_id_count);
    json_set_integer(object, "historySteps", (int64_t)image->history_count);
    writer_digest(object, "history", &image->history);
    return object;
}

struct json *base_catalogue_to_json(const struct base_catalogue *catalogue)
{
    struct json *object = json_new_object();
    struct json *array = json_new_array();
    json_set_integer(object, "basesVersion", BASES_VERSION);
    for (size_t i = 0; i < catalogue->count; i++)
        json_append_take(array, base_image_to_json(catalogue->images[i]));
    json_set_take(object, "bases", array);
    return object;
}

/* --- read --- */

static int wrong(const char *key, struct error *err)
{
    return error_set(err, FAILURE_INPUT, "catalogue of bases: \"%s\" is not valid", key);
}

static int read_digest(const struct json *object, const char *key, struct digest *ret,
                       struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, key, "base", JSON_KIND_STRING, &value, err);
    if (failure || !value)
        return failure;
    return digest_parse_verifiable(json_string(value), ret, err);
}

static int read_digests(const struct json *object, const char *key, struct digest **ret,
                        size_t *ret_count, struct error *err)
{
    const struct json *array;
    int failure = fields_member(object, key, "base", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    if (json_count(array) > LAYERS_MAX)
        return error_set(err, FAILURE_LIMIT, "catalogue of bases: more than %d layers",
                         (int)LAYERS_MAX);
    *ret_count = json_count(array);
    *ret = memory_new_array(*ret_count, sizeof(**ret));
    for (size_t i = 0; i < *ret_count; i++) {
        const char *text = json_string(json_at(array, i));
        if (!text)
            return wrong(key, err);
        failure = digest_parse_verifiable(text, &(*ret)[i], err);
        if (failure)
            return failure;
    }
    return 0;
}

static int read_name(const struct json *object, struct base_name *ret, struct error *err)
{
    /* as it stands: a name without a tag was seen by digest, and is not "latest" */
    const char *name = json_get_string(object, "name");
    AUTO_FREE char *as_it_stands = name && !strchr(name, '@') ? text_new("%s@", name) : NULL;
    ret->name = base_name_full(as_it_stands);
    if (!ret->name)
        return wrong("name", err);
    int failure = read_digest(object, "index", &ret->index, err);
    if (!failure)
        failure = fields_time(object, "since", "base", &ret->since_ms, err);
    if (!failure)
        failure = fields_time(object, "seenAt", "base", &ret->seen_ms, err);
    if (!failure)
        failure = fields_time(object, "supersededAt", "base", &ret->superseded_ms, err);
    if (!failure)
        failure = read_digest(object, "supersededBy", &ret->successor, err);
    return failure;
}

static int read_names(const struct json *object, struct base_image *ret, struct error *err)
{
    const struct json *array;
    int failure = fields_member(object, "names", "base", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    if (json_count(array) > BASE_NAMES_MAX)
        return error_set(err, FAILURE_LIMIT, "catalogue of bases: more than %d names of a base",
                         (int)BASE_NAMES_MAX);
    ret->name_count = json_count(array);
    ret->names = memory_new_array(ret->name_count, sizeof(*ret->names));
    for (size_t i = 0; !failure && i < ret->name_count; i++)
        failure = read_name(json_at(array, i), &ret->names[i], err);
    return failure;
}

static int read_history(const struct json *object, struct base_image *ret, struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, "historySteps", "base", JSON_KIND_INTEGER, &value, err);
    int64_t count = json_integer(value, 0);
    if (!failure && (count < 0 || count > HISTORY_MAX))
        failure = wrong("historySteps", err);
    ret->history_count = (size_t)count;
    return failure ? failure : read_digest(object, "history", &ret->history, err);
}

static int read_image(const struct json *object, struct base_image *ret, struct error *err)
{
    int failure = read_digest(object, "digest", &ret->digest, err);
    ret->platform = memory_copy_text("");
    if (!failure)
        failure = fields_string(object, "platform", "base", &ret->platform, err);
    if (!failure)
        failure = read_names(object, ret, err);
    ret->has_created = json_get(object, "created");
    if (!failure)
        failure = fields_time(object, "created", "base", &ret->created_ms, err);
    if (!failure)
        failure = fields_time(object, "addedAt", "base", &ret->added_ms, err);
    if (!failure)
        failure = read_digests(object, "layers", &ret->layers, &ret->layer_count, err);
    if (!failure)
        failure = read_digests(object, "diffIds", &ret->diff_ids, &ret->diff_id_count, err);
    if (!failure)
        failure = read_history(object, ret, err);
    return failure;
}

/* What later code relies on. */
static int check_image(const struct base_image *image, struct error *err)
{
    if (!digest_is_set(&image->digest))
        return wrong("digest", err);
    if (image->layer_count == 0)
        return wrong("layers", err);
    if (image->diff_id_count > 0 && image->diff_id_count != image->layer_count)
        return wrong("diffIds", err);
    if (image->history_count > 0 && !digest_is_set(&image->history))
        return wrong("history", err);
    return 0;
}

int base_catalogue_add_json(struct base_catalogue *catalogue, const struct json *json,
                            struct error *err)
{
    if (!json_is(json, JSON_KIND_OBJECT))
        return wrong("bases", err);
    struct base_image *image = memory_new(sizeof(*image));
    int failure = read_image(json, image, err);
    if (!failure)
        failure = check_image(image, err);
    if (failure) {
        base_image_free(image);
        return failure;
    }
    return base_catalogue_insert_take(catalogue, image, err);
}

int base_catalogue_from_json(const struct json *json, struct base_catalogue **ret,
                             struct error *err)
{
    const struct json *array;
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    if (json_get_integer(json, "basesVersion", -1) != BASES_VERSION)
        return error_set(err, FAILURE_INPUT, "it is no catalogue of bases of version %d",
                         (int)BASES_VERSION);
    int failure = fields_member(json, "bases", "catalogue of bases", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    for (size_t i = 0; !failure && i < json_count(array); i++)
        failure = base_catalogue_add_json(catalogue, json_at(array, i), err);
    if (!failure)
        *ret = TAKE(catalogue);
    return failure;
}
