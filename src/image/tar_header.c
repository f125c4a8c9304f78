/* Reading one header block: numbers, checksum, and the name in the three formats. What entries are
 * made of several headers is put together in tar.c. */
#include "tar_header.h"

#include <string.h>

#include "regwarden/text.h"

struct field {
    size_t offset;
    size_t size;
};

static const struct field name_field = {0, 100};
static const struct field mode_field = {100, 8};
static const struct field uid_field = {108, 8};
static const struct field gid_field = {116, 8};
static const struct field size_field = {124, 12};
static const struct field checksum_field = {148, 8};
static const struct field link_field = {157, 100};
static const struct field prefix_field = {345, 155};
static const struct field star_prefix_field = {345, 131};
static const struct field gnu_atime_field = {345, 12};
static const struct field gnu_ctime_field = {357, 12};
enum { TYPE_OFFSET = 156, MAGIC_OFFSET = 257, STAR_OFFSET = 508 };

bool tar_block_is_zero(const uint8_t *block)
{
    return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

/* Two's complement, with the first bit as the mark of a binary field. */
static int binary_number(const uint8_t *field, size_t size, int64_t *ret, struct error *err)
{
    bool negative = field[0] & 0x40;
    uint64_t value = negative ? UINT64_MAX : 0;

    for (size_t i = 0; i < size; i++) {
        uint64_t high = value >> 55; /* what must be all sign before another byte is taken in */
        uint8_t byte = i > 0 ? field[i] : (field[i] & 0x7f) | (negative ? 0x80 : 0);
        if (high != 0 && high != UINT64_MAX >> 55)
            return error_set(err, FAILURE_INPUT, "a number is out of range");
        value = value << 8 | byte;
    }
    if ((value >> 63) != negative)
        return error_set(err, FAILURE_INPUT, "a number is out of range");
    *ret = (int64_t)value;
    return 0;
}

int tar_number(const uint8_t *field, size_t size, int64_t *ret, struct error *err)
{
    int64_t value = 0;
    size_t i = 0, end = size;

    if (size > 0 && field[0] & 0x80)
        return binary_number(field, size, ret, err);
    while (end > 0 && (field[end - 1] == ' ' || field[end - 1] == 0))
        end--;
    while (i < end && field[i] == ' ')
        i++;
    /* other readers skip leading NULs, or take the field for zero */
    if (i < end && field[i] == 0)
        return error_set(err, FAILURE_INPUT, "a number begins with NUL");
    for (; i < end && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (field[i] - '0');
    /* a NUL ends it, whatever follows */
    if (i < end && field[i] != 0)
        return error_set(err, FAILURE_INPUT, "a number is not octal");
    *ret = value;
    return 0;
}

static int number_at(const uint8_t *block, struct field field, int64_t *ret, struct error *err)
{
    return tar_number(block + field.offset, field.size, ret, err);
}

/* Both sums are in use: some old writers summed signed bytes. */
static int check_sum(const uint8_t *block, struct error *err)
{
    int64_t stored, plain = 0, with_sign = 0;

    if (number_at(block, checksum_field, &stored, NULL) < 0)
        return error_set(err, FAILURE_INPUT, "no tar header");
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        bool in_field =
            i >= checksum_field.offset && i < checksum_field.offset + checksum_field.size;
        plain += in_field ? ' ' : block[i];
        with_sign += in_field ? ' ' : (int8_t)block[i];
    }
    if (stored != plain && stored != with_sign)
        return error_set(err, FAILURE_INPUT, "no tar header: the checksum is wrong");
    return 0;
}

/* A text field ends at its first NUL or at its end. Returns the length. */
static size_t text_at(const uint8_t *block, struct field field, char *ret)
{
    size_t size = strnlen((const char *)block + field.offset, field.size);

    memcpy(ret, block + field.offset, size);
    ret[size] = '\0';
    return size;
}

static bool is_ascii(const uint8_t *block, struct field field)
{
    for (size_t i = 0; i < field.size && block[field.offset + i]; i++)
        if (block[field.offset + i] > 0x7f)
            return false;
    return true;
}

/* A time that is not given begins with NUL. */
static bool is_no_time(const uint8_t *block, struct field field)
{
    int64_t ignored;

    return block[field.offset] != 0 && number_at(block, field, &ignored, NULL) < 0;
}

/* GNU headers keep times where others keep the prefix; some writers put a prefix there all the
 * same. */
static bool has_gnu_prefix(const uint8_t *block)
{
    return (is_no_time(block, gnu_atime_field) || is_no_time(block, gnu_ctime_field)) &&
           is_ascii(block, prefix_field);
}

static struct field prefix_of(const uint8_t *block, bool gnu)
{
    static const struct field none = {0, 0};

    if (gnu)
        return has_gnu_prefix(block) ? prefix_field : none;
    if (memcmp(block + MAGIC_OFFSET, "ustar\0", 6) != 0)
        return none;
    return memcmp(block + STAR_OFFSET, "tar", 4) == 0 ? star_prefix_field : prefix_field;
}

static void read_names(const uint8_t *block, struct tar_header *ret)
{
    size_t at = text_at(block, prefix_of(block, ret->gnu), ret->name);

    if (at > 0)
        ret->name[at++] = '/';
    text_at(block, name_field, ret->name + at);
    text_at(block, link_field, ret->link);
}

int tar_header_read(const uint8_t *block, struct tar_header *ret, struct error *err)
{
    struct tar_header header = {.type = (char)block[TYPE_OFFSET]};
    int64_t mode = 0, size = 0;
    int failure = check_sum(block, err);

    if (failure < 0)
        return failure;
    header.gnu = memcmp(block + MAGIC_OFFSET, "ustar  ", 8) == 0;
    if (number_at(block, mode_field, &mode, err) < 0)
        return error_wrap(err, "mode");
    if (number_at(block, uid_field, &header.uid, err) < 0)
        return error_wrap(err, "owner");
    if (number_at(block, gid_field, &header.gid, err) < 0)
        return error_wrap(err, "group");
    if (number_at(block, size_field, &size, err) < 0)
        return error_wrap(err, "size");
    if (size < 0)
        return error_set(err, FAILURE_INPUT, "size: negative");
    header.mode = (unsigned)mode & 07777;
    header.size = (uint64_t)size;
    read_names(block, &header);
    *ret = header;
    return 0;
}

enum tar_kind tar_header_kind(const struct tar_header *header)
{
    const char *name = header->name;

    switch (header->type) {
    case '\0': /* oldest format: a directory is a file with a slash behind its name */
        return text_ends_with(name, "/") ? TAR_DIRECTORY : TAR_FILE;
    case '0':
    case '7':
    case 'S':
        return TAR_FILE;
    case '1':
        return TAR_HARD_LINK;
    case '2':
        return TAR_SYMLINK;
    case '3':
    case '4':
        return TAR_DEVICE;
    case '5':
        return TAR_DIRECTORY;
    case '6':
        return TAR_FIFO;
    }
    return TAR_OTHER;
}
