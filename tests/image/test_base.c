/* Own and base, and what the image says it was built from. Each claim with its evidence; comments
 * name the naive reading that goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"

#define BK "`comment`:`buildkit.dockerfile.v0`"
#define EMPTY "`empty_layer`:true"
#define AT(time) "`created`:`2025-03-0" time "Z`"
#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define ADD_ROOT "`created_by`:`/bin/sh -c #(nop) ADD file:ab in / `"
#define NOP_CMD "`created_by`:`/bin/sh -c #(nop)  CMD [\\`sh\\`]`," EMPTY
#define NAME "`org.opencontainers.image.base.name`"
#define DIGEST "`org.opencontainers.image.base.digest`"

/* origins: one letter per step: b base, o own, ? unknown. */
static void borders(void **state)
{
    static const struct {
        const char *name, *history, *origins;
        size_t layers;
        int base_layers;
    } cases[] = {
        {"one base with CMD, then own",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{" AT("2T10:00:00") ",`created_by`:`RUN /bin/sh -c a # buildkit`," BK
                                                "},"
                                                "{" AT("2T10:00:09") ",`created_by`:`COPY . . # "
                                                                     "buildkit`," BK "}",
         "bboo", 3, 1},
        /* Naive: the first jump in time is the border. It is the border between base and
         * grandparent. */
        {"two bases with CMD",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{" AT(
                               "2T10:00:00") ",`created_by`:`RUN /bin/sh -c a # buildkit`," BK "},"
                                             "{" AT("2T10:00:00") ",`created_by`:`CMD "
                                                                  "[\\`node\\`]`," BK "," EMPTY "},"
                                                                  "{" AT(
                                                                      "3T10:00:00") ",`created_by`:"
                                                                                    "`COPY . . # "
                                                                                    "buildkit`," BK
                                                                                    "}",
         "bbbbo", 3, 2},
        /* Naive: the last jump is the border. The step before it may be one of ours from the build
         * cache: unknown, and no number of layers is named. */
        {"a step from the cache, or a base without CMD",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{" AT("2T10:00:00") ",`created_by`:`RUN /bin/sh -c a # buildkit`," BK
                                                "},"
                                                "{" AT("3T10:00:00") ",`created_by`:`COPY . . # "
                                                                     "buildkit`," BK "}",
         "bb?o", 3, -1},
        /* Naive: trust the last CMD alone. Ours stands at the end, with no jump behind it. */
        {"own CMD before own steps",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{" AT("2T10:00:00") "," NOP_CMD "},"
                                                "{" AT("2T10:00:09") ",`created_by`:`/bin/sh -c "
                                                                     "#(nop) COPY dir:a in / `}",
         "bboo", 2, 1},
        {"BuildKit on a base of another builder",
         "{" AT("1T10:00:00") ",`created_by`:`apko`},{" AT(
             "1T10:00:00") ",`created_by`:`apko`},"
                           "{" AT("1T10:00:00") ",`created_by`:`COPY . . # buildkit`," BK "}",
         "bbo", 3, 2},
        /* Naive: an entry without marks ends the own part. It is a RUN in exec form. */
        {"exec form among own steps",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{" AT("2T10:00:00") ",`created_by`:`/bin/sh -c a`},{" AT(
                               "2T10:00:01") ",`created_by`:`make all`},{" AT("2T10:00:02") ",`"
                                                                                            "create"
                                                                                            "d_by`:"
                                                                                            "`/bin/"
                                                                                            "sh -c "
                                                                                            "b`}",
         "bbooo", 4, 1},
        {"all at one time",
         "{" AT("1T10:00:00") ",`created_by`:`COPY a / # buildkit`," BK "},"
                              "{" AT("1T10:00:00") ",`created_by`:`CMD [\\`a\\`]`," BK "," EMPTY
                                                   "}",
         "??", 1, -1},
        {"buildah names the border",
         "{" AT("1T10:00:00") "," ADD_ROOT "},"
                              "{" AT("1T10:00:00") ",`created_by`:`/bin/sh -c a`,`comment`:`FROM "
                                                   "quay.io/a:1`}",
         "bo", 2, 1},
        /* Naive: the lowest FROM. This one came with the base, which buildah built too. */
        {"buildah on buildah",
         "{" AT(
             "1T10:00:00") "," ADD_ROOT "},"
                           "{" AT(
                               "1T10:00:00") ",`created_by`:`/bin/sh -c a`,`comment`:`FROM "
                                             "quay.io/a:1`},"
                                             "{" AT(
                                                 "1T10:00:00") ",`created_by`:`/bin/sh -c "
                                                               "b`,`comment`:`FROM quay.io/b:1`},"
                                                               "{" AT(
                                                                   "1T10:00:00") ",`created_by`:`/"
                                                                                 "bin/sh -c "
                                                                                 "c`,`comment`:`"
                                                                                 "FROM "
                                                                                 "0123456789ab`}",
         "bboo", 4, 2},
        {"kaniko signs its own",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{`author`:`kaniko`,`created_by`:`RUN "
                           "a`},{`author`:`kaniko`,`created_by`:`COPY a b`}",
         "bboo", 3, 1},
        {"ko signs its own",
         "{`created`:`0001-01-01T00:00:00Z`},{`author`:`ko`,`created_by`:`ko build ko://x`}", "bo",
         2, 1},
        {"apko is one piece", "{`created_by`:`apko`},{`created_by`:`apko`}", "oo", 2, 0},
        {"distroless itself",
         "{`created`:`0001-01-01T00:00:00Z`},{`created`:`0001-01-01T00:00:00Z`}", "??", 2, -1},
        /* Steps are told apart all the same; layers are not counted. */
        {"misaligned",
         "{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:01") "," NOP_CMD "},"
                           "{" AT("2T10:00:00") ",`created_by`:`RUN /bin/sh -c a # buildkit`," BK
                                                "}",
         "bbo", 7, -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        static const char letters[] = {
            [ORIGIN_UNKNOWN] = '?', [ORIGIN_OWN] = 'o', [ORIGIN_BASE] = 'b'};
        AUTO_FREE char *config = text_new("{`history`:[%s]}", cases[i].history);
        AUTO_FACTS struct facts *facts = fixture_facts(config, cases[i].layers, "{}");
        char origins[16] = "";
        for (size_t k = 0; k < facts->history.count; k++)
            origins[k] = letters[facts->history.steps[k].origin];
        if (strcmp(origins, cases[i].origins) != 0)
            fail_msg("%s: %s", cases[i].name, origins);
        if (facts->base.layer_count != cases[i].base_layers)
            fail_msg("%s: %d base layers", cases[i].name, facts->base.layer_count);
        assert_int_equal(facts->base.layer_evidence,
                         cases[i].base_layers < 0 ? EVIDENCE_NONE : EVIDENCE_HISTORY);
    }
}

static const char buildah_history[] = "`history`:[{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
    "1T10:00:00") ",`created_by`:`/bin/sh -c a`,`comment`:`FROM quay.io/commented:1`}]";
static const char plain_history[] = "`history`:[{" ADD_ROOT "},{`created_by`:`/bin/sh -c a`}]";

static void claims(void **state)
{
    static const struct {
        const char *title, *labels, *history, *annotations;
        const char *name;
        bool digest;
        enum answer pinned;
        enum evidence evidence;
    } cases[] = {
        {"buildah, pinned", "", buildah_history,
         "{" NAME ":`quay.io/a@sha256:" HEX "`," DIGEST ":`sha256:" HEX "`}", "quay.io/a", true,
         ANSWER_YES, EVIDENCE_ANNOTATION},
        {"buildah, tag and digest", "", buildah_history, "{" NAME ":`quay.io/a:1@sha256:" HEX "`}",
         "quay.io/a:1", true, ANSWER_YES, EVIDENCE_ANNOTATION},
        /* Naive: a digest is there, so it is pinned. It is what the tag resolved to. */
        {"buildah, tag", "", buildah_history,
         "{" NAME ":`quay.io/a:1`," DIGEST ":`sha256:" HEX "`}", "quay.io/a:1", true, ANSWER_NO,
         EVIDENCE_ANNOTATION},
        {"buildah, short name", "", buildah_history, "{" DIGEST ":`sha256:" HEX "`}", NULL, true,
         ANSWER_UNKNOWN, EVIDENCE_ANNOTATION},
        {"buildah, scratch", "", buildah_history, "{" NAME ":``," DIGEST ":``}", "scratch", false,
         ANSWER_YES, EVIDENCE_ANNOTATION},
        {"buildah, scratch after other stages", "", buildah_history,
         "{" NAME ":``," DIGEST ":`sha256:" HEX "`}", "scratch", false, ANSWER_YES,
         EVIDENCE_ANNOTATION},
        {"buildah, comment only", "", buildah_history, "{}", "quay.io/commented:1", false,
         ANSWER_NO, EVIDENCE_HISTORY},
        {"another builder, tag and digest", "", plain_history,
         "{" NAME ":`cgr.dev/static:latest`," DIGEST ":`sha256:" HEX "`}", "cgr.dev/static:latest",
         true, ANSWER_UNKNOWN, EVIDENCE_ANNOTATION},
        {"another builder, scratch", "", plain_history, "{" NAME ":`scratch`}", "scratch", false,
         ANSWER_YES, EVIDENCE_ANNOTATION},
        {"both empty, not buildah", "", plain_history, "{" NAME ":``," DIGEST ":``}", NULL, false,
         ANSWER_UNKNOWN, EVIDENCE_NONE},
        /* Naive: labels are as good as annotations. Children inherit them: they may speak of the
         * grandparent, and never say how FROM was written. */
        {"labels", NAME ":`a@sha256:" HEX "`", plain_history, "{}", "a", true, ANSWER_UNKNOWN,
         EVIDENCE_LABEL},
        {"ACR Tasks",
         "`image.base.ref.name`:`a.azurecr.io/b:1`,`image.base.digest`:`sha256:" HEX "`",
         plain_history, "{}", "a.azurecr.io/b:1", true, ANSWER_UNKNOWN, EVIDENCE_LABEL},
        {"annotation before label", NAME ":`old`", plain_history, "{" NAME ":`new`}", "new", false,
         ANSWER_UNKNOWN, EVIDENCE_ANNOTATION},
        {"malformed digest", "", plain_history, "{" NAME ":`a`," DIGEST ":`latest`}", "a", false,
         ANSWER_UNKNOWN, EVIDENCE_ANNOTATION},
        {"nothing", "", plain_history, "{}", NULL, false, ANSWER_UNKNOWN, EVIDENCE_NONE},
        /* The label was set by a step of the base: known to be about the grandparent. */
        {"inherited label", NAME ":`old`",
         "`history`:[{" AT("1T10:00:00") "," ADD_ROOT "},{" AT(
             "1T10:00:00") ",`created_by`:`/bin/sh -c #(nop)  LABEL "
                           "org.opencontainers.image.base.name=old`," EMPTY
                           "},{" AT("1T10:00:01") "," NOP_CMD "},{" AT(
                               "2T10:00:00") ",`created_by`:`/bin/sh -c a`}]",
         "{}", NULL, false, ANSWER_UNKNOWN, EVIDENCE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *config =
            text_new("{`config`:{`Labels`:{%s}},%s}", cases[i].labels, cases[i].history);
        AUTO_FACTS struct facts *facts = fixture_facts(config, 2, cases[i].annotations);
        const struct facts_base *base = &facts->base;
        if (!text_equal(base->name, cases[i].name) || base->pinned != cases[i].pinned ||
            base->evidence != cases[i].evidence || digest_is_set(&base->digest) != cases[i].digest)
            fail_msg("%s: %s, pinned %s, evidence %s", cases[i].title,
                     base->name ? base->name : "-", answer_name(base->pinned),
                     evidence_name(base->evidence));
    }
}

static void scratch_makes_everything_own(void **state)
{
    AUTO_FACTS struct facts *facts =
        fixture_facts("{`history`:[{`created_by`:`COPY a / # buildkit`},"
                      "{`created_by`:`CMD [\\`a\\`]`," BK "," EMPTY "}]}",
                      1, "{" NAME ":`scratch`}");
    (void)state;
    assert_int_equal(facts->base.layer_count, 0);
    assert_int_equal(facts->history.steps[0].origin, ORIGIN_OWN);
    assert_int_equal(facts->history.steps[1].origin, ORIGIN_OWN);
}

#define DIFF(n) "`sha256:000000000000000000000000000000000000000000000000000000000000000" n "`"
#define CNB_HISTORY                                                                               \
    "`history`:[{" ADD_ROOT "},{" NOP_CMD "},{`created_by`:`Layer: 'jre', Created by buildpack: " \
    "x`},{`created_by`:`Application Layer`}]"

static void buildpacks_name_run_image_and_top_layer(void **state)
{
    AUTO_FACTS struct facts *facts = fixture_facts(
        "{`config`:{`Labels`:{`io.buildpacks.lifecycle.metadata`:`{\\`runImage\\`:{\\`topLayer\\`:"
        "\\`sha256:0000000000000000000000000000000000000000000000000000000000000001\\`,"
        "\\`reference\\`:\\`index.docker.io/paketo/run@sha256:" HEX "\\`},"
        "\\`stack\\`:{\\`runImage\\`:{\\`image\\`:\\`docker.io/paketo/run:jammy\\`}}}`}},"
        "`rootfs`:{`diff_ids`:[" DIFF("1") "," DIFF("2") "," DIFF("3") "]}," CNB_HISTORY "}",
        3, "{}");
    (void)state;
    assert_string_equal(facts->base.name, "docker.io/paketo/run:jammy");
    assert_true(digest_is_set(&facts->base.digest));
    assert_int_equal(facts->base.pinned, ANSWER_UNKNOWN);
    assert_int_equal(facts->base.evidence, EVIDENCE_LABEL);
    assert_int_equal(facts->base.layer_count, 1);
    assert_int_equal(facts->base.layer_evidence, EVIDENCE_LABEL);
    assert_int_equal(facts->history.steps[0].origin, ORIGIN_BASE);
    assert_int_equal(facts->history.steps[1].origin, ORIGIN_UNKNOWN); /* either could have set it */
    assert_int_equal(facts->history.steps[2].origin, ORIGIN_OWN);
}

/* More base layers than the manifest has: the config speaks of another image. */
static void impossible_layer_counts_are_dropped(void **state)
{
    AUTO_FACTS struct facts *facts = fixture_facts(
        "{`config`:{`Labels`:{`io.buildpacks.lifecycle.metadata`:`{\\`runImage\\`:{\\`topLayer\\`:"
        "\\`sha256:0000000000000000000000000000000000000000000000000000000000000003\\`}}`}},"
        "`rootfs`:{`diff_ids`:[" DIFF("1") "," DIFF("2") "," DIFF("3") "]}," CNB_HISTORY "}",
        1, "{}");
    (void)state;
    assert_int_equal(facts->base.layer_count, -1);
    assert_int_equal(facts->base.layer_evidence, EVIDENCE_NONE);
}

static void an_unknown_base_is_absent_with_a_reason(void **state)
{
    AUTO_FACTS struct facts *facts = fixture_facts("{}", 1, "{}");
    (void)state;
    assert_int_equal(facts->status[FACT_BASE].state, FACT_ABSENT);
    assert_non_null(facts->status[FACT_BASE].reason);
    assert_false(facts_cover(facts, FACT_BIT(FACT_BASE)));
    assert_true(facts_cover(facts, FACT_BIT(FACT_CONFIG) | FACT_BIT(FACT_PLACEMENT)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(borders),
        cmocka_unit_test(claims),
        cmocka_unit_test(scratch_makes_everything_own),
        cmocka_unit_test(buildpacks_name_run_image_and_top_layer),
        cmocka_unit_test(impossible_layer_counts_are_dropped),
        cmocka_unit_test(an_unknown_base_is_absent_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
