/* What an image says it was built from. Private to the room. */
#ifndef IMAGE_BASE_CLAIMS_H
#define IMAGE_BASE_CLAIMS_H

#include "regwarden/facts.h"

/* Adds every claim of manifest, config and history to `base`. They are as they stand there: whether
 * they are believed is decided in bases_apply.c. */
void base_claims_read(const struct manifest *manifest, const struct image_config *config,
                      const struct facts_history *history, struct facts_base *base);

/* Does a step of the base set the labels that name a base? Then the base said this about its own
 * base. */
bool base_labels_are_inherited(const struct facts_history *history);

#endif
