/* Where the base image ends and the own part begins, as far as config and history tell. Private to
 * the room. */
#ifndef IMAGE_BORDER_H
#define IMAGE_BORDER_H

#include "regwarden/facts.h"

/* Sets the origin of every step, and base->layer_count with layer_evidence when one number is
 * certain enough to be named (else -1). */
void border_find(const struct image_config *config, struct facts_history *history,
                 struct facts_base *base);

/* All layers and steps are the image's own: FROM scratch, or made in one piece. */
void border_set_own(struct facts_history *history, struct facts_base *base, enum evidence evidence);

#endif
