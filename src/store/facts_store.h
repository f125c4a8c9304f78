/* Facts by digest, as other operations read and write them in their own transaction. */
#ifndef STORE_FACTS_STORE_H
#define STORE_FACTS_STORE_H

#include "operation.h"

int facts_put(const struct session *session, const struct store_image *image, struct error *err);
/* *ret is NULL when they are not known, or were derived by another FACTS_VERSION. Returns new. */
int facts_find(const struct session *session, const struct digest *digest, struct facts **ret,
               struct error *err);

#endif
