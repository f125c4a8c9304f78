/* Known secrets that stand somewhere again, without a name that would give them away. Private to
 * the room. */
#ifndef IMAGE_SECRET_REPEATS_H
#define IMAGE_SECRET_REPEATS_H

#include <stdbool.h>

#include "regwarden/text.h"

struct secret_repeats; /* opaque */

/* Borrows the strings. Secrets shorter than 8 bytes are left out: "admin" is no secret in every
 * place where it stands, and blanking it out would spoil paths and commands. */
struct secret_repeats *secret_repeats_new(const struct text_list *secrets);
void secret_repeats_free(struct secret_repeats *repeats);

/* Appends `text` with every known secret masked to `to`. False, with nothing appended, when there
 * is none in it. Linear in the text. */
bool secret_repeats_mask(const struct secret_repeats *repeats, const char *text, struct text *to);

#endif
