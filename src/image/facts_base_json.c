/* The group "base" in the facts document, written and read. Claims are what counts when it is read
 * back from the store; an example written by hand says the answer itself. */
#include "facts_base.h"
#include "fields.h"
#include "writer.h"

static struct json *claims_json(const struct facts_base *base)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < base->claim_count; i++) {
        const struct base_claim *claim = &base->claims[i];
        struct json *object = json_new_object();
        json_set_string(object, "source", evidence_name(claim->source));
        json_set_string(object, "name", claim->name);
        writer_digest(object, "digest", &claim->digest);
        json_set_string(object, "pinned", answer_name(claim->pinned));
        json_append_take(array, object);
    }
    return array;
}

static struct json *aliases_json(const struct facts_base *base)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < base->alias_count; i++) {
        struct json *object = json_new_object();
        json_set_string(object, "name", base->aliases[i].name);
        writer_digest(object, "current", &base->aliases[i].current);
        writer_time(object, "supersededAt", base->aliases[i].superseded_ms);
        json_append_take(array, object);
    }
    return array;
}

static struct json *ancestors_json(const struct facts_base *base)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < base->ancestor_count; i++) {
        struct json *object = json_new_object();
        json_set_string(object, "name", base->ancestors[i].name);
        writer_digest(object, "digest", &base->ancestors[i].digest);
        json_set_integer(object, "layerCount", base->ancestors[i].layer_count);
        json_append_take(array, object);
    }
    return array;
}

static struct json *contradictions_json(const struct facts_base *base)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < base->contradiction_count; i++) {
        const struct base_contradiction *item = &base->contradictions[i];
        struct json *object = json_new_object();
        json_set_string(object, "conflict", base_conflict_name(item->conflict));
        json_set_string(object, "source", evidence_name(item->source));
        json_set_string(object, "name", item->name);
        writer_digest(object, "digest", &item->digest);
        json_append_take(array, object);
    }
    return array;
}

static void set_known(struct json *object, const struct facts_base *base)
{
    json_set_string(object, "known", answer_name(base->known));
    if (base->known_layers > 0)
        json_set_integer(object, "knownLayers", base->known_layers);
    if (base->is_base)
        json_set_bool(object, "isBase", true);
    if (base->by_diff_ids)
        json_set_bool(object, "byDiffIds", true);
    writer_digest(object, "current", &base->current);
    writer_time(object, "since", base->since_ms);
    writer_time(object, "supersededAt", base->superseded_ms);
    writer_time_if(object, "created", base->has_created, base->created_ms);
}

struct json *facts_base_to_json(const struct facts_base *base)
{
    struct json *object = json_new_object();
    json_set_string(object, "name", base->name);
    writer_digest(object, "digest", &base->digest);
    json_set_string(object, "pinned", answer_name(base->pinned));
    if (base->layer_count >= 0)
        json_set_integer(object, "layerCount", base->layer_count);
    json_set_string(object, "evidence", evidence_name(base->evidence));
    if (base->pinned_evidence != base->evidence)
        json_set_string(object, "pinnedEvidence", evidence_name(base->pinned_evidence));
    json_set_string(object, "layerEvidence", evidence_name(base->layer_evidence));
    set_known(object, base);
    if (base->claim_count > 0)
        json_set_take(object, "claims", claims_json(base));
    if (base->alias_count > 0)
        json_set_take(object, "names", aliases_json(base));
    if (base->ancestor_count > 0)
        json_set_take(object, "ancestors", ancestors_json(base));
    if (base->contradiction_count > 0)
        json_set_take(object, "contradictions", contradictions_json(base));
    return object;
}

/* --- read --- */

static int wrong(const char *key, struct error *err)
{
    return error_set(err, FAILURE_INPUT, "facts document: \"%s\" of the base is not valid", key);
}

static int read_count(const struct json *object, const char *key, int *ret, struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, key, "base", JSON_KIND_INTEGER, &value, err);
    if (failure || !value)
        return failure;
    int64_t number = json_integer(value, -1);
    if (number < 0 || number > 1 << 20)
        return wrong(key, err);
    *ret = (int)number;
    return 0;
}

static int read_evidence(const struct json *object, const char *key, enum evidence *ret,
                         struct error *err)
{
    const char *name = json_get_string(object, key);
    return name && evidence_from_name(name, ret) ? wrong(key, err) : 0;
}

static int read_answer(const struct json *object, const char *key, enum answer *ret,
                       struct error *err)
{
    const char *name = json_get_string(object, key);
    return name && answer_from_name(name, ret) ? wrong(key, err) : 0;
}

/* The array, of at most `max` items; *ret_count is 0 when there is none. */
static int read_array(const struct json *object, const char *key, size_t max,
                      const struct json **ret, size_t *ret_count)
{
    const struct json *array;
    if (fields_member(object, key, "base", JSON_KIND_ARRAY, &array, NULL))
        return FAILURE_INPUT;
    *ret = array;
    *ret_count = json_count(array);
    return *ret_count > max ? FAILURE_INPUT : 0;
}

static int read_claims(const struct json *object, struct facts_base *ret, struct error *err)
{
    const struct json *array;
    size_t count;
    if (read_array(object, "claims", BASE_CLAIMS_MAX, &array, &count))
        return wrong("claims", err);
    for (size_t i = 0; i < count; i++) {
        const struct json *item = json_at(array, i);
        struct base_claim claim = {0};
        int failure = read_evidence(item, "source", &claim.source, err);
        if (!failure)
            failure = read_answer(item, "pinned", &claim.pinned, err);
        if (!failure)
            failure = fields_digest(item, "digest", "base", &claim.digest, err);
        if (!failure)
            failure = fields_string(item, "name", "base", &claim.name, err);
        if (!failure)
            facts_base_claim(ret, &claim);
        free(claim.name);
        if (failure)
            return failure;
    }
    return 0;
}

static int read_aliases(const struct json *object, struct facts_base *ret, struct error *err)
{
    const struct json *array;
    size_t count;
    if (read_array(object, "names", BASE_ALIASES_MAX, &array, &count))
        return wrong("names", err);
    ret->aliases = memory_new_array(count, sizeof(*ret->aliases));
    ret->alias_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct json *item = json_at(array, i);
        struct base_alias *alias = &ret->aliases[i];
        if (!json_get_string(item, "name"))
            return wrong("names", err);
        alias->name = memory_copy_text(json_get_string(item, "name"));
        int failure = fields_digest(item, "current", "base", &alias->current, err);
        if (!failure)
            failure = fields_time(item, "supersededAt", "base", &alias->superseded_ms, err);
        if (failure)
            return failure;
    }
    return 0;
}

static int read_ancestors(const struct json *object, struct facts_base *ret, struct error *err)
{
    const struct json *array;
    size_t count;
    if (read_array(object, "ancestors", BASE_ANCESTORS_MAX, &array, &count))
        return wrong("ancestors", err);
    ret->ancestors = memory_new_array(count, sizeof(*ret->ancestors));
    ret->ancestor_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct json *item = json_at(array, i);
        struct base_ancestor *ancestor = &ret->ancestors[i];
        int failure = fields_string(item, "name", "base", &ancestor->name, err);
        if (!failure)
            failure = fields_digest(item, "digest", "base", &ancestor->digest, err);
        if (!failure)
            failure = read_count(item, "layerCount", &ancestor->layer_count, err);
        if (failure)
            return failure;
    }
    return 0;
}

static int read_contradictions(const struct json *object, struct facts_base *ret, struct error *err)
{
    const struct json *array;
    size_t count;
    if (read_array(object, "contradictions", BASE_CLAIMS_MAX, &array, &count))
        return wrong("contradictions", err);
    for (size_t i = 0; i < count; i++) {
        const struct json *item = json_at(array, i);
        struct base_claim claim = {0};
        enum base_conflict conflict = BASE_CONFLICT_DIGEST;
        const char *name = json_get_string(item, "conflict");
        while (!text_equal(name, base_conflict_name(conflict)))
            if (++conflict > BASE_CONFLICT_LAYERS)
                return wrong("contradictions", err);
        int failure = read_evidence(item, "source", &claim.source, err);
        if (!failure)
            failure = fields_digest(item, "digest", "base", &claim.digest, err);
        if (failure)
            return failure;
        claim.name = memory_copy_text(json_get_string(item, "name"));
        facts_base_contradict(ret, conflict, &claim);
        free(claim.name);
    }
    return 0;
}

static int read_known(const struct json *object, struct facts_base *ret, struct error *err)
{
    int failure = read_answer(object, "known", &ret->known, err);
    if (!failure)
        failure = read_count(object, "knownLayers", &ret->known_layers, err);
    if (!failure)
        failure = fields_bool(object, "isBase", "base", &ret->is_base, err);
    if (!failure)
        failure = fields_bool(object, "byDiffIds", "base", &ret->by_diff_ids, err);
    if (!failure)
        failure = fields_digest(object, "current", "base", &ret->current, err);
    if (!failure)
        failure = fields_time(object, "since", "base", &ret->since_ms, err);
    if (!failure)
        failure = fields_time(object, "supersededAt", "base", &ret->superseded_ms, err);
    if (!failure)
        failure = fields_time(object, "created", "base", &ret->created_ms, err);
    ret->has_created = json_get(object, "created");
    return failure;
}

static int read_answer_itself(const struct json *object, struct facts_base *ret, struct error *err)
{
    int failure = fields_string(object, "name", "base", &ret->name, err);
    if (!failure)
        failure = fields_digest(object, "digest", "base", &ret->digest, err);
    if (!failure)
        failure = read_answer(object, "pinned", &ret->pinned, err);
    if (!failure)
        failure = read_evidence(object, "evidence", &ret->evidence, err);
    ret->pinned_evidence = ret->evidence;
    if (!failure)
        failure = read_evidence(object, "pinnedEvidence", &ret->pinned_evidence, err);
    if (!failure)
        failure = read_evidence(object, "layerEvidence", &ret->layer_evidence, err);
    if (!failure)
        failure = read_count(object, "layerCount", &ret->layer_count, err);
    return failure;
}

int facts_base_from_json(const struct json *json, struct facts_base *ret, struct error *err)
{
    ret->layer_count = -1;
    int failure = read_answer_itself(json, ret, err);
    if (!failure)
        failure = read_known(json, ret, err);
    if (!failure)
        failure = read_claims(json, ret, err);
    if (!failure)
        failure = read_aliases(json, ret, err);
    if (!failure)
        failure = read_ancestors(json, ret, err);
    if (!failure)
        failure = read_contradictions(json, ret, err);
    return failure;
}
