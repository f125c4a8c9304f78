/* The groups "provenance" and "referrers" as data: the document, its schema, examples by hand, and
 * which of several statements counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/provenance.h"
#include "schema_check.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int read_document(const char *text, struct facts **ret, struct error *err)
{
    AUTO_FREE char *json = fixture_json(text);
    AUTO_JSON struct json *document = NULL;

    if (json_parse(json, strlen(json), NULL, &document, err))
        fail_msg("%s: %s", err->text, json);
    return facts_from_json(document, ret, err);
}

static struct facts *document(const char *text)
{
    struct facts *facts = NULL;
    struct error err = {0};

    if (read_document(text, &facts, &err))
        fail_msg("%s", err.text);
    return facts;
}

static const char full[] =
    "{`factsVersion`:2,`provenance`:{`statements`:[{`digest`:`sha256:" A64
    "`,`predicateType`:`https://slsa.dev/provenance/v1`,`subject`:`index`,`isProvenance`:true,"
    "`signed`:true,`verified`:`no`,`buildType`:`t`,`builder`:`b`,`mode`:`max`,`source`:`s`,"
    "`revision`:`r`,`materials`:[{`uri`:`u`,`role`:`stage`,`name`:`n`,`tag`:`1`,"
    "`digest`:`sha256:" B64 "`,`pinned`:`no`},{`uri`:`v`,`role`:`context`},{`uri`:`w`,"
    "`role`:`base`,`pinned`:`unknown`,`layout`:true}],`materialsLeftOut`:3,`base`:{`name`:`n`,"
    "`tag`:`1`,`digest`:`sha256:" B64 "`,`pinned`:`yes`,`layerCount`:4,`how`:`graph`},"
    "`dockerfileName`:`Dockerfile`,`dockerfile`:`FROM n:1`}]},"
    "`referrers`:{`items`:[{`kind`:`sbom`,`way`:`tag`,`ofIndex`:true,`type`:`x`,"
    "`digest`:`sha256:" A64 "`,`signed`:true,`verified`:`yes`}]}}";

static void documents_round_trip(void **state)
{
    AUTO_FACTS struct facts *facts = document(full);
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_JSON struct json *schema = facts_schema();
    AUTO_FREE char *wanted = fixture_json(full);
    AUTO_TEXT struct text provenance = {0};
    AUTO_TEXT struct text referrers = {0};
    char why[200] = "";

    (void)state;
    if (!schema_check(schema, json, why))
        fail_msg("%s", why);
    json_write(json_get(json, "provenance"), JSON_COMPACT, &provenance);
    json_write(json_get(json, "referrers"), JSON_COMPACT, &referrers);
    if (!strstr(wanted, text_data(&provenance)) || !strstr(wanted, text_data(&referrers)))
        fail_msg("%s %s", text_data(&provenance), text_data(&referrers));
}

static void examples_by_hand_are_read(void **state)
{
    AUTO_FACTS struct facts *facts =
        document("{`factsVersion`:2,`provenance`:{`statements`:[{`builder`:`x`},"
                 "{`predicateType`:`https://spdx.dev/Document`}]},"
                 "`referrers`:{`items`:[{`kind`:`signature`},{`kind`:`sbom`}]}}");
    AUTO_FACTS struct facts *none = document("{`factsVersion`:2,`provenance`:{},`referrers`:{}}");

    (void)state;
    assert_true(facts_cover(facts, FACT_BIT(FACT_PROVENANCE) | FACT_BIT(FACT_REFERRERS)));
    assert_int_equal(facts->provenance->count, 2);
    assert_true(facts->provenance->statements[0].is_provenance);
    assert_int_equal(facts->provenance->statements[0].subject, SUBJECT_IMAGE);
    assert_int_equal(facts->provenance->statements[0].base.layer_count, -1);
    assert_false(facts->provenance->statements[1].is_provenance);
    assert_int_equal(facts->referrers->count, 2);
    assert_true(facts->referrers->items[0].enveloped);
    assert_false(facts->referrers->items[1].enveloped);
    assert_int_equal(none->provenance->count, 0);
    assert_int_equal(none->referrers->count, 0);
}

static void wrong_members_are_refused(void **state)
{
    static const char *const cases[] = {
        "{`factsVersion`:2,`provenance`:7}",
        "{`factsVersion`:2,`provenance`:{`statements`:{}}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[7]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`mode`:`huge`}]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`subject`:7}]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`signed`:`yes`}]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`base`:[]}]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`base`:{`layerCount`:-2}}]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`materials`:[{`role`:`x`}]}]}}",
        "{`factsVersion`:2,`provenance`:{`statements`:[{`digest`:`sha256:x`}]}}",
        "{`factsVersion`:2,`referrers`:[]}",
        "{`factsVersion`:2,`referrers`:{`items`:[{`kind`:`x`}]}}",
        "{`factsVersion`:2,`groups`:{`provenance`:{`state`:`present`}}}",
        "{`factsVersion`:2,`groups`:{`referrers`:{`state`:`present`}}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = NULL;
        struct error err = {0};

        if (read_document(cases[i], &facts, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", cases[i]);
        assert_null(facts);
        assert_string_not_equal(err.text, "");
    }
}

#define STATEMENTS(s) "{`factsVersion`:2,`provenance`:{`statements`:[" s "]}}"
#define BASED "`base`:{`name`:`n`}"

static void the_best_statement_counts(void **state)
{
    static const struct {
        const char *statements;
        int best;
        bool has_base;
    } cases[] = {
        {"", -1, false},
        {"{`predicateType`:`https://spdx.dev/Document`}", -1, false},
        {"{`subject`:`other`," BASED "}", -1, false},
        {"{`subject`:`unknown`," BASED "}", -1, false},
        {"{}", 0, false},
        {"{},{" BASED "}", 1, true},
        {"{" BASED "},{`signed`:true," BASED "}", 1, true},
        {"{" BASED "},{`signed`:true}", 1, true}, /* the signed one knows no base */
        {"{`subject`:`index`," BASED "},{" BASED "}", 1, true},
        {"{`mode`:`min`," BASED "},{`mode`:`max`," BASED "}", 1, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text = text_new(STATEMENTS("%s"), cases[i].statements);
        AUTO_FACTS struct facts *facts = document(text);
        const struct provenance *best = provenance_best(facts->provenance);

        if (best != (cases[i].best < 0 ? NULL : &facts->provenance->statements[cases[i].best]))
            fail_msg("case %zu", i);
        if ((provenance_base(facts->provenance, NULL) != NULL) != cases[i].has_base)
            fail_msg("base of case %zu", i);
    }
    assert_null(provenance_best(NULL));
}

static void a_base_says_whether_it_is_signed(void **state)
{
    AUTO_FACTS struct facts *facts = document(STATEMENTS("{" BASED "},{`signed`:true}"));
    bool enveloped = true;

    (void)state;
    assert_string_equal(provenance_base(facts->provenance, &enveloped)->name, "n");
    assert_false(enveloped);
}

static void types_have_kinds(void **state)
{
    static const struct {
        const char *type;
        enum referrer_kind kind;
    } cases[] = {
        {"https://slsa.dev/provenance/v0.2", REFERRER_PROVENANCE},
        {"https://slsa.dev/provenance/v1", REFERRER_PROVENANCE},
        {"https://slsa.dev/verification_summary/v1", REFERRER_SUMMARY},
        {"https://spdx.dev/Document", REFERRER_SBOM},
        {"https://spdx.dev/Document/v2.3", REFERRER_SBOM},
        {"https://cyclonedx.org/bom", REFERRER_SBOM},
        {"application/vnd.cyclonedx+json", REFERRER_SBOM},
        {"application/SPDX+json", REFERRER_SBOM},
        {"application/vnd.cncf.notary.signature", REFERRER_SIGNATURE},
        {"application/vnd.dev.cosign.simplesigning.v1+json", REFERRER_SIGNATURE},
        {"application/vnd.in-toto.provenance+dsse", REFERRER_ATTESTATION},
        {"https://openvex.dev/ns/v0.2.0", REFERRER_SCAN},
        {"application/vnd.cncf.helm.config.v1+json", REFERRER_OTHER},
        {"", REFERRER_OTHER},
        {NULL, REFERRER_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (referrer_kind_of_type(cases[i].type) != cases[i].kind)
            fail_msg("%s", cases[i].type);
        assert_int_equal(predicate_is_provenance(cases[i].type),
                         cases[i].kind == REFERRER_PROVENANCE);
    }
}

static void lists_are_bounded_and_name_things_once(void **state)
{
    struct facts_referrers *referrers = memory_new(sizeof(*referrers));
    struct facts_provenance *provenance = memory_new(sizeof(*provenance));
    struct referrer again = {.kind = REFERRER_SBOM};
    struct provenance unused = {.source = memory_copy_text("s")};

    (void)state;
    provenance_release(&unused);
    assert_null(unused.source);
    for (unsigned i = 0; i <= REFERRERS_KEPT_MAX; i++) {
        struct referrer referrer = {.kind = REFERRER_SBOM, .type = memory_copy_text("t")};

        digest_compute(NULL, &i, sizeof(i), &referrer.digest);
        assert_int_equal(facts_referrers_add_take(referrers, &referrer), i < REFERRERS_KEPT_MAX);
        assert_null(referrer.type);
    }
    again.digest = referrers->items[0].digest;
    again.type = memory_copy_text("t");
    assert_true(facts_referrers_add_take(referrers, &again));
    assert_int_equal(referrers->count, REFERRERS_KEPT_MAX);
    for (unsigned i = 0; i <= PROVENANCE_STATEMENTS_MAX; i++) {
        struct provenance statement = {.builder = memory_copy_text("b")};

        assert_int_equal(facts_provenance_add_take(provenance, &statement),
                         i < PROVENANCE_STATEMENTS_MAX);
        assert_null(statement.builder);
    }
    facts_provenance_free(provenance);
    facts_referrers_free(referrers);
}

#define BOTH_WAYS(type, last, name, from_name)                      \
    for (unsigned i = 0; i <= (last); i++) {                        \
        enum type value;                                            \
        assert_int_equal(from_name(name((enum type)i), &value), 0); \
        assert_int_equal(value, i);                                 \
    }

static void every_name_goes_both_ways(void **state)
{
    (void)state;
    BOTH_WAYS(provenance_mode, PROVENANCE_MODE_MAX, provenance_mode_name, provenance_mode_from_name)
    BOTH_WAYS(provenance_subject, SUBJECT_IMAGE, provenance_subject_name,
              provenance_subject_from_name)
    BOTH_WAYS(material_role, MATERIAL_CONTEXT, material_role_name, material_role_from_name)
    BOTH_WAYS(provenance_base_how, BASE_HOW_DOCKERFILE, provenance_base_how_name,
              provenance_base_how_from_name)
    BOTH_WAYS(referrer_kind, REFERRER_ATTESTATION, referrer_kind_name, referrer_kind_from_name)
    BOTH_WAYS(referrer_way, REFERRER_BY_TAG, referrer_way_name, referrer_way_from_name)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_round_trip),
        cmocka_unit_test(examples_by_hand_are_read),
        cmocka_unit_test(wrong_members_are_refused),
        cmocka_unit_test(the_best_statement_counts),
        cmocka_unit_test(a_base_says_whether_it_is_signed),
        cmocka_unit_test(types_have_kinds),
        cmocka_unit_test(lists_are_bounded_and_name_things_once),
        cmocka_unit_test(every_name_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
