/* What every compression format gives to decompress.c. Private to the room. */
#ifndef SCAN_CODEC_H
#define SCAN_CODEC_H

#include "decompress.h"

struct codec {
    const char *name;
    void *(*open)(const struct decompress_limits *limits); /* returns new; may return NULL */
    int (*push)(void *self, struct decompress *to, const uint8_t *bytes, size_t size,
                struct error *err);
    int (*finish)(void *self, struct error *err); /* FAILURE_INPUT when something is missing */
    void (*close)(void *self);                    /* accepts NULL */
};

extern const struct codec codec_gzip;
extern const struct codec codec_zstd;

/* Hands unpacked bytes on: counts, bounds and hashes them. */
int decompress_emit(struct decompress *decompress, const uint8_t *bytes, size_t size,
                    struct error *err);

#endif
