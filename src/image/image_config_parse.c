/* From the bytes of an image config to plain data. Absent and null are the same, members that we do
 * not know are not looked at, and a member of the wrong kind is refused rather than guessed. */
#include <assert.h>
#include <string.h>

#include "descriptor.h"
#include "fields.h"
#include "regwarden/clock.h"
#include "regwarden/image_config.h"
#include "shell_words.h"

static const char *const root_fields[] = {
    "created", "author", "architecture", "os",      "os.version", "os.features",
    "variant", "config", "rootfs",       "history", NULL};
static const char *const config_fields[] = {
    "User",   "ExposedPorts", "Env",         "Entrypoint", "Cmd",   "Volumes",     "WorkingDir",
    "Labels", "StopSignal",   "ArgsEscaped", "OnBuild",    "Shell", "Healthcheck", NULL};
static const char *const healthcheck_fields[] = {
    "Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries", NULL};
static const char *const rootfs_fields[] = {"type", "diff_ids", NULL};
static const char *const history_fields[] = {"created", "created_by",  "author",
                                             "comment", "empty_layer", NULL};

/* A time that cannot be read counts as none: rules about age then answer unknown. */
static void read_time(const struct json *object, bool *ret_has, int64_t *ret_ms)
{
    const char *text = json_get_string(object, "created");
    *ret_has = text && clock_parse_rfc3339(text, ret_ms, NULL) == 0;
}

static int compare_strings(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* The keys of an object of empty objects: ports and volumes. */
static int read_keys(const struct json *object, const char *name, struct text_list *ret,
                     struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, name, "config", JSON_KIND_OBJECT, &value, err);
    if (failure)
        return failure;
    for (void *i = json_iterate(value); i; i = json_next(value, i))
        text_list_add(ret, json_iterator_key(i));
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_strings);
    return 0;
}

static int read_env(const struct json *object, struct text_pairs *ret, struct error *err)
{
    AUTO_TEXT_LIST struct text_list list = {0};
    int failure = fields_list(object, "Env", "config", &list, err);
    for (size_t i = 0; !failure && i < list.count; i++) {
        char *equals = strchr(list.items[i], '=');
        if (equals)
            *equals = '\0';
        text_pairs_add(ret, list.items[i], equals ? equals + 1 : "");
    }
    return failure;
}

/* Nanoseconds to milliseconds, rounded up: less than one must not become "default". */
static int64_t read_duration(const struct json *object, const char *name)
{
    int64_t nanoseconds = json_get_integer(object, name, 0);
    return nanoseconds / 1000000 + (nanoseconds % 1000000 > 0 ? 1 : 0);
}

static int read_healthcheck(const struct json *object, struct healthcheck *ret, struct error *err)
{
    const struct json *value;
    int failure = fields_member(object, "Healthcheck", "config", JSON_KIND_OBJECT, &value, err);
    if (failure || !value)
        return failure;
    failure = fields_refuse_variants(value, healthcheck_fields, "Healthcheck", err);
    if (failure)
        return failure;
    ret->present = true;
    ret->interval_ms = read_duration(value, "Interval");
    ret->timeout_ms = read_duration(value, "Timeout");
    ret->start_period_ms = read_duration(value, "StartPeriod");
    ret->retries = json_get_integer(value, "Retries", 0);
    return fields_list(value, "Test", "Healthcheck", &ret->test, err);
}

static int read_commands(const struct json *object, struct image_config *config, struct error *err)
{
    bool escaped = false;
    int failure = fields_list(object, "Entrypoint", "config", &config->entrypoint, err);
    if (!failure)
        failure = fields_list(object, "Cmd", "config", &config->cmd, err);
    if (!failure)
        failure = fields_list(object, "OnBuild", "config", &config->on_build, err);
    if (!failure)
        failure = fields_list(object, "Shell", "config", &config->shell, err);
    if (!failure)
        failure = fields_bool(object, "ArgsEscaped", "config", &escaped, err);
    config->entrypoint_is_shell =
        config->entrypoint.count > 0 && (escaped || shell_runs_list(&config->entrypoint));
    config->cmd_is_shell = config->cmd.count > 0 && ((escaped && config->entrypoint.count == 0) ||
                                                     shell_runs_list(&config->cmd));
    return failure;
}

static int read_config(const struct json *root, struct image_config *config, struct error *err)
{
    const struct json *object;
    int failure = fields_member(root, "config", "image config", JSON_KIND_OBJECT, &object, err);
    if (failure || !object)
        return failure;
    failure = fields_refuse_variants(object, config_fields, "config", err);
    if (!failure)
        failure = fields_string(object, "User", "config", &config->user, err);
    if (!failure)
        failure = fields_string(object, "WorkingDir", "config", &config->working_dir, err);
    if (!failure)
        failure = fields_string(object, "StopSignal", "config", &config->stop_signal, err);
    if (!failure)
        failure = fields_pairs(object, "Labels", "config", image_config_limits.max_values,
                               &config->labels, err);
    if (!failure)
        failure = read_env(object, &config->env, err);
    if (!failure)
        failure = read_keys(object, "ExposedPorts", &config->exposed_ports, err);
    if (!failure)
        failure = read_keys(object, "Volumes", &config->volumes, err);
    if (!failure)
        failure = read_commands(object, config, err);
    if (!failure)
        failure = read_healthcheck(object, &config->healthcheck, err);
    return failure;
}

static int read_diff_ids(const struct json *root, struct image_config *config, struct error *err)
{
    const struct json *rootfs;
    AUTO_TEXT_LIST struct text_list list = {0};
    int failure = fields_member(root, "rootfs", "image config", JSON_KIND_OBJECT, &rootfs, err);
    if (!failure)
        failure = fields_refuse_variants(rootfs, rootfs_fields, "rootfs", err);
    if (!failure)
        failure = fields_list(rootfs, "diff_ids", "rootfs", &list, err);
    if (failure)
        return failure;
    if (list.count > manifest_limits.max_layers)
        return error_set(err, FAILURE_LIMIT, "image config: %zu diff_ids, at most %zu are read",
                         list.count, manifest_limits.max_layers);
    config->diff_ids = memory_new_array(list.count, sizeof(*config->diff_ids));
    config->diff_id_count = list.count;
    for (size_t i = 0; !failure && i < list.count; i++)
        failure = digest_parse(list.items[i], &config->diff_ids[i], err);
    if (failure)
        error_wrap(err, "image config: diff_ids");
    return failure;
}

static int read_entry(const struct json *json, struct history_entry *entry, struct error *err)
{
    entry->created_by = memory_copy_text("");
    entry->comment = memory_copy_text("");
    entry->author = memory_copy_text("");
    if (json_is(json, JSON_KIND_NULL))
        return 0;
    if (!json_is(json, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "history: an entry is not an object");
    int failure = fields_refuse_variants(json, history_fields, "history", err);
    if (!failure)
        failure = fields_string(json, "created_by", "history", &entry->created_by, err);
    if (!failure)
        failure = fields_string(json, "comment", "history", &entry->comment, err);
    if (!failure)
        failure = fields_string(json, "author", "history", &entry->author, err);
    if (!failure)
        failure = fields_bool(json, "empty_layer", "history", &entry->empty_layer, err);
    read_time(json, &entry->has_created, &entry->created_ms);
    return failure;
}

static int read_history(const struct json *root, struct image_config *config, struct error *err)
{
    const struct json *array;
    int failure = fields_member(root, "history", "image config", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    size_t count = json_count(array);
    if (count > image_config_limits.max_history)
        return error_set(err, FAILURE_LIMIT,
                         "image config: %zu history entries, at most %zu are read", count,
                         image_config_limits.max_history);
    config->history = memory_new_array(count, sizeof(*config->history));
    config->history_count = count;
    for (size_t i = 0; !failure && i < count; i++)
        failure = read_entry(json_at(array, i), &config->history[i], err);
    return failure;
}

static int parse_root(const struct json *root, struct image_config *config, struct error *err)
{
    if (!json_is(root, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "the image config is not a JSON object");
    int failure = fields_refuse_variants(root, root_fields, "image config", err);
    if (!failure)
        failure = platform_read(root, "image config", &config->platform, err);
    if (!failure)
        failure = fields_string(root, "author", "image config", &config->author, err);
    if (!failure)
        failure = read_config(root, config, err);
    if (!failure)
        failure = read_diff_ids(root, config, err);
    if (!failure)
        failure = read_history(root, config, err);
    read_time(root, &config->has_created, &config->created_ms);
    return failure;
}

int image_config_parse(const char *bytes, size_t size, struct image_config **ret, struct error *err)
{
    assert(bytes && ret);
    struct json_limits limits = json_limits_default;
    limits.max_bytes = image_config_limits.max_bytes;
    limits.max_values = image_config_limits.max_values;
    AUTO_JSON struct json *root = NULL;
    int failure = json_parse(bytes, size, &limits, &root, err);
    if (failure) {
        error_wrap(err, "image config");
        return failure;
    }
    AUTO_IMAGE_CONFIG struct image_config *config = memory_new(sizeof(*config));
    config->author = memory_copy_text("");
    config->user = memory_copy_text("");
    config->working_dir = memory_copy_text("");
    config->stop_signal = memory_copy_text("");
    failure = parse_root(root, config, err);
    if (!failure)
        *ret = TAKE(config);
    return failure;
}
