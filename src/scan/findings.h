/* What is found in a layer, collected into layer facts within their bounds. Private to the room.
 *
 * Paths come raw and are kept printable. What does not fit any more is left out, and the facts say
 * so. */
#ifndef SCAN_FINDINGS_H
#define SCAN_FINDINGS_H

#include "regwarden/layer_facts.h"

enum { FINDINGS_TEXT_MAX = 256 }; /* of names, versions and other short texts */

struct findings; /* opaque */
struct findings *findings_new(void);
void findings_free(struct findings *findings);

/* The facts that are being filled: for plain counts. Borrowed. */
struct layer_facts *findings_facts(struct findings *findings);

/* A bound was hit: said once. */
void findings_limit(struct findings *findings, const char *what);

/* Adds bytes and one file to the hit of this kind, name and root, which begins with it. */
struct found_hit {
    enum signal_kind kind;
    enum runtime runtime;
    const char *what;
    const char *path; /* raw; the first `path_size` bytes are the root */
    size_t path_size;
    uint64_t bytes;
    const char *detail; /* kept from the first; NULL for none */
    const char *hash;
    uint64_t line;
};
/* The hit of a file itself, not of a line of it; NULL when there is none. Until the next is added.
 */
const struct layer_hit *findings_find_hit(struct findings *findings, enum signal_kind kind,
                                          const char *what, const char *path);
void findings_add_hit(struct findings *findings, const struct found_hit *hit);
void findings_add_package(struct findings *findings, enum package_manager manager, const char *name,
                          const char *version, const char *path);
/* Forgets the packages that `path` told of. */
void findings_drop_packages(struct findings *findings, const char *path);
/* Copy; false when there is no place for another. */
bool findings_add_user(struct findings *findings, const struct layer_user *user);
bool findings_add_group(struct findings *findings, const struct layer_group *group);
void findings_add_empty_password(struct findings *findings, const char *name);
void findings_clear_users(struct findings *findings);
void findings_clear_groups(struct findings *findings);
/* Copies; in place of what the same probe said of an earlier entry of this path. */
void findings_add_probe(struct findings *findings, const struct layer_probe *probe);
void findings_set_file(struct findings *findings, enum layer_file file, enum layer_file_state state,
                       const char *detail);

/* A path of the layer, raw. */
void findings_add_path(struct findings *findings, enum layer_path_kind kind, const char *path,
                       uint64_t size, const char *link);

/* Sorts the paths into their table; the last entry of a path counts. Returns the facts; the
 * findings are empty then. */
struct layer_facts *findings_take(struct findings *findings);

#endif
