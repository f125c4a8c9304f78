/* The calls of the door that kinds of registries answer in their own way: to the kind's function,
 * to the specification's way, or to a refusal. While the kind is not known they are deferred. */
#include "regwarden/memory.h"

#include "profile.h"

/* --- what the specification has, too --- */

static uint64_t delete_tag(struct registry *registry, const struct deferred_call *call,
                           registry_done_f *done, void *argument)
{
    return registry_delete_tag(registry, call->repository, call->text, done, argument);
}

uint64_t registry_delete_tag(struct registry *registry, const char *repository, const char *tag,
                             registry_done_f *done, void *argument)
{
    const struct registry_profile *profile = registry->profile;

    if (!profile)
        return deferred_start(registry,
                              &(struct deferred_call){.repository = repository, .text = tag},
                              delete_tag, done, argument);
    if (profile->delete_tag)
        return profile->delete_tag(registry, repository, tag, done, argument);
    return oci_delete_tag(registry, repository, tag, done, argument);
}

static uint64_t delete_manifest(struct registry *registry, const struct deferred_call *call,
                                registry_done_f *done, void *argument)
{
    return registry_delete_manifest(registry, call->repository, &call->digest, done, argument);
}

uint64_t registry_delete_manifest(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument)
{
    const struct registry_profile *profile = registry->profile;

    if (!profile)
        return deferred_start(registry,
                              &(struct deferred_call){.repository = repository, .digest = *digest},
                              delete_manifest, done, argument);
    if (profile->delete_manifest)
        return profile->delete_manifest(registry, repository, digest, done, argument);
    return oci_delete_manifest(registry, repository, digest, done, argument);
}

/* Those that do it in another way are known by their settings or address. */
uint64_t registry_put_manifest(struct registry *registry, const struct registry_manifest_put *put,
                               registry_done_f *done, void *argument)
{
    const struct registry_profile *profile = registry->profile;

    if (profile && profile->put_manifest)
        return profile->put_manifest(registry, put, done, argument);
    return oci_put_manifest(registry, put, done, argument);
}

static uint64_t page_of_repositories(struct registry *registry, const struct deferred_call *call,
                                     registry_page_f *done, void *argument)
{
    return registry_page_of_repositories(registry, call->text, done, argument);
}

uint64_t registry_page_of_repositories(struct registry *registry, const char *cursor,
                                       registry_page_f *done, void *argument)
{
    const struct registry_profile *profile = registry->profile;

    if (!profile)
        return deferred_start_page(registry, &(struct deferred_call){.text = cursor},
                                   page_of_repositories, done, argument);
    if (profile->page_of_repositories)
        return profile->page_of_repositories(registry, cursor, done, argument);
    return oci_page_of_repositories(registry, cursor, done, argument);
}

static uint64_t page_of_images(struct registry *registry, const struct deferred_call *call,
                               registry_page_f *done, void *argument)
{
    return registry_page_of_images(registry, call->repository, call->text, done, argument);
}

uint64_t registry_page_of_images(struct registry *registry, const char *repository,
                                 const char *cursor, registry_page_f *done, void *argument)
{
    const struct registry_profile *profile = registry->profile;

    if (!profile)
        return deferred_start_page(
            registry, &(struct deferred_call){.repository = repository, .text = cursor},
            page_of_images, done, argument);
    if (profile->page_of_images)
        return profile->page_of_images(registry, repository, cursor, done, argument);
    return oci_page_of_images(registry, repository, cursor, done, argument);
}

/* --- what only some have --- */

struct refusal {
    const char *what; /* was asked for */
    const char *why;
};

static uint64_t refuse(struct registry *registry, const struct refusal *refusal,
                       registry_done_f *done, void *argument)
{
    struct operation *operation =
        operation_new(registry, sizeof(*operation), done, argument, text_new("%s", refusal->what));

    (void)error_set(&operation->error, FAILURE_DENIED, "a registry of the type %s %s",
                    registry_type_names[registry->profile->type], refusal->why);
    return operation_refuse(operation);
}

static const struct refusal no_labels = {.what = "label", .why = "has no labels on images"};

static uint64_t add_label(struct registry *registry, const struct deferred_call *call,
                          registry_done_f *done, void *argument)
{
    struct registry_label label = {.repository = call->repository,
                                   .digest = call->digest,
                                   .name = call->text,
                                   .description = call->description};

    return registry_add_label(registry, &label, done, argument);
}

static struct deferred_call call_of_label(const struct registry_label *label)
{
    return (struct deferred_call){.repository = label->repository,
                                  .digest = label->digest,
                                  .text = label->name,
                                  .description = label->description};
}

uint64_t registry_add_label(struct registry *registry, const struct registry_label *label,
                            registry_done_f *done, void *argument)
{
    struct deferred_call call = call_of_label(label);

    if (!registry->profile)
        return deferred_start(registry, &call, add_label, done, argument);
    if (registry->profile->add_label)
        return registry->profile->add_label(registry, label, done, argument);
    return refuse(registry, &no_labels, done, argument);
}

static uint64_t remove_label(struct registry *registry, const struct deferred_call *call,
                             registry_done_f *done, void *argument)
{
    struct registry_label label = {
        .repository = call->repository, .digest = call->digest, .name = call->text};

    return registry_remove_label(registry, &label, done, argument);
}

uint64_t registry_remove_label(struct registry *registry, const struct registry_label *label,
                               registry_done_f *done, void *argument)
{
    struct deferred_call call = call_of_label(label);

    if (!registry->profile)
        return deferred_start(registry, &call, remove_label, done, argument);
    if (registry->profile->remove_label)
        return registry->profile->remove_label(registry, label, done, argument);
    return refuse(registry, &no_labels, done, argument);
}

static const struct refusal no_archive = {.what = "archive", .why = "does not archive images"};

static uint64_t archive(struct registry *registry, const struct deferred_call *call,
                        registry_done_f *done, void *argument)
{
    return registry_archive(registry, call->repository, &call->digest, done, argument);
}

uint64_t registry_archive(struct registry *registry, const char *repository,
                          const struct digest *digest, registry_done_f *done, void *argument)
{
    if (!registry->profile)
        return deferred_start(registry,
                              &(struct deferred_call){.repository = repository, .digest = *digest},
                              archive, done, argument);
    if (registry->profile->archive)
        return registry->profile->archive(registry, repository, digest, done, argument);
    return refuse(registry, &no_archive, done, argument);
}

static uint64_t restore(struct registry *registry, const struct deferred_call *call,
                        registry_done_f *done, void *argument)
{
    return registry_restore(registry, call->repository, &call->digest, done, argument);
}

uint64_t registry_restore(struct registry *registry, const char *repository,
                          const struct digest *digest, registry_done_f *done, void *argument)
{
    if (!registry->profile)
        return deferred_start(registry,
                              &(struct deferred_call){.repository = repository, .digest = *digest},
                              restore, done, argument);
    if (registry->profile->restore)
        return registry->profile->restore(registry, repository, digest, done, argument);
    return refuse(registry, &no_archive, done, argument);
}

static uint64_t fetch_scan_report(struct registry *registry, const struct deferred_call *call,
                                  registry_done_f *done, void *argument)
{
    return registry_fetch_scan_report(registry, call->repository, &call->digest, done, argument);
}

uint64_t registry_fetch_scan_report(struct registry *registry, const char *repository,
                                    const struct digest *digest, registry_done_f *done,
                                    void *argument)
{
    static const struct refusal refusal = {.what = "scan report",
                                           .why = "has no scanner that could be asked"};

    if (!registry->profile)
        return deferred_start(registry,
                              &(struct deferred_call){.repository = repository, .digest = *digest},
                              fetch_scan_report, done, argument);
    if (registry->profile->fetch_scan_report)
        return registry->profile->fetch_scan_report(registry, repository, digest, done, argument);
    return refuse(registry, &refusal, done, argument);
}
