/* Streams for the tests of the scan room. */
#include "streams.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

const struct decompress_limits stream_limits = {
    .max_output_bytes = 1ULL << 30,
    .max_ratio = 1000000,
    .ratio_from_bytes = 1ULL << 30,
    .zstd_window_log = 23,
};

void stream_add_gzip(struct text *to, const void *bytes, size_t size)
{
    static uint8_t level[ISAL_DEF_LVL1_DEFAULT];
    size_t space = size + size / 8 + 1024;
    AUTO_FREE uint8_t *packed = memory_new(space);
    AUTO_FREE uint8_t *copy = memory_new(size + 1);
    struct isal_zstream stream;

    memcpy(copy, size > 0 ? bytes : "", size);
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.level = 1;
    stream.level_buf = level;
    stream.level_buf_size = sizeof(level);
    stream.end_of_stream = 1;
    stream.next_in = copy;
    stream.avail_in = (uint32_t)size;
    stream.next_out = packed;
    stream.avail_out = (uint32_t)space;
    int code = isal_deflate(&stream);
    assert(code == COMP_OK && stream.internal_state.state == ZSTATE_END);
    text_add_bytes(to, packed, space - stream.avail_out);
}

static void add_zstd(struct text *to, const void *bytes, size_t size, int window_log)
{
    size_t space = ZSTD_compressBound(size);
    AUTO_FREE char *packed = memory_new(space);
    ZSTD_CCtx *context = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    size_t packed_size = ZSTD_compress2(context, packed, space, bytes, size);
    assert(!ZSTD_isError(packed_size));
    ZSTD_freeCCtx(context);
    text_add_bytes(to, packed, packed_size);
}

void stream_add_zstd(struct text *to, const void *bytes, size_t size)
{
    add_zstd(to, bytes, size, 0);
}

void stream_add_wide_zstd(struct text *to, const void *bytes, size_t size)
{
    add_zstd(to, bytes, size, 23);
}

void stream_add_skippable(struct text *to, const void *bytes, size_t size)
{
    const uint8_t head[] = {
        0x5a, 0x2a, 0x4d, 0x18, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff, 0};

    text_add_bytes(to, head, sizeof(head));
    text_add_bytes(to, bytes, size);
}

void stream_add_noise(struct text *to, size_t size)
{
    uint32_t state = 12345;

    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        text_add_char(to, (char)('a' + ((state >> 24) & 0xf)));
    }
}

static int collect(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)err;
    text_add_bytes(argument, bytes, size);
    return 0;
}

int stream_unpack(const struct decompress_limits *limits, const struct text *stream, size_t piece,
                  struct text *out, struct decompress_result *ret, struct error *err)
{
    AUTO_DECOMPRESS struct decompress *decompress = decompress_new(&(struct decompress_options){
        .limits = *limits, .hash_output = true, .sink = collect, .argument = out});

    for (size_t at = 0; at < stream->length; at += piece) {
        size_t size = stream->length - at < piece ? stream->length - at : piece;
        int failure = decompress_push(decompress, stream->data + at, size, err);
        if (failure < 0)
            return failure;
    }
    return decompress_finish(decompress, ret, err);
}
