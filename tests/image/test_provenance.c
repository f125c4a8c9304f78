/* In-toto statements, read: what BuildKit and others write, what it means for the base, and the
 * traps in it. Real statements are read when REGWARDEN_SHARED_DATA names them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/crypto.h"
#include "regwarden/file.h"
#include "regwarden/provenance.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define IMAGE "1111111111111111111111111111111111111111111111111111111111111111"
#define INDEX "2222222222222222222222222222222222222222222222222222222222222222"

#define SUBJECT(hex) "`subject`:[{`name`:`_`,`digest`:{`sha256`:`" hex "`}}]"
#define V02                                                                                     \
    "`_type`:`https://in-toto.io/Statement/v0.1`,`predicateType`:`https://slsa.dev/provenance/" \
    "v0.2`"
#define V1 \
    "`_type`:`https://in-toto.io/Statement/v1`,`predicateType`:`https://slsa.dev/provenance/v1`"
#define BUILDKIT "`buildType`:`https://mobyproject.org/buildkit@v1`"
#define METADATA "`metadata`:{`https://mobyproject.org/buildkit@v1#metadata`:"
#define PINNED(name, hex)                            \
    "{`uri`:`pkg:docker/" name "?digest=sha256:" hex \
    "\\u0026platform=linux%2Famd64`,`digest`:{`sha256`:`" hex "`}}"
#define PLAIN(name, hex) \
    "{`uri`:`pkg:docker/" name "?platform=linux%2Famd64`,`digest`:{`sha256`:`" hex "`}}"

static void parse_bytes(const char *bytes, size_t size, const struct manifest *manifest,
                        struct provenance *ret)
{
    struct provenance_image of = {.manifest = manifest};
    struct error err = {0};

    assert_int_equal(digest_parse("sha256:" IMAGE, &of.image, NULL), 0);
    assert_int_equal(digest_parse("sha256:" INDEX, &of.index, NULL), 0);
    if (provenance_parse(bytes, size, &of, ret, &err))
        fail_msg("%s: %s", err.text, bytes);
}

static void parse(const char *text, struct provenance *ret)
{
    AUTO_FREE char *json = fixture_json(text);

    parse_bytes(json, strlen(json), NULL, ret);
}

static void describe_materials(const struct provenance *statement, struct text *to)
{
    for (size_t i = 0; i < statement->material_count; i++) {
        const struct material *material = &statement->materials[i];

        text_format(to, "%s %s", i > 0 ? "," : "", material_role_name(material->role));
        if (material->name)
            text_format(to, " %s", material->name);
        if (material->tag)
            text_format(to, ":%s", material->tag);
        if (material->name || material->layout)
            text_format(to, " %s", answer_name(material->pinned));
    }
}

/* "base stage | scratch yes graph 0": the materials, then the base. */
static char *describe(const struct provenance *statement)
{
    const struct provenance_base *base = &statement->base;
    struct text text = {0};

    text_add(&text, provenance_mode_name(statement->mode));
    text_add(&text, ":");
    describe_materials(statement, &text);
    text_format(&text, " | %s", base->name ? base->name : "?");
    if (base->tag)
        text_format(&text, ":%s", base->tag);
    if (digest_is_set(&base->digest)) {
        char digest[DIGEST_TEXT_SIZE];

        text_format(&text, "@%.8s", digest_format(&base->digest, digest) + 7);
    }
    text_format(&text, " %s %s %d", answer_name(base->pinned), provenance_base_how_name(base->how),
                base->layer_count);
    return text_take(&text);
}

static void must_be(const char *statement, const char *wanted)
{
    struct provenance found = {0};
    AUTO_FREE char *told = NULL;

    parse(statement, &found);
    told = describe(&found);
    if (!text_equal(told, wanted))
        fail_msg("%s\ntold:   %s\nwanted: %s", statement, told, wanted);
    provenance_release(&found);
}

#define MIN(materials) \
    "{" V02 "," SUBJECT(IMAGE) ",`predicate`:{" BUILDKIT ",`materials`:[" materials "]}}"
#define MIN_WITH(materials, args)                                                            \
    "{" V02                                                                                  \
    "," SUBJECT(IMAGE) ",`predicate`:{" BUILDKIT ",`materials`:[" materials                  \
                       "],`invocation`:{`parameters`:{`frontend`:`gateway.v0`,`args`:{" args \
                       "}}}}}"

/* A list of materials alone names no base: it may be the first stage of a build that ends in FROM
 * scratch. */
static void materials_are_pinned_or_not(void **state)
{
    (void)state;
    /* buildkit util/purl/image.go: the qualifier tells, not the digest beside the URL */
    must_be(MIN(PLAIN("busybox@latest", A64)),
            "min: other busybox:latest no | ? unknown unknown -1");
    must_be(MIN(PINNED("golang@1.21", A64)), "min: other golang:1.21 yes | ? yes unknown -1");
    must_be(MIN(PINNED("gcr.io/distroless/static", A64)),
            "min: other gcr.io/distroless/static yes | ? yes unknown -1");
    must_be(MIN(PLAIN("localhost%3A5000%2Fa@1", A64)),
            "min: other localhost:5000/a:1 no | ? unknown unknown -1");
    must_be(MIN("{`uri`:`pkg:docker/a@1?digest=sha256:short`}"),
            "min: other a:1 unknown | ? unknown unknown -1");
    /* all pinned: whichever it is, it is pinned */
    must_be(MIN(PINNED("a@1", A64) "," PINNED("b@1", B64)),
            "min: other a:1 yes, other b:1 yes | ? yes unknown -1");
    /* OptimizeImageSources may have dropped a pinned entry: no answer, never "yes" */
    must_be(MIN(PLAIN("alpine@latest", A64) "," PINNED("b@1", B64)),
            "min: other alpine:latest no, other b:1 yes | ? unknown unknown -1");
    /* "# syntax=" and the SBOM scanner are no bases */
    must_be(MIN_WITH(PLAIN("docker/dockerfile@1", A64) "," PINNED("golang@1", B64),
                     "`source`:`docker/dockerfile:1`"),
            "min: frontend docker/dockerfile:1 no, other golang:1 yes | ? yes unknown -1");
    must_be(MIN_WITH(PINNED("docker/dockerfile@1", A64) "," PLAIN("golang", B64),
                     "`source`:`docker.io/docker/dockerfile:1@sha256:" A64 "`"),
            "min: frontend docker/dockerfile:1 yes, other golang no | ? unknown unknown -1");
    must_be(MIN(PLAIN("docker/buildkit-syft-scanner@stable-1", A64) "," PINNED("golang@1", B64)),
            "min: scanner docker/buildkit-syft-scanner:stable-1 no, other golang:1 yes | ? yes "
            "unknown -1");
    must_be(MIN_WITH(PLAIN("my/scanner@1", A64) "," PINNED("a@1", B64),
                     "`attest:sbom`:`type=sbom,generator=my/scanner:1`"),
            "min: scanner my/scanner:1 no, other a:1 yes | ? yes unknown -1");
    /* a local OCI layout says nothing by its name */
    must_be(MIN("{`uri`:`pkg:oci/local@1?platform=linux`}"),
            "min: other local:1 unknown | ? unknown unknown -1");
    /* blobs are files */
    must_be(MIN("{`uri`:`pkg:docker/a@1?ref_type=blob`},{`uri`:`https://x/y.tar`}"),
            "min: other, other | ? unknown unknown -1");
    /* FROM scratch leaves nothing */
    must_be(MIN(""), "min: | ? unknown unknown -1");
}

#define SOURCE(id, image) \
    "{`id`:`" id "`,`op`:{`Op`:{`source`:{`identifier`:`docker-image://" image "`}}}}"
#define RUN(id, from)                                                                         \
    "{`id`:`" id                                                                              \
    "`,`op`:{`Op`:{`exec`:{`mounts`:[{`input`:1,`dest`:`/cache`},{`input`:0,`dest`:`/`}]}}}," \
    "`inputs`:[`" from "`,`context:0`]}"
#define COPY(id, from, files)                                                                      \
    "{`id`:`" id "`,`op`:{`Op`:{`file`:{`actions`:[{`input`:0,`secondaryInput`:1,`output`:0}]}}}," \
    "`inputs`:[`" from "`,`" files "`]}"
#define END(from) "{`id`:`end`,`op`:{`Op`:null},`inputs`:[`" from "`]}"
#define GRAPH(materials, steps)                                                     \
    "{" V02 "," SUBJECT(IMAGE) ",`predicate`:{" BUILDKIT ",`materials`:[" materials \
                               "],`buildConfig`:{`llbDefinition`:[" steps "]}}}"

static void the_graph_leads_to_the_base(void **state)
{
    (void)state;
    must_be(
        GRAPH(PINNED("golang@1", A64) "," PINNED("static", B64),
              SOURCE("s0", "static@sha256:" B64) "," SOURCE(
                  "s1",
                  "docker.io/library/"
                  "golang:1@sha256:" A64) "," RUN("s2", "s1:0") "," COPY("s3", "s0:0",
                                                                         "s2:0") "," END("s3:0")),
        "max: stage golang:1 yes, base static yes | static@bbbbbbbb yes graph -1");
    /* the frontend resolves every image: a digest in the graph is no pin */
    must_be(GRAPH(PLAIN("golang@1", A64),
                  SOURCE("s0", "docker.io/library/golang:1@sha256:" A64) "," END("s0:0")),
            "max: base golang:1 no | golang:1@aaaaaaaa no graph -1");
    /* OptimizeImageSources: the pinned base was dropped beside "COPY --from=alpine" */
    must_be(
        GRAPH(PLAIN("alpine@latest", B64),
              SOURCE("s0", "docker.io/library/alpine@sha256:" A64) "," SOURCE(
                  "s1",
                  "docker.io/library/alpine:latest@sha256:" B64) "," COPY("s2", "s0:0",
                                                                          "s1:0") "," END("s2:0")),
        "max: stage alpine:latest no | alpine@aaaaaaaa yes graph -1");
    /* no material of this name at all: not known */
    must_be(GRAPH("", SOURCE("s0", "a:1@sha256:" A64) "," END("s0:0")),
            "max: | a:1@aaaaaaaa unknown graph -1");
    /* FROM scratch */
    must_be(
        GRAPH(PLAIN("golang@1", A64),
              SOURCE("s0",
                     "docker.io/library/golang:1@sha256:" A64) ",{`id`:`s1`,`op`:{`Op`:{`file`:{`"
                                                               "actions`:[{`input`:-1,`"
                                                               "secondaryInput`:0,`output`:0}]}}},`"
                                                               "inputs`:[`s0:0`]}," END("s1:0")),
        "max: stage golang:1 no | scratch yes graph 0");
    /* COPY --link */
    must_be(
        GRAPH(PINNED("a@1", A64),
              SOURCE("s0", "a:1@sha256:" A64) ",{`id`:`f`,`op`:{`Op`:{`file`:{`actions`:[{`input`:-"
                                              "1,`output`:0}]}}},`inputs`:[`x:0`]},"
                                              "{`id`:`m`,`op`:{`Op`:{`merge`:{`inputs`:[{},{`input`"
                                              ":1}]}}},`inputs`:[`s0:0`,`f:0`]}," END("m:0")),
        "max: base a:1 yes | a:1@aaaaaaaa yes graph -1");
    /* actions that build on each other */
    must_be(
        GRAPH(
            PINNED("a@1", A64),
            SOURCE(
                "s0",
                "a:1@sha256:" A64) ",{`id`:`f`,`op`:{`Op`:{`file`:{`actions`:[{`input`:0,`output`:-"
                                   "1},{`input`:1,`output`:0}]}}},`inputs`:[`s0:0`]}," END("f:0")),
        "max: base a:1 yes | a:1@aaaaaaaa yes graph -1");
}

/* From outside: circles, holes, and numbers beyond everything. */
static void broken_graphs_lead_nowhere(void **state)
{
    static const char *const graphs[] = {
        RUN("s1", "s2:0") "," RUN("s2", "s1:0"),
        END("end:0"),
        END("missing:0"),
        END("s0"),
        END("s0:99999999999999999999"),
        ("{`id`:`f`,`op`:{`Op`:{`file`:{`actions`:[{`input`:2,`output`:0},{`input`:1,`output`:5}]}}"
         "},`inputs`:[`x:0`]}"),
        "{`id`:`f`,`op`:{`Op`:{`file`:{`actions`:[{`input`:9,`output`:0}]}}},`inputs`:[`x:0`]}",
        "{`id`:`f`,`op`:{`Op`:{`exec`:{`mounts`:[{`dest`:`/x`}]}}},`inputs`:[`x:0`]}",
        "{`id`:`f`,`op`:{`Op`:{`exec`:{`mounts`:[{`dest`:`/`,`input`:7}]}}},`inputs`:[`x:0`]}",
        "{`id`:`f`,`op`:{`Op`:{`diff`:{}}},`inputs`:[`x:0`]}",
        "{`id`:`f`,`op`:{`Op`:{`merge`:{}}},`inputs`:[`x:0`]}",
        "7",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(graphs); i++) {
        AUTO_FREE char *statement = text_new(GRAPH("", "%s"), graphs[i]);

        must_be(statement, "max: | ? unknown unknown -1");
    }
}

static void a_long_circle_ends_soon(void **state)
{
    AUTO_TEXT struct text graph = {0};
    AUTO_FREE char *statement = NULL;

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        text_format(&graph, RUN("s%u", "s%u:0") ",", i, (i + 9999) % 10000);
    text_add(&graph, END("s9999:0"));
    statement = text_new(GRAPH("", "%s"), graph.data);
    must_be(statement, "max: | ? unknown unknown -1");
}

/* A statement of mode max with this Dockerfile in it. */
static char *with_text(const char *dockerfile, const char *materials, const char *args)
{
    AUTO_TEXT struct text base64 = {0};

    crypto_base64(dockerfile, strlen(dockerfile), &base64);
    return text_new(
        "{" V1 "," SUBJECT(
            IMAGE) ",`predicate`:{`buildDefinition`:{`buildType`:"
                   "`https://github.com/moby/buildkit/blob/master/docs/attestations/"
                   "slsa-definitions.md`,"
                   "`externalParameters`:{`request`:{`frontend`:`dockerfile.v0`,`args`:{%s}}},"
                   "`internalParameters`:{`buildConfig`:{`llbDefinition`:[{`id`:`x`,`op`:{`Op`:{`"
                   "diff`:{}}}}]}},"
                   "`resolvedDependencies`:[%s]},`runDetails`:{`metadata`:{`buildkit_metadata`:{`"
                   "source`:"
                   "{`infos`:[{`filename`:`Dockerfile`,`language`:`Dockerfile`,`data`:`%s`}]}}}}}}",
        args, materials, text_data(&base64));
}

static void the_text_beats_the_materials(void **state)
{
    static const struct {
        const char *dockerfile;
        const char *materials;
        const char *args;
        const char *wanted;
    } cases[] = {
        {"FROM alpine:3", PLAIN("alpine@3", A64), "",
         "max: base alpine:3 no | alpine:3@aaaaaaaa no dockerfile -1"},
        {"FROM a:1 AS b\nFROM docker.io/library/alpine:3@sha256:" A64 "\nCOPY --from=b / /",
         PLAIN("a@1", B64) "," PINNED("alpine@3", A64), "",
         "max: stage a:1 no, base alpine:3 yes | alpine:3@aaaaaaaa yes dockerfile -1"},
        /* the entry of the pinned base is gone: the text still tells */
        {"FROM alpine@sha256:" A64 "\nCOPY --from=alpine / /", PLAIN("alpine@latest", B64), "",
         "max: stage alpine:latest no | alpine@aaaaaaaa yes dockerfile -1"},
        {"ARG B=x\nFROM $B", PINNED("real@2", A64), "`build-arg:B`:`real:2@sha256:" A64 "`",
         "max: base real:2 yes | real:2@aaaaaaaa yes dockerfile -1"},
        /* --build-context: the text cannot show it */
        {"FROM alpine:3", PINNED("other", A64),
         "`context:alpine:3`:`docker-image://other@sha256:" A64 "`",
         "max: base other yes | other@aaaaaaaa yes dockerfile -1"},
        {"FROM alpine:3", "{`uri`:`pkg:oci/x`}", "`context:alpine:3`:`oci-layout://x`",
         "max: other x unknown | ? unknown unknown -1"},
        {"FROM a\nFROM b AS t\nFROM c", PLAIN("a", A64) "," PLAIN("b", B64), "`target`:`t`",
         "max: stage a no, base b no | b@bbbbbbbb no dockerfile -1"},
        {"# syntax=docker/dockerfile:1\nFROM a:1",
         PLAIN("docker/dockerfile@1", B64) "," PLAIN("a@1", A64), "",
         "max: frontend docker/dockerfile:1 no, base a:1 no | a:1@aaaaaaaa no dockerfile -1"},
        {"FROM scratch\nCOPY --from=busybox / /", PLAIN("busybox", A64), "",
         "max: stage busybox no | scratch yes dockerfile 0"},
        {"FROM a-$TARGETARCH@sha256:" A64, PINNED("a-amd64", A64), "",
         "max: other a-amd64 yes | ? yes unknown -1"},
        {"FROM a:1\nRUN --mount=from=tool:2,target=/t x",
         PLAIN("a@1", A64) "," PLAIN("tool@2", B64), "",
         "max: base a:1 no, stage tool:2 no | a:1@aaaaaaaa no dockerfile -1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *statement =
            with_text(cases[i].dockerfile, cases[i].materials, cases[i].args);

        must_be(statement, cases[i].wanted);
    }
}

static void nothing_secret_is_kept(void **state)
{
    static const char token[] = "ghp_"
                                "0123456789abcdefghijklmnopqrstuvwxyz";
    AUTO_FREE char *dockerfile = text_new("FROM a\nENV TOKEN=%s\nRUN echo ok", token);
    AUTO_FREE char *args = text_new("`build-arg:PASSWORD`:`hunter2-and-more`,`label:x`:`a-label`");
    AUTO_FREE char *statement = with_text(
        dockerfile, "{`uri`:`https://u:pass-word@host/x.git#a`,`digest`:{`sha1`:`ab`}}", args);
    struct facts_provenance *provenance = memory_new(sizeof(*provenance));
    struct provenance found = {0};
    AUTO_JSON struct json *json = NULL;
    AUTO_TEXT struct text text = {0};

    (void)state;
    parse(statement, &found);
    assert_non_null(strstr(found.dockerfile, "RUN echo ok"));
    assert_string_equal(found.dockerfile_name, "Dockerfile");
    assert_string_equal(found.source, "https://host/x");
    assert_string_equal(found.revision, "ab");
    assert_true(facts_provenance_add_take(provenance, &found));
    json = provenance_to_json(provenance);
    json_write(json, JSON_COMPACT, &text);
    assert_null(strstr(text.data, token));
    assert_null(strstr(text.data, "hunter2"));
    assert_null(strstr(text.data, "pass-word"));
    assert_null(strstr(text.data, "a-label"));
    facts_provenance_free(provenance);
}

#define STATEMENT(subject) "{" V02 "," subject ",`predicate`:{" BUILDKIT "}}"

static void a_statement_about_somebody_else_is_none(void **state)
{
    static const struct {
        const char *text;
        enum provenance_subject subject;
    } cases[] = {
        {STATEMENT(SUBJECT(IMAGE)), SUBJECT_IMAGE},
        {STATEMENT(SUBJECT(INDEX)), SUBJECT_INDEX}, /* cosign and slsa-github-generator do so */
        {STATEMENT(SUBJECT(A64)), SUBJECT_OTHER},
        {STATEMENT("`subject`:[]"), SUBJECT_UNKNOWN},
        {STATEMENT("`x`:1"), SUBJECT_UNKNOWN},
        {STATEMENT("`subject`:[{`name`:`pkg:docker/a`}]"), SUBJECT_UNKNOWN},
        {STATEMENT("`subject`:[{`digest`:{`gce_image_id`:`7`}}]"), SUBJECT_OTHER},
        {STATEMENT("`subject`:[{`digest`:{`sha512`:`" IMAGE "`}}]"), SUBJECT_OTHER},
        {STATEMENT("`subject`:[{`digest`:{`sha256`:`" A64 "`}},{`digest`:{`sha256`:`" IMAGE "`}}]"),
         SUBJECT_IMAGE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct provenance found = {0};

        parse(cases[i].text, &found);
        if (found.subject != cases[i].subject)
            fail_msg("%s", cases[i].text);
        provenance_release(&found);
    }
}

/* Puts the statement into an envelope. */
static char *wrap(const char *statement, bool url_safe, const char *signatures)
{
    AUTO_FREE char *json = fixture_json(statement);
    AUTO_TEXT struct text base64 = {0};

    crypto_base64(json, strlen(json), &base64);
    for (char *c = base64.data; url_safe && *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return text_new("{`payloadType`:`application/vnd.in-toto+json`,`payload`:`%s`,`signatures`:%s}",
                    base64.data, signatures);
}

static void envelopes_are_opened_and_not_believed(void **state)
{
    static const char odd[] = STATEMENT("`x`:`?>?>?>~~~`," SUBJECT(IMAGE));
    AUTO_FREE char *standard = wrap(odd, false, "[{`sig`:`MEUC`}]");
    AUTO_FREE char *url_safe = wrap(odd, true, "[{`sig`:`MEUC`}]");
    AUTO_FREE char *unsigned_one = wrap(odd, false, "[{`sig`:``}]");
    AUTO_FREE char *bundle =
        text_new("{`mediaType`:`application/vnd.dev.sigstore.bundle.v0.3+json`,`dsseEnvelope`:%s}",
                 standard);
    const struct {
        const char *text;
        bool enveloped;
    } cases[] = {
        {standard, true}, {url_safe, true}, {unsigned_one, false}, {bundle, true}, {odd, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct provenance found = {0};

        parse(cases[i].text, &found);
        assert_true(found.is_provenance);
        assert_int_equal(found.enveloped, cases[i].enveloped);
        assert_int_equal(found.verified, ANSWER_UNKNOWN);
        assert_int_equal(found.subject, SUBJECT_IMAGE);
        provenance_release(&found);
    }
}

static void other_bytes_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "7",
        "[]",
        "{}",
        "{`_type`:`https://example.com/x`}",
        "{`_type`:`https://in-toto.io/Statement/v1`,`_Type`:`x`}",
        "{`payload`:`e30=`}",
        "{`payload`:`e30=`,`payloadType`:`text/plain`}",
        "{`payload`:`e30=`,`payloadType`:`application/vnd.in-toto+json`}",
        "{`payload`:`!`,`payloadType`:`application/vnd.in-toto+json`}",
        "{`payload`:`e30=`,`Payload`:`x`,`payloadType`:`application/vnd.in-toto+json`}",
        "{`messageSignature`:{}}",
        "{`mediaType`:`x`,`dsseEnvelope`:7}",
    };
    const struct provenance_image of = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *json = fixture_json(cases[i]);
        struct provenance found = {0};
        struct error err = {0};

        if (provenance_parse(json, strlen(json), &of, &found, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", cases[i]);
        assert_null(found.predicate_type);
        assert_string_not_equal(err.text, "");
    }
}

static void others_tell_builder_and_source(void **state)
{
    static const struct {
        const char *text;
        const char *builder;
        const char *source;
        const char *revision;
    } cases[] = {
        /* slsa-github-generator */
        {"{" V02
         "," SUBJECT(INDEX) ",`predicate`:{`buildType`:`https://github.com/slsa-framework/"
                            "slsa-github-generator/container@v1`,`builder`:{`id`:`https://"
                            "github.com/x@refs/tags/v2`},"
                            "`invocation`:{`configSource`:{`uri`:`git+https://github.com/o/r@refs/"
                            "heads/main`,`digest`:"
                            "{`sha1`:`4d32`}},`environment`:{`github_event_payload`:{`a`:1}}}}}",
         "https://github.com/x@refs/tags/v2", "https://github.com/o/r", "4d32"},
        /* GitHub's own builder */
        {"{" V1 "," SUBJECT(
             IMAGE) ",`predicate`:{`buildDefinition`:{`buildType`:`https://actions.github.io/"
                    "buildtypes/workflow/v1`,`externalParameters`:{`workflow`:{`ref`:`refs/heads/"
                    "main`,`repository`:"
                    "`https://github.com/o/r`}},`resolvedDependencies`:[{`uri`:`git+https://"
                    "github.com/o/r@refs/heads/"
                    "main`,`digest`:{`gitCommit`:`abcd`}}]},`runDetails`:{`builder`:{`id`:`https://"
                    "github.com/o/r/w`}}}}",
         "https://github.com/o/r/w", "https://github.com/o/r", "abcd"},
        /* Tekton chains */
        {"{" V02 "," SUBJECT(
             IMAGE) ",`predicate`:{`buildType`:`tekton.dev/v1beta1/PipelineRun`,`builder`:{`id`:"
                    "`https://tekton.dev/chains/v2`},`materials`:[{`uri`:`oci://quay.io/"
                    "task`,`digest`:{`sha256`:`" A64
                    "`}},{`uri`:`git+https://github.com/o/r.git`,`digest`:{`sha1`:`beef`}}]}}",
         "https://tekton.dev/chains/v2", "https://github.com/o/r", "beef"},
        /* buildx says of a local directory where it comes from */
        {"{" V02
         "," SUBJECT(IMAGE) ",`predicate`:{" BUILDKIT ",`builder`:{`id`:``}," METADATA
                            "{`vcs`:{`source`:`git@github.com:o/r.git`,`revision`:`feed`}}}}}",
         "", "git@github.com:o/r", "feed"},
        {"{" V02 "," SUBJECT(IMAGE) ",`predicate`:{" BUILDKIT "}}", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct provenance found = {0};

        parse(cases[i].text, &found);
        if (!text_equal(found.builder, cases[i].builder) ||
            !text_equal(found.source, cases[i].source) ||
            !text_equal(found.revision, cases[i].revision))
            fail_msg("%s: %s %s %s", cases[i].text, found.builder, found.source, found.revision);
        assert_null(found.base.name);
        provenance_release(&found);
    }
}

static void materials_are_bounded(void **state)
{
    AUTO_TEXT struct text materials = {0};
    AUTO_FREE char *statement = NULL;
    struct provenance found = {0};

    (void)state;
    for (unsigned i = 0; i < PROVENANCE_MATERIALS_MAX + 5; i++)
        text_format(&materials, "%s{`uri`:`pkg:docker/a@%u?digest=sha256:" A64 "`}",
                    i > 0 ? "," : "", i);
    statement = text_new(MIN("%s"), materials.data);
    parse(statement, &found);
    assert_int_equal(found.material_count, PROVENANCE_MATERIALS_MAX);
    assert_int_equal(found.materials_left_out, 5);
    assert_int_equal(found.base.pinned, ANSWER_UNKNOWN); /* what was left out may not be pinned */
    provenance_release(&found);
}

#define LAYERS(first, second)                                                                      \
    "{" V02 "," SUBJECT(                                                                           \
        IMAGE) ",`predicate`:{" BUILDKIT                                                           \
               ",`materials`:[" PINNED("a@1", A64) "],`buildConfig`:{`llbDefinition`:[" SOURCE(    \
                   "s0", "a:1@sha256:" A64) "," RUN("s1",                                          \
                                                    "s0:0") "]}," METADATA                         \
                                                            "{`layers`:{`s0:0`:[[{`digest`:`"      \
                                                            "sha256:" first                        \
                                                            "`},{`digest`:`sha256:" second         \
                                                            "`}]],`s1:0`:[[{`digest`:`sha256:" A64 \
                                                            "`}]]}}}}}"
#define LAYER1 "0000000000000000000000000000000000000000000000000000000000000001"
#define LAYER2 "0000000000000000000000000000000000000000000000000000000000000002"

static void layers_count_when_the_image_has_them(void **state)
{
    static const struct {
        const char *statement;
        size_t layers;
        int count;
    } cases[] = {
        {LAYERS(LAYER1, LAYER2), 3, 2},  {LAYERS(LAYER1, LAYER2), 2, 2},
        {LAYERS(LAYER1, LAYER2), 1, -1}, {LAYERS(LAYER1, A64), 3, -1}, /* packed anew */
        {LAYERS(LAYER2, LAYER1), 3, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct manifest *manifest = fixture_image(cases[i].layers, "{}");
        AUTO_FREE char *json = fixture_json(cases[i].statement);
        struct provenance found = {0};

        parse_bytes(json, strlen(json), manifest, &found);
        assert_int_equal(found.base.layer_count, cases[i].count);
        assert_int_equal(found.base.how, BASE_HOW_GRAPH);
        provenance_release(&found);
        manifest_free(manifest);
    }
}

#define BK "`comment`:`buildkit.dockerfile.v0`"
/* A short statement and a history: is the one image that is left the base? */
static void the_history_settles_what_materials_leave_open(void **state)
{
    static const char from_base[] =
        "{`architecture`:`amd64`,`os`:`linux`,`rootfs`:{`type`:`layers`,`diff_ids`:[]},`history`:["
        "{`created`:`2024-01-01T00:00:00Z`,`created_by`:`/bin/sh -c #(nop) ADD file:1 in / `},"
        "{`created`:`2024-01-01T00:00:00Z`,`created_by`:`/bin/sh -c #(nop)  CMD "
        "[\\`sh\\`]`,`empty_layer`:true},"
        "{`created`:`2025-01-01T00:00:00Z`,`created_by`:`RUN /bin/sh -c make # buildkit`," BK "}]}";
    static const char from_other[] =
        "{`architecture`:`amd64`,`os`:`linux`,`rootfs`:{`type`:`layers`,`diff_ids`:[]},`history`:["
        "{`created_by`:`BusyBox 1.37.0 (glibc), Debian 12`},"
        "{`created_by`:`COPY /b /b # buildkit`," BK "}]}";
    static const char from_scratch[] =
        "{`architecture`:`amd64`,`os`:`linux`,`rootfs`:{`type`:`layers`,`diff_ids`:[]},`history`:["
        "{`created`:`2025-01-01T00:00:00Z`,`created_by`:`COPY /app /app # buildkit`," BK "},"
        "{`created`:`2025-01-01T00:00:00Z`,`created_by`:`COPY /b /b # buildkit`," BK "}]}";
    static const struct {
        const char *config;
        const char *statement;
        const char *base;
        enum answer pinned;
    } cases[] = {
        {from_base, MIN(PLAIN("busybox@latest", A64)), "busybox", ANSWER_NO},
        {from_base, MIN(PINNED("busybox@latest", A64)), "busybox", ANSWER_YES},
        {from_base, MIN(PLAIN("a", A64) "," PLAIN("b", B64)), NULL, ANSWER_UNKNOWN},
        {from_base, MIN("{`uri`:`pkg:oci/x`},{`uri`:`https://x`}"), "x", ANSWER_UNKNOWN},
        {from_scratch, MIN(PLAIN("golang@1", A64)), NULL, ANSWER_UNKNOWN},
        {from_other, MIN(PLAIN("busybox", A64)), "busybox", ANSWER_NO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = fixture_facts(cases[i].config, 2, "{}");
        struct facts_provenance *provenance = memory_new(sizeof(*provenance));
        struct provenance found = {0};
        const struct provenance_base *base;

        parse(cases[i].statement, &found);
        assert_true(facts_provenance_add_take(provenance, &found));
        facts_set_provenance_take(facts, provenance, NULL);
        base = &facts->provenance->statements[0].base;
        if (!text_equal(base->name, cases[i].base) || base->pinned != cases[i].pinned)
            fail_msg("case %zu: %s %s", i, base->name, answer_name(base->pinned));
        assert_true(facts_cover(facts, FACT_BIT(FACT_PROVENANCE)));
    }
}

static void gaps_are_told(void **state)
{
    AUTO_FACTS struct facts *facts =
        fixture_facts("{`architecture`:`amd64`,`os`:`linux`}", 1, "{}");

    (void)state;
    facts_set_referrers_take(facts, memory_new(sizeof(struct facts_referrers)), "some are missing");
    assert_int_equal(facts->status[FACT_REFERRERS].state, FACT_PARTIAL);
    facts_set_referrers_take(facts, memory_new(sizeof(struct facts_referrers)), NULL);
    assert_int_equal(facts->status[FACT_REFERRERS].state, FACT_PRESENT);
    assert_null(facts->status[FACT_REFERRERS].reason);
    facts_set_referrers_take(facts, NULL, "no way");
    assert_int_equal(facts->status[FACT_REFERRERS].state, FACT_ABSENT);
    assert_string_equal(facts->status[FACT_REFERRERS].reason, "no way");
}

/* Real statements. */
static const struct {
    const char *file;
    bool bare_predicate;
    const char *source;
    const char *wanted;
} samples[] = {
    {"buildkit-docs-slsa-v1-max.json", false, NULL,
     "max: other alpine:latest no | ? unknown unknown -1"},
    {"buildkit-docs-slsa-v1-min.json", false, NULL,
     "min: other alpine:latest no | ? unknown unknown -1"},
    {"buildkit-slsa-v02-MAX-dockerfile-embedded-v1.5.0.json", false,
     "https://github.com/slsa-framework/example-package",
     "max: stage golang:1.19 yes, base gcr.io/distroless/static yes, context | "
     "gcr.io/distroless/static@3c576788 yes dockerfile -1"},
    {"buildkit-slsa-v02-MAX-dockerfile-embedded-v1.6.0.json", false,
     "https://github.com/slsa-framework/example-package",
     "max: stage golang:1.20 yes, base gcr.io/distroless/static yes, context | "
     "gcr.io/distroless/static@7198a357 yes dockerfile -1"},
    {"buildkit-slsa-v02-MAX-dockerfile-embedded-v1.9.0.json", false,
     "https://github.com/slsa-framework/example-package",
     "max: stage golang:1.20 yes, base gcr.io/distroless/static yes, context | "
     "gcr.io/distroless/static@7198a357 yes dockerfile -1"},
    {"buildkit-slsa-v02-min-UNPINNED-real.json", false, NULL,
     "min: other busybox:latest no | ? unknown unknown -1"},
    {"buildkit-slsa-v02-min-multistage-PINNED-real.json", false,
     "https://github.com/slsa-framework/example-package",
     "min: other golang:1.21 yes, other gcr.io/distroless/static yes, context | ? yes unknown -1"},
    {"buildx-docs-slsa-v02-min-gateway-frontend.json", true, "git@github.com:<org>/<repo>",
     "min: frontend docker/dockerfile:1 no, other golang:1.19.4-alpine no | ? unknown unknown -1"},
    {"buildx-docs-slsa-v02-min-with-syft-scanner-material.json", true, NULL,
     "min: scanner docker/buildkit-syft-scanner:stable-1 no, other alpine:latest no | ? unknown "
     "unknown -1"},
    {"gha-2025-12-buildx-v02-min-unpinned-multistage.redacted.json", true,
     "https://github.com/redacted-user/redacted-repo",
     "min: other gradle:8.5-jdk17 no, other tomcat:10.1-jdk17 no, context | ? unknown unknown -1"},
};

static char *read_sample(const char *shared, const char *name, bool bare_predicate)
{
    AUTO_FREE char *path = text_new("%s/provenance/%s", shared, name);
    AUTO_TEXT struct text bytes = {0};
    struct error err = {0};

    if (file_read(path, PROVENANCE_BYTES_MAX, &bytes, &err))
        fail_msg("%s", err.text);
    if (bare_predicate) {
        AUTO_FREE char *head = fixture_json("{" V02 "," SUBJECT(IMAGE) ",`predicate`:");

        return text_new("%s%s}", head, bytes.data);
    }
    return text_take(&bytes);
}

static void real_statements_are_read(void **state)
{
    const char *shared = getenv("REGWARDEN_SHARED_DATA");

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(samples); i++) {
        struct provenance found = {0};
        AUTO_FREE char *told = NULL;
        AUTO_FREE char *bytes = NULL;

        if (!shared) {
            print_message("skipped: $REGWARDEN_SHARED_DATA is not set\n");
            skip();
        }
        bytes = read_sample(shared, samples[i].file, samples[i].bare_predicate);
        parse_bytes(bytes, strlen(bytes), NULL, &found);
        told = describe(&found);
        if (!text_equal(told, samples[i].wanted) || !text_equal(found.source, samples[i].source))
            fail_msg("%s\ntold:   %s, %s\nwanted: %s", samples[i].file, told, found.source,
                     samples[i].wanted);
        provenance_release(&found);
    }
}

#define GENERATOR "slsa-verifier/layout-gha-generic-container-v2.1.0/blobs/sha256/"

static void read_file(const char *name, struct provenance *ret)
{
    AUTO_FREE char *bytes = read_sample(getenv("REGWARDEN_SHARED_DATA"), name, false);

    parse_bytes(bytes, strlen(bytes), NULL, ret);
}

/* An envelope of slsa-github-generator, the statement of BuildKit beside it, and a summary. */
static void real_envelopes_are_opened(void **state)
{
    struct provenance signed_one = {0};
    struct provenance bare = {0};
    struct provenance summary = {0};

    (void)state;
    if (!getenv("REGWARDEN_SHARED_DATA")) {
        print_message("skipped: $REGWARDEN_SHARED_DATA is not set\n");
        skip();
    }
    read_file(GENERATOR "e163b472f2e5d66e5a2a45e26e020c51a0d2da7dc8b567b31fc2ebfd33dbc33a",
              &signed_one);
    read_file(GENERATOR "8d63b5e440cc7cfa68622b4a3cae2dbe215f8f8dcc9f2fa4ffd3078d40d61a84", &bare);
    read_file("slsa-verifier/gke-gce-pre.bcid-vsa.jsonl", &summary);
    assert_true(signed_one.enveloped && signed_one.is_provenance);
    assert_int_equal(signed_one.subject, SUBJECT_OTHER);
    assert_true(text_starts_with(signed_one.builder,
                                 "https://github.com/slsa-framework/slsa-github-generator/"));
    assert_string_equal(signed_one.source, "https://github.com/slsa-framework/example-package");
    assert_string_equal(signed_one.revision, "4d329c75e7ec1725f7c9ce917a8799d408d06be3");
    assert_false(bare.enveloped);
    assert_int_equal(bare.mode, PROVENANCE_MODE_MIN);
    assert_string_equal(bare.source, signed_one.source);
    assert_true(summary.enveloped);
    assert_false(summary.is_provenance);
    assert_string_equal(summary.predicate_type, "https://slsa.dev/verification_summary/v1");
    provenance_release(&signed_one);
    provenance_release(&bare);
    provenance_release(&summary);
}

static void a_real_statement_of_tekton_is_read(void **state)
{
    const char *shared = getenv("REGWARDEN_SHARED_DATA");
    AUTO_FREE char *bytes = NULL;
    AUTO_JSON struct json *sample = NULL;
    AUTO_TEXT struct text statement = {0};
    struct provenance found = {0};

    (void)state;
    if (!shared) {
        print_message("skipped: $REGWARDEN_SHARED_DATA is not set\n");
        skip();
    }
    bytes = read_sample(shared, "conforma-golden-tekton-slsa-v02.json", false);
    assert_int_equal(json_parse(bytes, strlen(bytes), NULL, &sample, NULL), 0);
    json_write(json_get(json_at(json_get(sample, "attestations"), 0), "statement"), JSON_COMPACT,
               &statement);
    parse_bytes(statement.data, statement.length, NULL, &found);
    assert_string_equal(found.builder, "https://tekton.dev/chains/v2");
    assert_string_equal(found.source, "https://github.com/conforma/golden-container");
    assert_int_equal(found.mode, PROVENANCE_MODE_UNKNOWN);
    assert_null(found.base.name);
    provenance_release(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(materials_are_pinned_or_not),
        cmocka_unit_test(the_graph_leads_to_the_base),
        cmocka_unit_test(broken_graphs_lead_nowhere),
        cmocka_unit_test(a_long_circle_ends_soon),
        cmocka_unit_test(the_text_beats_the_materials),
        cmocka_unit_test(nothing_secret_is_kept),
        cmocka_unit_test(a_statement_about_somebody_else_is_none),
        cmocka_unit_test(envelopes_are_opened_and_not_believed),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(others_tell_builder_and_source),
        cmocka_unit_test(materials_are_bounded),
        cmocka_unit_test(layers_count_when_the_image_has_them),
        cmocka_unit_test(the_history_settles_what_materials_leave_open),
        cmocka_unit_test(gaps_are_told),
        cmocka_unit_test(real_statements_are_read),
        cmocka_unit_test(real_envelopes_are_opened),
        cmocka_unit_test(a_real_statement_of_tekton_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
