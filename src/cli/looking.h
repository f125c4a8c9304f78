/* Looking into layers for one command: scan workers, what they found, and how far they are. */
#ifndef REGWARDEN_LOOKING_H
#define REGWARDEN_LOOKING_H

#include "progress.h"
#include "regwarden/error.h"
#include "regwarden/gather.h"
#include "regwarden/probes.h"

struct looking; /* opaque */

/* `progress` is borrowed. */
int looking_new(struct loop *loop, struct progress *progress, struct looking **ret,
                struct error *err);
/* Ends the workers. Before the loop, and before the sources of scans under way. Accepts NULL. */
void looking_free(struct looking *looking);
/* What policies want to know of files. */
void looking_set_probes(struct looking *looking, const struct scan_probes *probes);
const struct layer_reader *looking_reader(const struct looking *looking); /* borrowed */
/* The next image: its layers are counted from one. */
void looking_begin(struct looking *looking);

#endif
