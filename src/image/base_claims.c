/* The base image by what annotations, labels and comments claim, best source first. All of these
 * are claims: provenance and layer comparison, where there is any, are better and come from
 * elsewhere.
 *
 * "Pinned" is only said where the builder's habit tells how FROM was written: buildah copies the
 * name as written. A resolved digest beside a tag proves nothing, and labels are inherited, so that
 * they may speak of the grandparent. */
#include "base_claims.h"

#include <string.h>

#include "border.h"
#include "history.h"
#include "regwarden/json.h"

enum { NAME_LIMIT = 512 };

struct source {
    const struct manifest *manifest;
    const struct image_config *config;
    const struct facts_history *history;
};

struct claim {
    const char *name; /* borrowed; NULL or empty when unknown */
    const char *digest;
    bool as_written; /* the name stands as it stood behind FROM */
    bool scratch;
};

#define BASE_NAME "org.opencontainers.image.base.name"
#define BASE_DIGEST "org.opencontainers.image.base.digest"

static bool is_set(const char *text)
{
    return text && *text;
}

/* Both keys there and both empty: buildah's way to say FROM scratch. */
static bool from_annotations(const struct source *source, struct claim *ret)
{
    const struct text_pairs *annotations = &source->manifest->annotations;
    bool buildah = source->history->builder == BUILDER_BUILDAH;
    ret->name = text_pairs_get(annotations, BASE_NAME);
    ret->digest = text_pairs_get(annotations, BASE_DIGEST);
    ret->as_written = buildah;
    ret->scratch = buildah && ret->name && ret->digest && !*ret->name && !*ret->digest;
    return ret->scratch || is_set(ret->name) || is_set(ret->digest);
}

static bool from_comment(const struct source *source, struct claim *ret)
{
    if (source->history->builder != BUILDER_BUILDAH)
        return false;
    for (size_t i = source->config->history_count; i > 0 && !ret->name; i--)
        ret->name = history_from_comment(&source->config->history[i - 1]);
    ret->as_written = true;
    return ret->name;
}

/* A LABEL step among the base's steps: the base said this about its own base. */
static bool is_inherited(const struct source *source, const char *key)
{
    bool inherited = false;
    for (size_t i = 0; i < source->history->count; i++) {
        const struct step *step = &source->history->steps[i];
        if (step->kind == STEP_LABEL && strstr(step->text, key))
            inherited = step->origin == ORIGIN_BASE;
    }
    return inherited;
}

static bool from_labels(const struct source *source, struct claim *ret)
{
    static const struct {
        const char *name;
        const char *digest;
    } keys[] = {
        {.name = BASE_NAME, .digest = BASE_DIGEST},
        {.name = "image.base.ref.name", .digest = "image.base.digest"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        ret->name = text_pairs_get(&source->config->labels, keys[i].name);
        ret->digest = text_pairs_get(&source->config->labels, keys[i].digest);
        if ((is_set(ret->name) || is_set(ret->digest)) && !is_inherited(source, keys[i].name) &&
            !is_inherited(source, keys[i].digest))
            return true;
    }
    return false;
}

static const struct {
    enum evidence evidence;
    bool (*read)(const struct source *source, struct claim *ret);
} claims[] = {
    {.evidence = EVIDENCE_ANNOTATION, .read = from_annotations},
    {.evidence = EVIDENCE_HISTORY, .read = from_comment},
    {.evidence = EVIDENCE_LABEL, .read = from_labels},
};

static void set_name(const struct claim *claim, struct facts_base *base)
{
    if (!is_set(claim->name) || strlen(claim->name) > NAME_LIMIT)
        return;
    const char *at = strrchr(claim->name, '@');
    struct digest digest;
    if (at && at > claim->name && digest_parse(at + 1, &digest, NULL) == 0) {
        base->name = memory_copy_bytes(claim->name, (size_t)(at - claim->name));
        if (!digest_is_set(&base->digest))
            base->digest = digest;
        base->pinned = ANSWER_YES;
        return;
    }
    base->name = memory_copy_text(claim->name);
    base->pinned = claim->as_written ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* Nothing can be pinned, and nothing can change. */
static void set_scratch(struct facts_history *history, struct facts_base *base)
{
    base->name = memory_copy_text("scratch");
    base->pinned = ANSWER_YES;
    border_set_own(history, base, base->evidence);
}

static void apply(const struct claim *claim, enum evidence evidence, struct facts_history *history,
                  struct facts_base *base)
{
    base->evidence = evidence;
    if (claim->scratch || (evidence != EVIDENCE_LABEL && text_equal(claim->name, "scratch"))) {
        set_scratch(history, base);
        return;
    }
    if (claim->digest)
        (void)digest_parse(claim->digest, &base->digest, NULL); /* malformed: stays unknown */
    set_name(claim, base);
    if (evidence == EVIDENCE_LABEL)
        base->pinned = ANSWER_UNKNOWN;
    if (!base->name && !digest_is_set(&base->digest))
        base->evidence = EVIDENCE_NONE;
}

/* Buildpacks keep what they resolved in one label. The text lives in the parsed label, so it is
 * applied while that lives. */
static bool apply_buildpacks(const struct source *source, struct facts_history *history,
                             struct facts_base *base)
{
    const char *label = text_pairs_get(&source->config->labels, "io.buildpacks.lifecycle.metadata");
    AUTO_JSON struct json *metadata = NULL;
    if (source->history->builder != BUILDER_BUILDPACKS || !label ||
        json_parse(label, strlen(label), NULL, &metadata, NULL))
        return false;
    const struct json *run = json_get(metadata, "runImage");
    const struct json *stack = json_get(json_get(metadata, "stack"), "runImage");
    const char *reference = json_get_string(run, "reference");
    const char *at = reference ? strrchr(reference, '@') : NULL;
    struct claim claim = {.digest = at ? at + 1 : reference};
    claim.name = json_get_string(run, "image");
    if (!claim.name)
        claim.name = json_get_string(stack, "image");
    AUTO_FREE char *name = at ? memory_copy_bytes(reference, (size_t)(at - reference)) : NULL;
    if (!claim.name)
        claim.name = name;
    apply(&claim, EVIDENCE_LABEL, history, base);
    return base->evidence != EVIDENCE_NONE;
}

void base_claims_read(const struct manifest *manifest, const struct image_config *config,
                      struct facts_history *history, struct facts_base *base)
{
    const struct source source = {manifest, config, history};
    if (apply_buildpacks(&source, history, base))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(claims); i++) {
        struct claim claim = {0};
        if (!claims[i].read(&source, &claim))
            continue;
        apply(&claim, claims[i].evidence, history, base);
        if (base->evidence != EVIDENCE_NONE)
            return;
    }
}
