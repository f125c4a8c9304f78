/* The image that examples differ from: complete facts, with which nothing is wrong. */
#ifndef REGWARDEN_POLICY_EXAMPLE_IMAGE_H
#define REGWARDEN_POLICY_EXAMPLE_IMAGE_H

#include "regwarden/json.h"
#include "regwarden/policy.h"

#define EXAMPLE_NOW "2030-01-15T12:00:00Z"

/* A small Python service on a pinned base, built two weeks before EXAMPLE_NOW. Returns new: the
 * facts document. */
struct json *example_image_facts(void);

/* The facts with the probes of the set: all count as asked, and items of files.probes that name a
 * path and no probe answer all whose pattern they match. Facts that say themselves what was asked
 * stay as they are. Returns new. */
struct json *example_fill_probes(struct json *facts, const struct policy_set *set);

#endif
