/* What we put on an image, and somebody took off. */
#ifndef STORE_SWEEP_REDO_H
#define STORE_SWEEP_REDO_H

#include "operation.h"
#include "placements.h"

/* The image of this placement has no label of ours, as of `read_ms`. Was one put there, and does
 * the verdict in force still ask for it? Then its plan is planned again; else *ret_plan is 0. */
int redo_label(const struct session *session, const struct placement_row *row, int64_t read_ms,
               int64_t *ret_plan, struct error *err);

#endif
