/* What kinds of registries do in their own way. The table (profiles.c) has a row per kind; a member
 * that is NULL is done as the OCI distribution specification has it, and what that does not have is
 * refused (FAILURE_DENIED, and "no" among the abilities). The functions are those of the door
 * registry.h, with the same contracts; names were not checked yet. Loop thread.
 *
 * The kind is the one in the settings; with "auto" it is told by the address (ECR), by what the
 * registry answers to its first requests, or by a question of its own before the first operation
 * for which it matters. */
#ifndef REGISTRY_PROFILE_H
#define REGISTRY_PROFILE_H

#include "internal.h"

struct registry_profile {
    enum registry_type type;
    const char *summary;
    /* Is it this kind, by the address alone? May be NULL. */
    bool (*has_address)(const struct url *url);
    /* Is it this kind, by an answer of its /v2/ (any status)? May be NULL. */
    bool (*answers)(const struct http_response *response);
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
extern const struct registry_profile profile_harbor; /* profile_harbor.c */
extern const struct registry_profile profile_ecr;    /* profile_ecr.c */

#endif
