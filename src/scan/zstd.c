/* Zstandard (RFC 8878): all frames to the end of the stream, skippable ones skipped, checksums
 * verified. */
#include "codec.h"

#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "regwarden/memory.h"

/* The longest header of a frame. libzstd (to 1.5.4 at least) reads a frame wrongly when its header
 * comes in two pieces: the second is then taken for the begin of a frame, so that what a stream
 * holds would depend on how the network cut it. Heads are gathered here and given in one piece. */
enum { HEAD_SIZE = 18, OUTPUT_SIZE = 128 * 1024 };

struct zstd {
    ZSTD_DStream *stream;
    size_t missing; /* 0 between frames */
    struct decompress *to;
    uint8_t head[HEAD_SIZE];
    size_t head_size;
    uint8_t output[OUTPUT_SIZE];
};

static void *zstd_open(const struct decompress_limits *limits)
{
    struct zstd *zstd = memory_new(sizeof(*zstd));

    zstd->stream = ZSTD_createDStream();
    if (!zstd->stream || ZSTD_isError(ZSTD_DCtx_setParameter(zstd->stream, ZSTD_d_windowLogMax,
                                                             (int)limits->zstd_window_log)))
        abort(); /* out of memory, or a bound of ours that the library does not know */
    return zstd;
}

static int refuse(size_t code, struct error *err)
{
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
        return error_set(err, FAILURE_LIMIT, "zstd: a frame wants a larger window than is given");
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
        return error_set(err, FAILURE_SYSTEM, "zstd: there is not enough memory");
    return error_set(err, FAILURE_INPUT, "zstd: %s", ZSTD_getErrorName(code));
}

/* Unpacks until the input is used up or the frame ends. */
static int unpack(struct zstd *zstd, struct decompress *to, ZSTD_inBuffer *input, struct error *err)
{
    bool full;

    do {
        ZSTD_outBuffer output = {.dst = zstd->output, .size = OUTPUT_SIZE};
        size_t code = ZSTD_decompressStream(zstd->stream, &output, input);
        if (ZSTD_isError(code))
            return refuse(code, err);
        zstd->missing = code;
        full = output.pos == output.size;
        int failure = decompress_emit(to, zstd->output, output.pos, err);
        if (failure < 0)
            return failure;
    } while (zstd->missing > 0 && (input->pos < input->size || full));
    return 0;
}

/* Unpacks the gathered head of a frame. What is left of it is the head of the next one. */
static int unpack_head(struct zstd *zstd, struct decompress *to, struct error *err)
{
    ZSTD_inBuffer input = {.src = zstd->head, .size = zstd->head_size};
    int failure = unpack(zstd, to, &input, err);

    if (failure < 0)
        return failure;
    zstd->head_size -= input.pos;
    memmove(zstd->head, zstd->head + input.pos, zstd->head_size);
    return 0;
}

static int zstd_push(void *self, struct decompress *to, const uint8_t *bytes, size_t size,
                     struct error *err)
{
    struct zstd *zstd = self;
    ZSTD_inBuffer input = {.src = bytes, .size = size};
    int failure = 0;

    zstd->to = to;
    while (input.pos < input.size && failure == 0) {
        size_t left = input.size - input.pos, room = HEAD_SIZE - zstd->head_size;
        if (zstd->missing > 0 || (zstd->head_size == 0 && left >= HEAD_SIZE)) {
            failure = unpack(zstd, to, &input, err);
            continue;
        }
        size_t taken = left < room ? left : room;
        memcpy(zstd->head + zstd->head_size, bytes + input.pos, taken);
        zstd->head_size += taken;
        input.pos += taken;
        if (zstd->head_size == HEAD_SIZE)
            failure = unpack_head(zstd, to, err);
    }
    return failure;
}

static int zstd_finish(void *self, struct error *err)
{
    struct zstd *zstd = self;

    while (zstd->head_size > 0) {
        int failure = unpack_head(zstd, zstd->to, err);
        if (failure < 0)
            return failure;
    }
    if (zstd->missing > 0)
        return error_set(err, FAILURE_INPUT, "zstd: the stream is cut off inside a frame");
    return 0;
}

static void zstd_close(void *self)
{
    struct zstd *zstd = self;

    if (!zstd)
        return;
    ZSTD_freeDStream(zstd->stream);
    free(zstd);
}

const struct codec codec_zstd = {
    .name = "zstd",
    .open = zstd_open,
    .push = zstd_push,
    .finish = zstd_finish,
    .close = zstd_close,
};
