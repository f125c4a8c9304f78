/* gzip (RFC 1952) by ISA-L, which this file is the only home of: all members to the end of the
 * stream, each with its checksum and length verified. Their headers are read in gzip_header.c.
 *
 * Behind the last member, zero bytes are padding and carry nothing; anything else is refused,
 * because container runtimes refuse it too, or worse, only some of them do. */
#include "codec.h"

#include <isa-l/igzip_lib.h>

#include "gzip_header.h"
#include "regwarden/memory.h"

enum { OUTPUT_SIZE = 128 * 1024 };

struct gzip {
    struct inflate_state inflate;
    struct gzip_header header;
    bool in_member; /* a byte of the current member was read */
    bool padding;   /* the last member is over, only zeros may follow */
    uint8_t output[OUTPUT_SIZE];
};

static void begin_member(struct gzip *gzip)
{
    isal_inflate_reset(&gzip->inflate);
    gzip->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
    gzip->header = (struct gzip_header){0};
    gzip->in_member = false;
}

static void *gzip_open(const struct decompress_limits *limits)
{
    struct gzip *gzip = memory_new(sizeof(*gzip));

    (void)limits;
    isal_inflate_init(&gzip->inflate);
    begin_member(gzip);
    return gzip;
}

static int refuse(const struct gzip *gzip, int code, struct error *err)
{
    if (code == ISAL_INCORRECT_CHECKSUM)
        return error_set(err, FAILURE_INPUT, "gzip: a member's checksum or length is wrong");
    return error_set(err, FAILURE_INPUT, "gzip: damaged data near output byte %u of a member",
                     gzip->inflate.total_out);
}

/* Unpacks until the input is used up or the member ends. */
static int inflate_some(struct gzip *gzip, struct decompress *to, struct error *err)
{
    struct inflate_state *inflate = &gzip->inflate;

    do {
        inflate->next_out = gzip->output;
        inflate->avail_out = OUTPUT_SIZE;
        int code = isal_inflate(inflate);
        if (code != ISAL_DECOMP_OK)
            return refuse(gzip, code, err);
        int failure = decompress_emit(to, gzip->output, OUTPUT_SIZE - inflate->avail_out, err);
        if (failure < 0)
            return failure;
    } while (inflate->block_state != ISAL_BLOCK_FINISH &&
             (inflate->avail_in > 0 || inflate->avail_out == 0));
    return 0;
}

/* Between members: a zero begins the padding, in which only zeros may follow. */
static int skip_padding(struct gzip *gzip, struct error *err)
{
    struct inflate_state *inflate = &gzip->inflate;

    gzip->padding = true;
    while (inflate->avail_in > 0) {
        if (*inflate->next_in++ != 0)
            return error_set(err, FAILURE_INPUT, "gzip: something follows the padding");
        inflate->avail_in--;
    }
    return 0;
}

static int read_header(struct gzip *gzip, struct error *err)
{
    struct inflate_state *inflate = &gzip->inflate;
    size_t used;
    int failure = gzip_header_read(&gzip->header, inflate->next_in, inflate->avail_in, &used, err);

    inflate->next_in += used;
    inflate->avail_in -= (uint32_t)used;
    gzip->in_member = true;
    return failure;
}

/* One step: padding, header or data. */
static int take_some(struct gzip *gzip, struct decompress *to, struct error *err)
{
    int failure;

    if (!gzip->in_member && (gzip->padding || *gzip->inflate.next_in == 0))
        return skip_padding(gzip, err);
    if (!gzip->header.done)
        return read_header(gzip, err);
    failure = inflate_some(gzip, to, err);
    if (failure == 0 && gzip->inflate.block_state == ISAL_BLOCK_FINISH)
        begin_member(gzip);
    return failure;
}

static int gzip_push(void *self, struct decompress *to, const uint8_t *bytes, size_t size,
                     struct error *err)
{
    struct gzip *gzip = self;
    int failure = 0;

    if (size > UINT32_MAX)
        return error_set(err, FAILURE_LIMIT, "gzip: a piece of 4 GiB");
    /* ISA-L does not write to its input, it only lacks the word */
    gzip->inflate.next_in = (uint8_t *)(uintptr_t)bytes;
    gzip->inflate.avail_in = (uint32_t)size;
    while (gzip->inflate.avail_in > 0 && failure == 0)
        failure = take_some(gzip, to, err);
    return failure;
}

static int gzip_finish(void *self, struct error *err)
{
    const struct gzip *gzip = self;

    if (gzip->in_member)
        return error_set(err, FAILURE_INPUT, "gzip: the stream is cut off inside a member");
    return 0;
}

const struct codec codec_gzip = {
    .name = "gzip",
    .open = gzip_open,
    .push = gzip_push,
    .finish = gzip_finish,
    .close = free,
};
