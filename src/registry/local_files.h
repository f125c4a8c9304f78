/* The files that make up a local image: in a directory, or members of a tar archive. Names are
 * relative, as "blobs/sha256/…". Private to the room. */
#ifndef REGISTRY_LOCAL_FILES_H
#define REGISTRY_LOCAL_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct local_files; /* opaque */

/* A directory, or else an archive. FAILURE_ABSENT, FAILURE_INPUT, FAILURE_LIMIT, FAILURE_SYSTEM. */
int local_files_new(const char *path, bool archive, struct local_files **ret, struct error *err);
void local_files_free(struct local_files *files);

/* Plain files only: nobody can keep us waiting at a pipe, or feed us from a device. */
struct local_file {
    int fd; /* its own; -1 when closed */
    uint64_t offset;
    uint64_t size;
};
/* The errors of these three name the file. */
int local_file_open(const struct local_files *files, const char *name, struct local_file *ret,
                    struct error *err);
void local_file_close(struct local_file *file);
/* The whole file, appended. FAILURE_LIMIT when it is larger. */
int local_files_read(const struct local_files *files, const char *name, size_t max_bytes,
                     struct text *to, struct error *err);
/* All `size` bytes at `at`, which must be inside of the file. Any thread. FAILURE_INPUT when the
 * file became shorter. */
int local_file_read(const struct local_file *file, uint64_t at, void *bytes, size_t size,
                    struct error *err);
/* "DIR/name" or "FILE: name", for messages. Returns new. */
char *local_files_describe(const struct local_files *files, const char *name);
const char *local_files_path(const struct local_files *files); /* borrowed */

#endif
