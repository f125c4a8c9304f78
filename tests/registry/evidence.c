#include "evidence.h"

/* --- a registry --- */

struct request {
    const struct object *object;
    char *list;
    struct error error;
    registry_done_f *done;
    void *argument;
};

static void answer(void *argument)
{
    struct request *request = argument;
    const char *bytes = request->list ? request->list : NULL;
    struct registry_answer told = {.media_type = MEDIA_TYPE_OCI_INDEX};

    if (request->object) {
        bytes = request->object->bytes;
        told.media_type = request->object->media_type;
    }
    if (request->error.kind != FAILURE_NONE) {
        told.error = &request->error;
    } else {
        told.bytes = bytes;
        told.size = strlen(bytes);
        digest_compute(NULL, told.bytes, told.size, &told.digest);
    }
    request->done(request->argument, &told);
    free(request->list);
    free(request);
}

static uint64_t soon(struct fixture *fixture, const char *name, const struct object *object,
                     char *list, registry_done_f *done, void *argument)
{
    struct request *request = memory_new(sizeof(*request));

    *request = (struct request){.object = object, .list = list, .done = done, .argument = argument};
    if (fixture->broken && text_equal(fixture->broken, name))
        request->error = fixture->error;
    else if (!object && !list)
        (void)error_set(&request->error, FAILURE_ABSENT, "%s is not there", name);
    loop_post(fixture->loop, answer, request);
    return ++fixture->asked;
}

static const struct object *find_object(const struct fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->count; i++) {
        char digest[DIGEST_TEXT_SIZE];

        if (text_equal(fixture->objects[i].tag, name) ||
            text_equal(digest_format(&fixture->objects[i].digest, digest), name))
            return &fixture->objects[i];
    }
    return NULL;
}

static uint64_t fetch_manifest(void *self, const char *repository, const char *reference,
                               registry_done_f *done, void *argument)
{
    assert_string_equal(repository, "app");
    return soon(self, reference, find_object(self, reference), NULL, done, argument);
}

static uint64_t fetch_blob(void *self, const char *repository, const struct digest *digest,
                           uint64_t size, registry_done_f *done, void *argument)
{
    char name[DIGEST_TEXT_SIZE];

    assert_string_equal(repository, "app");
    (void)size;
    digest_format(digest, name);
    return soon(self, name, find_object(self, name), NULL, done, argument);
}

static uint64_t fetch_referrers(void *self, const char *repository, const struct digest *digest,
                                registry_done_f *done, void *argument)
{
    struct fixture *fixture = self;
    AUTO_TEXT struct text list = {0};
    const char *comma = "";

    (void)repository;
    text_add(&list,
             "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX "\",\"manifests\":[");
    for (size_t i = 0; i < fixture->count; i++) {
        const struct object *object = &fixture->objects[i];
        char text[DIGEST_TEXT_SIZE];

        if (!digest_equal(&object->subject, digest) && !fixture->wrong_lists)
            continue;
        if (!digest_is_set(&object->subject))
            continue;
        text_format(&list, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu", comma,
                    object->media_type, digest_format(&object->digest, text),
                    strlen(object->bytes));
        if (object->artifact_type)
            text_format(&list, ",\"artifactType\":\"%s\"", object->artifact_type);
        text_add(&list, "}");
        comma = ",";
    }
    text_add(&list, "]}");
    return soon(fixture, "referrers", NULL, text_take(&list), done, argument);
}

static uint64_t fetch_scan_report(void *self, const char *repository, const struct digest *digest,
                                  registry_done_f *done, void *argument)
{
    struct fixture *fixture = self;
    const struct object *found = NULL;

    assert_string_equal(repository, "app");
    for (size_t i = 0; i < fixture->report_count; i++)
        if (digest_equal(&fixture->reports[i].subject, digest))
            found = &fixture->reports[i];
    return soon(fixture, "report", found, NULL, done, argument);
}

static void cancel_request(void *self, uint64_t id)
{
    (void)self;
    (void)id;
}

/* --- what is in it --- */

/* Takes the bytes. */
struct object *add(struct fixture *fixture, char *bytes, const char *media_type)
{
    struct object *object = &fixture->objects[fixture->count++];

    assert_true(fixture->count <= OBJECTS_MAX);
    object->bytes = bytes;
    object->media_type = memory_copy_text(media_type);
    digest_compute(NULL, bytes, strlen(bytes), &object->digest);
    return object;
}

void add_report(struct fixture *fixture, const struct object *about, char *bytes)
{
    assert_true(fixture->report_count < ARRAY_COUNT(fixture->reports));
    fixture->reports[fixture->report_count++] =
        (struct object){.bytes = bytes,
                        .media_type = memory_copy_text(MEDIA_TYPE_HARBOR_REPORT),
                        .subject = about->digest};
}

char *descriptor(const struct object *object, const char *more)
{
    char digest[DIGEST_TEXT_SIZE];

    return text_new("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", object->media_type,
                    digest_format(&object->digest, digest), strlen(object->bytes), more);
}

struct object *add_image(struct fixture *fixture, const char *architecture)
{
    struct object *config =
        add(fixture,
            text_new("{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\","
                     "\"diff_ids\":[]},\"history\":[]}",
                     architecture),
            MEDIA_TYPE_OCI_CONFIG);
    AUTO_FREE char *text = descriptor(config, "");

    return add(fixture,
               text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                        "\",\"config\":%s,\"layers\":[]}",
                        text),
               MEDIA_TYPE_OCI_MANIFEST);
}

struct object *add_statement(struct fixture *fixture, const char *predicate,
                             const struct object *about, const char *builder)
{
    char digest[DIGEST_TEXT_SIZE];

    return add(fixture,
               text_new("{\"_type\":\"https://in-toto.io/Statement/v0.1\",\"predicateType\":\"%s\","
                        "\"subject\":[{\"name\":\"_\",\"digest\":{\"sha256\":\"%s\"}}],"
                        "\"predicate\":{\"builder\":{\"id\":\"%s\"}}}",
                        predicate, digest_format(&about->digest, digest) + 7, builder),
               STATEMENT_TYPE);
}

struct object *add_artifact(struct fixture *fixture, const struct artifact *artifact)
{
    AUTO_TEXT struct text text = {0};
    struct object *object;

    text_add(&text, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST "\"");
    if (artifact->type)
        text_format(&text, ",\"artifactType\":\"%s\"", artifact->type);
    if (artifact->subject) {
        AUTO_FREE char *subject = descriptor(artifact->subject, "");

        text_format(&text, ",\"subject\":%s", subject);
    }
    text_add(&text, ",\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"size\":2,"
                    "\"digest\":\"sha256:"
                    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"},"
                    "\"layers\":[");
    for (size_t i = 0; i < 3 && artifact->layers[i]; i++) {
        AUTO_FREE char *more =
            artifact->predicates[i]
                ? text_new(",\"annotations\":{\"in-toto.io/predicate-type\":\"%s\"}",
                           artifact->predicates[i])
                : memory_copy_text("");
        AUTO_FREE char *layer = descriptor(artifact->layers[i], more);

        text_format(&text, "%s%s", i > 0 ? "," : "", layer);
    }
    text_add(&text, "]}");
    object = add(fixture, text_take(&text), MEDIA_TYPE_OCI_MANIFEST);
    if (artifact->subject)
        object->subject = artifact->subject->digest;
    object->artifact_type = memory_copy_text(artifact->type);
    return object;
}

static char *attests(const char *key, const struct object *image)
{
    char digest[DIGEST_TEXT_SIZE];

    return text_new(",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},"
                    "\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\","
                    "\"%s\":\"%s\"}",
                    key, digest_format(&image->digest, digest));
}

/* An index of up to two images, with the attestation of the first. */
struct object *add_index(struct fixture *fixture, const struct object *first,
                         const struct object *second, const struct object *attestation,
                         const char *key)
{
    AUTO_TEXT struct text text = {0};
    AUTO_FREE char *one =
        descriptor(first, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");

    text_format(&text,
                "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX "\",\"manifests\":[%s",
                one);
    if (second) {
        AUTO_FREE char *two =
            descriptor(second, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}");

        text_format(&text, ",%s", two);
    }
    if (attestation) {
        AUTO_FREE char *more = attests(key, first);
        AUTO_FREE char *three = descriptor(attestation, more);

        text_format(&text, ",%s", three);
    }
    text_add(&text, "]}");
    return add(fixture, text_take(&text), MEDIA_TYPE_OCI_INDEX);
}

void set_tag(struct object *object, const struct object *about, const char *suffix)
{
    char digest[DIGEST_TEXT_SIZE];

    object->tag = text_new("sha256-%s%s", digest_format(&about->digest, digest) + 7, suffix);
}

/* --- gathering --- */

static void gathered_all(void *argument, struct gathered *gathered)
{
    struct fixture *fixture = argument;

    fixture->gathered = *gathered;
    *gathered = (struct gathered){0};
    fixture->done = true;
    loop_stop(fixture->loop);
}

uint64_t start(struct fixture *fixture, const struct object *object)
{
    char digest[DIGEST_TEXT_SIZE];

    gathered_release(&fixture->gathered);
    fixture->done = false;
    fixture->asked = 0;
    return gather_start(&fixture->source, "app", digest_format(&object->digest, digest),
                        &fixture->options, gathered_all, fixture);
}

struct facts *gather(struct fixture *fixture, const struct object *object)
{
    (void)start(fixture, object);
    loop_run(fixture->loop);
    assert_true(fixture->done);
    assert_int_equal(fixture->gathered.error.kind, FAILURE_NONE);
    assert_true(fixture->gathered.image_count > 0);
    return fixture->gathered.images[0].facts;
}

static struct facts *lookup(void *argument, const struct digest *digest)
{
    struct fixture *fixture = argument;

    if (fixture->known && digest_equal(&fixture->known->manifest->digest, digest))
        return TAKE(fixture->known);
    return NULL;
}

int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));

    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    fixture->source = (struct image_source){.fetch_manifest = fetch_manifest,
                                            .fetch_blob = fetch_blob,
                                            .fetch_referrers = fetch_referrers,
                                            .fetch_scan_report = fetch_scan_report,
                                            .cancel = cancel_request,
                                            .self = fixture,
                                            .loop = fixture->loop};
    fixture->options =
        (struct gather_options){.needs = FACT_BIT(FACT_PROVENANCE) | FACT_BIT(FACT_REFERRERS),
                                .lookup = lookup,
                                .lookup_argument = fixture};
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;

    gathered_release(&fixture->gathered);
    facts_free(fixture->known);
    for (size_t i = 0; i < fixture->count; i++) {
        free(fixture->objects[i].bytes);
        free(fixture->objects[i].media_type);
        free(fixture->objects[i].tag);
        free(fixture->objects[i].artifact_type);
    }
    for (size_t i = 0; i < fixture->report_count; i++) {
        free(fixture->reports[i].bytes);
        free(fixture->reports[i].media_type);
    }
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}
