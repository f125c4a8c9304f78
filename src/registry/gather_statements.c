/* What stands in the manifests that refer to an image: signatures, SBOMs and statements, known by
 * their types; statements that tell how the image was built and reports of scanners are read. */
#include <string.h>

#include "regwarden/memory.h"

#include "gather_attestations.h"

#define BUNDLE_PREDICATE "dev.sigstore.bundle.predicateType"

static const char *predicate_of(const struct text_pairs *annotations)
{
    static const char *const keys[] = {"in-toto.io/predicate-type", "predicateType",
                                       BUNDLE_PREDICATE};
    const char *found = NULL;

    for (size_t i = 0; !found && i < ARRAY_COUNT(keys); i++)
        found = text_pairs_get(annotations, keys[i]);
    return found;
}

static bool is_bundle(const char *type)
{
    return text_starts_with(type, "application/vnd.dev.sigstore.bundle");
}

static bool is_envelope(const char *type)
{
    return type && (is_bundle(type) || text_starts_with(type, "application/vnd.dsse.envelope") ||
                    (text_starts_with(type, "application/vnd.in-toto") && strstr(type, "+dsse")));
}

static bool is_statement(const char *type)
{
    return is_envelope(type) || text_starts_with(type, "application/vnd.in-toto");
}

static void add_referrer(struct attestations *evidence, const struct target *target,
                         const char *type, bool enveloped)
{
    struct referrer referrer = {.kind = referrer_kind_of_type(type),
                                .way = target->way,
                                .of_index = target->of_index,
                                .type = text_printable(type, 256),
                                .digest = target->digest};

    referrer.enveloped = enveloped || referrer.kind == REFERRER_SIGNATURE;
    if (!facts_referrers_add_take(evidence->referrers, &referrer))
        attestations_add_gap(evidence, "referrers", "there are more of them than are kept");
}

static bool wants_report(const struct attestations *evidence, const char *type)
{
    return attestations_want(evidence, FACT_VULNERABILITIES) && vulnerability_report_is_known(type);
}

/* What the list says of it is enough, unless it is a statement of which the list does not say what
 * it states, or one that has to be read. */
bool attestations_take_descriptor(struct attestations *evidence, const struct descriptor *entry,
                                  const struct target *target)
{
    const char *type = entry->artifact_type ? entry->artifact_type : "";
    const char *predicate = predicate_of(&entry->annotations);
    enum referrer_kind kind = referrer_kind_of_type(type);

    if (kind == REFERRER_OTHER || kind == REFERRER_ATTESTATION || is_bundle(type) ||
        predicate_is_provenance(predicate) || wants_report(evidence, type) ||
        wants_report(evidence, predicate))
        return true;
    add_referrer(evidence, target, predicate ? predicate : type, false);
    return false;
}

struct provenance_image attestations_subject(const struct attestations *evidence)
{
    struct provenance_image of = {.image = evidence->pending->image->digest,
                                  .manifest = evidence->pending->image->facts->manifest};

    if (attestations_index(evidence))
        of.index = *attestations_index(evidence);
    return of;
}

/* A list can be put together by anybody who may push a tag: what it lists has to say itself whom it
 * refers to. */
static bool refers(const struct attestations *evidence, const struct target *target,
                   const struct manifest *manifest)
{
    const struct digest *subject =
        target->of_index ? attestations_index(evidence) : &evidence->pending->image->digest;

    return target->way != REFERRER_BY_SUBJECT ||
           (manifest->has_subject && subject && digest_equal(&manifest->subject.digest, subject));
}

void attestations_take_manifest(struct attestations *evidence, const struct target *target,
                                const struct registry_answer *answer)
{
    AUTO_MANIFEST struct manifest *manifest = NULL;
    const char *type = answer->media_type && *answer->media_type ? answer->media_type : NULL;
    struct error error = {0};
    char digest[DIGEST_TEXT_SIZE];

    if (manifest_parse(answer->bytes, answer->size, type, &answer->digest, &manifest, &error) < 0)
        attestations_add_gap(evidence, digest_format(&answer->digest, digest), error.text);
    else if (manifest->kind == MANIFEST_INDEX || !refers(evidence, target, manifest))
        attestations_add_gap(evidence, digest_format(&answer->digest, digest),
                             "it is listed as a referrer and refers to something else");
    else
        evidence->manifest = TAKE(manifest);
    evidence->target = *target;
    evidence->target.digest = answer->digest;
    evidence->layer = 0;
}

/* False when the image is given up. */
static bool survives(struct attestations *evidence, const struct registry_answer *answer,
                     const struct descriptor *layer)
{
    char digest[DIGEST_TEXT_SIZE];

    return !answer->error ||
           attestations_survive(evidence, answer->error, digest_format(&layer->digest, digest));
}

static void take_statement(struct attestations *evidence, const struct descriptor *layer,
                           const struct registry_answer *answer)
{
    const struct provenance_image of = attestations_subject(evidence);
    struct provenance statement = {0};
    struct error error = {0};
    char digest[DIGEST_TEXT_SIZE];

    if (provenance_parse(answer->bytes, answer->size, &of, &statement, &error) < 0) {
        attestations_add_gap(evidence, digest_format(&layer->digest, digest), error.text);
        return;
    }
    statement.digest = layer->digest;
    add_referrer(evidence, &evidence->target, statement.predicate_type, statement.enveloped);
    if (!facts_provenance_add_take(evidence->provenance, &statement))
        attestations_add_gap(evidence, "statements", "there are more of them than are kept");
}

static const char *predicate_of_layer(const struct attestations *evidence,
                                      const struct descriptor *layer)
{
    const char *predicate = predicate_of(&layer->annotations);

    return predicate ? predicate : predicate_of(&evidence->manifest->annotations);
}

/* Of a report that is no statement: what is attached with `oras` often says only as a whole what it
 * is. NULL when it is none. */
static const char *report_type(const struct attestations *evidence, const struct descriptor *layer)
{
    const struct manifest *manifest = evidence->manifest;
    const char *const types[] = {layer->media_type, manifest->artifact_type,
                                 manifest->config.media_type};

    for (size_t i = 0; i < ARRAY_COUNT(types) && !is_statement(layer->media_type); i++)
        if (wants_report(evidence, types[i]))
            return types[i];
    return NULL;
}

static bool may_be_report(const struct attestations *evidence, const struct descriptor *layer)
{
    const char *predicate = predicate_of_layer(evidence, layer);

    return is_statement(layer->media_type) && attestations_want(evidence, FACT_VULNERABILITIES) &&
           (!predicate || vulnerability_report_is_known(predicate));
}

static bool may_be_provenance(const struct attestations *evidence, const struct descriptor *layer)
{
    const char *predicate = predicate_of_layer(evidence, layer);

    return is_statement(layer->media_type) && attestations_want(evidence, FACT_PROVENANCE) &&
           (!predicate || predicate_is_provenance(predicate));
}

static const char *type_of_layer(const struct attestations *evidence,
                                 const struct descriptor *layer)
{
    const char *predicate = predicate_of_layer(evidence, layer);
    const char *artifact_type = evidence->manifest->artifact_type;

    if (predicate)
        return predicate;
    if (referrer_kind_of_type(layer->media_type) == REFERRER_OTHER && artifact_type)
        return artifact_type;
    return layer->media_type;
}

/* What it is without being read. */
static void list_layer(struct attestations *evidence, const struct descriptor *layer)
{
    add_referrer(evidence, &evidence->target, type_of_layer(evidence, layer),
                 is_envelope(layer->media_type));
}

static void on_layer(void *argument, const struct registry_answer *answer)
{
    struct attestations *evidence = argument;
    const struct descriptor *layer = &evidence->manifest->layers[evidence->layer++];
    const char *type = report_type(evidence, layer);

    evidence->request = 0;
    if (!survives(evidence, answer, layer)) {
        gather_proceed(evidence->gather);
        return;
    }
    if (!answer->error && (type || may_be_report(evidence, layer)))
        attestations_take_report(evidence, layer, type, answer);
    if (!answer->error && is_statement(layer->media_type) &&
        (answer->size <= PROVENANCE_BYTES_MAX || may_be_provenance(evidence, layer)))
        take_statement(evidence, layer, answer);
    else if (!answer->error)
        list_layer(evidence, layer);
    attestations_go_on(evidence);
    gather_proceed(evidence->gather);
}

static void fetch_layer(struct attestations *evidence, const struct descriptor *layer,
                        uint64_t max_bytes)
{
    struct gather *gather = evidence->gather;
    struct error error = {0};
    char digest[DIGEST_TEXT_SIZE];

    if (layer->size > max_bytes)
        (void)error_set(&error, FAILURE_LIMIT, "the statement has more than %u MiB",
                        (unsigned)(max_bytes / (1024 * 1024)));
    else
        (void)attestations_take_budget(evidence, layer->size, &error);
    if (error.kind != FAILURE_NONE) {
        attestations_add_gap(evidence, digest_format(&layer->digest, digest), error.text);
        evidence->layer++;
        return;
    }
    evidence->request = gather->source.fetch_blob(gather->source.self, gather->repository,
                                                  &layer->digest, layer->size, on_layer, evidence);
}

/* One thing in a manifest of evidence. What is no statement and no report, or one of which the
 * manifest says that it states something else, is known by its type. */
static void take_layer(struct attestations *evidence, const struct descriptor *layer)
{
    if (report_type(evidence, layer) || may_be_report(evidence, layer)) {
        fetch_layer(evidence, layer, VULNERABILITY_REPORT_BYTES_MAX);
        return;
    }
    if (may_be_provenance(evidence, layer)) {
        fetch_layer(evidence, layer, PROVENANCE_BYTES_MAX);
        return;
    }
    list_layer(evidence, layer);
    evidence->layer++;
}

/* A signature, say of notation, whose layers are of no type that is known: the artifact is. */
static void take_artifact(struct attestations *evidence)
{
    const struct manifest *manifest = evidence->manifest;

    if (manifest->layer_count == 0)
        add_referrer(
            evidence, &evidence->target,
            manifest->artifact_type ? manifest->artifact_type : manifest->config.media_type, false);
}

void attestations_read_manifest(struct attestations *evidence)
{
    if (evidence->layer < evidence->manifest->layer_count) {
        take_layer(evidence, &evidence->manifest->layers[evidence->layer]);
        return;
    }
    take_artifact(evidence);
    manifest_free(TAKE(evidence->manifest));
}
