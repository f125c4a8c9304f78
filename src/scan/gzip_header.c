/* The header of a gzip member. Read here and not by ISA-L, whose check of the header's checksum
 * (in 2.30 at least) comes out differently when the header comes in pieces. */
#include "gzip_header.h"

enum part {
    PART_FIXED,
    PART_EXTRA_SIZE,
    PART_EXTRA,
    PART_NAME,
    PART_COMMENT,
    PART_CHECKSUM,
    PART_END
};

enum {
    FLAG_CHECKSUM = 2,
    FLAG_EXTRA = 4,
    FLAG_NAME = 8,
    FLAG_COMMENT = 16,
    FLAGS_RESERVED = 0xe0,
    FIXED_SIZE = 10,
    TEXT_MAX = 511, /* longer names are refused by Go programs, and so by most container runtimes */
};

/* CRC-32, a byte at a time: headers are short. */
static uint32_t crc_add(uint32_t crc, uint8_t byte)
{
    crc = ~crc ^ byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    return ~crc;
}

static int take_fixed(struct gzip_header *header, uint8_t byte, struct error *err)
{
    static const uint8_t magic[] = {0x1f, 0x8b, 8};

    if (header->position < sizeof(magic) && byte != magic[header->position])
        return error_set(err, FAILURE_INPUT, "gzip: what follows a member is no gzip member");
    if (header->position != sizeof(magic))
        return 0;
    header->flags = byte;
    if (byte & FLAGS_RESERVED)
        return error_set(err, FAILURE_INPUT,
                         "gzip: a member's header has flags that are not known");
    return 0;
}

static int take_text(const struct gzip_header *header, uint8_t byte, struct error *err)
{
    if (header->position >= TEXT_MAX && byte != 0)
        return error_set(err, FAILURE_INPUT, "gzip: a name or comment of more than %d bytes",
                         TEXT_MAX);
    return 0;
}

/* Little end first. */
static void take_number(size_t *number, size_t position, uint8_t byte)
{
    *number = position == 0 ? byte : *number | (size_t)byte << 8;
}

static int take_checksum(struct gzip_header *header, uint8_t byte, struct error *err)
{
    if (header->position == 0)
        header->expected_checksum = header->crc & 0xffff;
    take_number(&header->checksum, header->position, byte);
    if (header->position == 1 && header->checksum != header->expected_checksum)
        return error_set(err, FAILURE_INPUT, "gzip: the checksum of a member's header is wrong");
    return 0;
}

static int take(struct gzip_header *header, uint8_t byte, struct error *err)
{
    switch ((enum part)header->part) {
    case PART_FIXED:
        return take_fixed(header, byte, err);
    case PART_EXTRA_SIZE:
        take_number(&header->extra_size, header->position, byte);
        return 0;
    case PART_NAME:
    case PART_COMMENT:
        return take_text(header, byte, err);
    case PART_CHECKSUM:
        return take_checksum(header, byte, err);
    case PART_EXTRA:
    case PART_END:
        break;
    }
    return 0;
}

static bool part_is_there(const struct gzip_header *header)
{
    switch ((enum part)header->part) {
    case PART_FIXED:
        return true;
    case PART_EXTRA_SIZE:
        return header->flags & FLAG_EXTRA;
    case PART_EXTRA:
        return header->flags & FLAG_EXTRA && header->extra_size > 0;
    case PART_NAME:
        return header->flags & FLAG_NAME;
    case PART_COMMENT:
        return header->flags & FLAG_COMMENT;
    case PART_CHECKSUM:
        return header->flags & FLAG_CHECKSUM;
    case PART_END:
        break;
    }
    return true;
}

/* Was this byte the last of its part? */
static bool part_is_over(const struct gzip_header *header, uint8_t byte)
{
    switch ((enum part)header->part) {
    case PART_FIXED:
        return header->position == FIXED_SIZE;
    case PART_EXTRA_SIZE:
    case PART_CHECKSUM:
        return header->position == 2;
    case PART_EXTRA:
        return header->position == header->extra_size;
    case PART_NAME:
    case PART_COMMENT:
        return byte == 0;
    case PART_END:
        break;
    }
    return false;
}

int gzip_header_read(struct gzip_header *header, const uint8_t *bytes, size_t size,
                     size_t *ret_used, struct error *err)
{
    *ret_used = 0;
    while (*ret_used < size && !header->done) {
        uint8_t byte = bytes[(*ret_used)++];
        int failure = take(header, byte, err);
        if (failure < 0)
            return failure;
        header->crc = crc_add(header->crc, byte);
        header->position++;
        if (!part_is_over(header, byte))
            continue;
        header->position = 0;
        do
            header->part++;
        while (!part_is_there(header));
        header->done = header->part == PART_END;
    }
    return 0;
}
