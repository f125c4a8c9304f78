/* What an image says it was built from. Private to the room. */
#ifndef IMAGE_BASE_CLAIMS_H
#define IMAGE_BASE_CLAIMS_H

#include "regwarden/facts.h"

/* Sets name, digest, pinned and evidence of `base` from the best claim there is; leaves them
 * unknown when there is none. The border has been found before. */
void base_claims_read(const struct manifest *manifest, const struct image_config *config,
                      struct facts_history *history, struct facts_base *base);

#endif
