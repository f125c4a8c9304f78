/* One 512-byte header block of a tar archive, read. Private to the room. */
#ifndef IMAGE_TAR_HEADER_H
#define IMAGE_TAR_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/tar.h"

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 257 };

struct tar_header {
    char name[TAR_NAME_MAX + 1]; /* prefix and name put together */
    char link[101];
    char type;
    bool gnu;
    unsigned mode;
    int64_t uid;
    int64_t gid;
    uint64_t size;
};

bool tar_block_is_zero(const uint8_t *block);
/* FAILURE_INPUT when the checksum is wrong or a number is none. */
int tar_header_read(const uint8_t *block, struct tar_header *ret, struct error *err);
enum tar_kind tar_header_kind(const struct tar_header *header);
/* A number field: octal, or binary when its first bit is set. FAILURE_INPUT. */
int tar_number(const uint8_t *field, size_t size, int64_t *ret, struct error *err);

#endif
