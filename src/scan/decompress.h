/* Decompression of one layer stream, and the digests of both of its sides. Private to the room.
 *
 * Bytes go in, bytes come out through a callback; what the stream is (gzip, zstd or plain) is told
 * by its first bytes and by nothing that was claimed about it. Every byte counts: all members and
 * frames to the end of the stream, hashed as served and as unpacked, also behind the end of the
 * archive. The output is bounded in bytes and in proportion to the input. Errors: FAILURE_INPUT
 * (damaged, cut off, something else behind it), FAILURE_LIMIT. After an error only
 * decompress_free() may be called. */
#ifndef SCAN_DECOMPRESS_H
#define SCAN_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"

enum compression { COMPRESSION_PLAIN, COMPRESSION_GZIP, COMPRESSION_ZSTD };
const char *compression_name(enum compression compression); /* "none", "gzip", "zstd" */

struct decompress_limits {
    uint64_t max_output_bytes;
    uint64_t max_ratio;        /* output may be so many times the input … */
    uint64_t ratio_from_bytes; /* … once it is longer than this */
    unsigned zstd_window_log;  /* a frame that asks for a larger window is refused */
};

/* A negative failure stops everything and is handed on. */
typedef int decompress_sink_f(void *argument, const uint8_t *bytes, size_t size, struct error *err);

struct decompress_options {
    struct decompress_limits limits;
    enum digest_algorithm input; /* sha256 unless it is sha512 */
    bool hash_output;            /* costs about a third of the speed */
    decompress_sink_f *sink;
    void *argument;
};

struct decompress_result {
    enum compression compression;
    uint64_t input_bytes;
    uint64_t output_bytes;
    struct digest input_digest;
    struct digest output_digest; /* DIGEST_NONE unless asked for */
};

struct decompress; /* opaque */
struct decompress *decompress_new(const struct decompress_options *options);
int decompress_push(struct decompress *decompress, const void *bytes, size_t size,
                    struct error *err);
/* Says that the stream ends here. Once. */
int decompress_finish(struct decompress *decompress, struct decompress_result *ret,
                      struct error *err);
void decompress_free(struct decompress *decompress);
void decompress_auto_free(struct decompress **decompress);
#define AUTO_DECOMPRESS AUTO(decompress_auto_free)

#endif
