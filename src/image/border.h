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

/* The first `layers` layers are the base's, and of the history the first `steps` entries: exact, as
 * the base is known. SIZE_MAX: the base's history is not known; then steps without a layer between
 * the last layer of the base and the first own one stay unknown. */
void border_set_known(struct facts_history *history, int layers, size_t steps);
/* The same for images whose base has at least these layers: nothing above them is said. */
void border_set_least(struct facts_history *history, int layers);

#endif
