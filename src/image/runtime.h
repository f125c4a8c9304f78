/* Which language runtime an image is made for. Private to the room. */
#ifndef IMAGE_RUNTIME_H
#define IMAGE_RUNTIME_H

#include "regwarden/facts.h"

/* From environment, command and history; files, which know better, are read elsewhere. Fills a
 * zeroed `ret`. */
void runtime_find(const struct image_config *config, const struct facts_history *history,
                  struct facts_runtime *ret);

#endif
