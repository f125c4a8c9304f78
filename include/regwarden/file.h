/* Whole files in and out, bounded. Blocking: not for the loop thread except at start and reload. */
#ifndef REGWARDEN_FILE_H
#define REGWARDEN_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

/* Appends the file. "-" is standard input. FAILURE_ABSENT, FAILURE_LIMIT (over max_bytes),
 * FAILURE_SYSTEM. */
int file_read(const char *path, size_t max_bytes, struct text *to, struct error *err);

/* As file_read with a 64 KiB bound; one trailing line end is taken off. FAILURE_INPUT when empty.
 */
int file_read_secret(const char *path, struct text *to, struct error *err);

/* Writes beside the target, fsyncs, renames. */
int file_write(const char *path, const void *bytes, size_t size, unsigned mode, struct error *err);

/* The names in a directory that end with `suffix` (NULL: all), sorted bytewise, "." and ".." left
 * out, as full paths. */
int file_list(const char *directory, const char *suffix, struct text_list *ret, struct error *err);

bool file_is_directory(const char *path);

#endif
