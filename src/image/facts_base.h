/* The group "base" of the facts: its life and its JSON. Private to the room. */
#ifndef IMAGE_FACTS_BASE_H
#define IMAGE_FACTS_BASE_H

#include "regwarden/facts.h"

/* Puts a copy of the claim behind those of better or equal sources. Above BASE_CLAIMS_MAX the last
 * one is dropped. */
void facts_base_claim(struct facts_base *base, const struct base_claim *claim);
void facts_base_drop_claims(struct facts_base *base, enum evidence source);
void facts_base_contradict(struct facts_base *base, enum base_conflict conflict,
                           const struct base_claim *claim);

void facts_base_clear_derived(struct facts_base *base); /* claims stay */
void facts_base_release(struct facts_base *base);

/* Returns new. */
struct json *facts_base_to_json(const struct facts_base *base);
/* Fills a zeroed `ret`. Documents written by hand need no claims: what they say is the answer. */
int facts_base_from_json(const struct json *json, struct facts_base *ret, struct error *err);

#endif
