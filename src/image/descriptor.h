/* Descriptors and platforms: reading them from JSON. Private to the room. */
#ifndef IMAGE_DESCRIPTOR_H
#define IMAGE_DESCRIPTOR_H

#include "regwarden/json.h"
#include "regwarden/manifest.h"

/* `what` names it in messages ("layers[3]"). `ret` must be zeroed; release it also after a failure.
 * With `verifiable`, digests that cannot be verified are refused. FAILURE_INPUT, FAILURE_LIMIT. */
int descriptor_read(const struct json *json, const char *what, bool verifiable,
                    struct descriptor *ret, struct error *err);
int platform_read(const struct json *object, const char *what, struct platform *ret,
                  struct error *err);

#endif
