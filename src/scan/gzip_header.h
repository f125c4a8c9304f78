/* The header of a gzip member (RFC 1952), byte by byte. Private to the room. */
#ifndef SCAN_GZIP_HEADER_H
#define SCAN_GZIP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"

struct gzip_header {
    unsigned part;   /* what is being read; 0 at the start */
    size_t position; /* in it */
    uint8_t flags;
    size_t extra_size;
    size_t checksum;          /* as written */
    size_t expected_checksum; /* of all bytes in front of it */
    uint32_t crc;             /* of all bytes so far */
    bool done;
};

/* Takes what belongs to the header from the bytes. ret->done when it is complete. FAILURE_INPUT. */
int gzip_header_read(struct gzip_header *header, const uint8_t *bytes, size_t size,
                     size_t *ret_used, struct error *err);

#endif
