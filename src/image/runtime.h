/* Which language runtime an image is made for. Private to the room. */
#ifndef IMAGE_RUNTIME_H
#define IMAGE_RUNTIME_H

#include "regwarden/facts.h"

/* From environment, command and history. Fills a zeroed `ret`. runtime.c */
void runtime_find(const struct image_config *config, const struct facts_history *history,
                  struct facts_runtime *ret);

/* "/usr/bin/python3.11" is "python". */
enum runtime runtime_of_program(const char *path, size_t size);

/* Fills facts->runtime by what environment and history say, and by what the files say, which
 * outrank those where they tell something. runtime_files.c */
void runtime_find_in_files(const struct facts_files *files, struct facts *facts);

#endif
