/* References, repositories, tags and digests from hostile text. What parses must format, and parse
 * again to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/reference.h"
#include "regwarden/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_reference(const char *text)
{
    struct reference first = {0}, second = {0};
    struct error err;
    if (reference_parse(text, &first, &err))
        return;
    AUTO_FREE char *once = reference_format(&first);
    if (reference_parse(once, &second, &err) == 0) {
        AUTO_FREE char *twice = reference_format(&second);
        must(strcmp(once, twice) == 0);
    } else {
        /* a path may hold what a second reading takes apart differently, a registry name not */
        must(first.transport != REFERENCE_REGISTRY);
    }
    reference_release(&first);
    reference_release(&second);
}

static void check_digest(const char *text)
{
    struct digest digest, again;
    char buffer[DIGEST_TEXT_SIZE], brief[DIGEST_SHORT_SIZE];
    if (digest_parse(text, &digest, NULL))
        return;
    must(strlen(digest_format_short(&digest, brief)) < DIGEST_SHORT_SIZE);
    int failure = digest_parse(digest_format(&digest, buffer), &again, NULL);
    must(!failure);
    must(again.algorithm == digest.algorithm);
    must(digest.algorithm == DIGEST_OTHER || strcmp(buffer, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    (void)repository_is_valid(text);
    (void)tag_is_valid(text);
    check_reference(text);
    check_digest(text);
    return 0;
}
