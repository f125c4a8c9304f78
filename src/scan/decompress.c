/* Decompression of one stream: tells the format, counts, bounds and hashes. What the formats are
 * made of is in gzip.c and zstd.c. */
#include "decompress.h"

#include <assert.h>
#include <string.h>

#include "codec.h"
#include "regwarden/crypto.h"
#include "regwarden/memory.h"

enum { MAGIC_SIZE = 4 };

struct decompress {
    struct decompress_options options;
    const struct codec *codec; /* NULL until the format is known */
    void *codec_state;
    enum compression compression;
    struct hash *input_hash;
    struct hash *output_hash; /* NULL when it is not asked for */
    uint64_t input_bytes;
    uint64_t output_bytes;
    uint8_t magic[MAGIC_SIZE];
    size_t magic_size;
    bool ended; /* failed, or finished */
};

static int plain_push(void *self, struct decompress *to, const uint8_t *bytes, size_t size,
                      struct error *err)
{
    (void)self;
    return decompress_emit(to, bytes, size, err);
}

static const struct codec codec_plain = {.name = "none", .push = plain_push};

static const struct codec *const codecs[] = {
    [COMPRESSION_PLAIN] = &codec_plain,
    [COMPRESSION_GZIP] = &codec_gzip,
    [COMPRESSION_ZSTD] = &codec_zstd,
};

const char *compression_name(enum compression compression)
{
    return codecs[compression]->name;
}

/* A zstd stream may begin with a skippable frame: seekable formats keep their tables there. */
static enum compression detect(const uint8_t *magic, size_t size)
{
    static const uint8_t gzip[] = {0x1f, 0x8b, 0x08};
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t skippable[] = {0x2a, 0x4d, 0x18};

    if (size >= sizeof(gzip) && memcmp(magic, gzip, sizeof(gzip)) == 0)
        return COMPRESSION_GZIP;
    if (size < MAGIC_SIZE)
        return COMPRESSION_PLAIN;
    if (memcmp(magic, zstd, sizeof(zstd)) == 0)
        return COMPRESSION_ZSTD;
    if ((magic[0] & 0xf0) == 0x50 && memcmp(magic + 1, skippable, sizeof(skippable)) == 0)
        return COMPRESSION_ZSTD;
    return COMPRESSION_PLAIN;
}

static int check_bounds(const struct decompress *decompress, struct error *err)
{
    const struct decompress_limits *limits = &decompress->options.limits;
    uint64_t output = decompress->output_bytes;

    if (output > limits->max_output_bytes)
        return error_set(err, FAILURE_LIMIT, "the layer unpacks to more than %llu bytes",
                         (unsigned long long)limits->max_output_bytes);
    if (output > limits->ratio_from_bytes && output / limits->max_ratio > decompress->input_bytes)
        return error_set(err, FAILURE_LIMIT,
                         "the layer unpacks to more than %llu times its size: %llu bytes from %llu",
                         (unsigned long long)limits->max_ratio, (unsigned long long)output,
                         (unsigned long long)decompress->input_bytes);
    return 0;
}

int decompress_emit(struct decompress *decompress, const uint8_t *bytes, size_t size,
                    struct error *err)
{
    int failure;

    if (size == 0)
        return 0;
    decompress->output_bytes += size;
    failure = check_bounds(decompress, err);
    if (failure < 0)
        return failure;
    if (decompress->output_hash)
        hash_update(decompress->output_hash, bytes, size);
    return decompress->options.sink(decompress->options.argument, bytes, size, err);
}

struct decompress *decompress_new(const struct decompress_options *options)
{
    struct decompress *decompress = memory_new(sizeof(*decompress));

    assert(options->sink && options->limits.max_ratio > 0);
    decompress->options = *options;
    decompress->input_hash = hash_new(options->input == DIGEST_SHA512 ? HASH_SHA512 : HASH_SHA256);
    if (options->hash_output)
        decompress->output_hash = hash_new(HASH_SHA256);
    return decompress;
}

/* Opens the codec and gives it the bytes that told which one it is. */
static int start(struct decompress *decompress, struct error *err)
{
    decompress->compression = detect(decompress->magic, decompress->magic_size);
    decompress->codec = codecs[decompress->compression];
    if (decompress->codec->open)
        decompress->codec_state = decompress->codec->open(&decompress->options.limits);
    return decompress->codec->push(decompress->codec_state, decompress, decompress->magic,
                                   decompress->magic_size, err);
}

static int push(struct decompress *decompress, const uint8_t *bytes, size_t size, struct error *err)
{
    if (!decompress->codec) {
        size_t room = MAGIC_SIZE - decompress->magic_size;
        size_t taken = size < room ? size : room;
        memcpy(decompress->magic + decompress->magic_size, bytes, taken);
        decompress->magic_size += taken;
        bytes += taken;
        size -= taken;
        if (decompress->magic_size < MAGIC_SIZE)
            return 0;
        int failure = start(decompress, err);
        if (failure < 0)
            return failure;
    }
    if (size == 0)
        return 0;
    return decompress->codec->push(decompress->codec_state, decompress, bytes, size, err);
}

int decompress_push(struct decompress *decompress, const void *bytes, size_t size,
                    struct error *err)
{
    int failure;

    assert(!decompress->ended);
    if (size == 0)
        return 0;
    decompress->input_bytes += size;
    hash_update(decompress->input_hash, bytes, size);
    failure = push(decompress, bytes, size, err);
    decompress->ended = failure < 0;
    return failure;
}

static void finish_hash(struct hash *hash, enum digest_algorithm algorithm, struct digest *ret)
{
    *ret = (struct digest){.algorithm = algorithm == DIGEST_SHA512 ? algorithm : DIGEST_SHA256};
    hash_finish(hash, ret->bytes);
}

int decompress_finish(struct decompress *decompress, struct decompress_result *ret,
                      struct error *err)
{
    int failure = 0;

    assert(!decompress->ended);
    decompress->ended = true;
    if (!decompress->codec)
        failure = start(decompress, err);
    if (failure == 0 && decompress->codec->finish)
        failure = decompress->codec->finish(decompress->codec_state, err);
    if (failure < 0)
        return failure;
    *ret = (struct decompress_result){
        .compression = decompress->compression,
        .input_bytes = decompress->input_bytes,
        .output_bytes = decompress->output_bytes,
    };
    finish_hash(decompress->input_hash, decompress->options.input, &ret->input_digest);
    if (decompress->output_hash)
        finish_hash(decompress->output_hash, DIGEST_SHA256, &ret->output_digest);
    return 0;
}

void decompress_free(struct decompress *decompress)
{
    if (!decompress)
        return;
    if (decompress->codec && decompress->codec->close)
        decompress->codec->close(decompress->codec_state);
    hash_free(decompress->input_hash);
    hash_free(decompress->output_hash);
    free(decompress);
}

void decompress_auto_free(struct decompress **decompress)
{
    decompress_free(*decompress);
}
