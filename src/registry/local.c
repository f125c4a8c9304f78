/* A local image as a source of bytes: an OCI layout in a directory or a tar, or what `docker save`
 * wrote. Manifests and configs are read and verified here; layers in local_stream.c. */
#include <string.h>

#include "regwarden/memory.h"

#include "local_source.h"

static const char *const prefixes[] = {
    [REFERENCE_REGISTRY] = "",
    [REFERENCE_OCI_LAYOUT] = "oci",
    [REFERENCE_OCI_ARCHIVE] = "oci-archive",
    [REFERENCE_DOCKER_ARCHIVE] = "docker-archive",
};

static void request_free(struct local_request *request)
{
    free(request->media_type);
    free(request->document);
    free(request);
}

int local_read_blob(const struct local_source *local, const struct digest *digest, uint64_t size,
                    struct text *to, struct error *err)
{
    AUTO_FREE char *name = catalog_blob_name(&local->catalog, digest);
    AUTO_FREE char *shown = local_files_describe(local->files, name);
    int rc;

    if (size != UINT64_MAX && size > CATALOG_DOCUMENT_MAX)
        return error_set(err, FAILURE_LIMIT, "%s is larger than %d MiB", shown,
                         CATALOG_DOCUMENT_MAX / (1024 * 1024));
    rc = local_files_read(local->files, name, CATALOG_DOCUMENT_MAX, to, err);
    if (rc < 0)
        return rc;
    if (size != UINT64_MAX && to->length != size)
        return error_set(err, FAILURE_INPUT, "%s has %zu bytes, its descriptor says %llu", shown,
                         to->length, (unsigned long long)size);
    rc = digest_verify(digest, text_data(to), to->length, err);
    return rc < 0 ? error_wrap(err, "%s", shown) : 0;
}

static void answer(const struct local_source *local, struct local_request *request)
{
    AUTO_TEXT struct text bytes = {0};
    struct registry_answer told = {.media_type = "", .digest = request->digest};

    if (request->error.kind == FAILURE_NONE && request->document)
        text_add(&bytes, request->document);
    else if (request->error.kind == FAILURE_NONE)
        (void)local_read_blob(local, &request->digest, request->size, &bytes, &request->error);
    if (request->error.kind != FAILURE_NONE) {
        told.error = &request->error;
    } else {
        told.bytes = text_data(&bytes);
        told.size = bytes.length;
        told.media_type = request->media_type;
    }
    request->done(request->argument, &told);
}

/* One answer per round: its callback may cancel any other. */
static void answer_next(void *argument)
{
    struct local_source *local = argument;
    struct local_request *request = TAILQ_FIRST(&local->requests);

    if (!request)
        return;
    TAILQ_REMOVE(&local->requests, request, link);
    if (!TAILQ_EMPTY(&local->requests))
        timer_arm(local->soon, 0);
    answer(local, request);
    request_free(request);
}

struct local_request *local_request_new(struct local_source *local, registry_done_f *done,
                                        void *argument)
{
    struct local_request *request = memory_new(sizeof(*request));

    request->id = ++local->last_id;
    request->size = UINT64_MAX;
    request->media_type = memory_copy_text("");
    request->done = done;
    request->argument = argument;
    TAILQ_INSERT_TAIL(&local->requests, request, link);
    timer_arm(local->soon, 0);
    return request;
}

static int take_image(struct local_source *local, struct local_request *request,
                      struct catalog_image *image, struct error *err)
{
    char text[DIGEST_TEXT_SIZE];
    const struct text *written;
    int rc = image->prepared ? 0 : catalog_prepare_docker(&local->catalog, image, err);

    if (rc < 0)
        return rc;
    request->digest = image->digest;
    request->size = image->size;
    free(request->media_type);
    request->media_type = memory_copy_text(image->media_type);
    written = map_get(local->catalog.documents, digest_format(&image->digest, text));
    if (written)
        request->document = memory_copy_text(text_data(written));
    return 0;
}

/* Of a manifest, or the id that Docker shows of an image. What is not in the catalog may still be a
 * blob: the child of an index. */
static int find_digest(struct local_source *local, struct local_request *request, struct error *err)
{
    struct error error = {0};

    for (size_t i = 0; i < local->catalog.count; i++) {
        struct catalog_image *image = &local->catalog.images[i];

        if (!image->prepared && catalog_prepare_docker(&local->catalog, image, &error) < 0)
            continue;
        if (digest_equal(&image->digest, &request->digest) ||
            digest_equal(&image->config, &request->digest))
            return take_image(local, request, image, err);
    }
    if (error.kind == FAILURE_NONE)
        return 0;
    *err = error; /* one that cannot be read may be the one */
    return error.kind;
}

static int find_image(struct local_source *local, const char *reference,
                      struct local_request *request, struct error *err)
{
    struct catalog_image *image = NULL;
    int rc;

    if (reference && digest_parse_verifiable(reference, &request->digest, NULL) == 0)
        return find_digest(local, request, err);
    rc = reference && *reference ? catalog_find_name(&local->catalog, reference, &image, err)
                                 : catalog_find_only(&local->catalog, &image, err);
    return rc < 0 ? rc : take_image(local, request, image, err);
}

static uint64_t fetch_manifest(void *self, const char *repository, const char *reference,
                               registry_done_f *done, void *argument)
{
    struct local_source *local = self;
    struct local_request *request = local_request_new(local, done, argument);

    (void)repository; /* a layout is one repository */
    (void)find_image(local, reference, request, &request->error);
    return request->id;
}

static uint64_t fetch_blob(void *self, const char *repository, const struct digest *digest,
                           uint64_t size, registry_done_f *done, void *argument)
{
    struct local_source *local = self;
    struct local_request *request = local_request_new(local, done, argument);

    (void)repository;
    request->digest = *digest;
    request->size = size;
    if (digest->algorithm != DIGEST_SHA256 && digest->algorithm != DIGEST_SHA512)
        (void)error_set(&request->error, FAILURE_INPUT, "a digest that cannot be verified");
    return request->id;
}

static void cancel(void *self, uint64_t id)
{
    struct local_source *local = self;
    struct local_request *request = TAILQ_FIRST(&local->requests);

    if (local_stream_cancel(local, id))
        return;
    while (request && request->id != id)
        request = TAILQ_NEXT(request, link);
    if (!request)
        return;
    TAILQ_REMOVE(&local->requests, request, link);
    request_free(request);
}

int local_source_new(struct loop *loop, enum reference_transport transport, const char *path,
                     struct local_source **ret, struct error *err)
{
    struct local_source *local = memory_new(sizeof(*local));
    bool docker = transport == REFERENCE_DOCKER_ARCHIVE;
    int rc;

    local->loop = loop;
    local->transport = transport;
    TAILQ_INIT(&local->requests);
    TAILQ_INIT(&local->streams);
    rc = local_files_new(path, transport != REFERENCE_OCI_LAYOUT, &local->files, err);
    if (rc == 0) {
        local->catalog = (struct catalog){.files = local->files,
                                          .prefix = prefixes[transport],
                                          .members = map_new(),
                                          .documents = map_new()};
        rc = docker ? catalog_read_docker(&local->catalog, err)
                    : catalog_read_layout(&local->catalog, err);
    }
    if (rc < 0) {
        local_source_free(local);
        return rc;
    }
    local->soon = timer_new(loop, answer_next, local);
    *ret = local;
    return 0;
}

void local_source_free(struct local_source *local)
{
    struct local_request *request;
    struct error error = {0};

    if (!local)
        return;
    (void)error_set(&error, FAILURE_LATER, "%s is closing", prefixes[local->transport]);
    local_streams_close(local);
    while ((request = TAILQ_FIRST(&local->requests))) {
        TAILQ_REMOVE(&local->requests, request, link);
        request->error = error;
        answer(local, request);
        request_free(request);
    }
    timer_free(local->soon);
    catalog_release(&local->catalog);
    local_files_free(local->files);
    free(local);
}

struct image_source local_image_source(struct local_source *local)
{
    return (struct image_source){.fetch_manifest = fetch_manifest,
                                 .fetch_blob = fetch_blob,
                                 .stream_blob = local_stream_blob,
                                 .resume = local_stream_resume,
                                 .fetch_referrers = local->transport == REFERENCE_DOCKER_ARCHIVE
                                                        ? NULL
                                                        : local_fetch_referrers,
                                 .cancel = cancel,
                                 .self = local,
                                 .loop = local->loop};
}
