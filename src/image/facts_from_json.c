/* The facts document, read back. It comes from our own store or from a policy author's example, so
 * that members may be missing (then they are absent), but never of the wrong kind: what is read
 * here decides verdicts. */
#include <assert.h>

#include "descriptor.h"
#include "facts_base.h"
#include "fields.h"
#include "history.h"
#include "regwarden/facts.h"
#include "regwarden/facts_files.h"
#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"

static int wrong(const char *what, const char *key, struct error *err)
{
    return error_set(err, FAILURE_INPUT, "facts document: \"%s\" of %s is not valid", key, what);
}

static int read_integer(const struct json *object, const char *key, int64_t max, int64_t *ret,
                        struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, key, "facts", JSON_KIND_INTEGER, &value, err);
    if (failure || !value)
        return failure;
    int64_t number = json_integer(value, -1);
    if (number < 0 || number > max)
        return wrong("the document", key, err);
    *ret = number;
    return 0;
}

static int read_index(const struct json *object, const char *key, int *ret, struct error *err)
{
    int64_t number = -1;
    int failure = read_integer(object, key, 1 << 20, &number, err);
    *ret = (int)number;
    return failure;
}

static int read_created(const struct json *object, bool *ret_has, int64_t *ret_ms,
                        struct error *err)
{
    int failure = fields_time(object, "created", "facts", ret_ms, err);
    if (!failure && json_get_string(object, "created"))
        *ret_has = true;
    return failure;
}

static int read_text(const struct json *object, const char *key, char **ret, struct error *err)
{
    *ret = memory_copy_text("");
    return fields_string(object, key, "facts", ret, err);
}

/* An array of {name, value}; an object {name: value} is taken too. */
static int read_named_values(const struct json *object, const char *key, struct text_pairs *ret,
                             struct error *err)
{
    const struct json *array = json_get(object, key);
    if (json_is(array, JSON_KIND_OBJECT))
        return fields_pairs(object, key, "facts", SIZE_MAX, ret, err);
    int failure = fields_member(object, key, "facts", JSON_KIND_ARRAY, &array, err);
    for (size_t i = 0; !failure && i < json_count(array); i++) {
        const char *name = json_get_string(json_at(array, i), "name");
        const char *value = json_get_string(json_at(array, i), "value");
        if (!name || !value)
            return wrong("the document", key, err);
        text_pairs_add(ret, name, value);
    }
    return failure;
}

static int read_platform(const struct json *object, struct platform *ret, struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, "platform", "facts", JSON_KIND_OBJECT, &value, err);
    if (!failure)
        failure = platform_read(value, "platform", ret, err);
    if (!failure)
        failure = fields_string(value, "osVersion", "platform", &ret->os_version, err);
    return failure;
}

static int read_descriptor(const struct json *object, struct descriptor *ret, struct error *err)
{
    int64_t size = 0;
    if (!json_is(object, JSON_KIND_OBJECT))
        return wrong("the manifest", "descriptor", err);
    int failure = read_text(object, "mediaType", &ret->media_type, err);
    if (!failure)
        failure = fields_digest(object, "digest", "facts", &ret->digest, err);
    if (!failure)
        failure = read_integer(object, "size", INT64_MAX, &size, err);
    ret->size = (uint64_t)size;
    if (!failure)
        failure = read_platform(object, &ret->platform, err);
    if (!failure)
        failure = fields_string(object, "artifactType", "facts", &ret->artifact_type, err);
    if (!failure)
        failure = fields_pairs(object, "annotations", "facts", SIZE_MAX, &ret->annotations, err);
    return failure;
}

static int read_descriptors(const struct json *object, const char *key, struct descriptor **ret,
                            size_t *ret_count, struct error *err)
{
    const struct json *array;
    int failure = fields_member(object, key, "facts", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    *ret_count = json_count(array);
    *ret = memory_new_array(*ret_count, sizeof(**ret));
    for (size_t i = 0; !failure && i < *ret_count; i++)
        failure = read_descriptor(json_at(array, i), &(*ret)[i], err);
    return failure;
}

static int read_manifest(const struct json *object, struct manifest *ret, struct error *err)
{
    const char *kind = json_get_string(object, "kind");
    const struct json *config = json_get(object, "config");
    const struct json *subject = json_get(object, "subject");
    int64_t size = 0;
    if (kind && manifest_kind_from_name(kind, &ret->kind))
        return wrong("the manifest", "kind", err);
    int failure = read_text(object, "mediaType", &ret->media_type, err);
    if (!failure)
        failure = fields_digest(object, "digest", "facts", &ret->digest, err);
    if (!failure)
        failure = read_integer(object, "size", INT64_MAX, &size, err);
    ret->size = (uint64_t)size;
    if (!failure && config)
        failure = read_descriptor(config, &ret->config, err);
    if (!failure)
        failure = read_descriptors(object, "layers", &ret->layers, &ret->layer_count, err);
    if (!failure)
        failure = read_descriptors(object, "children", &ret->children, &ret->child_count, err);
    if (!failure)
        failure = fields_string(object, "artifactType", "facts", &ret->artifact_type, err);
    ret->has_subject = subject != NULL;
    if (!failure && subject)
        failure = read_descriptor(subject, &ret->subject, err);
    if (!failure)
        failure = fields_pairs(object, "annotations", "facts", SIZE_MAX, &ret->annotations, err);
    return failure;
}

static int read_healthcheck(const struct json *object, struct healthcheck *ret, struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, "healthcheck", "facts", JSON_KIND_OBJECT, &value, err);
    if (failure || !value)
        return failure;
    ret->present = true;
    ret->interval_ms = json_get_integer(value, "intervalMs", 0);
    ret->timeout_ms = json_get_integer(value, "timeoutMs", 0);
    ret->start_period_ms = json_get_integer(value, "startPeriodMs", 0);
    ret->retries = json_get_integer(value, "retries", 0);
    return fields_list(value, "test", "facts", &ret->test, err);
}

static int read_diff_ids(const struct json *object, struct image_config *ret, struct error *err)
{
    AUTO_TEXT_LIST struct text_list list = {0};
    int failure = fields_list(object, "diffIds", "facts", &list, err);
    ret->diff_ids = memory_new_array(list.count, sizeof(*ret->diff_ids));
    ret->diff_id_count = list.count;
    for (size_t i = 0; !failure && i < list.count; i++)
        failure = digest_parse(list.items[i], &ret->diff_ids[i], err);
    return failure;
}

static int read_lists(const struct json *object, struct image_config *ret, struct error *err)
{
    const struct {
        const char *key;
        struct text_list *list;
    } lists[] = {
        {.key = "entrypoint", .list = &ret->entrypoint},
        {.key = "cmd", .list = &ret->cmd},
        {.key = "exposedPorts", .list = &ret->exposed_ports},
        {.key = "volumes", .list = &ret->volumes},
        {.key = "onBuild", .list = &ret->on_build},
        {.key = "shell", .list = &ret->shell},
    };
    int failure = 0;
    for (size_t i = 0; !failure && i < ARRAY_COUNT(lists); i++)
        failure = fields_list(object, lists[i].key, "facts", lists[i].list, err);
    return failure;
}

static int read_texts(const struct json *object, struct image_config *ret, struct error *err)
{
    const struct {
        const char *key;
        char **text;
    } texts[] = {
        {.key = "author", .text = &ret->author},
        {.key = "user", .text = &ret->user},
        {.key = "workingDir", .text = &ret->working_dir},
        {.key = "stopSignal", .text = &ret->stop_signal},
    };
    int failure = 0;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        *texts[i].text = memory_copy_text("");
    for (size_t i = 0; !failure && i < ARRAY_COUNT(texts); i++)
        failure = fields_string(object, texts[i].key, "facts", texts[i].text, err);
    return failure;
}

static int read_config(const struct json *object, struct image_config *ret, struct error *err)
{
    int failure = read_texts(object, ret, err);
    if (!failure)
        failure = read_platform(object, &ret->platform, err);
    if (!failure)
        failure = read_created(object, &ret->has_created, &ret->created_ms, err);
    if (!failure)
        failure = read_named_values(object, "env", &ret->env, err);
    if (!failure)
        failure = read_lists(object, ret, err);
    if (!failure)
        failure = fields_bool(object, "entrypointIsShell", "facts", &ret->entrypoint_is_shell, err);
    if (!failure)
        failure = fields_bool(object, "cmdIsShell", "facts", &ret->cmd_is_shell, err);
    if (!failure)
        failure = fields_pairs(object, "labels", "facts", SIZE_MAX, &ret->labels, err);
    if (!failure)
        failure = read_healthcheck(object, &ret->healthcheck, err);
    if (!failure)
        failure = read_diff_ids(object, ret, err);
    return failure;
}

static int read_step(const struct json *object, struct step *ret, struct error *err)
{
    const char *kind = json_get_string(object, "kind");
    const char *origin = json_get_string(object, "origin");
    ret->layer = -1;
    int failure = read_text(object, "text", &ret->text, err);
    if (failure)
        return failure;
    if (!kind || step_kind_from_name(kind, &ret->kind))
        return wrong("a step", "kind", err);
    if (origin && origin_from_name(origin, &ret->origin))
        return wrong("a step", "origin", err);
    failure = read_named_values(object, "args", &ret->args, err);
    if (!failure)
        failure = fields_bool(object, "empty", "facts", &ret->empty, err);
    if (!failure)
        failure = fields_bool(object, "shellForm", "facts", &ret->shell_form, err);
    if (!failure)
        failure = read_index(object, "layer", &ret->layer, err);
    return failure;
}

static int read_entry(const struct json *object, struct history_entry *ret, struct error *err)
{
    int failure = read_text(object, "createdBy", &ret->created_by, err);
    if (!failure)
        failure = read_text(object, "comment", &ret->comment, err);
    if (!failure)
        failure = read_text(object, "author", &ret->author, err);
    if (!failure)
        failure = read_created(object, &ret->has_created, &ret->created_ms, err);
    (void)fields_bool(object, "empty", "facts", &ret->empty_layer, NULL); /* checked as a step */
    return failure;
}

static int read_history(const struct json *object, struct facts *ret, struct error *err)
{
    const struct json *steps;
    const char *builder = json_get_string(object, "builder");
    if (builder && image_builder_from_name(builder, &ret->history.builder))
        return wrong("the history", "builder", err);
    int failure = fields_bool(object, "aligned", "facts", &ret->history.aligned, err);
    if (!failure)
        failure = fields_member(object, "steps", "history", JSON_KIND_ARRAY, &steps, err);
    if (failure)
        return failure;
    size_t count = json_count(steps);
    ret->history.count = count;
    ret->history.steps = memory_new_array(count, sizeof(*ret->history.steps));
    for (size_t i = 0; !failure && i < count; i++)
        failure = read_step(json_at(steps, i), &ret->history.steps[i], err);
    if (failure || !ret->config)
        return failure;
    ret->config->history = memory_new_array(count, sizeof(*ret->config->history));
    ret->config->history_count = count;
    for (size_t i = 0; !failure && i < count; i++)
        failure = read_entry(json_at(steps, i), &ret->config->history[i], err);
    return failure;
}

static int read_runtime(const struct json *object, struct facts_runtime *ret, struct error *err)
{
    const char *name = json_get_string(object, "name");
    const char *sdk = json_get_string(object, "sdk");
    const char *evidence = json_get_string(object, "evidence");
    if (name && runtime_from_name(name, &ret->runtime))
        return wrong("the runtime", "name", err);
    if (sdk && answer_from_name(sdk, &ret->sdk))
        return wrong("the runtime", "sdk", err);
    if (evidence && evidence_from_name(evidence, &ret->evidence))
        return wrong("the runtime", "evidence", err);
    return fields_string(object, "version", "runtime", &ret->version, err);
}

static int read_secret(const struct json *object, struct facts_secret *ret, struct error *err)
{
    const char *place = json_get_string(object, "place");
    if (!place || secret_place_from_name(place, &ret->place))
        return wrong("a secret", "place", err);
    int failure = read_text(object, "kind", &ret->kind, err);
    if (!failure)
        failure = read_text(object, "masked", &ret->masked, err);
    if (!failure)
        failure = fields_string(object, "key", "secret", &ret->key, err);
    if (!failure)
        failure = fields_string(object, "hash", "secret", &ret->hash, err);
    if (!failure)
        failure = read_index(object, "step", &ret->step, err);
    return failure;
}

static int read_secrets(const struct json *root, struct facts *ret, struct error *err)
{
    const struct json *array;
    int failure = fields_member(root, "secrets", "facts", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    ret->secret_count = json_count(array);
    ret->secrets = memory_new_array(ret->secret_count, sizeof(*ret->secrets));
    for (size_t i = 0; !failure && i < ret->secret_count; i++)
        failure = read_secret(json_at(array, i), &ret->secrets[i], err);
    return failure;
}

/* What was looked for in layers by another version of it: they are looked into once more. */
static bool is_outdated(const struct json *files)
{
    return json_get_integer(files, "layerFactsVersion", LAYER_FACTS_VERSION) != LAYER_FACTS_VERSION;
}

/* Without "groups", as in an example written by hand, what is there is present. */
static int read_group(const struct json *root, enum fact_group group,
                      const struct facts_files *files, struct fact_status *ret, struct error *err)
{
    const char *name = fact_group_name(group);
    const struct json *status = json_get(json_get(root, "groups"), name);
    const char *state = json_get_string(status, "state");
    if (group == FACT_FILES && files && !text_equal(state, "absent")) {
        facts_files_status(files, ret); /* follows from what is there */
        return 0;
    }
    if (group == FACT_FILES && !files && json_get(root, name)) {
        ret->state = FACT_ABSENT;
        ret->reason = memory_copy_text("the layers were looked into by another version");
        return 0;
    }
    if (!status) {
        ret->state = json_get(root, name) ? FACT_PRESENT : FACT_ABSENT;
        ret->reason = ret->state == FACT_PRESENT ? NULL : memory_copy_text("not in the document");
        return 0;
    }
    if (fact_state_from_name(state, &ret->state) < 0)
        return wrong("a group", "state", err);
    return fields_string(status, "reason", "group", &ret->reason, err);
}

/* A group that is said to be present must be there: rules rely on it. */
static int check_groups(const struct facts *facts, struct error *err)
{
    if (facts->status[FACT_MANIFEST].state == FACT_PRESENT && !facts->manifest)
        return wrong("the document", "manifest", err);
    if (facts->status[FACT_CONFIG].state == FACT_PRESENT && !facts->config)
        return wrong("the document", "config", err);
    if (facts->status[FACT_FILES].state != FACT_ABSENT && !facts->files)
        return wrong("the document", "files", err);
    if (facts->status[FACT_PROVENANCE].state == FACT_PRESENT && !facts->provenance)
        return wrong("the document", "provenance", err);
    if (facts->status[FACT_REFERRERS].state == FACT_PRESENT && !facts->referrers)
        return wrong("the document", "referrers", err);
    if (facts->status[FACT_VULNERABILITIES].state == FACT_PRESENT && !facts->vulnerabilities)
        return wrong("the document", "vulnerabilities", err);
    return 0;
}

static int read_sections(const struct json *root, struct facts *ret, struct error *err)
{
    const struct json *manifest, *config, *history, *base, *runtime;
    int failure = fields_member(root, "manifest", "facts", JSON_KIND_OBJECT, &manifest, err);
    if (!failure)
        failure = fields_member(root, "config", "facts", JSON_KIND_OBJECT, &config, err);
    if (!failure)
        failure = fields_member(root, "history", "facts", JSON_KIND_OBJECT, &history, err);
    if (!failure)
        failure = fields_member(root, "base", "facts", JSON_KIND_OBJECT, &base, err);
    if (!failure)
        failure = fields_member(root, "runtime", "facts", JSON_KIND_OBJECT, &runtime, err);
    if (failure)
        return failure;
    ret->manifest = manifest ? memory_new(sizeof(*ret->manifest)) : NULL;
    ret->config = config ? memory_new(sizeof(*ret->config)) : NULL;
    if (manifest)
        failure = read_manifest(manifest, ret->manifest, err);
    if (!failure && config)
        failure = read_config(config, ret->config, err);
    if (!failure && history)
        failure = read_history(history, ret, err);
    if (!failure && base)
        failure = facts_base_from_json(base, &ret->base, err);
    if (!failure && runtime)
        failure = read_runtime(runtime, &ret->runtime, err);
    return failure;
}

static int read_evidence(const struct json *root, struct facts *ret, struct error *err)
{
    const struct json *provenance = json_get(root, "provenance");
    const struct json *referrers = json_get(root, "referrers");
    const struct json *vulnerabilities = json_get(root, "vulnerabilities");
    int failure = provenance ? provenance_from_json(provenance, &ret->provenance, err) : 0;
    if (!failure && referrers)
        failure = referrers_from_json(referrers, &ret->referrers, err);
    if (!failure && vulnerabilities)
        failure = vulnerabilities_from_json(vulnerabilities, &ret->vulnerabilities, err);
    return failure;
}

static int read_files(const struct json *root, struct facts *ret, struct error *err)
{
    const struct json *files;
    int failure = fields_member(root, "files", "facts", JSON_KIND_OBJECT, &files, err);
    if (failure || !files || is_outdated(files))
        return failure;
    return facts_files_from_json(files, ret->manifest ? ret->manifest->layer_count : 0, &ret->files,
                                 err);
}

static int read_document(const struct json *root, struct facts *ret, struct error *err)
{
    int failure = read_sections(root, ret, err);
    if (!failure)
        failure = read_evidence(root, ret, err);
    if (!failure)
        failure = read_files(root, ret, err);
    for (unsigned i = 0; !failure && i < FACT_GROUP_COUNT; i++)
        failure = read_group(root, (enum fact_group)i, ret->files, &ret->status[i], err);
    if (!failure)
        failure = read_secrets(root, ret, err);
    return failure ? failure : check_groups(ret, err);
}

int facts_from_json(const struct json *json, struct facts **ret, struct error *err)
{
    assert(ret);
    if (!json_is(json, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "the facts document is not an object");
    if (json_get_integer(json, "factsVersion", -1) != FACTS_VERSION)
        return error_set(err, FAILURE_INPUT, "the facts document is not of version %d",
                         (int)FACTS_VERSION);
    AUTO_FACTS struct facts *facts = memory_new(sizeof(*facts));
    facts->base.layer_count = -1;
    int failure = read_document(json, facts, err);
    if (!failure)
        *ret = TAKE(facts);
    return failure;
}
