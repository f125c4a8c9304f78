/* What a worker is told when it starts, as a JSON document. */
#include "worker_options.h"

#include <string.h>

#include "regwarden/crypto.h"
#include "regwarden/json.h"

/* Names and places of the numbers, for both ways. */
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    {"maxOutputBytes", offsetof(struct worker_options, scan.limits.max_output_bytes)},
    {"maxRatio", offsetof(struct worker_options, scan.limits.max_ratio)},
    {"ratioFromBytes", offsetof(struct worker_options, scan.limits.ratio_from_bytes)},
    {"maxEntries", offsetof(struct worker_options, scan.limits.max_entries)},
    {"memoryBytes", offsetof(struct worker_options, memory_bytes)},
    {"cpuSeconds", offsetof(struct worker_options, cpu_seconds)},
};

void worker_options_release(struct worker_options *options)
{
    scan_probes_release(&options->probes);
    crypto_erase(options->scan.salt, sizeof(options->scan.salt));
    *options = (struct worker_options){0};
}

static struct json *probes_to_json(const struct scan_probes *probes)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < probes->count && i < SCAN_PROBES_MAX; i++) {
        const struct scan_probe *probe = &probes->items[i];
        if (strlen(probe->path) > SCAN_PROBE_TEXT_MAX ||
            (probe->content && strlen(probe->content) > SCAN_PROBE_TEXT_MAX))
            continue;
        struct json *item = json_new_object();
        json_set_string(item, "path", probe->path);
        json_set_string(item, "content", probe->content);
        json_append_take(array, item);
    }
    return array;
}

void worker_options_write(const struct worker_options *options, struct text *to)
{
    AUTO_JSON struct json *json = json_new_object();
    char salt[2 * SCAN_SALT_SIZE + 1];

    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        uint64_t value;
        memcpy(&value, (const char *)options + numbers[i].offset, sizeof(value));
        json_set_integer(json, numbers[i].name, (int64_t)(value < INT64_MAX ? value : INT64_MAX));
    }
    json_set_integer(json, "maxMs", options->scan.limits.max_ms);
    json_set_integer(json, "zstdWindowLog", options->scan.limits.zstd_window_log);
    json_set_bool(json, "diffId", options->scan.diff_id);
    if (options->scan.has_salt) {
        crypto_hex(options->scan.salt, SCAN_SALT_SIZE, salt);
        json_set_string(json, "salt", salt);
    }
    json_set_take(json, "probes", probes_to_json(&options->probes));
    json_write(json, JSON_COMPACT, to);
    crypto_erase(salt, sizeof(salt));
}

static int read_numbers(const struct json *json, struct worker_options *ret, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        int64_t number = json_get_integer(json, numbers[i].name, -1);
        uint64_t value = (uint64_t)number;
        if (number < 0)
            return error_set(err, FAILURE_INPUT, "the options lack %s", numbers[i].name);
        memcpy((char *)ret + numbers[i].offset, &value, sizeof(value));
    }
    ret->scan.limits.max_ms = json_get_integer(json, "maxMs", 0);
    int64_t window = json_get_integer(json, "zstdWindowLog", -1);
    if (window < 10 || window > 31)
        return error_set(err, FAILURE_INPUT, "the options lack zstdWindowLog");
    ret->scan.limits.zstd_window_log = (unsigned)window;
    return 0;
}

static int read_probes(const struct json *array, struct scan_probes *to, struct error *err)
{
    for (size_t i = 0; i < json_count(array); i++) {
        const struct json *item = json_at(array, i);
        const char *path = json_get_string(item, "path");
        if (!path || i == SCAN_PROBES_MAX)
            return error_set(err, FAILURE_INPUT, "the options' probes are not as they ought to be");
        scan_probes_add(to, path, json_get_string(item, "content"));
    }
    return 0;
}

int worker_options_read(const char *bytes, size_t size, struct worker_options *ret,
                        struct error *err)
{
    AUTO_JSON struct json *json = NULL;
    struct worker_options options = {0};
    int failure = json_parse(bytes, size, NULL, &json, err);

    if (failure == 0)
        failure = read_numbers(json, &options, err);
    if (failure == 0)
        failure = read_probes(json_get(json, "probes"), &options.probes, err);
    const char *salt = json_get_string(json, "salt");
    if (failure == 0 && salt) {
        options.scan.has_salt = crypto_from_hex(salt, SCAN_SALT_SIZE, options.scan.salt);
        if (!options.scan.has_salt)
            failure = error_set(err, FAILURE_INPUT, "the options' salt is damaged");
    }
    if (failure < 0) {
        worker_options_release(&options);
        return failure;
    }
    options.scan.diff_id = json_bool(json_get(json, "diffId"), false);
    *ret = options;
    return 0;
}
