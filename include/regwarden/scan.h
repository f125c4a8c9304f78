/* Looking into one layer: bytes in, layer facts out.
 *
 * A scan reads the layer as a stream and keeps nothing of it but facts; memory does not grow with
 * the layer. Whoever scans what strangers wrote does it in a worker, see scan_pool.h. */
#ifndef REGWARDEN_SCAN_H
#define REGWARDEN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/layer_facts.h"
#include "regwarden/probes.h"
#include "regwarden/text.h"

struct scan_limits {
    uint64_t max_output_bytes;
    uint64_t max_ratio;        /* of unpacked to packed bytes … */
    uint64_t ratio_from_bytes; /* … beyond this size */
    uint64_t max_entries;
    int64_t max_ms;           /* of the clock, from the first byte to the last */
    unsigned zstd_window_log; /* memory that a zstd frame may ask for, as a power of two */
};
extern const struct scan_limits scan_limits_default;

enum { SCAN_SALT_SIZE = 32 };

struct scan_options {
    struct scan_limits limits;
    const struct scan_probes *probes; /* NULL: none; borrowed */
    enum digest_algorithm digest;     /* of the bytes as served; sha256 unless it is sha512 */
    bool diff_id; /* hash the unpacked bytes: costs about a third of the speed */
    bool has_salt;
    unsigned char salt[SCAN_SALT_SIZE]; /* makes secrets comparable across layers */
};

/* Makes what all scans of a process share, once: the patterns of secrets, which take some time to
 * compile. Whoever is going to close a sandbox around itself calls it before. FAILURE_SYSTEM: not
 * on this processor. Any thread. */
int scan_prepare(struct error *err);

struct scan; /* opaque */
/* Copies. Prepares when nobody did. */
struct scan *scan_new(const struct scan_options *options);
/* FAILURE_INPUT: no layer that all runtimes read the same way. FAILURE_LIMIT. After an error only
 * scan_free() may be called. */
int scan_push(struct scan *scan, const void *bytes, size_t size, struct error *err);
/* The layer ends here. Its digest is in the facts; whoever asked for the layer compares it. Returns
 * new. */
int scan_finish(struct scan *scan, struct layer_facts **ret, struct error *err);
void scan_free(struct scan *scan);
void scan_auto_free(struct scan **scan);
#define AUTO_SCAN AUTO(scan_auto_free)

#endif
