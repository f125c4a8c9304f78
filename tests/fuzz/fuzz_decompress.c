/* Decompression of hostile streams: whole and in pieces they give the same bytes, or both fail;
 * bounds hold. */
#include <stdint.h>
#include <stdlib.h>

#include "decompress.h"
#include "regwarden/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 1 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static int collect(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)err;
    text_add_bytes(argument, bytes, size);
    return 0;
}

static bool unpack(const uint8_t *data, size_t size, size_t piece, struct text *out,
                   struct decompress_result *ret)
{
    struct decompress_options options = {
        .limits = {.max_output_bytes = OUTPUT_MAX,
                   .max_ratio = 1000,
                   .ratio_from_bytes = OUTPUT_MAX,
                   .zstd_window_log = 20},
        .hash_output = true,
        .sink = collect,
        .argument = out,
    };
    AUTO_DECOMPRESS struct decompress *decompress = decompress_new(&options);

    for (size_t at = 0; at < size; at += piece)
        if (decompress_push(decompress, data + at, size - at < piece ? size - at : piece, NULL) < 0)
            return false;
    return decompress_finish(decompress, ret, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT struct text whole = {0}, cut = {0};
    struct decompress_result a, b;
    bool worked = unpack(data, size, size + 1, &whole, &a);

    must(unpack(data, size, size > 0 ? data[size - 1] % 64 + 1 : 1, &cut, &b) == worked);
    must(whole.length <= OUTPUT_MAX && cut.length <= OUTPUT_MAX);
    if (!worked)
        return 0;
    must(a.compression == b.compression && a.output_bytes == whole.length);
    must(digest_equal(&a.input_digest, &b.input_digest));
    must(digest_equal(&a.output_digest, &b.output_digest));
    return 0;
}
