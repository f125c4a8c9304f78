/* Statements from outside, bare or wrapped: what is accepted goes into the facts document and comes
 * back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct provenance_image of = {0};
    struct facts_provenance *provenance = memory_new(sizeof(*provenance));
    struct facts_provenance *again = NULL;
    struct provenance found = {0};
    AUTO_TEXT struct text first = {0}, second = {0};

    if (provenance_parse((const char *)data, size, &of, &found, NULL) == 0) {
        must(found.predicate_type && found.subject != SUBJECT_IMAGE);
        must(facts_provenance_add_take(provenance, &found));
        AUTO_JSON struct json *written = provenance_to_json(provenance);
        must(provenance_from_json(written, &again, NULL) == 0);
        AUTO_JSON struct json *rewritten = provenance_to_json(again);
        json_write(written, JSON_COMPACT, &first);
        json_write(rewritten, JSON_COMPACT, &second);
        must(strcmp(text_data(&first), text_data(&second)) == 0);
    }
    facts_provenance_free(provenance);
    facts_provenance_free(again);
    return 0;
}
