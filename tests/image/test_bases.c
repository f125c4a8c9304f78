/* What an image was built from, by claims and by the layers of known images. Comments name what
 * other programs answer. Layers are letters: the same letter is the same layer, '0' the one without
 * files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/bases.h"
#include "regwarden/facts_files.h"
#include "regwarden/file.h"
#include "regwarden/provenance.h"
#include "schema_check.h"

#define NAME "`org.opencontainers.image.base.name`:"
#define DIGEST "`org.opencontainers.image.base.digest`:"

enum { DAY = 24 * 60 * 60 * 1000 };

struct sample {
    const char *layers;      /* as stored */
    const char *content;     /* diff_ids; NULL: as layers */
    const char *history;     /* a step with a layer each, capitals without; NULL: as layers */
    const char *annotations; /* members */
    const char *labels;      /* members */
    bool buildah;
    const char *architecture; /* "amd64" */
};

static void add_digest(struct text *text, char letter, char kind)
{
    static const char *const empty[] = {
        "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
        "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"};
    if (letter == '0')
        text_format(text, "`sha256:%s`", empty[kind == 'd']);
    else
        text_format(text, "`sha256:%062d%02x`", kind == 'd', letter);
}

static struct manifest *sample_manifest(const struct sample *sample)
{
    struct text text = {0};
    text_format(&text,
                "{`schemaVersion`:2,`mediaType`:`" MEDIA_TYPE_OCI_MANIFEST
                "`,`annotations`:{%s},`config`:{`mediaType`:`" MEDIA_TYPE_OCI_CONFIG
                "`,`size`:7,`digest`:`sha256:%064zu`},`layers`:[",
                sample->annotations ? sample->annotations : "",
                sample->history ? strlen(sample->history) : 0);
    for (const char *c = sample->layers; *c; c++) {
        text_format(&text,
                    "%s{`mediaType`:`application/vnd.oci.image.layer.v1.tar+gzip`,`size`:9,"
                    "`digest`:",
                    c > sample->layers ? "," : "");
        add_digest(&text, *c, 'm');
        text_add(&text, "}");
    }
    text_add(&text, "]}");
    struct manifest *manifest = fixture_manifest(text_data(&text));
    text_release(&text);
    return manifest;
}

static struct image_config *sample_config(const struct sample *sample)
{
    const char *content = sample->content ? sample->content : sample->layers;
    const char *history = sample->history ? sample->history : sample->layers;
    struct text text = {0};
    text_format(&text,
                "{`os`:`linux`,`architecture`:`%s`,`config`:{`Labels`:{%s}},"
                "`rootfs`:{`diff_ids`:[",
                sample->architecture ? sample->architecture : "amd64",
                sample->labels ? sample->labels : "");
    for (const char *c = content; *c; c++) {
        text_add(&text, c > content ? "," : "");
        add_digest(&text, *c, 'd');
    }
    text_add(&text, "]},`history`:[");
    for (const char *c = history; *c; c++)
        text_format(&text, "%s{`created`:`2026-01-01T00:00:00Z`,`created_by`:`/bin/sh -c %c`%s%s}",
                    c > history ? "," : "", *c, *c >= 'A' && *c <= 'Z' ? ",`empty_layer`:true" : "",
                    sample->buildah && !c[1] ? ",`comment`:`FROM 0123456789ab`" : "");
    text_add(&text, "]}");
    struct image_config *config = fixture_config(text_data(&text));
    text_release(&text);
    return config;
}

static struct facts *build(const struct sample *sample)
{
    return facts_build_take(sample_manifest(sample), sample_config(sample), NULL, NULL);
}

/* Returns the digest of the image. */
static struct digest see(struct base_catalogue *catalogue, const char *name,
                         const struct sample *sample, int64_t at_ms)
{
    AUTO_FACTS struct facts *facts = build(sample);
    struct base_image *image = NULL;
    struct error err = {0};
    if (base_image_from_facts(facts, &image, &err) ||
        base_catalogue_see_take(catalogue, image,
                                &(struct base_sighting){.name = name, .at_ms = at_ms}, &err))
        fail_msg("%s: %s", name, err.text);
    return facts->manifest->digest;
}

/* debian: a; python: debian + b c, with CMD; node: debian + d. */
static struct base_catalogue *known(void)
{
    struct base_catalogue *catalogue = base_catalogue_new();
    see(catalogue, "debian:12", &(struct sample){.layers = "a"}, DAY);
    see(catalogue, "python:3.14", &(struct sample){.layers = "abc", .history = "abcC"}, DAY);
    see(catalogue, "reg.example/node:22", &(struct sample){.layers = "ad"}, DAY);
    see(catalogue, "alpine:3.22", &(struct sample){.layers = "x"}, DAY);
    return catalogue;
}

#define SHA(c) "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define PYTHON "docker.io/library/python:3.14"
#define NODE "reg.example/node:22"
#define DEBIAN "docker.io/library/debian:12"

static void traps(void **state)
{
    static const struct {
        const char *title;
        struct sample image;
        const char *name;
        enum evidence evidence;
        enum answer known;
        int layers;
        int ancestors;
        int conflict; /* of the first contradiction, -1 none */
        enum answer pinned;
    } cases[] = {
        /* BuildKit writes no base at all: regclient and Scout's base.* policies say nothing, trivy
         * guesses from CMD entries. */
        {"no claim",
         {.layers = "abce", .history = "abcCe"},
         PYTHON,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         -1,
         ANSWER_UNKNOWN},
        {"the nearest one counts",
         {.layers = "ae"},
         DEBIAN,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         1,
         0,
         -1,
         ANSWER_UNKNOWN},
        /* Comparing the digests of stored layers finds nothing. */
        {"compressed anew",
         {.layers = "ABCE", .content = "abce", .history = "abcCe"},
         PYTHON,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         -1,
         ANSWER_UNKNOWN},
        {"nothing known below",
         {.layers = "zy"},
         NULL,
         EVIDENCE_NONE,
         ANSWER_NO,
         -1,
         0,
         -1,
         ANSWER_UNKNOWN},
        /* One layer with all that was in the base: only os-release tells of it. */
        {"squashed", {.layers = "s"}, NULL, EVIDENCE_NONE, ANSWER_NO, -1, 0, -1, ANSWER_UNKNOWN},
        {"a layer of a base in another place",
         {.layers = "eabc"},
         NULL,
         EVIDENCE_NONE,
         ANSWER_NO,
         -1,
         0,
         -1,
         ANSWER_UNKNOWN},
        {"another platform",
         {.layers = "abce", .architecture = "arm64"},
         NULL,
         EVIDENCE_NONE,
         ANSWER_NO,
         -1,
         0,
         -1,
         ANSWER_UNKNOWN},
        {"the base itself",
         {.layers = "abc", .history = "abcC"},
         DEBIAN,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         1,
         0,
         -1,
         ANSWER_UNKNOWN},
        {"nothing but metadata of its own",
         {.layers = "abc", .history = "abcCU"},
         PYTHON,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         -1,
         ANSWER_UNKNOWN},
        /* The same layers with another history: built beside it, not on it. */
        {"a sister",
         {.layers = "abc", .history = "abcD"},
         DEBIAN,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         1,
         0,
         -1,
         ANSWER_UNKNOWN},
        /* buildah --layers annotates the digest of an intermediate image; regclient believes it. */
        {"buildah's digest",
         {.layers = "abce",
          .annotations = NAME "`python:3.14`," DIGEST "`" SHA("07") "`",
          .buildah = true},
         "python:3.14",
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         BASE_CONFLICT_DIGEST,
         ANSWER_NO},
        {"confirmed and pinned",
         {.layers = "abce", .annotations = NAME "`python@" SHA("07") "`", .buildah = true},
         "python",
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         -1,
         ANSWER_YES},
        /* Scout, Anchore and hand-written LABELs: children inherit them. */
        {"an inherited label",
         {.layers = "abce", .labels = NAME "`debian:12`"},
         PYTHON,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         -1,
         ANSWER_UNKNOWN},
        /* anchore-engine#127: FROM not_in scratch,distroless passes ubuntu. */
        {"says scratch",
         {.layers = "ae", .annotations = NAME "`scratch`"},
         DEBIAN,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         1,
         0,
         BASE_CONFLICT_NAME,
         ANSWER_UNKNOWN},
        {"is scratch",
         {.layers = "z", .annotations = NAME "`scratch`"},
         "scratch",
         EVIDENCE_ANNOTATION,
         ANSWER_UNKNOWN,
         0,
         0,
         -1,
         ANSWER_YES},
        {"says alpine",
         {.layers = "ae", .annotations = NAME "`alpine:3.22`"},
         DEBIAN,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         1,
         0,
         BASE_CONFLICT_NAME,
         ANSWER_UNKNOWN},
        /* Nothing known is below: it may be an alpine that was never seen. */
        {"another version of a known name",
         {.layers = "ze", .annotations = NAME "`alpine:3.22`"},
         "alpine:3.22",
         EVIDENCE_ANNOTATION,
         ANSWER_NO,
         -1,
         0,
         -1,
         ANSWER_UNKNOWN},
        {"another version, on what is below the known one",
         {.layers = "awe", .annotations = NAME "`python:3.14`"},
         "python:3.14",
         EVIDENCE_ANNOTATION,
         ANSWER_NO,
         -1,
         1,
         -1,
         ANSWER_UNKNOWN},
        {"an unknown base on a known one",
         {.layers = "abcwe", .annotations = NAME "`reg.example/team/base:1`"},
         "reg.example/team/base:1",
         EVIDENCE_ANNOTATION,
         ANSWER_NO,
         -1,
         2,
         -1,
         ANSWER_UNKNOWN},
        /* An annotation that buildah took over from the base. */
        {"an inherited annotation",
         {.layers = "abce", .annotations = NAME "`debian:12`"},
         PYTHON,
         EVIDENCE_LAYERS,
         ANSWER_YES,
         3,
         1,
         -1,
         ANSWER_UNKNOWN},
    };
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = build(&cases[i].image);
        const struct facts_base *base = &facts->base;
        bases_apply(catalogue, facts);
        int conflict = base->contradiction_count ? (int)base->contradictions[0].conflict : -1;
        if (!text_equal(base->name, cases[i].name) || base->evidence != cases[i].evidence ||
            base->known != cases[i].known || base->layer_count != cases[i].layers ||
            (int)base->ancestor_count != cases[i].ancestors || conflict != cases[i].conflict ||
            base->pinned != cases[i].pinned)
            fail_msg("%s: %s by %s, known %s, %d layers, %zu ancestors, conflict %d, pinned %s",
                     cases[i].title, base->name ? base->name : "-", evidence_name(base->evidence),
                     answer_name(base->known), base->layer_count, base->ancestor_count, conflict,
                     answer_name(base->pinned));
        assert_int_equal(facts->status[FACT_BASE].state, FACT_PRESENT);
    }
}

static void a_digest_tells_which_image_is_meant(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    char text[DIGEST_TEXT_SIZE];
    struct digest alpine = see(catalogue, "alpine:3.22", &(struct sample){.layers = "x"}, DAY);
    AUTO_FREE char *digest = text_new(DIGEST "`%s`", digest_format(&alpine, text));
    AUTO_FACTS struct facts *right = build(&(struct sample){.layers = "xe", .annotations = digest});
    AUTO_FACTS struct facts *wrong = build(&(struct sample){.layers = "ze", .annotations = digest});
    (void)state;
    bases_apply(catalogue, right);
    assert_string_equal(right->base.name, "docker.io/library/alpine:3.22");
    assert_int_equal(right->base.contradiction_count, 0);
    bases_apply(catalogue, wrong);
    assert_null(wrong->base.name);
    assert_int_equal(wrong->base.contradictions[0].conflict, BASE_CONFLICT_LAYERS);
}

/* A child of the shorter one that makes an empty layer of its own looks like the longer one. */
static void history_decides_between_empty_layers(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    AUTO_FACTS struct facts *of_short = build(&(struct sample){.layers = "a0e", .history = "awe"});
    AUTO_FACTS struct facts *of_long = build(&(struct sample){.layers = "a0e", .history = "ave"});
    AUTO_FACTS struct facts *nothing = build(&(struct sample){.layers = "0e", .history = "ve"});
    (void)state;
    see(catalogue, "r.example/short:1", &(struct sample){.layers = "a", .history = "a"}, DAY);
    see(catalogue, "r.example/long:1", &(struct sample){.layers = "a0", .history = "av"}, DAY);
    bases_apply(catalogue, of_short);
    assert_string_equal(of_short->base.name, "r.example/short:1");
    bases_apply(catalogue, of_long);
    assert_string_equal(of_long->base.name, "r.example/long:1");
    /* Nothing but an empty layer in common is nothing in common. */
    bases_apply(catalogue, nothing);
    assert_null(nothing->base.name);
}

static void steps_know_their_origin(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_FACTS struct facts *facts = build(&(struct sample){.layers = "abce", .history = "abcCUe"});
    static const enum origin origins[] = {ORIGIN_BASE, ORIGIN_BASE, ORIGIN_BASE,
                                          ORIGIN_BASE, ORIGIN_OWN,  ORIGIN_OWN};
    (void)state;
    bases_apply(catalogue, facts);
    for (size_t i = 0; i < ARRAY_COUNT(origins); i++)
        assert_int_equal(facts->history.steps[i].origin, origins[i]);
}

static char *document_with(const struct base_catalogue *catalogue, struct facts *facts)
{
    bases_apply(catalogue, facts);
    return fixture_document(facts);
}

static void the_last_catalogue_counts(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_FACTS struct facts *facts = build(&(struct sample){
        .layers = "abce", .annotations = NAME "`alpine:3.22`", .labels = NAME "`debian`"});
    AUTO_FREE char *before = fixture_document(facts);
    AUTO_FREE char *once = document_with(catalogue, facts);
    AUTO_FREE char *twice = document_with(catalogue, facts);
    AUTO_FREE char *without = document_with(NULL, facts);
    (void)state;
    assert_string_not_equal(before, once);
    assert_string_equal(once, twice);
    assert_string_equal(before, without);
}

static void stored_facts_are_derived_anew(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_JSON struct json *schema = facts_schema();
    AUTO_FACTS struct facts *facts = build(&(struct sample){
        .layers = "abce", .annotations = NAME "`alpine:3.22`", .labels = NAME "`debian`"});
    AUTO_FREE char *plain = fixture_document(facts);
    AUTO_FREE char *applied = document_with(catalogue, facts);
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_FACTS struct facts *copy = NULL;
    char why[200] = "";
    (void)state;
    if (!schema_check(schema, json, why))
        fail_msg("%s", why);
    assert_int_equal(facts_from_json(json, &copy, NULL), 0);
    AUTO_FREE char *read = fixture_document(copy);
    assert_string_equal(read, applied);
    AUTO_FREE char *anew = document_with(NULL, copy);
    assert_string_equal(anew, plain);
}

/* FROM scratch leaves no trace: only the layers tell that there is nothing of a distribution. */
static void scratch_is_told_by_what_is_not_there(void **state)
{
    AUTO_FACTS struct facts *facts =
        facts_build_take(fixture_image(1, "{}"),
                         fixture_config("{`history`:[{`created_by`:`COPY /app /app # buildkit`,"
                                        "`comment`:`buildkit.dockerfile.v0`}]}"),
                         NULL, NULL);
    (void)state;
    assert_null(facts->base.name);
    facts->files = memory_new(sizeof(*facts->files));
    facts->files->layer_count = 1;
    facts->files->layers = memory_new_array(1, sizeof(*facts->files->layers));
    facts->files->complete = true;
    facts->files->os_release_file.there = ANSWER_YES;
    bases_apply(NULL, facts);
    assert_null(facts->base.name);
    facts->files->os_release_file.there = ANSWER_NO;
    bases_apply(NULL, facts);
    assert_string_equal(facts->base.name, "scratch");
    assert_int_equal(facts->base.evidence, EVIDENCE_HISTORY);
    assert_int_equal(facts->base.layer_count, 0);
    facts->files->complete = false; /* what was not looked into may hold one */
    bases_apply(NULL, facts);
    assert_null(facts->base.name);
}

/* --- names move --- */

static void a_name_moves_on(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_FACTS struct facts *facts = build(&(struct sample){.layers = "xe"});
    AUTO_FACTS struct facts *fresh = build(&(struct sample){.layers = "ye"});
    AUTO_FREE char *revision = memory_copy_text(base_catalogue_revision(catalogue));
    struct digest next = see(catalogue, "alpine:3.22", &(struct sample){.layers = "y"}, 5 * DAY);
    (void)state;
    assert_string_not_equal(revision, base_catalogue_revision(catalogue));
    bases_apply(catalogue, facts);
    assert_int_equal(facts->base.superseded_ms, 5 * DAY);
    assert_true(digest_equal(&facts->base.current, &next));
    assert_int_equal(facts->base.since_ms, DAY);
    bases_apply(catalogue, fresh);
    assert_int_equal(fresh->base.superseded_ms, 0);
    /* the tag is put back */
    see(catalogue, "alpine:3.22", &(struct sample){.layers = "x"}, 6 * DAY);
    bases_apply(catalogue, facts);
    assert_int_equal(facts->base.superseded_ms, 0);
    bases_apply(catalogue, fresh);
    assert_int_equal(fresh->base.superseded_ms, 6 * DAY);
}

/* "latest" moves from one line to the next: an image of the older line is not out of date for that.
 * Unless it says that it was built from latest. */
static void a_base_with_a_current_name_is_current(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    AUTO_FACTS struct facts *silent = build(&(struct sample){.layers = "xe"});
    AUTO_FACTS struct facts *told =
        build(&(struct sample){.layers = "xe", .annotations = NAME "`alpine`"});
    (void)state;
    see(catalogue, "alpine", &(struct sample){.layers = "x"}, DAY);
    see(catalogue, "alpine:3.22", &(struct sample){.layers = "x"}, DAY);
    see(catalogue, "alpine", &(struct sample){.layers = "y"}, 2 * DAY);
    bases_apply(catalogue, silent);
    assert_int_equal(silent->base.superseded_ms, 0);
    assert_int_equal(silent->base.alias_count, 2);
    assert_string_equal(silent->base.name, "docker.io/library/alpine:3.22");
    bases_apply(catalogue, told);
    assert_int_equal(told->base.superseded_ms, 2 * DAY);
    assert_string_equal(told->base.name, "alpine");
}

/* The claimed name is known, and the image is not built on what it names today. */
static void a_claim_can_be_out_of_date(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_FACTS struct facts *facts =
        build(&(struct sample){.layers = "ze", .annotations = NAME "`alpine:3.22`"});
    (void)state;
    bases_apply(catalogue, facts);
    assert_int_equal(facts->base.superseded_ms, DAY);
    assert_true(digest_is_set(&facts->base.current));
}

static void sightings_of_an_index_are_remembered(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    AUTO_FACTS struct facts *base = build(&(struct sample){.layers = "x"});
    struct digest indexes[2];
    (void)state;
    for (int i = 0; i < 2; i++) { /* another platform of the index changed */
        struct base_image *image = NULL;
        digest_compute(NULL, i ? "two" : "one", 3, &indexes[i]);
        assert_int_equal(base_image_from_facts(base, &image, NULL), 0);
        struct base_sighting sighting = {
            .name = "alpine", .index = &indexes[i], .at_ms = (1 + i) * (int64_t)DAY};
        assert_int_equal(base_catalogue_see_take(catalogue, image, &sighting, NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        char text[DIGEST_TEXT_SIZE];
        AUTO_FREE char *digest = text_new(DIGEST "`%s`", digest_format(&indexes[i], text));
        AUTO_FACTS struct facts *facts =
            build(&(struct sample){.layers = "xe", .annotations = digest});
        bases_apply(catalogue, facts);
        assert_int_equal(facts->base.contradiction_count, 0);
        assert_int_equal(facts->base.superseded_ms, 0);
        assert_true(digest_equal(&facts->base.current, &indexes[1]));
    }
}

static void what_is_current_is_recognised(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    struct digest first = see(catalogue, "alpine", &(struct sample){.layers = "x"}, DAY);
    struct digest other;
    size_t position = 0;
    (void)state;
    digest_compute(NULL, "other", 5, &other);
    while (base_catalogue_next_changed(catalogue, &position))
        continue;
    assert_true(base_catalogue_sees_again(catalogue, "alpine:latest", &first, DAY + 1));
    assert_false(base_catalogue_sees_again(catalogue, "alpine", &other, DAY + 1));
    assert_false(base_catalogue_sees_again(catalogue, "alpine:3", &first, DAY + 1));
    position = 0;
    assert_null(base_catalogue_next_changed(catalogue, &position));
    assert_true(base_catalogue_sees_again(catalogue, "alpine", &first, 3 * (int64_t)DAY));
    position = 0;
    assert_non_null(base_catalogue_next_changed(catalogue, &position)); /* the day is worth it */
    see(catalogue, "alpine", &(struct sample){.layers = "y"}, 4 * (int64_t)DAY);
    assert_false(base_catalogue_sees_again(catalogue, "alpine", &first, 4 * (int64_t)DAY));
}

static void what_changed_is_given_once(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    size_t position = 0;
    size_t count = 0;
    (void)state;
    while (base_catalogue_next_changed(catalogue, &position))
        count++;
    assert_int_equal(count, base_catalogue_count(catalogue));
    see(catalogue, "alpine:3.22", &(struct sample){.layers = "x"}, DAY + 5); /* nothing new */
    position = 0;
    assert_null(base_catalogue_next_changed(catalogue, &position));
    see(catalogue, "alpine:3.22", &(struct sample){.layers = "y"}, 2 * DAY);
    for (position = count = 0; base_catalogue_next_changed(catalogue, &position);)
        count++;
    assert_int_equal(count, 2); /* the new one, and the one that it supersedes */
}

static void names_are_forgotten(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_FACTS struct facts *facts = build(&(struct sample){.layers = "xe"});
    struct digest gone[8];
    size_t gone_count;
    (void)state;
    see(catalogue, "reg.example/copy/alpine:1", &(struct sample){.layers = "x"}, DAY);
    assert_int_equal(base_catalogue_forget(catalogue, "docker.io/**", gone, &gone_count), 3);
    assert_int_equal(gone_count, 2); /* alpine has another name */
    assert_int_equal(base_catalogue_count(catalogue), 2);
    assert_null(base_catalogue_find(catalogue, &gone[0]));
    bases_apply(catalogue, facts);
    assert_string_equal(facts->base.name, "reg.example/copy/alpine:1");
}

/* --- provenance --- */

static void provenance_is_a_claim(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_FACTS struct facts *facts = build(&(struct sample){.layers = "abce"});
    struct provenance statement = {.predicate_type = memory_copy_text(""),
                                   .build_type = memory_copy_text(""),
                                   .builder = memory_copy_text(""),
                                   .subject = SUBJECT_IMAGE,
                                   .is_provenance = true,
                                   .base = {.name = memory_copy_text("python"),
                                            .tag = memory_copy_text("3.14"),
                                            .pinned = ANSWER_NO,
                                            .layer_count = -1}};
    (void)state;
    facts->provenance = memory_new(sizeof(*facts->provenance));
    assert_true(facts_provenance_add_take(facts->provenance, &statement));
    bases_apply(NULL, facts);
    assert_string_equal(facts->base.name, "python:3.14");
    assert_int_equal(facts->base.evidence, EVIDENCE_PROVENANCE);
    assert_int_equal(facts->base.pinned, ANSWER_NO);
    bases_apply(catalogue, facts);
    assert_string_equal(facts->base.name, "python:3.14");
    assert_int_equal(facts->base.evidence, EVIDENCE_LAYERS);
    assert_int_equal(facts->base.pinned_evidence, EVIDENCE_PROVENANCE);
    assert_int_equal(facts->base.claim_count, 1);
    facts->provenance->statements[0].verified = ANSWER_YES;
    bases_apply(catalogue, facts);
    assert_int_equal(facts->base.evidence, EVIDENCE_SIGNED_PROVENANCE);
    assert_int_equal(facts->base.claim_count, 1);
}

/* --- the published form --- */

static void the_published_form_round_trips(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_BASE_CATALOGUE struct base_catalogue *copy = NULL;
    struct error err = {0};
    (void)state;
    see(catalogue, "alpine:3.22", &(struct sample){.layers = "y"}, 2 * DAY);
    see(catalogue, "r.example/a@" SHA("07"), &(struct sample){.layers = "z"}, 2 * DAY);
    AUTO_JSON struct json *json = base_catalogue_to_json(catalogue);
    if (base_catalogue_from_json(json, &copy, &err))
        fail_msg("%s", err.text);
    assert_string_equal(base_catalogue_revision(copy), base_catalogue_revision(catalogue));
    AUTO_JSON struct json *again = base_catalogue_to_json(copy);
    struct text a = {0}, b = {0};
    json_write(json, JSON_COMPACT, &a);
    json_write(again, JSON_COMPACT, &b);
    assert_string_equal(text_data(&a), text_data(&b));
    text_release(&a);
    text_release(&b);
    assert_string_equal(base_catalogue_at(copy, 0)->names[0].name, DEBIAN);
}

static void other_documents_are_refused(void **state)
{
#define ONE(members) "{`basesVersion`:1,`bases`:[{" members "}]}"
#define ID "`digest`:`" SHA("07") "`"
#define LAYERS "`layers`:[`" SHA("08") "`]"
    static const char *const cases[] = {
        "[]",
        "{}",
        "{`basesVersion`:2,`bases`:[]}",
        "{`basesVersion`:1,`bases`:{}}",
        "{`basesVersion`:1,`bases`:[7]}",
        ONE(LAYERS),
        ONE(ID),
        ONE(ID ",`layers`:[]"),
        ONE(ID ",`layers`:[7]"),
        ONE(ID ",`layers`:[`blake3:00`]"),
        ONE(ID "," LAYERS ",`diffIds`:[`" SHA("08") "`,`" SHA("08") "`]"),
        ONE(ID "," LAYERS ",`names`:[{}]"),
        ONE(ID "," LAYERS ",`names`:[{`name`:`a b`}]"),
        ONE(ID "," LAYERS ",`names`:[{`name`:`r.e@ample/a:1`}]"),
        ONE(ID "," LAYERS ",`names`:[{`name`:`a`,`since`:`x`}]"),
        ONE(ID "," LAYERS ",`historySteps`:3"),
        ONE(ID "," LAYERS ",`historySteps`:-3"),
        ONE(ID "," LAYERS ",`platform`:7"),
        "{`basesVersion`:1,`bases`:[{" ID "," LAYERS "},{" ID "," LAYERS "}]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text = fixture_json(cases[i]);
        AUTO_JSON struct json *json = NULL;
        AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = NULL;
        struct error err = {0};
        assert_int_equal(json_parse(text, strlen(text), NULL, &json, NULL), 0);
        if (base_catalogue_from_json(json, &catalogue, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", cases[i]);
        assert_string_not_equal(err.text, "");
    }
}

static void one_image_is_written_alone(void **state)
{
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = known();
    AUTO_BASE_CATALOGUE struct base_catalogue *copy = base_catalogue_new();
    AUTO_JSON struct json *json = base_image_to_json(base_catalogue_at(catalogue, 1));
    (void)state;
    assert_int_equal(base_catalogue_add_json(copy, json, NULL), 0);
    assert_int_equal(base_catalogue_add_json(copy, json, NULL), FAILURE_INPUT);
    assert_int_equal(base_catalogue_count(copy), 1);
}

/* --- images of the wild --- */

/* One of the .NET images: stored layers, bottom first, and the base that its Dockerfile named. */
struct wild {
    struct facts *facts;
    char *name;
    struct digest base;
};

static void read_wild(const char *path, struct wild *ret)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_JSON struct json *json = NULL;
    struct text manifest = {0};
    assert_int_equal(file_read(path, 1 << 20, &bytes, NULL), 0);
    assert_int_equal(json_parse(text_data(&bytes), bytes.length, NULL, &json, NULL), 0);
    const struct json *layers = json_get(json, "layers");
    text_add(&manifest, "{`schemaVersion`:2,`mediaType`:`" MEDIA_TYPE_OCI_MANIFEST
                        "`,`config`:{`mediaType`:`" MEDIA_TYPE_OCI_CONFIG "`,`size`:7,`digest`:`");
    text_format(&manifest, "%s`},`layers`:[", json_get_string(json, "digest"));
    for (size_t i = 0; i < json_count(layers); i++)
        text_format(&manifest, "%s{`mediaType`:`x`,`size`:1,`digest`:`%s`}", i ? "," : "",
                    json_get_string(json_at(layers, i), "digest"));
    text_add(&manifest, "]}");
    ret->facts =
        facts_build_take(fixture_manifest(text_data(&manifest)),
                         fixture_config("{`os`:`linux`,`architecture`:`amd64`}"), NULL, NULL);
    /* the manifest is made up of what is told of it, its digest is not */
    assert_int_equal(
        digest_parse(json_get_string(json, "digest"), &ret->facts->manifest->digest, NULL), 0);
    ret->name = text_new("%s:%s", json_get_string(json, "repo"), json_get_string(json, "tag"));
    const char *declared = json_get_string(json_get(json, "labels"), "base_digest_declared");
    const char *at = declared ? strchr(declared, '@') : NULL;
    if (at)
        (void)digest_parse(at + 1, &ret->base, NULL);
    text_release(&manifest);
}

static bool is_below(const struct facts_base *base, const struct digest *digest)
{
    bool found = digest_equal(&base->digest, digest);
    for (size_t i = 0; i < base->ancestor_count; i++)
        found = found || digest_equal(&base->ancestors[i].digest, digest);
    return found;
}

/* Every image whose declared base is among the samples is recognised to be built on it. */
static void images_of_the_wild_find_their_bases(void **state)
{
    const char *data = getenv("REGWARDEN_SHARED_DATA");
    (void)state;
    if (!data)
        skip(); /* it jumps: nothing may be held yet */
    AUTO_FREE char *directory = text_new("%s/corpus/dotnet-image-info", data);
    AUTO_TEXT_LIST struct text_list files = {0};
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    size_t pairs = 0, nearest = 0;
    assert_int_equal(file_list(directory, ".json", &files, NULL), 0);
    struct wild *images = memory_new_array(files.count, sizeof(*images));
    for (size_t i = 0; i < files.count; i++) {
        struct base_image *image = NULL;
        read_wild(files.items[i], &images[i]);
        struct base_sighting sighting = {.name = images[i].name, .at_ms = DAY};
        assert_int_equal(base_image_from_facts(images[i].facts, &image, NULL), 0);
        assert_int_equal(base_catalogue_see_take(catalogue, image, &sighting, NULL), 0);
    }
    for (size_t i = 0; i < files.count; i++) {
        const struct facts_base *base = &images[i].facts->base;
        bases_apply(catalogue, images[i].facts);
        if (base_catalogue_find(catalogue, &images[i].base)) {
            pairs++;
            nearest += digest_equal(&base->digest, &images[i].base);
            if (!is_below(base, &images[i].base))
                fail_msg("%s", images[i].name);
        }
        facts_free(images[i].facts);
        free(images[i].name);
    }
    free(images);
    assert_true(pairs > 10);
    assert_int_equal(nearest, pairs);
}

static void names_in_full(void **state)
{
    static const struct {
        const char *name, *full;
    } cases[] = {
        {"alpine", "docker.io/library/alpine:latest"},
        {"alpine:3.22", "docker.io/library/alpine:3.22"},
        {"team/a", "docker.io/team/a:latest"},
        {"index.docker.io/library/a:1", "docker.io/library/a:1"},
        {"localhost/a", "localhost/a:latest"},
        {"localhost:5000/a", "localhost:5000/a:latest"},
        {"r.example/a@sha256:00", "r.example/a"},
        {"r.example/a:1@sha256:00", "r.example/a:1"},
        {"scratch", NULL},
        {"", NULL},
        {NULL, NULL},
        {"a b", NULL},
        {"@sha256:00", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *full = base_name_full(cases[i].name);
        if (!text_equal(full, cases[i].full))
            fail_msg("%s: %s", cases[i].name, full ? full : "-");
    }
    assert_true(base_name_matches("r.example/a:1", "r.example/a:1"));
    assert_true(base_name_matches("r.example/a:1", "r.example/a"));
    assert_false(base_name_matches("r.example/a:1", "r.example/a:2"));
    assert_false(base_name_matches("r.example:5000/a", "r.example/a"));
    assert_false(base_name_matches("r.example/ab", "r.example/a"));
}

static void what_is_no_image_is_no_base(void **state)
{
    struct base_image *image = NULL;
    AUTO_FACTS struct facts *index = facts_build_take(
        fixture_manifest("{`mediaType`:`" MEDIA_TYPE_OCI_INDEX "`,`manifests`:[]}"), NULL, NULL,
        NULL);
    AUTO_FACTS struct facts *empty = build(&(struct sample){.layers = "0"});
    AUTO_FACTS struct facts *none = build(&(struct sample){.layers = ""});
    (void)state;
    assert_int_equal(base_image_from_facts(index, &image, NULL), FAILURE_INPUT);
    assert_int_equal(base_image_from_facts(empty, &image, NULL), FAILURE_INPUT);
    assert_int_equal(base_image_from_facts(none, &image, NULL), FAILURE_INPUT);
    bases_apply(NULL, index); /* nothing to derive */
    base_catalogue_free(NULL);
    assert_int_equal(index->base.known, ANSWER_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traps),
        cmocka_unit_test(a_digest_tells_which_image_is_meant),
        cmocka_unit_test(history_decides_between_empty_layers),
        cmocka_unit_test(steps_know_their_origin),
        cmocka_unit_test(the_last_catalogue_counts),
        cmocka_unit_test(stored_facts_are_derived_anew),
        cmocka_unit_test(scratch_is_told_by_what_is_not_there),
        cmocka_unit_test(a_name_moves_on),
        cmocka_unit_test(a_base_with_a_current_name_is_current),
        cmocka_unit_test(a_claim_can_be_out_of_date),
        cmocka_unit_test(sightings_of_an_index_are_remembered),
        cmocka_unit_test(what_is_current_is_recognised),
        cmocka_unit_test(what_changed_is_given_once),
        cmocka_unit_test(names_are_forgotten),
        cmocka_unit_test(provenance_is_a_claim),
        cmocka_unit_test(the_published_form_round_trips),
        cmocka_unit_test(other_documents_are_refused),
        cmocka_unit_test(one_image_is_written_alone),
        cmocka_unit_test(images_of_the_wild_find_their_bases),
        cmocka_unit_test(names_in_full),
        cmocka_unit_test(what_is_no_image_is_no_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
