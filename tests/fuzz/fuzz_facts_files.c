/* The facts of layers, from a store or an example that may say anything: what is accepted is
 * written back the same, names layers that are there, and can be asked who users are. The first
 * line is a user; the document follows. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/facts_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_layers(const struct facts_files *files)
{
    int count = (int)files->layer_count;

    for (size_t i = 0; i < files->hit_count; i++)
        must(files->hits[i].layer < count && files->hits[i].hidden_by < count);
    for (size_t i = 0; i < files->package_count; i++)
        must(files->packages[i].layer < count);
    for (size_t i = 0; i < files->probe_count; i++)
        must(files->probes[i].layer < count && files->probes[i].hidden_by < count);
    for (size_t i = 0; i < files->largest_count; i++)
        must(files->largest[i].layer < count);
    must(files->passwd.layer < count && files->group.layer < count && files->shadow.layer < count);
}

static void write_and_read(const struct facts_files *files)
{
    AUTO_JSON struct json *written = facts_files_to_json(files);
    AUTO_FACTS_FILES struct facts_files *again = NULL;
    AUTO_TEXT struct text first = {0}, second = {0};

    must(facts_files_from_json(written, files->layer_count, &again, NULL) == 0);
    AUTO_JSON struct json *rewritten = facts_files_to_json(again);
    json_write(written, JSON_COMPACT, &first);
    json_write(rewritten, JSON_COMPACT, &second);
    must(strcmp(text_data(&first), text_data(&second)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    AUTO_FREE char *user = end ? memory_copy_bytes(data, (size_t)(end - data)) : NULL;
    AUTO_FACTS_FILES struct facts_files *files = NULL;
    AUTO_JSON struct json *json = NULL;
    struct resolved_user resolved;
    struct fact_status status;

    if (!end ||
        json_parse((const char *)end + 1, size - (size_t)(end + 1 - data), NULL, &json, NULL) < 0 ||
        facts_files_from_json(json, 0, &files, NULL) < 0)
        return 0;
    check_layers(files);
    write_and_read(files);
    facts_resolve_user(user, files, &resolved);
    must((resolved.state == USER_RESOLVED) == (resolved.reason == NULL) ||
         resolved.state == USER_UNKNOWN);
    facts_files_status(files, &status);
    must((status.state == FACT_PRESENT) == (status.reason == NULL));
    free(status.reason);
    return 0;
}
