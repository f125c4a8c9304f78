/* What kinds of registries do in their own way. The table (profiles.c) has a row per kind; a member
 * that is NULL is done as the OCI distribution specification has it, and what that does not have is
 * refused (FAILURE_DENIED, and "no" among the abilities). The functions are those of the door
 * registry.h, with the same contracts; names were not checked yet. Loop thread.
 *
 * The kind is the one in the settings; with "auto" it is told by the address (ECR), by what the
 * registry answers to any request, or by questions of its own before the first operation for which
 * it matters (deferred.c). */
#ifndef REGISTRY_PROFILE_H
#define REGISTRY_PROFILE_H

#include "internal.h"

struct registry_profile {
    enum registry_type type;
    const char *summary;
    /* Is it this kind, by the address alone? May be NULL. */
    bool (*has_address)(const struct url *url);
    /* Is it this kind, by any answer of the registry's own host (any status)? May be NULL. */
    bool (*answers)(const struct http_response *response);
    /* A path to GET, and whether the answer (of any status) says that it is this kind. NULL: there
     * is no such question. */
    const char *question;
    bool (*confirms)(const struct http_response *response);
    unsigned page_size; /* to ask for in lists; 0: as the registry likes */
    /* As in the abilities; UNKNOWN: who removes a tag looks afterwards. */
    enum answer keeps_untagged;
    uint64_t (*delete_tag)(struct registry *registry, const char *repository, const char *tag,
                           registry_done_f *done, void *argument);
    uint64_t (*delete_manifest)(struct registry *registry, const char *repository,
                                const struct digest *digest, registry_done_f *done, void *argument);
    uint64_t (*put_manifest)(struct registry *registry, const struct registry_manifest_put *put,
                             registry_done_f *done, void *argument);
    uint64_t (*page_of_repositories)(struct registry *registry, const char *cursor,
                                     registry_page_f *done, void *argument);
    uint64_t (*page_of_images)(struct registry *registry, const char *repository,
                               const char *cursor, registry_page_f *done, void *argument);
    uint64_t (*add_label)(struct registry *registry, const struct registry_label *label,
                          registry_done_f *done, void *argument);
    uint64_t (*remove_label)(struct registry *registry, const struct registry_label *label,
                             registry_done_f *done, void *argument);
    uint64_t (*archive)(struct registry *registry, const char *repository,
                        const struct digest *digest, registry_done_f *done, void *argument);
    uint64_t (*restore)(struct registry *registry, const char *repository,
                        const struct digest *digest, registry_done_f *done, void *argument);
    uint64_t (*fetch_scan_report)(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument);
};

extern const struct registry_profile profile_ecr;    /* profile_ecr.c */
extern const struct registry_profile profile_harbor; /* profile_harbor.c */

/* All kinds, in the order in which their questions are asked; ends with NULL. */
extern const struct registry_profile *const profiles[];

/* At the start: the type of the settings, or what the address tells. */
void profiles_begin(struct registry *registry);
void profiles_note_answer(struct registry *registry, const struct http_response *response);
/* From now on it is this kind. */
void profiles_settle(struct registry *registry, const struct registry_profile *profile);
/* What is done when the kind is not to be found out. */
extern const struct registry_profile profile_oci;

/* Calls of the door that were made before the kind was known: the registry is asked, and then the
 * call is made once more, with a copy of its arguments. Returns the operation's id. */
struct deferred_call {
    const char *repository;
    const char *text; /* tag, cursor or name of a label */
    const char *description;
    struct digest digest;
};
typedef uint64_t deferred_start_f(struct registry *registry, const struct deferred_call *call,
                                  registry_done_f *done, void *argument);
typedef uint64_t deferred_page_f(struct registry *registry, const struct deferred_call *call,
                                 registry_page_f *done, void *argument);
uint64_t deferred_start(struct registry *registry, const struct deferred_call *call,
                        deferred_start_f *start, registry_done_f *done, void *argument);
uint64_t deferred_start_page(struct registry *registry, const struct deferred_call *call,
                             deferred_page_f *start, registry_page_f *done, void *argument);

/* As the specification has it. */
uint64_t oci_delete_tag(struct registry *registry, const char *repository, const char *tag,
                        registry_done_f *done, void *argument);
uint64_t oci_delete_manifest(struct registry *registry, const char *repository,
                             const struct digest *digest, registry_done_f *done, void *argument);
uint64_t oci_put_manifest(struct registry *registry, const struct registry_manifest_put *put,
                          registry_done_f *done, void *argument);
uint64_t oci_page_of_repositories(struct registry *registry, const char *cursor,
                                  registry_page_f *done, void *argument);
uint64_t oci_page_of_images(struct registry *registry, const char *repository, const char *cursor,
                            registry_page_f *done, void *argument);

#endif
