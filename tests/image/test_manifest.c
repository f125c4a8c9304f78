/* Manifests and indexes: what is read, what kind it is, and everything that two readers could take
 * for different things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DIGEST "`digest`:`sha256:" HEX "`"
#define CONFIG "{`mediaType`:`" MEDIA_TYPE_OCI_CONFIG "`,`size`:2," DIGEST "}"
#define LAYER "{`mediaType`:`application/vnd.oci.image.layer.v1.tar+gzip`,`size`:100," DIGEST "}"
#define TYPED(type) "{`mediaType`:`" type "`,`size`:2," DIGEST "}"
#define IMAGE "{`schemaVersion`:2,`config`:" CONFIG ",`layers`:[" LAYER "]"
#define INDEX "{`schemaVersion`:2,`mediaType`:`" MEDIA_TYPE_OCI_INDEX "`,`manifests`:["
#define TYPE(type) "`mediaType`:`" type "`"

static int parse(const char *text, const char *content_type, struct manifest **ret,
                 struct error *err)
{
    struct digest digest;
    AUTO_FREE char *json = fixture_json(text);
    digest_compute(NULL, json, strlen(json), &digest);
    return manifest_parse(json, strlen(json), content_type, &digest, ret, err);
}

static void an_image_is_read(void **state)
{
    AUTO_MANIFEST struct manifest *manifest = fixture_manifest("{`schemaVersion`:2," TYPE(
        MEDIA_TYPE_DOCKER_MANIFEST) ",`config`:" CONFIG ",`layers`:[" LAYER "," LAYER
                                    "],`annotations`:{`a`:`b`,`A`:`c`,`n`:null},"
                                    "`subject`:" LAYER ",`unknown`:[1]}");
    (void)state;
    assert_int_equal(manifest->kind, MANIFEST_IMAGE);
    assert_string_equal(manifest->media_type, MEDIA_TYPE_DOCKER_MANIFEST);
    assert_int_equal(manifest->layer_count, 2);
    assert_int_equal(manifest_layer_bytes(manifest), 200); /* the same layer twice counts twice */
    /* Keys of free maps may differ in case only: both readers keep both. */
    assert_string_equal(text_pairs_get(&manifest->annotations, "a"), "b");
    assert_string_equal(text_pairs_get(&manifest->annotations, "A"), "c");
    assert_string_equal(text_pairs_get(&manifest->annotations, "n"), "");
    assert_true(manifest->has_subject);
}

static void an_index_is_read(void **state)
{
    AUTO_MANIFEST struct manifest *manifest = fixture_manifest(
        INDEX "{`mediaType`:`" MEDIA_TYPE_OCI_MANIFEST "`,`size`:5," DIGEST
              ",`platform`:{`os`:`linux`,`architecture`:`arm64`,`variant`:`v8`}}," LAYER "]}");
    AUTO_FREE char *platform = platform_format(&manifest->children[0].platform);
    AUTO_FREE char *none = platform_format(&manifest->children[1].platform);
    AUTO_MANIFEST struct manifest *empty = fixture_manifest(INDEX "]}");
    (void)state;
    assert_int_equal(manifest->kind, MANIFEST_INDEX);
    assert_int_equal(manifest->child_count, 2);
    assert_string_equal(platform, "linux/arm64/v8");
    assert_string_equal(none, "");
    assert_int_equal(empty->child_count, 0);
}

static void kinds_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum manifest_kind kind;
    } cases[] = {
        {IMAGE "}", MANIFEST_IMAGE},
        {"{`schemaVersion`:2,`config`:" CONFIG ",`layers`:[]}", MANIFEST_IMAGE},
        {"{`schemaVersion`:2,`config`:" CONFIG ",`layers`:null}", MANIFEST_IMAGE},
        /* BuildKit's old attestation: an image config beside in-toto layers. */
        {"{`schemaVersion`:2,`config`:" CONFIG
         ",`layers`:[" TYPED("application/vnd.in-toto+json") "]}",
         MANIFEST_ATTESTATION},
        /* The new one: artifactType and the empty config. */
        {"{`schemaVersion`:2,`artifactType`:`application/vnd.docker.attestation.manifest.v1+json`,"
         "`config`:" TYPED(MEDIA_TYPE_OCI_EMPTY) ",`layers`:[" TYPED(
             "application/vnd.in-toto+json") "]}",
         MANIFEST_ATTESTATION},
        {"{`schemaVersion`:2,`artifactType`:`application/vnd.docker.attestation.manifest.v1+json`,"
         "`config`:" TYPED(MEDIA_TYPE_OCI_EMPTY) ",`layers`:[" TYPED("application/json") "]}",
         MANIFEST_ATTESTATION},
        {"{`schemaVersion`:2,`config`:" CONFIG
         ",`layers`:[" TYPED("application/vnd.in-toto.provenance+dsse") "]}",
         MANIFEST_ATTESTATION},
        /* A classic cosign signature carries an image config as well. */
        {"{`schemaVersion`:2,`config`:" CONFIG
         ",`layers`:[" TYPED("application/vnd.dev.cosign.simplesigning.v1+json") "]}",
         MANIFEST_ARTIFACT},
        {"{`schemaVersion`:2,`artifactType`:`application/spdx+json`,`config`:" TYPED(
             MEDIA_TYPE_OCI_EMPTY) ",`layers`:[" TYPED("application/spdx+json") "]}",
         MANIFEST_ARTIFACT},
        {"{`schemaVersion`:2,`config`:" TYPED(
             "application/vnd.cncf.helm.config.v1+json") ",`layers`:[" LAYER "]}",
         MANIFEST_ARTIFACT},
        {"{`mediaType`:`" MEDIA_TYPE_OCI_ARTIFACT "`,`blobs`:[" LAYER "]}", MANIFEST_ARTIFACT},
        /* Docker's format with a config of an unknown type: podman and CRI-O run it. */
        {"{`schemaVersion`:2," TYPE(MEDIA_TYPE_DOCKER_MANIFEST) ",`config`:" TYPED(
             "application/vnd.example.config.v1+json") ",`layers`:[" TYPED("application/"
                                                                           "vnd.docker.image."
                                                                           "rootfs.diff.tar."
                                                                           "gzip") "]}",
         MANIFEST_IMAGE},
        {"{`schemaVersion`:2," TYPE(MEDIA_TYPE_DOCKER_MANIFEST) ",`config`:" CONFIG
                                                                ",`layers`:[" TYPED(
                                                                    "application/"
                                                                    "vnd.dev.cosign.simplesigning."
                                                                    "v1+json") "]}",
         MANIFEST_ARTIFACT},
        /* Naive: artifactType decides. Runtimes do not look at it: this one runs. */
        {"{`schemaVersion`:2,`artifactType`:`application/vnd.docker.attestation.manifest.v1+json`,"
         "`config`:" CONFIG ",`layers`:[" LAYER "]}",
         MANIFEST_IMAGE},
        /* Naive: one in-toto layer makes an attestation. */
        {"{`schemaVersion`:2,`config`:" CONFIG
         ",`layers`:[" TYPED("application/vnd.in-toto+json") "," LAYER "]}",
         MANIFEST_IMAGE},
        /* Naive: no image config type, no image. dockerd runs these. */
        {"{`schemaVersion`:2,`config`:" TYPED("application/octet-stream") ",`layers`:[" LAYER "]}",
         MANIFEST_IMAGE},
        {"{`schemaVersion`:2,`config`:{`size`:2," DIGEST "},`layers`:[" LAYER "]}", MANIFEST_IMAGE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_MANIFEST struct manifest *manifest = fixture_manifest(cases[i].text);
        enum manifest_kind kind;
        if (manifest->kind != cases[i].kind)
            fail_msg("case %zu is %s", i, manifest_kind_name(manifest->kind));
        assert_int_equal(manifest_kind_from_name(manifest_kind_name(manifest->kind), &kind), 0);
        assert_int_equal(kind, manifest->kind);
    }
}

/* Where images stand the config decides: podman and CRI-O unpack layers of any type. */
static void layers_cannot_disguise_an_image(void **state)
{
    static const struct {
        const char *text;
        enum manifest_kind kind;
    } cases[] = {
        {"{`schemaVersion`:2,`config`:" CONFIG
         ",`layers`:[" TYPED("application/vnd.in-toto+json") "]}",
         MANIFEST_IMAGE},
        {"{`schemaVersion`:2,`config`:" TYPED("application/octet-stream") ",`layers`:"
                                                                          "[" TYPED("application/"
                                                                                    "vnd.in-toto+"
                                                                                    "json") "]}",
         MANIFEST_IMAGE},
        {"{`schemaVersion`:2," TYPE(MEDIA_TYPE_DOCKER_MANIFEST) ",`config`:" TYPED(
             "application/vnd.example+json") ",`layers`:[" TYPED("application/"
                                                                 "vnd.in-toto+json") "]}",
         MANIFEST_IMAGE},
        {"{`schemaVersion`:2,`config`:" TYPED(MEDIA_TYPE_OCI_EMPTY) ",`layers`:[" TYPED(
             "application/vnd.in-toto+json") "]}",
         MANIFEST_ATTESTATION},
        {"{`schemaVersion`:2,`config`:" TYPED(
             "application/vnd.cncf.helm.config.v1+json") ",`layers`:[" LAYER "]}",
         MANIFEST_ARTIFACT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_MANIFEST struct manifest *manifest = fixture_manifest(cases[i].text);

        manifest_take_for_image(manifest);
        if (manifest->kind != cases[i].kind)
            fail_msg("case %zu is %s", i, manifest_kind_name(manifest->kind));
    }
}

static void content_type_and_body_must_agree(void **state)
{
    static const struct {
        const char *body, *content_type, *says; /* says NULL: accepted */
    } cases[] = {
        {IMAGE "}", MEDIA_TYPE_OCI_MANIFEST, NULL},
        {IMAGE "}", MEDIA_TYPE_OCI_MANIFEST "; charset=utf-8", NULL},
        {IMAGE "}", "Application/vnd.oci.image.manifest.v1+JSON", NULL},
        {IMAGE "," TYPE(MEDIA_TYPE_OCI_MANIFEST) "}", MEDIA_TYPE_OCI_MANIFEST, NULL},
        {IMAGE "," TYPE(MEDIA_TYPE_OCI_MANIFEST) "}", MEDIA_TYPE_DOCKER_MANIFEST, "served as"},
        {IMAGE "," TYPE(MEDIA_TYPE_OCI_MANIFEST) "}", MEDIA_TYPE_OCI_INDEX, "served as"},
        {IMAGE "," TYPE(MEDIA_TYPE_OCI_MANIFEST) "}", "application/json", "served as"},
        {IMAGE "}", "application/json", "not the media type of a manifest"},
        {IMAGE "," TYPE("text/plain") "}", NULL, "not the media type of a manifest"},
        {"{`schemaVersion`:2}", NULL, "(none)"},
        {IMAGE "}", MEDIA_TYPE_OCI_INDEX, "holds \"config\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_MANIFEST struct manifest *manifest = NULL;
        struct error err = {0};
        int failure = parse(cases[i].body, cases[i].content_type, &manifest, &err);
        assert_int_equal(failure, cases[i].says ? FAILURE_INPUT : 0);
        if (cases[i].says && !strstr(err.text, cases[i].says))
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void ambiguous_and_malformed_bodies_are_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        /* CVE-2021-41190: one body, two readings. Naive: read what the type asks for. */
        {IMAGE ",`manifests`:[]}", "readers would take it"},
        {IMAGE "," TYPE(MEDIA_TYPE_OCI_MANIFEST) ",`manifests`:[" LAYER "]}",
         "holds \"manifests\""},
        {INDEX "],`config`:" CONFIG "}", "holds \"config\""},
        {INDEX "],`layers`:[" LAYER "]}", "holds \"layers\""},
        {INDEX "],`blobs`:[]}", "holds \"blobs\""},
        /* Naive: exact keys. Go takes "Layers", the last one, and also with a long s or a Kelvin
         * sign. */
        {IMAGE ",`Layers`:[]}", "misspelt \"layers\""},
        {IMAGE ",`LAYERS`:[]}", "misspelt"},
        {IMAGE ",`layer\xc5\xbf`:[]}", "misspelt \"layers\""},
        {IMAGE ",`manife\xc5\xbfts`:[]}", "misspelt \"manifests\""},
        {"{`schemaVersion`:2,`config`:{`mediaType`:`x`,`Digest`:`y`,`size`:2," DIGEST
         "},`layers`:[]}",
         "misspelt \"digest\""},
        {IMAGE ",`config`:" CONFIG "}", "duplicate"},
        /* Schema 1 in its three disguises. */
        {"{`schemaVersion`:1,`fsLayers`:[],`history`:[]}", "schema 1"},
        {IMAGE ",`fsLayers`:[]}", "schema 1"},
        {"{" TYPE(MEDIA_TYPE_SCHEMA1_SIGNED) "}", "schema 1"},
        {"{`schemaVersion`:3,`config`:" CONFIG ",`layers`:[]}", "schemaVersion"},
        {"{`schemaVersion`:`2`,`config`:" CONFIG ",`layers`:[]}", "schemaVersion"},
        {"[]", "not a JSON object"},
        {"", "manifest"},
        {IMAGE "} x", "manifest"},
        {"{`schemaVersion`:2," TYPE(MEDIA_TYPE_OCI_MANIFEST) ",`layers`:[]}", "no config"},
        {"{`schemaVersion`:2," TYPE(MEDIA_TYPE_OCI_MANIFEST) ",`config`:" CONFIG "}",
         "no \"layers\""},
        {"{`schemaVersion`:2," TYPE(MEDIA_TYPE_OCI_INDEX) "}", "no \"manifests\""},
        {"{`schemaVersion`:2,`config`:" CONFIG ",`layers`:{}}", "not an array"},
        {"{`schemaVersion`:2,`config`:" CONFIG ",`layers`:[7]}", "layers[0]"},
        {IMAGE ",`annotations`:{`a`:7}}", "annotations"},
        {IMAGE ",`annotations`:[]}", "annotations"},
        {IMAGE ",`mediaType`:7}", "mediaType"},
        {IMAGE ",`subject`:[]}", "subject"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_MANIFEST struct manifest *manifest = NULL;
        struct error err = {0};
        if (parse(cases[i].text, NULL, &manifest, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", cases[i].text);
        assert_int_equal(parse(cases[i].text, NULL, &manifest, NULL), FAILURE_INPUT);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu says: %s", i, err.text);
    }
}

static void bad_descriptors_are_refused(void **state)
{
    static const struct {
        const char *layer, *says;
    } cases[] = {
        {"{`size`:1}", "digest is missing"},
        {"{`size`:1,`digest`:7}", "digest is missing"},
        {"{`size`:1,`digest`:`sha256:abc`}", "hex digits"},
        {"{`size`:1,`digest`:`sha256:" HEX "00`}", "hex digits"},
        {"{`size`:1,`digest`:`md5:abc`}", "md5"},
        {"{`size`:1,`digest`:`blake3:" HEX "`}", "blake3"},
        {"{" DIGEST "}", "size is missing"},
        {"{`size`:`1`," DIGEST "}", "size"},
        {"{`size`:1.5," DIGEST "}", "size"},
        {"{`size`:-1," DIGEST "}", "negative"},
        {"{`size`:9000000000000000000," DIGEST "}", "absurd"},
        {"{`size`:1," DIGEST ",`platform`:7}", "platform"},
        {"{`size`:1," DIGEST ",`platform`:{`OS`:`linux`}}", "misspelt"},
        {"{`size`:1," DIGEST ",`mediaType`:[]}", "mediaType"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_MANIFEST struct manifest *manifest = NULL;
        AUTO_FREE char *text =
            text_new("{`schemaVersion`:2,`config`:" CONFIG ",`layers`:[%s]}", cases[i].layer);
        struct error err = {0};
        assert_int_equal(parse(text, NULL, &manifest, &err), FAILURE_INPUT);
        if (!strstr(err.text, cases[i].says) || !strstr(err.text, "layers[0]"))
            fail_msg("case %zu says: %s", i, err.text);
    }
}

/* The subject is not fetched by this digest, so it need not be verifiable. */
static void a_subject_may_have_any_digest(void **state)
{
    AUTO_MANIFEST struct manifest *manifest =
        fixture_manifest(IMAGE ",`subject`:{`size`:1,`digest`:`blake3:" HEX "`}}");
    (void)state;
    assert_int_equal(manifest->subject.digest.algorithm, DIGEST_OTHER);
}

static void limits_hold(void **state)
{
    struct text text = {0};
    struct error err = {0};
    AUTO_MANIFEST struct manifest *manifest = NULL;
    (void)state;
    text_add(&text, "{`schemaVersion`:2,`config`:" CONFIG ",`layers`:[" LAYER);
    for (size_t i = 0; i < manifest_limits.max_layers; i++)
        text_add(&text, "," LAYER);
    text_add(&text, "]}");
    assert_int_equal(parse(text_data(&text), NULL, &manifest, &err), FAILURE_LIMIT);
    text_clear(&text);
    text_add(&text, IMAGE ",`annotations`:{`x`:``");
    for (size_t i = 0; i < manifest_limits.max_annotations; i++)
        text_format(&text, ",`%zu`:``", i);
    text_add(&text, "}}");
    assert_int_equal(parse(text_data(&text), NULL, &manifest, &err), FAILURE_LIMIT);
    text_clear(&text);
    while (text.length <= manifest_limits.max_bytes)
        text_add(&text, "                                                                ");
    text_add(&text, IMAGE "}");
    assert_int_equal(parse(text_data(&text), NULL, &manifest, &err), FAILURE_LIMIT);
    text_clear(&text);
    for (size_t i = 0; i < 100000; i++)
        text_add_char(&text, '[');
    assert_true(parse(text_data(&text), NULL, &manifest, &err) < 0);
    text_release(&text);
}

static void runnable_children(void **state)
{
    static const struct {
        const char *child;
        bool runnable;
    } cases[] = {
        {"`platform`:{`os`:`linux`,`architecture`:`amd64`}", true},
        {"`platform`:{`os`:`unknown`,`architecture`:`unknown`},"
         "`annotations`:{`vnd.docker.reference.type`:`attestation-manifest`}",
         false},
        {"`platform`:{`os`:`unknown`,`architecture`:`unknown`}", false},
        /* Naive: no platform, no image. The specification lets it out. */
        {"`platform`:null", true},
        {"`mediaType`:`" MEDIA_TYPE_OCI_INDEX "`", true}, /* nested */
        {"`mediaType`:`" MEDIA_TYPE_OCI_ARTIFACT "`", true},
        /* Naive: the annotation makes it an attestation. A runtime on linux/amd64 runs it. */
        {"`platform`:{`os`:`linux`,`architecture`:`amd64`},"
         "`annotations`:{`vnd.docker.reference.type`:`attestation-manifest`}",
         true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text = text_new(INDEX "{`size`:1," DIGEST ",%s}]}", cases[i].child);
        AUTO_MANIFEST struct manifest *manifest = fixture_manifest(text);
        if (descriptor_is_runnable(&manifest->children[0]) != cases[i].runnable)
            fail_msg("case %zu", i);
    }
}

static void media_types(void **state)
{
    (void)state;
    assert_true(media_type_is_index(MEDIA_TYPE_DOCKER_LIST));
    assert_true(media_type_is_index(MEDIA_TYPE_OCI_INDEX "; charset=utf-8"));
    assert_false(media_type_is_index(MEDIA_TYPE_OCI_MANIFEST));
    assert_false(media_type_is_index(NULL));
    assert_true(media_type_is_manifest(MEDIA_TYPE_SCHEMA1_SIGNED));
    assert_true(media_type_is_manifest(MEDIA_TYPE_OCI_ARTIFACT));
    assert_false(media_type_is_manifest(MEDIA_TYPE_OCI_CONFIG));
    assert_false(media_type_is_manifest(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_read),
        cmocka_unit_test(an_index_is_read),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(layers_cannot_disguise_an_image),
        cmocka_unit_test(content_type_and_body_must_agree),
        cmocka_unit_test(ambiguous_and_malformed_bodies_are_refused),
        cmocka_unit_test(bad_descriptors_are_refused),
        cmocka_unit_test(a_subject_may_have_any_digest),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(runnable_children),
        cmocka_unit_test(media_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
