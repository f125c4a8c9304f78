/* Layer facts from a worker that may answer anything: what is accepted is written back the same,
 * and merges with itself. */
#include <stdint.h>
#include <stdlib.h>

#include "regwarden/image_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON struct json *json = NULL;
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL, *again = NULL;
    AUTO_IMAGE_FILES struct image_files *files = NULL;
    AUTO_TEXT struct text first = {0}, second = {0};

    if (json_parse((const char *)data, size, &layer_facts_limits, &json, NULL) < 0 ||
        layer_facts_from_json(json, &facts, NULL) < 0)
        return 0;
    AUTO_JSON struct json *written = layer_facts_to_json(facts);
    must(layer_facts_from_json(written, &again, NULL) == 0);
    AUTO_JSON struct json *rewritten = layer_facts_to_json(again);
    json_write(written, JSON_COMPACT, &first);
    json_write(rewritten, JSON_COMPACT, &second);
    must(strcmp(text_data(&first), text_data(&second)) == 0);
    const struct layer_facts *layers[] = {facts, again};
    must(image_files_build(layers, 2, &files, NULL) == 0);
    return 0;
}
