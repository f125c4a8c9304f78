/* What others say of an image, gathered: by its index, by referrers, by cosign's tags; what cannot
 * be had, what is too much, and what is known already. The registry is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/gather.h"
#include "regwarden/loop.h"
#include "regwarden/provenance.h"

enum { OBJECTS_MAX = 400 };

#define STATEMENT_TYPE "application/vnd.in-toto+json"
#define SLSA "https://slsa.dev/provenance/v0.2"
#define SPDX "https://spdx.dev/Document"

struct object {
    struct digest digest;
    char *bytes;
    char *media_type;
    char *tag; /* NULL */
    struct digest subject;
    char *artifact_type; /* in the list of referrers; NULL: left out */
};

struct fixture {
    struct loop *loop;
    struct image_source source;
    struct gather_options options;
    struct object objects[OBJECTS_MAX];
    size_t count;
    const char *broken; /* digest, tag or "referrers" for which `error` comes */
    struct error error;
    size_t asked; /* requests that were made */
    size_t wrong_lists;
    struct facts *known;
    struct gathered gathered;
    bool done;
};

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

static void cancel_request(void *self, uint64_t id)
{
    (void)self;
    (void)id;
}

/* --- what is in it --- */

/* Takes the bytes. */
static struct object *add(struct fixture *fixture, char *bytes, const char *media_type)
{
    struct object *object = &fixture->objects[fixture->count++];

    assert_true(fixture->count <= OBJECTS_MAX);
    object->bytes = bytes;
    object->media_type = memory_copy_text(media_type);
    digest_compute(NULL, bytes, strlen(bytes), &object->digest);
    return object;
}

static char *descriptor(const struct object *object, const char *more)
{
    char digest[DIGEST_TEXT_SIZE];

    return text_new("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", object->media_type,
                    digest_format(&object->digest, digest), strlen(object->bytes), more);
}

static struct object *add_image(struct fixture *fixture, const char *architecture)
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

static struct object *add_statement(struct fixture *fixture, const char *predicate,
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

struct artifact {
    const struct object *layers[3];
    const char *predicates[3]; /* in the annotations; NULL: not said */
    const char *type;          /* artifactType; NULL none */
    const struct object *subject;
};

static struct object *add_artifact(struct fixture *fixture, const struct artifact *artifact)
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

#define NAMES_KEY "vnd.docker.reference.digest"

static char *attests(const char *key, const struct object *image)
{
    char digest[DIGEST_TEXT_SIZE];

    return text_new(",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},"
                    "\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\","
                    "\"%s\":\"%s\"}",
                    key, digest_format(&image->digest, digest));
}

/* An index of up to two images, with the attestation of the first. */
static struct object *add_index(struct fixture *fixture, const struct object *first,
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

static void set_tag(struct object *object, const struct object *about, const char *suffix)
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

static uint64_t start(struct fixture *fixture, const struct object *object)
{
    char digest[DIGEST_TEXT_SIZE];

    gathered_release(&fixture->gathered);
    fixture->done = false;
    fixture->asked = 0;
    return gather_start(&fixture->source, "app", digest_format(&object->digest, digest),
                        &fixture->options, gathered_all, fixture);
}

static struct facts *gather(struct fixture *fixture, const struct object *object)
{
    (void)start(fixture, object);
    loop_run(fixture->loop);
    assert_true(fixture->done);
    assert_int_equal(fixture->gathered.error.kind, FAILURE_NONE);
    assert_true(fixture->gathered.image_count > 0);
    return fixture->gathered.images[0].facts;
}

static void must_tell(const struct facts *facts, const char *wanted)
{
    AUTO_TEXT struct text told = {0};

    for (size_t i = 0; i < facts->referrers->count; i++) {
        const struct referrer *referrer = &facts->referrers->items[i];

        text_format(&told, "%s by %s%s%s;", referrer_kind_name(referrer->kind),
                    referrer_way_name(referrer->way), referrer->of_index ? " of index" : "",
                    referrer->enveloped ? " signed" : "");
    }
    for (size_t i = 0; i < facts->provenance->count; i++)
        text_format(&told, " %s about %s;", facts->provenance->statements[i].builder,
                    provenance_subject_name(facts->provenance->statements[i].subject));
    if (facts->status[FACT_REFERRERS].reason)
        text_format(&told, " but %s", facts->status[FACT_REFERRERS].reason);
    if (!text_equal(text_data(&told), wanted))
        fail_msg("told:   %s\nwanted: %s", text_data(&told), wanted);
    assert_int_equal(facts->status[FACT_PROVENANCE].state,
                     facts->status[FACT_PROVENANCE].reason ? FACT_PARTIAL : FACT_PRESENT);
}

static struct facts *lookup(void *argument, const struct digest *digest)
{
    struct fixture *fixture = argument;

    if (fixture->known && digest_equal(&fixture->known->manifest->digest, digest))
        return TAKE(fixture->known);
    return NULL;
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));

    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    fixture->source = (struct image_source){.fetch_manifest = fetch_manifest,
                                            .fetch_blob = fetch_blob,
                                            .fetch_referrers = fetch_referrers,
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

static int tear_down(void **state)
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
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

static void an_image_alone_has_none(void **state)
{
    struct fixture *fixture = *state;

    must_tell(gather(fixture, add_image(fixture, "amd64")), "");
}

static void nobody_is_asked_when_no_policy_wants_it(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    fixture->options.needs = FACT_BIT(FACT_CONFIG);
    assert_int_equal(gather(fixture, image)->status[FACT_REFERRERS].state, FACT_ABSENT);
    assert_int_equal(fixture->asked, 2); /* manifest and config */
}

/* BuildKit: an entry of the index, in the old and the new form of its manifest. */
static void the_index_lists_attestations(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *other = add_image(fixture, "arm64");
    struct object *provenance = add_statement(fixture, SLSA, image, "b");
    struct object *sbom = add_statement(fixture, SPDX, image, "");
    struct object *old_form = add_artifact(
        fixture, &(struct artifact){.layers = {sbom, provenance}, .predicates = {SPDX, SLSA}});
    struct object *new_form = add_artifact(
        fixture, &(struct artifact){.layers = {provenance},
                                    .predicates = {SLSA},
                                    .type = "application/vnd.docker.attestation.manifest.v1+json",
                                    .subject = image});

    must_tell(gather(fixture, add_index(fixture, image, other, old_form, NAMES_KEY)),
              "sbom by index;provenance by index;provenance by subject; b about image;");
    must_tell(fixture->gathered.images[1].facts, "");
    must_tell(
        gather(fixture, add_index(fixture, image, NULL, new_form, "com.docker.reference.digest")),
        "provenance by index; b about image;");
    /* a statement is read once, an SBOM never */
    assert_null(strstr(fixture->gathered.images[0].facts->provenance->statements[0].predicate_type,
                       "spdx"));
}

static void what_refers_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *index = add_index(fixture, image, NULL, NULL, "");
    struct object *statement = add_statement(fixture, SLSA, index, "b");
    struct object *text = add(fixture, memory_copy_text("{}"), "application/x");

    (void)add_artifact(fixture, &(struct artifact){.layers = {text},
                                                   .type = "application/vnd.cncf.notary.signature",
                                                   .subject = image});
    (void)add_artifact(
        fixture,
        &(struct artifact){.layers = {text}, .type = "application/spdx+json", .subject = index});
    (void)add_artifact(fixture,
                       &(struct artifact){.layers = {statement}, .type = NULL, .subject = index});
    must_tell(gather(fixture, index), "signature by subject signed;sbom by subject of index;"
                                      "provenance by subject of index; b about index;");
}

static void cosigns_tags_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *index = add_index(fixture, image, NULL, NULL, "");
    struct object *signature = add(fixture, memory_copy_text("{\"critical\":{}}"),
                                   "application/vnd.dev.cosign.simplesigning.v1+json");
    struct object *envelope = add(fixture, memory_copy_text("{\"payload\":\"x\"}"),
                                  "application/vnd.dsse.envelope.v1+json");

    set_tag(add_artifact(fixture, &(struct artifact){.layers = {signature}}), image, ".sig");
    set_tag(add_artifact(fixture, &(struct artifact){.layers = {envelope}, .predicates = {SPDX}}),
            index, ".att");
    must_tell(gather(fixture, index), "sbom by tag of index signed;signature by tag signed;");
}

/* Anybody who may push a tag can write the list that stands in for the referrers API. */
static void a_list_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *other = add_image(fixture, "arm64");
    struct object *statement = add_statement(fixture, SLSA, other, "b");
    const struct facts *facts;

    (void)add_artifact(fixture, &(struct artifact){.layers = {statement}, .subject = other});
    fixture->wrong_lists = 1;
    facts = gather(fixture, image);
    assert_int_equal(facts->referrers->count, 0);
    assert_int_equal(facts->provenance->count, 0);
    assert_int_equal(facts->status[FACT_REFERRERS].state, FACT_PARTIAL);
    assert_non_null(strstr(facts->status[FACT_REFERRERS].reason, "refers to something else"));
}

static void a_statement_about_another_image_is_kept_as_such(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *other = add_image(fixture, "arm64");
    struct object *statement = add_statement(fixture, SLSA, other, "b");
    struct object *attestation =
        add_artifact(fixture, &(struct artifact){.layers = {statement}, .predicates = {SLSA}});

    must_tell(gather(fixture, add_index(fixture, image, NULL, attestation, NAMES_KEY)),
              "provenance by index; b about other;");
}

static void what_cannot_be_had_is_a_gap(void **state)
{
    static const enum failure kinds[] = {FAILURE_ABSENT, FAILURE_DENIED, FAILURE_INPUT,
                                         FAILURE_LIMIT};
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *statement = add_statement(fixture, SLSA, image, "b");
    struct object *attestation =
        add_artifact(fixture, &(struct artifact){.layers = {statement}, .predicates = {SLSA}});
    struct object *index = add_index(fixture, image, NULL, attestation, NAMES_KEY);
    char manifest[DIGEST_TEXT_SIZE];
    char blob[DIGEST_TEXT_SIZE];
    const char *const broken[] = {digest_format(&attestation->digest, manifest),
                                  digest_format(&statement->digest, blob)};

    for (size_t i = 0; i < ARRAY_COUNT(kinds) * ARRAY_COUNT(broken); i++) {
        const struct facts *facts;

        fixture->broken = broken[i % 2];
        (void)error_set(&fixture->error, kinds[i / 2], "no luck");
        facts = gather(fixture, index);
        assert_int_equal(facts->provenance->count, 0);
        assert_int_equal(facts->status[FACT_PROVENANCE].state, FACT_PARTIAL);
        assert_non_null(strstr(facts->status[FACT_PROVENANCE].reason, "no luck"));
        assert_false(facts_cover(facts, FACT_BIT(FACT_REFERRERS)));
    }
    /* a registry that refuses the list, or has none */
    fixture->broken = "referrers";
    (void)error_set(&fixture->error, FAILURE_DENIED, "no luck");
    assert_int_equal(gather(fixture, index)->status[FACT_REFERRERS].state, FACT_PARTIAL);
    (void)error_set(&fixture->error, FAILURE_ABSENT, "no luck");
    must_tell(gather(fixture, index), "provenance by index; b about image;");
    fixture->broken = NULL;
    fixture->source.fetch_referrers = NULL;
    must_tell(gather(fixture, index), "provenance by index; b about image;");
}

static void what_may_come_later_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *other = add_image(fixture, "arm64");
    struct object *index = add_index(fixture, image, other, NULL, "");
    char digest[DIGEST_TEXT_SIZE];
    AUTO_FREE char *tag = text_new("sha256-%s.att", digest_format(&image->digest, digest) + 7);

    fixture->broken = tag;
    (void)error_set(&fixture->error, FAILURE_LATER, "busy");
    (void)start(fixture, index);
    loop_run(fixture->loop);
    assert_null(fixture->gathered.images[0].facts);
    assert_int_equal(fixture->gathered.images[0].error.kind, FAILURE_LATER);
    must_tell(fixture->gathered.images[1].facts, "");
}

static void unreadable_things_are_gaps(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *text = add(fixture, memory_copy_text("no json"), STATEMENT_TYPE);
    struct object *attestation =
        add_artifact(fixture, &(struct artifact){.layers = {text}, .predicates = {SLSA}});
    struct object *no_manifest = add(fixture, memory_copy_text("{}"), MEDIA_TYPE_OCI_MANIFEST);

    assert_int_equal(gather(fixture, add_index(fixture, image, NULL, attestation, NAMES_KEY))
                         ->status[FACT_PROVENANCE]
                         .state,
                     FACT_PARTIAL);
    assert_int_equal(gather(fixture, add_index(fixture, image, NULL, no_manifest, NAMES_KEY))
                         ->status[FACT_PROVENANCE]
                         .state,
                     FACT_PARTIAL);
}

static void too_much_is_not_read(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    const struct facts *facts;

    for (unsigned i = 0; i < 150; i++) {
        AUTO_FREE char *builder = text_new("b%u", i);
        struct object *statement = add_statement(fixture, SLSA, image, builder);

        (void)add_artifact(fixture, &(struct artifact){.layers = {statement}, .subject = image});
    }
    facts = gather(fixture, image);
    assert_int_equal(facts->provenance->count, PROVENANCE_STATEMENTS_MAX);
    assert_int_equal(facts->status[FACT_PROVENANCE].state, FACT_PARTIAL);
    assert_true(fixture->asked < 100);
}

/* What the facts knew is used again, unless it is to be looked for anew. */
static void known_evidence_is_kept_or_renewed(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *first = add_statement(fixture, SLSA, image, "first");
    struct object *later = add_statement(fixture, SLSA, image, "later");
    struct object *attestation =
        add_artifact(fixture, &(struct artifact){.layers = {first}, .predicates = {SLSA}});
    struct object *index = add_index(fixture, image, NULL, attestation, NAMES_KEY);

    (void)gather(fixture, index);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    (void)add_artifact(fixture, &(struct artifact){.layers = {later}, .subject = image});
    must_tell(gather(fixture, image), "provenance by index; first about image;");
    assert_true(fixture->gathered.images[0].known);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    fixture->options.evidence_anew = true;
    /* without its index the image still has what was found by way of it */
    must_tell(gather(fixture, image), "provenance by subject;provenance by index; later about "
                                      "image; first about image;");
    assert_false(fixture->gathered.images[0].known);
}

static void a_partial_group_is_gathered_again(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    fixture->broken = "referrers";
    (void)error_set(&fixture->error, FAILURE_DENIED, "no luck");
    (void)gather(fixture, image);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    fixture->broken = NULL;
    must_tell(gather(fixture, image), "");
}

static void an_artifact_tells_whom_it_is_about(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *statement = add_statement(fixture, SLSA, image, "b");
    struct object *artifact =
        add_artifact(fixture, &(struct artifact){.layers = {statement}, .subject = image});

    (void)start(fixture, artifact);
    loop_run(fixture->loop);
    assert_int_equal(fixture->gathered.image_count, 0);
    assert_true(digest_equal(&fixture->gathered.subject, &image->digest));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_alone_has_none),
        TEST(nobody_is_asked_when_no_policy_wants_it),
        TEST(the_index_lists_attestations),
        TEST(what_refers_is_found),
        TEST(cosigns_tags_are_found),
        TEST(a_list_is_not_believed),
        TEST(a_statement_about_another_image_is_kept_as_such),
        TEST(what_cannot_be_had_is_a_gap),
        TEST(what_may_come_later_is_waited_for),
        TEST(unreadable_things_are_gaps),
        TEST(too_much_is_not_read),
        TEST(known_evidence_is_kept_or_renewed),
        TEST(a_partial_group_is_gathered_again),
        TEST(an_artifact_tells_whom_it_is_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
