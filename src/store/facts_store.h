/* Facts by digest, as other operations read and write them in their own transaction. */
#ifndef STORE_FACTS_STORE_H
#define STORE_FACTS_STORE_H

#include "operation.h"

int facts_put(const struct session *session, const struct store_image *image, struct error *err);
/* *ret is NULL when they are not known, or were derived by another FACTS_VERSION. With
 * `ret_are_large` those over STORE_CONTEXT_FACTS_BYTES_MAX are left out and told. Returns new. */
int facts_find(const struct session *session, const struct digest *digest, struct facts **ret,
               bool *ret_are_large, struct error *err);

#endif
