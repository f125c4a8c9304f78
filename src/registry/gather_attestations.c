/* One image of a gathering, from its facts to what others say of it: the report of the registry's
 * scanner, attestations that its index lists, what refers to it or to its index, and the tags that
 * cosign makes. Whom a statement speaks
 * of and what it says is read in provenance.h.
 *
 * Images are read one after the other, and for each one thing at a time: however many statements
 * there are, one is held. What cannot be had later either leaves a gap in the groups and no more.
 */
#include <assert.h>
#include <string.h>

#include "regwarden/memory.h"

#include "gather_attestations.h"

#define REFERENCE_TYPE "vnd.docker.reference.type"

/* cosign's names; one that is only a signature is not asked for when nobody wants it. */
static const struct {
    const char *suffix;
    bool of_index;
    bool is_statement;
} tags[] = {
    {".att", false, true}, {".att", true, true},    {".sig", false, false},
    {".sig", true, false}, {".sbom", false, false}, {".sbom", true, false},
};

enum {
    STEP_REPORT,
    STEP_INDEX_REPORT,
    STEP_ENTRIES,
    STEP_REFERRERS,
    STEP_INDEX_REFERRERS,
    STEP_TAGS,
    STEP_TARGETS = STEP_TAGS + ARRAY_COUNT(tags),
    STEP_DONE,
};

static bool wants(const struct gather *gather, enum fact_group group)
{
    return (gather->options.needs & FACT_BIT(group)) != 0;
}

bool attestations_want(const struct attestations *evidence, enum fact_group group)
{
    return wants(evidence->gather, group);
}

static bool lacks(const struct pending *pending, enum fact_group group)
{
    const struct gather_options *options = &pending->gather->options;
    const struct facts *facts = pending->image->facts;

    return wants(pending->gather, group) &&
           (!options->needs_of ||
            (options->needs_of(options->needs_of_argument, facts) & FACT_BIT(group))) &&
           (options->evidence_anew || group == FACT_VULNERABILITIES ||
            facts->status[group].state != FACT_PRESENT);
}

bool pending_wants_evidence(const struct pending *pending)
{
    return pending->image->facts->manifest->kind == MANIFEST_IMAGE &&
           (lacks(pending, FACT_PROVENANCE) || lacks(pending, FACT_REFERRERS) ||
            lacks(pending, FACT_VULNERABILITIES));
}

static void clear(struct attestations *evidence)
{
    manifest_free(TAKE(evidence->manifest));
    facts_provenance_free(TAKE(evidence->provenance));
    facts_referrers_free(TAKE(evidence->referrers));
    free(TAKE(evidence->targets));
    facts_vulnerabilities_free(TAKE(evidence->vulnerabilities));
    free(TAKE(evidence->gap));
    free(TAKE(evidence->report_gap));
    free(TAKE(evidence->refused));
    evidence->pending = NULL;
    evidence->target_count = evidence->next = evidence->fetches = 0;
    evidence->step = STEP_REPORT;
}

void attestations_free(struct attestations *evidence)
{
    if (!evidence)
        return;
    clear(evidence);
    free(evidence);
}

void attestations_cancel(struct attestations *evidence)
{
    if (evidence && evidence->request)
        evidence->gather->source.cancel(evidence->gather->source.self, evidence->request);
}

const struct digest *attestations_index(const struct attestations *evidence)
{
    const struct facts *index = evidence->gather->result.index;

    return index ? &index->manifest->digest : NULL;
}

void attestations_add_gap(struct attestations *evidence, const char *what, const char *why)
{
    if (!evidence->gap)
        evidence->gap = text_new("%s: %s", what, why);
}

/* May it be had later? Then the image is not judged on half of what is known. */
static bool is_temporary(const struct error *error)
{
    return error->kind == FAILURE_LATER || error->kind == FAILURE_UNCERTAIN ||
           error->kind == FAILURE_SYSTEM;
}

/* Takes the next image, if one waits. */
static void begin_next(struct attestations *evidence)
{
    struct gather *gather = evidence->gather;

    for (size_t i = 0; !evidence->pending && i < gather->result.image_count; i++) {
        struct pending *pending = &gather->pending[i];

        if (!pending->waits_for_evidence)
            continue;
        pending->waits_for_evidence = false;
        evidence->pending = pending;
        evidence->targets = memory_new_array(TARGETS_MAX, sizeof(*evidence->targets));
        evidence->provenance = memory_new(sizeof(*evidence->provenance));
        evidence->referrers = memory_new(sizeof(*evidence->referrers));
        evidence->vulnerabilities = memory_new(sizeof(*evidence->vulnerabilities));
    }
    if (evidence->pending)
        attestations_go_on(evidence);
}

static void fail_image(struct attestations *evidence, const struct error *error)
{
    struct pending *pending = evidence->pending;

    pending->image->error = *error;
    (void)error_wrap(&pending->image->error, "attestations");
    facts_free(TAKE(pending->image->facts));
    clear(evidence);
    pending_settle(pending);
    begin_next(evidence);
}

/* False when the image is given up; a gap otherwise. */
bool attestations_survive(struct attestations *evidence, const struct error *error,
                          const char *what)
{
    if (is_temporary(error)) {
        fail_image(evidence, error);
        return false;
    }
    attestations_add_gap(evidence, what, error->text);
    return true;
}

/* What was known by way of an index stays known where the image is looked at alone. */
static void keep_known(struct attestations *evidence)
{
    const struct facts *facts = evidence->pending->image->facts;
    struct facts_referrers *known = facts->referrers;

    if (wants(evidence->gather, FACT_PROVENANCE))
        facts_provenance_keep(evidence->provenance, facts->provenance);
    if (!wants(evidence->gather, FACT_REFERRERS) || attestations_index(evidence))
        return;
    for (size_t i = 0; known && i < known->count; i++)
        if (known->items[i].way == REFERRER_BY_INDEX || known->items[i].of_index)
            (void)facts_referrers_add_take(evidence->referrers, &known->items[i]);
}

static void finish_image(struct attestations *evidence)
{
    struct pending *pending = evidence->pending;
    const struct gather *gather = evidence->gather;

    keep_known(evidence);
    if (wants(gather, FACT_PROVENANCE))
        facts_set_provenance_take(pending->image->facts, TAKE(evidence->provenance), evidence->gap);
    if (wants(gather, FACT_REFERRERS))
        facts_set_referrers_take(pending->image->facts, TAKE(evidence->referrers), evidence->gap);
    if (wants(gather, FACT_VULNERABILITIES))
        attestations_finish_reports(evidence);
    clear(evidence);
    pending_go_on(pending);
    begin_next(evidence);
}

static void add_target(struct attestations *evidence, const struct target *target)
{
    for (size_t i = 0; i < evidence->target_count; i++)
        if (digest_equal(&evidence->targets[i].digest, &target->digest))
            return;
    if (evidence->target_count == TARGETS_MAX)
        attestations_add_gap(evidence, "referrers", "there are more of them than are looked at");
    else
        evidence->targets[evidence->target_count++] = *target;
}

int attestations_take_budget(struct attestations *evidence, uint64_t bytes, struct error *err)
{
    if (evidence->fetches == FETCHES_MAX || bytes > BUDGET_BYTES - evidence->bytes)
        return error_set(err, FAILURE_LIMIT, "there is too much of it to be read");
    evidence->bytes += bytes;
    evidence->fetches++;
    return 0;
}

/* --- what the index lists --- */

static bool names_image(const struct descriptor *entry, const struct digest *image)
{
    static const char *const keys[] = {"vnd.docker.reference.digest",
                                       "com.docker.reference.digest"};
    const char *type = text_pairs_get(&entry->annotations, REFERENCE_TYPE);
    struct digest digest;

    if (type && !text_equal(type, "attestation-manifest"))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const char *text = text_pairs_get(&entry->annotations, keys[i]);

        if (text && digest_parse(text, &digest, NULL) == 0 && digest_equal(&digest, image))
            return true;
    }
    return false;
}

static void take_entries(struct attestations *evidence)
{
    const struct facts *index = evidence->gather->result.index;

    for (size_t i = 0; index && i < index->manifest->child_count; i++) {
        const struct descriptor *entry = &index->manifest->children[i];

        if (names_image(entry, &evidence->pending->image->digest))
            add_target(evidence, &(struct target){.digest = entry->digest,
                                                  .size = entry->size,
                                                  .way = REFERRER_BY_INDEX});
    }
}

/* --- what refers --- */

static bool step_is_of_index(unsigned step)
{
    return step == STEP_INDEX_REFERRERS ||
           (step >= STEP_TAGS && step < STEP_TARGETS && tags[step - STEP_TAGS].of_index);
}

static void on_referrers(void *argument, const struct registry_answer *answer)
{
    struct attestations *evidence = argument;
    bool of_index = step_is_of_index(evidence->step);
    AUTO_MANIFEST struct manifest *index = NULL;
    struct error error = {0};
    struct digest digest;

    evidence->request = 0;
    if (answer->error) {
        error = *answer->error;
    } else {
        digest_compute(NULL, answer->bytes, answer->size, &digest);
        (void)manifest_parse(answer->bytes, answer->size, MEDIA_TYPE_OCI_INDEX, &digest, &index,
                             &error);
    }
    if (error.kind != FAILURE_NONE && error.kind != FAILURE_ABSENT &&
        !attestations_survive(evidence, &error, "referrers")) {
        gather_proceed(evidence->gather);
        return;
    }
    for (size_t i = 0; index && i < index->child_count; i++) {
        const struct target target = {.digest = index->children[i].digest,
                                      .size = index->children[i].size,
                                      .way = REFERRER_BY_SUBJECT,
                                      .of_index = of_index};

        if (attestations_take_descriptor(evidence, &index->children[i], &target))
            add_target(evidence, &target);
    }
    if (of_index && index && index->child_count == 0)
        evidence->nothing |= 1u << evidence->step;
    evidence->step++;
    attestations_go_on(evidence);
    gather_proceed(evidence->gather);
}

/* A tag that is not there is the usual case. */
static void on_tag(void *argument, const struct registry_answer *answer)
{
    struct attestations *evidence = argument;
    bool of_index = step_is_of_index(evidence->step);
    unsigned step = evidence->step++;

    evidence->request = 0;
    if (!answer->error) {
        attestations_take_manifest(
            evidence, &(struct target){.way = REFERRER_BY_TAG, .of_index = of_index}, answer);
    } else if (answer->error->kind == FAILURE_ABSENT) {
        evidence->nothing |= of_index ? 1u << step : 0;
    } else if (!attestations_survive(evidence, answer->error, "tags of cosign")) {
        gather_proceed(evidence->gather);
        return;
    }
    attestations_go_on(evidence);
    gather_proceed(evidence->gather);
}

static void on_target(void *argument, const struct registry_answer *answer)
{
    struct attestations *evidence = argument;
    const struct target *target = &evidence->targets[evidence->next++];
    char digest[DIGEST_TEXT_SIZE];

    evidence->request = 0;
    if (!answer->error) {
        attestations_take_manifest(evidence, target, answer);
    } else if (!attestations_survive(evidence, answer->error,
                                     digest_format(&target->digest, digest))) {
        gather_proceed(evidence->gather);
        return;
    }
    attestations_go_on(evidence);
    gather_proceed(evidence->gather);
}

/* --- one after the other --- */

static void ask_referrers(struct attestations *evidence, const struct digest *digest)
{
    struct gather *gather = evidence->gather;

    if (!digest || !gather->source.fetch_referrers ||
        (evidence->nothing & (1u << evidence->step))) {
        evidence->step++;
        return;
    }
    evidence->request = gather->source.fetch_referrers(gather->source.self, gather->repository,
                                                       digest, on_referrers, evidence);
}

static void ask_tag(struct attestations *evidence)
{
    struct gather *gather = evidence->gather;
    unsigned at = evidence->step - STEP_TAGS;
    const struct digest *digest =
        tags[at].of_index ? attestations_index(evidence) : &evidence->pending->image->digest;
    char name[DIGEST_TEXT_SIZE + 8];
    char buffer[DIGEST_TEXT_SIZE];

    if (!digest || digest->algorithm != DIGEST_SHA256 ||
        (evidence->nothing & (1u << evidence->step)) ||
        (!tags[at].is_statement && !wants(gather, FACT_REFERRERS))) {
        evidence->step++;
        return;
    }
    snprintf(name, sizeof(name), "%s%s", digest_format(digest, buffer), tags[at].suffix);
    *strchr(name, ':') = '-';
    evidence->request = gather->source.fetch_manifest(gather->source.self, gather->repository, name,
                                                      on_tag, evidence);
}

static void ask_target(struct attestations *evidence)
{
    struct gather *gather = evidence->gather;
    const struct target *target = &evidence->targets[evidence->next];
    struct error error = {0};
    char digest[DIGEST_TEXT_SIZE];

    digest_format(&target->digest, digest);
    if (attestations_take_budget(evidence, target->size, &error) < 0) {
        attestations_add_gap(evidence, digest, error.text);
        evidence->next++;
        return;
    }
    evidence->request = gather->source.fetch_manifest(gather->source.self, gather->repository,
                                                      digest, on_target, evidence);
}

/* Does the next thing: asks for something, or settles what needs no asking. */
static void advance(struct attestations *evidence)
{
    if (evidence->manifest) {
        attestations_read_manifest(evidence);
    } else if (evidence->step == STEP_REPORT) {
        attestations_ask_report(evidence, &evidence->pending->image->digest);
    } else if (evidence->step == STEP_INDEX_REPORT) {
        attestations_ask_report(evidence, attestations_index(evidence));
    } else if (evidence->step == STEP_ENTRIES) {
        take_entries(evidence);
        evidence->step++;
    } else if (evidence->step == STEP_REFERRERS) {
        ask_referrers(evidence, &evidence->pending->image->digest);
    } else if (evidence->step == STEP_INDEX_REFERRERS) {
        ask_referrers(evidence, attestations_index(evidence));
    } else if (evidence->step < STEP_TARGETS) {
        ask_tag(evidence);
    } else if (evidence->next < evidence->target_count) {
        ask_target(evidence);
    } else {
        evidence->step = STEP_DONE;
    }
}

void attestations_go_on(struct attestations *evidence)
{
    while (!evidence->request && evidence->step != STEP_DONE)
        advance(evidence);
    if (!evidence->request)
        finish_image(evidence);
}

void pending_read_evidence(struct pending *pending)
{
    struct gather *gather = pending->gather;

    pending->image->known = false;
    pending->waits_for_evidence = true;
    if (!gather->evidence) {
        gather->evidence = memory_new(sizeof(*gather->evidence));
        gather->evidence->gather = gather;
    }
    if (!gather->evidence->pending)
        begin_next(gather->evidence);
}
