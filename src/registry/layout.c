/* A local OCI image layout as a source of bytes: index.json, and blobs by digest, verified like
 * those of a registry. Directories only; archives are unpacked by nobody here. */
#include <sys/queue.h>
#include <sys/stat.h>

#include "regwarden/file.h"
#include "regwarden/gather.h"
#include "regwarden/loop.h"
#include "regwarden/memory.h"

enum { LAYOUT_FILE_MAX = 4096, INDEX_MAX = 4 * 1024 * 1024, BLOB_MAX = 4 * 1024 * 1024 };
#define REF_NAME "org.opencontainers.image.ref.name"

struct request {
    TAILQ_ENTRY(request) link;
    uint64_t id;
    struct digest digest;
    uint64_t size;    /* as the descriptor says; of a manifest that nobody described: UINT64_MAX */
    char *media_type; /* as the index says, or "" */
    struct error error; /* of asking; kind NONE: read the blob */
    registry_done_f *done;
    void *argument;
};
TAILQ_HEAD(request_list, request);

struct layout_source {
    struct loop *loop;
    char *directory;
    struct manifest *index;
    struct timer *soon;
    struct request_list requests;
    uint64_t last_id;
};

static void request_free(struct request *request)
{
    free(request->media_type);
    free(request);
}

/* Who made the directory may not keep us waiting at a pipe, or feed us from a device. */
static int read_plain(const char *path, size_t max_bytes, struct text *to, struct error *err)
{
    struct stat status;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(err, FAILURE_INPUT, "%s is not a file", path);
    return file_read(path, max_bytes, to, err);
}

static int read_blob(const struct layout_source *layout, const struct request *request,
                     struct text *to, struct error *err)
{
    char digest[DIGEST_TEXT_SIZE];
    AUTO_FREE char *path = NULL;
    char *colon;
    int rc;

    digest_format(&request->digest, digest);
    colon = strchr(digest, ':');
    *colon = '\0';
    path = text_new("%s/blobs/%s/%s", layout->directory, digest, colon + 1);
    if (request->size != UINT64_MAX && request->size > BLOB_MAX)
        return error_set(err, FAILURE_LIMIT, "%s is larger than %d MiB", path,
                         BLOB_MAX / (1024 * 1024));
    rc = read_plain(path, BLOB_MAX, to, err);
    if (rc < 0)
        return rc;
    if (request->size != UINT64_MAX && to->length != request->size)
        return error_set(err, FAILURE_INPUT, "%s has %zu bytes, its descriptor says %llu", path,
                         to->length, (unsigned long long)request->size);
    rc = digest_verify(&request->digest, text_data(to), to->length, err);
    return rc < 0 ? error_wrap(err, "%s", path) : 0;
}

static void answer(const struct layout_source *layout, struct request *request)
{
    AUTO_TEXT struct text bytes = {0};
    struct registry_answer told = {.media_type = "", .digest = request->digest};

    if (request->error.kind == FAILURE_NONE)
        (void)read_blob(layout, request, &bytes, &request->error);
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
    struct layout_source *layout = argument;
    struct request *request = TAILQ_FIRST(&layout->requests);

    if (!request)
        return;
    TAILQ_REMOVE(&layout->requests, request, link);
    if (!TAILQ_EMPTY(&layout->requests))
        timer_arm(layout->soon, 0);
    answer(layout, request);
    request_free(request);
}

static struct request *add_request(struct layout_source *layout, registry_done_f *done,
                                   void *argument)
{
    struct request *request = memory_new(sizeof(*request));

    request->id = ++layout->last_id;
    request->done = done;
    request->argument = argument;
    TAILQ_INSERT_TAIL(&layout->requests, request, link);
    timer_arm(layout->soon, 0);
    return request;
}

static void take_descriptor(struct request *request, const struct descriptor *descriptor)
{
    request->digest = descriptor->digest;
    request->size = descriptor->size;
    free(request->media_type);
    request->media_type = memory_copy_text(descriptor->media_type);
}

static void find_digest(const struct layout_source *layout, struct request *request)
{
    for (size_t i = 0; i < layout->index->child_count; i++) {
        if (digest_equal(&layout->index->children[i].digest, &request->digest)) {
            take_descriptor(request, &layout->index->children[i]);
            return;
        }
    }
}

static int find_only(const struct layout_source *layout, struct request *request, struct error *err)
{
    if (layout->index->child_count == 1) {
        take_descriptor(request, &layout->index->children[0]);
        return 0;
    }
    if (layout->index->child_count == 0)
        return error_set(err, FAILURE_ABSENT, "%s: the layout holds no image", layout->directory);
    (void)error_set(err, FAILURE_INPUT, "%s: the layout holds %zu images", layout->directory,
                    layout->index->child_count);
    return error_hint(err, "say which one: oci:%s:TAG", layout->directory);
}

static int find_tag(const struct layout_source *layout, const char *tag, struct request *request,
                    struct error *err)
{
    AUTO_FREE char *shown = text_printable(tag, 160);
    const struct descriptor *found = NULL;

    for (size_t i = 0; i < layout->index->child_count; i++) {
        const struct descriptor *child = &layout->index->children[i];

        if (!text_equal(text_pairs_get(&child->annotations, REF_NAME), tag))
            continue;
        if (found && !digest_equal(&found->digest, &child->digest))
            return error_set(err, FAILURE_INPUT, "%s: two images are tagged \"%s\"",
                             layout->directory, shown);
        found = child;
    }
    if (!found)
        return error_set(err, FAILURE_ABSENT, "%s: no image is tagged \"%s\"", layout->directory,
                         shown);
    take_descriptor(request, found);
    return 0;
}

static uint64_t fetch_manifest(void *self, const char *repository, const char *reference,
                               registry_done_f *done, void *argument)
{
    struct layout_source *layout = self;
    struct request *request = add_request(layout, done, argument);

    (void)repository; /* a layout is one repository */
    request->size = UINT64_MAX;
    request->media_type = memory_copy_text("");
    if (!reference || !*reference)
        (void)find_only(layout, request, &request->error);
    else if (digest_parse_verifiable(reference, &request->digest, NULL) == 0)
        find_digest(layout, request);
    else
        (void)find_tag(layout, reference, request, &request->error);
    return request->id;
}

static uint64_t fetch_blob(void *self, const char *repository, const struct digest *digest,
                           uint64_t size, registry_done_f *done, void *argument)
{
    struct layout_source *layout = self;
    struct request *request = add_request(layout, done, argument);

    (void)repository;
    request->digest = *digest;
    request->size = size;
    request->media_type = memory_copy_text("");
    if (digest->algorithm != DIGEST_SHA256 && digest->algorithm != DIGEST_SHA512)
        (void)error_set(&request->error, FAILURE_INPUT, "a digest that cannot be verified");
    return request->id;
}

static void cancel(void *self, uint64_t id)
{
    struct layout_source *layout = self;
    struct request *request = TAILQ_FIRST(&layout->requests);

    while (request && request->id != id)
        request = TAILQ_NEXT(request, link);
    if (!request)
        return;
    TAILQ_REMOVE(&layout->requests, request, link);
    request_free(request);
}

static int check_version(const char *directory, struct error *err)
{
    AUTO_FREE char *path = text_new("%s/oci-layout", directory);
    AUTO_TEXT struct text bytes = {0};
    AUTO_JSON struct json *json = NULL;
    int rc = read_plain(path, LAYOUT_FILE_MAX, &bytes, err);

    if (rc < 0) {
        if (rc == FAILURE_ABSENT)
            (void)error_hint(err, "an OCI layout is a directory with the file oci-layout in it");
        return rc;
    }
    rc = json_parse(text_data(&bytes), bytes.length, NULL, &json, err);
    if (rc < 0)
        return error_wrap(err, "%s", path);
    if (!text_equal(json_get_string(json, "imageLayoutVersion"), "1.0.0"))
        return error_set(err, FAILURE_INPUT, "%s: not version 1.0.0 of the image layout", path);
    return 0;
}

static int read_index(const char *directory, struct manifest **ret, struct error *err)
{
    AUTO_FREE char *path = text_new("%s/index.json", directory);
    AUTO_TEXT struct text bytes = {0};
    struct digest digest;
    int rc = read_plain(path, INDEX_MAX, &bytes, err);

    if (rc < 0)
        return rc;
    digest_compute(NULL, text_data(&bytes), bytes.length, &digest);
    rc = manifest_parse(text_data(&bytes), bytes.length, MEDIA_TYPE_OCI_INDEX, &digest, ret, err);
    return rc < 0 ? error_wrap(err, "%s", path) : 0;
}

int layout_source_new(struct loop *loop, const char *directory, struct layout_source **ret,
                      struct error *err)
{
    struct layout_source *layout;
    struct manifest *index = NULL;
    int rc = check_version(directory, err);

    if (rc == 0)
        rc = read_index(directory, &index, err);
    if (rc < 0)
        return rc;
    layout = memory_new(sizeof(*layout));
    layout->loop = loop;
    layout->directory = memory_copy_text(directory);
    layout->index = index;
    layout->soon = timer_new(loop, answer_next, layout);
    TAILQ_INIT(&layout->requests);
    *ret = layout;
    return 0;
}

void layout_source_free(struct layout_source *layout)
{
    struct request *request;
    struct error error = {0};

    if (!layout)
        return;
    (void)error_set(&error, FAILURE_LATER, "the layout is closing");
    while ((request = TAILQ_FIRST(&layout->requests))) {
        TAILQ_REMOVE(&layout->requests, request, link);
        request->error = error;
        answer(layout, request);
        request_free(request);
    }
    timer_free(layout->soon);
    manifest_free(layout->index);
    free(layout->directory);
    free(layout);
}

struct image_source layout_image_source(struct layout_source *layout)
{
    return (struct image_source){.fetch_manifest = fetch_manifest,
                                 .fetch_blob = fetch_blob,
                                 .cancel = cancel,
                                 .self = layout,
                                 .loop = layout->loop};
}
