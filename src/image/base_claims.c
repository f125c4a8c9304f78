/* What annotations, labels and comments claim of the base. All of these are claims: layers, where
 * the base is known, are better and are compared in bases_apply.c.
 *
 * "Pinned" is only said where the builder's habit tells how FROM was written: buildah copies the
 * name as written. A resolved digest beside a tag proves nothing, and labels are inherited, so that
 * they may speak of the grandparent. */
#include "base_claims.h"

#include <string.h>

#include "facts_base.h"
#include "history.h"
#include "regwarden/json.h"

enum { NAME_LIMIT = 512 };

struct source {
    const struct manifest *manifest;
    const struct image_config *config;
    const struct facts_history *history;
};

struct words {
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

/* A digest in the name is what stood behind FROM; buildah's base.digest beside it may be that of an
 * intermediate image. */
static void set_name(const struct words *words, struct base_claim *claim)
{
    if (!is_set(words->name) || strlen(words->name) > NAME_LIMIT)
        return;
    const char *at = strrchr(words->name, '@');
    struct digest digest;
    if (at && at > words->name && digest_parse(at + 1, &digest, NULL) == 0) {
        claim->name = memory_copy_bytes(words->name, (size_t)(at - words->name));
        claim->digest = digest;
        claim->pinned = ANSWER_YES;
        return;
    }
    claim->name = memory_copy_text(words->name);
    claim->pinned = words->as_written ? ANSWER_NO : ANSWER_UNKNOWN;
}

static void add(struct facts_base *base, enum evidence source, const struct words *words)
{
    struct base_claim claim = {.source = source};
    bool label = source == EVIDENCE_LABEL;
    if (words->scratch || (!label && text_equal(words->name, "scratch"))) {
        /* nothing can be pinned, and nothing can change */
        claim.name = memory_copy_text("scratch");
        claim.pinned = ANSWER_YES;
    } else {
        if (words->digest)
            (void)digest_parse(words->digest, &claim.digest, NULL); /* malformed: stays unknown */
        set_name(words, &claim);
        if (label)
            claim.pinned = ANSWER_UNKNOWN;
    }
    if (claim.name || digest_is_set(&claim.digest))
        facts_base_claim(base, &claim);
    free(claim.name);
}

/* A name that is there and empty: buildah's way to say FROM scratch. The digest beside it is empty
 * too, or that of a step's image when layers are kept. */
static void read_annotations(const struct source *source, struct facts_base *base)
{
    const struct text_pairs *annotations = &source->manifest->annotations;
    bool buildah = source->history->builder == BUILDER_BUILDAH;
    struct words words = {
        .name = text_pairs_get(annotations, BASE_NAME),
        .digest = text_pairs_get(annotations, BASE_DIGEST),
        .as_written = buildah,
    };
    words.scratch = buildah && words.name && words.digest && !*words.name;
    add(base, EVIDENCE_ANNOTATION, &words);
}

static void read_comment(const struct source *source, struct facts_base *base)
{
    struct words words = {.as_written = true};
    if (source->history->builder != BUILDER_BUILDAH)
        return;
    for (size_t i = source->config->history_count; i > 0 && !words.name; i--)
        words.name = history_from_comment(&source->config->history[i - 1]);
    add(base, EVIDENCE_HISTORY, &words);
}

static void read_labels(const struct source *source, struct facts_base *base)
{
    static const struct {
        const char *name;
        const char *digest;
    } keys[] = {
        {.name = BASE_NAME, .digest = BASE_DIGEST},
        {.name = "image.base.ref.name", .digest = "image.base.digest"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        add(base, EVIDENCE_LABEL,
            &(struct words){.name = text_pairs_get(&source->config->labels, keys[i].name),
                            .digest = text_pairs_get(&source->config->labels, keys[i].digest)});
}

bool base_labels_are_inherited(const struct facts_history *history)
{
    bool inherited = false;
    for (size_t i = 0; i < history->count; i++) {
        const struct step *step = &history->steps[i];
        if (step->kind == STEP_LABEL && strstr(step->text, "image.base."))
            inherited = step->origin == ORIGIN_BASE;
    }
    return inherited;
}

/* Buildpacks keep what they resolved in one label. The text lives in the parsed label, so it is
 * copied while that lives. */
static void read_buildpacks(const struct source *source, struct facts_base *base)
{
    const char *label = text_pairs_get(&source->config->labels, "io.buildpacks.lifecycle.metadata");
    AUTO_JSON struct json *metadata = NULL;
    if (source->history->builder != BUILDER_BUILDPACKS || !label ||
        json_parse(label, strlen(label), NULL, &metadata, NULL))
        return;
    const struct json *run = json_get(metadata, "runImage");
    const struct json *stack = json_get(json_get(metadata, "stack"), "runImage");
    const char *reference = json_get_string(run, "reference");
    const char *at = reference ? strrchr(reference, '@') : NULL;
    struct words words = {.digest = at ? at + 1 : reference};
    words.name = json_get_string(run, "image");
    if (!words.name)
        words.name = json_get_string(stack, "image");
    AUTO_FREE char *name = at ? memory_copy_bytes(reference, (size_t)(at - reference)) : NULL;
    if (!words.name)
        words.name = name;
    add(base, EVIDENCE_LABEL, &words);
}

void base_claims_read(const struct manifest *manifest, const struct image_config *config,
                      const struct facts_history *history, struct facts_base *base)
{
    const struct source source = {manifest, config, history};
    read_annotations(&source, base);
    read_comment(&source, base);
    read_buildpacks(&source, base);
    read_labels(&source, base);
}
