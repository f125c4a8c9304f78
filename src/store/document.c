/* Packing of JSON documents (home of libzstd in this room). Bounded on the way out, so that a
 * damaged database cannot make us allocate without end. */
#include "document.h"

#include <assert.h>

#include <zstd.h>

#include "regwarden/memory.h"

enum { LEVEL = 3, DOCUMENT_MAX_BYTES = 32 * 1024 * 1024, BUFFER_KEPT_BYTES = 256 * 1024 };

struct codec {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    struct text plain; /* kept between documents */
};

struct codec *codec_new(void)
{
    return memory_new(sizeof(struct codec));
}

void codec_free(struct codec *codec)
{
    if (!codec)
        return;
    ZSTD_freeCCtx(codec->compress);
    ZSTD_freeDCtx(codec->decompress);
    text_release(&codec->plain);
    free(codec);
}

static void forget_plain(struct codec *codec)
{
    if (codec->plain.capacity > BUFFER_KEPT_BYTES)
        text_release(&codec->plain);
    else
        text_clear(&codec->plain);
}

static int compress(struct codec *codec, const struct text *plain, struct text *ret,
                    struct error *err)
{
    size_t bound = ZSTD_compressBound(plain->length);
    AUTO_FREE char *buffer = memory_new_array(bound, 1);

    if (!codec->compress)
        codec->compress = ZSTD_createCCtx();
    assert(codec->compress);
    size_t size =
        ZSTD_compressCCtx(codec->compress, buffer, bound, plain->data, plain->length, LEVEL);
    if (ZSTD_isError(size))
        return error_set(err, FAILURE_SYSTEM, "cannot compress a document: %s",
                         ZSTD_getErrorName(size));
    text_clear(ret);
    text_add_bytes(ret, buffer, size);
    return 0;
}

int document_pack_text(struct codec *codec, const struct text *plain, struct text *ret,
                       struct error *err)
{
    if (plain->length > DOCUMENT_MAX_BYTES)
        return error_set(err, FAILURE_LIMIT, "a document of %zu bytes is too large to be kept",
                         plain->length);
    return compress(codec, plain, ret, err);
}

int document_pack(struct codec *codec, const struct json *json, struct text *ret, struct error *err)
{
    int failure;

    json_write(json, JSON_COMPACT, &codec->plain);
    failure = document_pack_text(codec, &codec->plain, ret, err);
    forget_plain(codec);
    return failure;
}

static int parse(const char *bytes, size_t size, struct json **ret, struct error *err)
{
    static const struct json_limits limits = {
        .max_bytes = DOCUMENT_MAX_BYTES, .max_depth = 128, .max_values = 4000000};

    if (json_parse(bytes, size, &limits, ret, err) == 0)
        return 0;
    if (err)
        err->kind = FAILURE_SYSTEM; /* no input of the user's */
    error_wrap(err, "a stored document is damaged");
    return FAILURE_SYSTEM;
}

size_t document_plain_bytes(const void *bytes, size_t size)
{
    unsigned long long plain = size ? ZSTD_getFrameContentSize(bytes, size) : 0;

    if (plain == ZSTD_CONTENTSIZE_ERROR || plain == ZSTD_CONTENTSIZE_UNKNOWN ||
        plain > DOCUMENT_MAX_BYTES)
        return 0;
    return (size_t)plain;
}

int document_unpack(struct codec *codec, const void *bytes, size_t size, struct json **ret,
                    struct error *err)
{
    size_t plain = document_plain_bytes(bytes, size);

    if (plain == 0)
        return error_set(err, FAILURE_SYSTEM, "a stored document is damaged");
    if (!codec->decompress)
        codec->decompress = ZSTD_createDCtx();
    assert(codec->decompress);
    AUTO_FREE char *buffer = memory_new_array(plain, 1);
    size_t got = ZSTD_decompressDCtx(codec->decompress, buffer, plain, bytes, size);
    if (ZSTD_isError(got) || got != plain)
        return error_set(err, FAILURE_SYSTEM, "a stored document is damaged");
    return parse(buffer, got, ret, err);
}
