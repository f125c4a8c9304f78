/* A registry as an image source. */
#include "regwarden/gather.h"

#include "internal.h"

static uint64_t fetch_manifest(void *self, const char *repository, const char *reference,
                               registry_done_f *done, void *argument)
{
    return registry_fetch_manifest(self, repository, reference, done, argument);
}

static uint64_t fetch_blob(void *self, const char *repository, const struct digest *digest,
                           uint64_t size, registry_done_f *done, void *argument)
{
    return registry_fetch_blob(self, repository, digest, size, done, argument);
}

static uint64_t stream_blob(void *self, const char *repository, const struct descriptor *blob,
                            const struct blob_stream *stream, registry_done_f *done, void *argument)
{
    return registry_stream_blob(self, repository, blob, stream, done, argument);
}

static void resume(void *self, uint64_t id)
{
    registry_resume(self, id);
}

static uint64_t fetch_referrers(void *self, const char *repository, const struct digest *digest,
                                registry_done_f *done, void *argument)
{
    return registry_fetch_referrers(self, repository, digest, done, argument);
}

static uint64_t fetch_scan_report(void *self, const char *repository, const struct digest *digest,
                                  registry_done_f *done, void *argument)
{
    return registry_fetch_scan_report(self, repository, digest, done, argument);
}

static void cancel(void *self, uint64_t id)
{
    registry_cancel(self, id);
}

struct image_source registry_image_source(struct registry *registry)
{
    return (struct image_source){.fetch_manifest = fetch_manifest,
                                 .fetch_blob = fetch_blob,
                                 .stream_blob = stream_blob,
                                 .resume = resume,
                                 .fetch_referrers = fetch_referrers,
                                 .fetch_scan_report = fetch_scan_report,
                                 .cancel = cancel,
                                 .self = registry,
                                 .loop = registry->loop};
}
