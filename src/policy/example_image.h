/* The image that examples differ from: complete facts, with which nothing is wrong. */
#ifndef REGWARDEN_POLICY_EXAMPLE_IMAGE_H
#define REGWARDEN_POLICY_EXAMPLE_IMAGE_H

#include "regwarden/json.h"

#define EXAMPLE_NOW "2030-01-15T12:00:00Z"

/* A small Python service on a pinned base, built two weeks before EXAMPLE_NOW. Returns new: the
 * facts document. */
struct json *example_image_facts(void);

#endif
