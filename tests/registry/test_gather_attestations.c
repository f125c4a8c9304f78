/* What others say of an image, gathered: by its index, by referrers, by cosign's tags; what cannot
 * be had, what is too much, and what is known already. The registry is made up. */
#include "evidence.h"

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
