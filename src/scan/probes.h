/* Files that policies ask for, see scan_probes. Private to the room.
 *
 * Each file's path is compared with all patterns; of those that match, the content is hashed and
 * looked through line by line while it passes by. Memory: one line. */
#ifndef SCAN_PROBES_H
#define SCAN_PROBES_H

#include "findings.h"
#include "regwarden/scan.h"
#include "regwarden/tar.h"

/* The content of larger files is not looked at any further: unknown, unless it matched before. */
enum { PROBE_CONTENT_MAX = 1024 * 1024, PROBE_LINE_MAX = 16 * 1024 };

struct probes; /* opaque */

/* `asked` may be NULL: no probes. Borrows it. A probe whose expression cannot be compiled is left
 * out, and not among those that were asked. Returns new. */
struct probes *probes_new(struct findings *findings, const struct scan_probes *asked);
void probes_free(struct probes *probes);

/* An entry that a container sees; its data, when it is a file; its end. */
void probes_begin(struct probes *probes, const struct tar_entry *entry, enum layer_path_kind kind);
void probes_push(struct probes *probes, const uint8_t *bytes, size_t size);
void probes_end(struct probes *probes);

#endif
