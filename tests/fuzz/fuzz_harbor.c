/* Answers of a hostile Harbor: a page of artifacts, and a page of labels. */
#include <stddef.h>
#include <stdint.h>

#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "harbor_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever Harbor says, rows can be asked about. */
static void artifacts(const struct http_response *response)
{
    struct harbor_rows rows = {0};

    if (harbor_rows_read(response, &rows, NULL) < 0) {
        if (rows.items || rows.count > 0)
            abort();
        return;
    }
    for (size_t i = 0; i < rows.count; i++) {
        const struct registry_row *row = &rows.items[i];
        size_t letters = 0;

        if ((row->tag && !tag_is_valid(row->tag)) || !row->labels || row->pushed_ms < 0 ||
            (row->digest.algorithm != DIGEST_SHA256 && row->digest.algorithm != DIGEST_SHA512))
            abort();
        for (size_t k = 0; k < row->labels->count; k++)
            letters += strlen(row->labels->items[k]);
        if (letters > response->body_size)
            abort();
    }
    harbor_rows_release(&rows);
}

static void labels(const struct http_response *response)
{
    AUTO_JSON struct json *document = NULL;

    if (harbor_read(response, JSON_KIND_ARRAY, &document, NULL) == 0)
        (void)harbor_find_label(document, "policy-fail", 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *body = memory_copy_bytes(data, size);
    struct http_response response = {.status = 200, .body = body, .body_size = size};

    artifacts(&response);
    labels(&response);
    return 0;
}
