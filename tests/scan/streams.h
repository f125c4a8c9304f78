/* Streams for the tests of the scan room: compressed in memory, pushed in pieces. */
#ifndef TEST_SCAN_STREAMS_H
#define TEST_SCAN_STREAMS_H

#include "decompress.h"
#include "regwarden/text.h"

/* Each appends one gzip member or zstd frame that holds the bytes. */
void stream_add_gzip(struct text *to, const void *bytes, size_t size);
void stream_add_zstd(struct text *to, const void *bytes, size_t size);
/* A frame whose reader has to keep the last 8 MiB. */
void stream_add_wide_zstd(struct text *to, const void *bytes, size_t size);
/* A zstd frame that is to be skipped. */
void stream_add_skippable(struct text *to, const void *bytes, size_t size);
/* `size` bytes that look random and always the same; compressible by half. */
void stream_add_noise(struct text *to, size_t size);

extern const struct decompress_limits stream_limits; /* 1 GiB, a ratio that nothing here reaches */

/* Unpacks in pieces of `piece` bytes; appends to `out`. Returns what failed. */
int stream_unpack(const struct decompress_limits *limits, const struct text *stream, size_t piece,
                  struct text *out, struct decompress_result *ret, struct error *err);

#endif
