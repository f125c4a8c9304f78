/* Taking secrets out of the facts. Private to the room. */
#ifndef IMAGE_FACTS_SECRETS_H
#define IMAGE_FACTS_SECRETS_H

#include "regwarden/facts.h"

/* Lists the secrets in facts->secrets and masks them wherever they stand, also where only their
 * bytes are repeated without a name. `salt` as in facts_build_take. */
void facts_mask_secrets(struct facts *facts, const unsigned char *salt);

#endif
