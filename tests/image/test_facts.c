/* The facts document: secrets taken out of every place, the round trip, golden documents, and the
 * schema that describes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/file.h"
#include "schema_check.h"

#define BK "`comment`:`buildkit.dockerfile.v0`"
#define EMPTY "`empty_layer`:true"
#define SECRET "hunter2-and-more"
#define TOKEN  \
    "sk_live_" \
    "0a1B2c3D4e5F6g7H8i9J"

/* The same secret in every place of an image, with and without a name that gives it away. */
static const char everywhere[] =
    "{`author`:`" TOKEN "`,`config`:{`User`:`" TOKEN "`,`WorkingDir`:`/" TOKEN "`,"
    "`Env`:[`DB_PASSWORD=" SECRET "`,`URL=http://u:" SECRET "@x`,`PLAIN=x " SECRET " y`,`" TOKEN
    "=x`],"
    "`Entrypoint`:[`/app`,`--password`,`" SECRET "`,`" TOKEN "`],"
    "`Cmd`:[`/bin/sh`,`-c`,`run -p" SECRET "`],"
    "`Labels`:{`a`:`" SECRET "`,`token " TOKEN "`:`b`,`c`:`" TOKEN "`},"
    "`ExposedPorts`:{`" TOKEN "`:{}},`Volumes`:{`/" TOKEN "`:{}},`StopSignal`:`" TOKEN "`,"
    "`OnBuild`:[`RUN echo " TOKEN "`],`Shell`:[`" TOKEN "`],"
    "`Healthcheck`:{`Test`:[`CMD-SHELL`,`curl -u x:" SECRET "`,`" TOKEN "`]}},"
    "`architecture`:`" TOKEN "`,`os`:`x`,"
    "`history`:[{`created_by`:`ENV DB_PASSWORD=" SECRET "`," BK "," EMPTY "},"
    "{`created_by`:`/bin/sh -c #(nop)  ENV DB_PASSWORD " SECRET "`," EMPTY "},"
    "{`created_by`:`RUN |2 A=" SECRET " T=" TOKEN " /bin/sh -c use " SECRET " # buildkit`," BK
    "},{`created_by`:`" SECRET "`,`author`:`" TOKEN "`,`comment`:`FROM " TOKEN "`}]}";
static const char annotated[] = "{`x`:`" TOKEN "`,`" TOKEN "`:`y`,`z`:`a " SECRET "`,"
                                "`org.opencontainers.image.base.name`:`" TOKEN "`}";

static const unsigned char salt[32] = "a salt of thirty-two bytes here";

static struct facts *build(const char *config, size_t layers, const char *annotations,
                           const unsigned char *with_salt)
{
    return facts_build_take(fixture_image(layers, annotations), fixture_config(config), NULL,
                            with_salt);
}

static void a_secret_stands_nowhere_in_the_document(void **state)
{
    AUTO_FACTS struct facts *facts = build(everywhere, 2, annotated, salt);
    AUTO_FREE char *document = fixture_document(facts);
    (void)state;
    if (strstr(document, SECRET) || strstr(document, TOKEN))
        fail_msg("%s", document);
    assert_non_null(strstr(document, "hunt****(16)"));
    assert_non_null(strstr(document, "sk_l****(28)"));
}

/* Property: whatever the secret, whatever the place, its bytes are not in the document. */
static void random_secrets_are_nowhere(void **state)
{
    static const char *const places[] = {
        "{`config`:{`Env`:[`X_PASSWORD=%s`,`Y=-%s-`]}}",
        "{`config`:{`Labels`:{`password`:`%s`,`other`:`x%sx`}}}",
        "{`history`:[{`created_by`:`ARG TOKEN_SECRET=%s`,`comment`:`%s`}]}",
        "{`history`:[{`created_by`:`RUN |1 MY_SECRET=%s /bin/sh -c a%sb # buildkit`}]}",
        "{`config`:{`Cmd`:[`--password`,`%s`,`%s`]}}",
        "{`config`:{`Healthcheck`:{`Test`:[`CMD`,`--secret=%s`]},`User`:`%s`}}",
    };
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#+.:";
    uint64_t seed = 88172645463325252ULL;
    (void)state;
    for (size_t i = 0; i < 600; i++) {
        char secret[40] = "";
        size_t size = 8 + i % 24;
        for (size_t k = 0; k < size; k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            secret[k] = set[seed % (sizeof(set) - 1)];
        }
        const char *place = places[i % ARRAY_COUNT(places)];
        struct text config = {0};
        for (const char *c = place; *c; c++) {
            if (*c == '%')
                text_add(&config, secret), c++;
            else
                text_add_char(&config, *c);
        }
        AUTO_FACTS struct facts *facts = build(text_data(&config), 1, "{}", NULL);
        AUTO_FREE char *document = fixture_document(facts);
        if (strstr(document, secret) || facts->secret_count == 0)
            fail_msg("%s in %s", secret, document);
        text_release(&config);
    }
}

static void secrets_are_listed_with_their_place(void **state)
{
    static const struct {
        const char *config;
        const char *annotations;
        const char *kind;
        enum secret_place place;
        const char *key;
        int step;
    } cases[] = {
        {"{`config`:{`Env`:[`A=1`,`DB_PASSWORD=hunter22`]}}", "{}", "named-value", SECRET_ENV,
         "DB_PASSWORD", -1},
        /* What stands in history too is one secret, and its step is known. */
        {"{`config`:{`Env`:[`DB_PASSWORD=hunter22`]},`history`:[{`created_by`:`RUN a # buildkit`},"
         "{`created_by`:`ENV DB_PASSWORD=hunter22`," BK "," EMPTY "}]}",
         "{}", "named-value", SECRET_ENV, "DB_PASSWORD", 1},
        {"{`config`:{`Labels`:{`token`:`" TOKEN "`}}}", "{}", "stripe-key", SECRET_LABEL, "token",
         -1},
        {"{}", "{`x`:`" TOKEN "`}", "stripe-key", SECRET_ANNOTATION, "x", -1},
        /* Build arguments stand in front of every RUN: one secret, at its first step. */
        {"{`history`:[{`created_by`:`ARG MY_TOKEN=" TOKEN "`," BK "," EMPTY "},"
         "{`created_by`:`RUN |1 MY_TOKEN=" TOKEN " /bin/sh -c a # buildkit`," BK "},"
         "{`created_by`:`RUN |1 MY_TOKEN=" TOKEN " /bin/sh -c b # buildkit`," BK "}]}",
         "{}", "stripe-key", SECRET_ARG, "MY_TOKEN", 0},
        {"{`history`:[{`created_by`:`RUN /bin/sh -c curl -u x https://u:hunter22@x # buildkit`}]}",
         "{}", "url-password", SECRET_HISTORY, NULL, 0},
        {"{`config`:{`Cmd`:[`app`,`--password=hunter22`]}}", "{}", "named-value", SECRET_COMMAND,
         "password", -1},
        {"{`config`:{`Healthcheck`:{`Test`:[`CMD`,`" TOKEN "`]}}}", "{}", "stripe-key",
         SECRET_HEALTHCHECK, NULL, -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = build(cases[i].config, 1, cases[i].annotations, salt);
        if (facts->secret_count != 1)
            fail_msg("case %zu: %zu secrets", i, facts->secret_count);
        const struct facts_secret *secret = &facts->secrets[0];
        assert_string_equal(secret->kind, cases[i].kind);
        assert_int_equal(secret->place, cases[i].place);
        assert_int_equal(secret->step, cases[i].step);
        if (!text_equal(secret->key, cases[i].key))
            fail_msg("case %zu: key %s", i, secret->key ? secret->key : "-");
        assert_int_equal(strlen(secret->hash), 16);
    }
}

static void hashes_compare_within_one_installation(void **state)
{
    static const unsigned char other[32] = "another salt of thirty-two bytes";
    const char *config = "{`config`:{`Env`:[`DB_PASSWORD=hunter22`]}}";
    AUTO_FACTS struct facts *a = build(config, 1, "{}", salt);
    AUTO_FACTS struct facts *b = build(config, 2, "{}", salt);
    AUTO_FACTS struct facts *c = build(config, 1, "{}", other);
    AUTO_FACTS struct facts *none = build(config, 1, "{}", NULL);
    (void)state;
    assert_string_equal(a->secrets[0].hash, b->secrets[0].hash);
    assert_string_not_equal(a->secrets[0].hash, c->secrets[0].hash);
    assert_null(none->secrets[0].hash);
}

/* A short password is masked where it is named, and not in every word that contains it. */
static void short_secrets_do_not_spoil_other_texts(void **state)
{
    AUTO_FACTS struct facts *facts =
        build("{`config`:{`Env`:[`X_PASSWORD=sonar`,`HOME=/opt/sonar`]},"
              "`history`:[{`created_by`:`/bin/sh -c #(nop)  ENV X_PASSWORD sonar`," EMPTY "}]}",
              0, "{}", NULL);
    (void)state;
    assert_string_equal(text_pairs_get(&facts->config->env, "X_PASSWORD"), "s****(5)");
    assert_string_equal(text_pairs_get(&facts->config->env, "HOME"), "/opt/sonar");
    assert_string_equal(facts->history.steps[0].text, "X_PASSWORD s****(5)");
    assert_null(strstr(facts->config->history[0].created_by, "sonar"));
}

static void many_secrets_stay_bounded(void **state)
{
    struct text config = {0};
    (void)state;
    text_add(&config, "{`config`:{`Env`:[`A=1`");
    for (size_t i = 0; i < 2000; i++)
        text_format(&config, ",`P%zu_PASSWORD=aaaaaaaa%zu`", i, i);
    text_add(&config, "]}}");
    AUTO_FACTS struct facts *facts = build(text_data(&config), 1, "{}", NULL);
    AUTO_FREE char *document = fixture_document(facts);
    assert_int_equal(facts->secret_count, 256);
    assert_null(strstr(document, "aaaaaaaa")); /* masked all the same */
    text_release(&config);
}

static void an_index_has_only_its_manifest(void **state)
{
    AUTO_FACTS struct facts *facts = facts_build_take(
        fixture_manifest("{`mediaType`:`" MEDIA_TYPE_OCI_INDEX "`,`manifests`:[]}"), NULL,
        "an index has no config", NULL);
    (void)state;
    assert_int_equal(facts->status[FACT_MANIFEST].state, FACT_PRESENT);
    assert_int_equal(facts->status[FACT_CONFIG].state, FACT_ABSENT);
    assert_string_equal(facts->status[FACT_RUNTIME].reason, "an index has no config");
    assert_true(facts_cover(facts, FACT_BIT(FACT_MANIFEST)));
    assert_false(facts_cover(facts, FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_HISTORY)));
}

static struct facts *round_trip(const struct facts *facts)
{
    AUTO_JSON struct json *json = facts_to_json(facts);
    struct facts *copy = NULL;
    struct error err = {0};
    if (facts_from_json(json, &copy, &err))
        fail_msg("%s", err.text);
    return copy;
}

static void documents_round_trip(void **state)
{
    static const char *const configs[] = {
        "{}",
        "{`created`:`0001-01-01T00:00:00Z`,`config`:{`Env`:[`A=1`,`A=2`,`B`],`Labels`:{`a`:``}},"
        "`history`:[{`created`:`1980-01-01T00:00:01Z`,`created_by`:`\\u00e4\\n\\u0001`}]}",
        "{`config`:{`Healthcheck`:{`Test`:[`NONE`]},`ExposedPorts`:{`80`:{}},`Volumes`:{`/a`:{}}},"
        "`rootfs`:{`diff_ids`:[`blake3:0a`,"
        "`sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a`]},"
        "`os`:`linux`,`architecture`:`arm64`,`variant`:`v8`,`os.version`:`1`}",
        everywhere,
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(configs); i++) {
        AUTO_FACTS struct facts *facts = build(configs[i], 2, annotated, salt);
        AUTO_FACTS struct facts *copy = round_trip(facts);
        AUTO_FREE char *before = fixture_document(facts);
        AUTO_FREE char *after = fixture_document(copy);
        assert_string_equal(before, after);
        assert_int_equal(copy->history.count, facts->history.count);
        assert_int_equal(copy->base.layer_count, facts->base.layer_count);
        assert_int_equal(copy->config->history_count, facts->config->history_count);
    }
}

static int read_text(const char *text, struct facts **ret, struct error *err)
{
    AUTO_FREE char *json = fixture_json(text);
    AUTO_JSON struct json *document = NULL;
    if (json_parse(json, strlen(json), NULL, &document, err))
        fail_msg("%s", json);
    return facts_from_json(document, ret, err);
}

/* What a policy author writes by hand: only what matters. */
static void partial_documents_are_read(void **state)
{
    AUTO_FACTS struct facts *facts = NULL;
    struct error err = {0};
    (void)state;
    if (read_text("{`factsVersion`:2,`config`:{`user`:`app`,`env`:{`A`:`b`}},"
                  "`history`:{`steps`:[{`kind`:`RUN`,`text`:`make`}]},`base`:{`name`:`a`}}",
                  &facts, &err))
        fail_msg("%s", err.text);
    assert_string_equal(facts->config->user, "app");
    assert_string_equal(facts->config->working_dir, "");
    assert_string_equal(text_pairs_get(&facts->config->env, "A"), "b");
    assert_int_equal(facts->status[FACT_CONFIG].state, FACT_PRESENT);
    assert_int_equal(facts->status[FACT_MANIFEST].state, FACT_ABSENT);
    assert_int_equal(facts->history.steps[0].layer, -1);
    assert_int_equal(facts->base.layer_count, -1);
    assert_int_equal(facts->base.pinned, ANSWER_UNKNOWN);
}

static void other_documents_are_refused(void **state)
{
    static const char *const cases[] = {
        "[]",
        "{}",
        "{`factsVersion`:3}",
        "{`factsVersion`:`1`}",
        "{`factsVersion`:2,`config`:[]}",
        "{`factsVersion`:2,`config`:{`user`:1}}",
        "{`factsVersion`:2,`config`:{`env`:[{`name`:`a`}]}}",
        "{`factsVersion`:2,`config`:{`env`:[7]}}",
        "{`factsVersion`:2,`config`:{`created`:`x`}}",
        "{`factsVersion`:2,`config`:{`diffIds`:[`x`]}}",
        "{`factsVersion`:2,`groups`:{`config`:{`state`:`present`}}}",
        "{`factsVersion`:2,`groups`:{`manifest`:{`state`:`present`}}}",
        "{`factsVersion`:2,`groups`:{`config`:{`state`:`maybe`}}}",
        "{`factsVersion`:2,`manifest`:{`kind`:`picture`}}",
        "{`factsVersion`:2,`manifest`:{`digest`:`x`}}",
        "{`factsVersion`:2,`manifest`:{`size`:-1}}",
        "{`factsVersion`:2,`manifest`:{`layers`:[7]}}",
        "{`factsVersion`:2,`manifest`:{`layers`:{}}}",
        "{`factsVersion`:2,`history`:{`builder`:`hammer`}}",
        "{`factsVersion`:2,`history`:{`steps`:[{}]}}",
        "{`factsVersion`:2,`history`:{`steps`:[{`kind`:`FLY`}]}}",
        "{`factsVersion`:2,`history`:{`steps`:[{`kind`:`RUN`,`layer`:-5}]}}",
        "{`factsVersion`:2,`history`:{`steps`:[{`kind`:`RUN`,`origin`:`x`}]}}",
        "{`factsVersion`:2,`base`:{`pinned`:`perhaps`}}",
        "{`factsVersion`:2,`base`:{`evidence`:`rumour`}}",
        "{`factsVersion`:2,`base`:{`layerCount`:-2}}",
        "{`factsVersion`:2,`runtime`:{`name`:`cobol`}}",
        "{`factsVersion`:2,`runtime`:{`sdk`:true,`name`:7,`version`:7}}",
        "{`factsVersion`:2,`secrets`:[{}]}",
        "{`factsVersion`:2,`secrets`:{}}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = NULL;
        struct error err = {0};
        if (read_text(cases[i], &facts, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", cases[i]);
        assert_null(facts);
        assert_string_not_equal(err.text, "");
    }
}

static void documents_match_the_schema(void **state)
{
    AUTO_JSON struct json *schema = facts_schema();
    AUTO_FACTS struct facts *facts = build(everywhere, 2, annotated, salt);
    AUTO_JSON struct json *document = facts_to_json(facts);
    AUTO_JSON struct json *wrong = json_new_object();
    char why[200] = "";
    (void)state;
    if (!schema_check(schema, document, why))
        fail_msg("%s", why);
    json_set_integer(wrong, "factsVersion", 3);
    assert_false(schema_check(schema, wrong, why));
}

static void every_name_goes_both_ways(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= EVIDENCE_SIGNED_PROVENANCE; i++) {
        enum evidence value;
        assert_int_equal(evidence_from_name(evidence_name((enum evidence)i), &value), 0);
        assert_int_equal(value, i);
    }
    for (unsigned i = 0; i <= STEP_MAINTAINER; i++) {
        enum step_kind value;
        assert_int_equal(step_kind_from_name(step_kind_name((enum step_kind)i), &value), 0);
        assert_int_equal(value, i);
    }
    for (unsigned i = 0; i <= BUILDER_BUILDPACKS; i++) {
        enum image_builder value;
        assert_int_equal(image_builder_from_name(image_builder_name((enum image_builder)i), &value),
                         0);
        assert_int_equal(value, i);
    }
    for (unsigned i = 0; runtime_names[i]; i++) {
        enum runtime value;
        assert_int_equal(runtime_from_name(runtime_name((enum runtime)i), &value), 0);
        assert_int_equal(value, i);
    }
    for (unsigned i = 0; i <= SECRET_HEALTHCHECK; i++) {
        enum secret_place value;
        assert_int_equal(secret_place_from_name(secret_place_name((enum secret_place)i), &value),
                         0);
        assert_int_equal(value, i);
    }
    assert_int_equal(evidence_from_name("rumour", &(enum evidence){0}), FAILURE_INPUT);
    assert_int_equal(runtime_from_name(NULL, &(enum runtime){0}), FAILURE_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_stands_nowhere_in_the_document),
        cmocka_unit_test(random_secrets_are_nowhere),
        cmocka_unit_test(secrets_are_listed_with_their_place),
        cmocka_unit_test(hashes_compare_within_one_installation),
        cmocka_unit_test(short_secrets_do_not_spoil_other_texts),
        cmocka_unit_test(many_secrets_stay_bounded),
        cmocka_unit_test(an_index_has_only_its_manifest),
        cmocka_unit_test(documents_round_trip),
        cmocka_unit_test(partial_documents_are_read),
        cmocka_unit_test(other_documents_are_refused),
        cmocka_unit_test(documents_match_the_schema),
        cmocka_unit_test(every_name_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
