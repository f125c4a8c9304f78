/* Packed layer facts of late, in memory up to so many bytes. What was put longest ago goes first,
 * by halves. Loop thread. */
#ifndef REGWARDEN_LAYER_CACHE_H
#define REGWARDEN_LAYER_CACHE_H

#include "regwarden/digest.h"
#include "regwarden/probes.h"
#include "regwarden/text.h"

struct layer_cache; /* opaque */
struct layer_cache *layer_cache_new(size_t max_bytes);
void layer_cache_free(struct layer_cache *cache); /* accepts NULL */
/* Both are copied. Not kept when it takes more than half of the room. */
void layer_cache_put(struct layer_cache *cache, const struct digest *digest,
                     const struct text *packed, const struct text_list *probes_asked);
/* NULL when it is not there. Borrowed until the next put. */
const struct text *layer_cache_get(const struct layer_cache *cache, const struct digest *digest);
/* Is it there, and was it asked all of these? */
bool layer_cache_covers(const struct layer_cache *cache, const struct digest *digest,
                        const struct scan_probes *probes);
/* Are all probes among the ids? */
bool probes_are_in(const struct scan_probes *probes, const struct text_list *ids);

#endif
