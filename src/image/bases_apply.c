/* What the image was built from, by the best evidence there is: each claim is weighed against what
 * the layers show, then one answer is given, with what is known of it.
 *
 * The layers name a known image that is certainly below. A claim that agrees makes it the base. A
 * claim of something that the catalogue does not know may be right all the same (a base that was
 * built on the known one), so it stays the answer, with its own evidence. Labels are inherited and
 * never compete with layers. */
#include <string.h>

#include "base_claims.h"
#include "bases_private.h"
#include "border.h"
#include "facts_base.h"
#include "regwarden/facts_files.h"
#include "regwarden/provenance.h"

enum standing {
    STANDS,       /* nothing speaks against it */
    CONFIRMED,    /* it names the image that the layers show */
    INHERITED,    /* it speaks of an image further below */
    CONTRADICTED, /* the layers say otherwise */
};

struct deriving {
    const struct base_catalogue *catalogue; /* NULL: none is known */
    struct facts *facts;
    struct facts_base *base;
    struct base_match match;
    enum standing standings[BASE_CLAIMS_MAX];
    const struct base_claim *confirmed; /* best of its standing; NULL */
    const struct base_claim *stands;
    int border; /* layers of the base by traces in the history, -1 */
    enum evidence border_evidence;
};

static bool is_scratch(const struct base_claim *claim)
{
    return text_equal(claim->name, "scratch");
}

/* A tag that FROM did not need, as it had a digest, is not "latest". Returns new, or NULL. */
static char *full_name_of(const struct base_claim *claim)
{
    AUTO_FREE char *with_digest =
        claim->name && claim->pinned == ANSWER_YES ? text_new("%s@", claim->name) : NULL;
    return base_name_full(with_digest ? with_digest : claim->name);
}

/* --- what provenance claims --- */

/* Provenance comes after the facts were built, so it is asked each time. Its signature is not
 * verified by its form: only a verified one is signed. */
static enum evidence source_of(const struct facts_provenance *provenance,
                               const struct provenance_base *base)
{
    for (size_t i = 0; i < provenance->count; i++)
        if (&provenance->statements[i].base == base &&
            provenance->statements[i].verified == ANSWER_YES)
            return EVIDENCE_SIGNED_PROVENANCE;
    return EVIDENCE_PROVENANCE;
}

static void ask_provenance(struct deriving *deriving)
{
    const struct facts_provenance *provenance = deriving->facts->provenance;
    const struct provenance_base *said = provenance ? provenance_base(provenance, NULL) : NULL;
    facts_base_drop_claims(deriving->base, EVIDENCE_PROVENANCE);
    facts_base_drop_claims(deriving->base, EVIDENCE_SIGNED_PROVENANCE);
    if (!said || (!said->name && !digest_is_set(&said->digest) && said->pinned != ANSWER_YES))
        return;
    struct base_claim claim = {
        .source = source_of(provenance, said), .digest = said->digest, .pinned = said->pinned};
    if (said->name)
        claim.name =
            text_new("%s%s%s", said->name, said->tag ? ":" : "", said->tag ? said->tag : "");
    facts_base_claim(deriving->base, &claim);
    free(claim.name);
    if (deriving->border >= 0 || said->layer_count < 0 ||
        said->layer_count > (int)deriving->facts->manifest->layer_count)
        return;
    deriving->border = said->layer_count;
    deriving->border_evidence = claim.source;
}

/* --- weighing claims --- */

static bool has_name(const struct base_image *image, const char *full)
{
    for (size_t i = 0; image && i < image->name_count; i++)
        if (base_name_matches(image->names[i].name, full))
            return true;
    return false;
}

/* Are all layers of the match above the image's own empty? Then both look the same. */
static bool reaches_match(const struct deriving *deriving, const struct base_image *image)
{
    const struct base_image *match = deriving->match.image;
    for (size_t i = image->layer_count; match && i < match->layer_count; i++)
        if (!base_layer_is_empty(&match->layers[i],
                                 match->diff_id_count ? &match->diff_ids[i] : NULL))
            return false;
    return true;
}

/* Weighs one known image that the claim may mean. */
static enum standing weigh_image(struct deriving *deriving, const struct base_image *image)
{
    if (digest_equal(&image->digest, &deriving->facts->manifest->digest))
        return STANDS; /* the image itself is a base */
    if (!base_is_prefix(image, image->layer_count, deriving->facts))
        return CONTRADICTED;
    if (!reaches_match(deriving, image))
        return INHERITED;
    base_match_choose(&deriving->match, image, deriving->facts);
    return CONFIRMED;
}

static enum standing weigh_digest(struct deriving *deriving, const struct base_claim *claim)
{
    const struct base_image *image = base_catalogue_find(deriving->catalogue, &claim->digest);
    const struct base_set *set = base_set_of_digest(deriving->catalogue->by_index, &claim->digest);
    if (image)
        return weigh_image(deriving, image);
    for (size_t i = 0; set && i < set->count; i++)
        if (base_platform_fits(set->items[i], deriving->facts))
            return weigh_image(deriving, set->items[i]);
    return STANDS;
}

static bool is_built_on(const struct base_image *image, const struct base_image *below)
{
    bool stored = image->layer_count >= below->layer_count;
    bool content = below->diff_id_count > 0 && image->diff_id_count >= below->diff_id_count;
    for (size_t i = 0; i < below->layer_count && (stored || content); i++) {
        stored = stored && digest_equal(&image->layers[i], &below->layers[i]);
        content = content && digest_equal(&image->diff_ids[i], &below->diff_ids[i]);
    }
    return stored || content;
}

/* Only images that were seen are known: an image may be built on another version of the name. What
 * the layers show speaks against the name when no known version is built on that. */
static enum standing weigh_name(struct deriving *deriving, const char *full)
{
    const struct base_set *set = base_set_of_repository(deriving->catalogue, full);
    const struct base_image *match = deriving->match.image;
    bool inherited = false, versions = false, plausible = false;
    if (has_name(match, full))
        return CONFIRMED;
    for (size_t i = 0; set && i < set->count; i++) {
        const struct base_image *image = set->items[i];
        if (!has_name(image, full) || !base_platform_fits(image, deriving->facts))
            continue;
        enum standing standing = weigh_image(deriving, image);
        if (standing == CONFIRMED)
            return CONFIRMED;
        versions = true;
        inherited = inherited || standing == INHERITED;
        plausible = plausible || standing == STANDS || (match && is_built_on(image, match));
    }
    if (inherited)
        return INHERITED;
    return versions && match && !plausible ? CONTRADICTED : STANDS;
}

static enum standing weigh(struct deriving *deriving, const struct base_claim *claim)
{
    struct facts_base *base = deriving->base;
    if (claim->source == EVIDENCE_LABEL && base_labels_are_inherited(&deriving->facts->history))
        return INHERITED;
    if (!deriving->catalogue)
        return STANDS;
    if (is_scratch(claim)) {
        if (!deriving->match.image)
            return STANDS;
        facts_base_contradict(base, BASE_CONFLICT_NAME, claim);
        return CONTRADICTED;
    }
    enum standing standing = weigh_digest(deriving, claim);
    if (standing == CONTRADICTED)
        facts_base_contradict(base, BASE_CONFLICT_LAYERS, claim);
    AUTO_FREE char *full = full_name_of(claim);
    if (standing != STANDS || !full)
        return standing;
    standing = weigh_name(deriving, full);
    if (standing == CONTRADICTED)
        facts_base_contradict(base, BASE_CONFLICT_NAME, claim);
    /* A digest that stood in FROM may be an index that was never seen. */
    if (standing == CONFIRMED && digest_is_set(&claim->digest) && claim->pinned != ANSWER_YES)
        facts_base_contradict(base, BASE_CONFLICT_DIGEST, claim);
    return standing;
}

static void weigh_all(struct deriving *deriving)
{
    const struct facts_base *base = deriving->base;
    for (size_t i = 0; i < base->claim_count; i++) {
        const struct base_claim *claim = &base->claims[i];
        deriving->standings[i] = weigh(deriving, claim);
        if (deriving->standings[i] == CONFIRMED && !deriving->confirmed)
            deriving->confirmed = claim;
        if (deriving->standings[i] == STANDS && !deriving->stands)
            deriving->stands = claim;
    }
}

/* --- the answer --- */

static void set_ancestors(struct deriving *deriving, bool with_match)
{
    const struct base_match *match = &deriving->match;
    if (match->image)
        deriving->base->known_layers = (int)match->image->layer_count;
    deriving->base->by_diff_ids = match->image && match->by_diff_ids;
    if (match->image && with_match)
        base_add_ancestor(deriving->base, match->image);
    for (size_t i = 0; i < match->ancestor_count; i++)
        if (match->ancestors[i] != match->image)
            base_add_ancestor(deriving->base, match->ancestors[i]);
}

static void set_pinned(struct deriving *deriving)
{
    struct facts_base *base = deriving->base;
    for (size_t i = 0; i < base->claim_count && base->pinned == ANSWER_UNKNOWN; i++) {
        const struct base_claim *claim = &base->claims[i];
        if (deriving->standings[i] != CONFIRMED && deriving->standings[i] != STANDS)
            continue;
        base->pinned = claim->pinned;
        base->pinned_evidence = claim->pinned == ANSWER_UNKNOWN ? EVIDENCE_NONE : claim->source;
    }
}

static void take_image(struct deriving *deriving)
{
    struct facts_base *base = deriving->base;
    const struct base_image *image = deriving->match.image;
    const struct base_claim *claim = deriving->confirmed;
    int depth = (int)image->layer_count;
    AUTO_FREE char *full = claim ? full_name_of(claim) : NULL;
    base_set_known(base, image, claim, full);
    base->digest = image->digest;
    base->evidence = claim && claim->source > EVIDENCE_LAYERS ? claim->source : EVIDENCE_LAYERS;
    set_pinned(deriving);
    set_ancestors(deriving, false);
    if (!claim && !deriving->stands && deriving->border > depth) {
        /* history tells of more: a base in between that the catalogue does not know */
        base->layer_count = deriving->border;
        base->layer_evidence = deriving->border_evidence;
        border_set_least(&deriving->facts->history, depth);
        return;
    }
    base->layer_count = depth;
    base->layer_evidence = EVIDENCE_LAYERS;
    border_set_known(&deriving->facts->history, depth,
                     deriving->match.history_fits ? image->history_count : SIZE_MAX);
}

/* The image that the name names today, should it be known. The image is not built on that one, else
 * the claim were confirmed. */
static void set_current(struct deriving *deriving)
{
    struct facts_base *base = deriving->base;
    AUTO_FREE char *full = full_name_of(deriving->stands);
    const struct base_set *set =
        full && deriving->catalogue ? base_set_of_repository(deriving->catalogue, full) : NULL;
    for (size_t i = 0; set && i < set->count; i++) {
        const struct base_image *image = set->items[i];
        if (!base_platform_fits(image, deriving->facts) ||
            digest_equal(&image->digest, &deriving->facts->manifest->digest))
            continue;
        for (size_t k = 0; k < image->name_count; k++) {
            const struct base_name *name = &image->names[k];
            if (name->superseded_ms || !text_equal(name->name, full))
                continue;
            base->current = *base_name_digest(image, name);
            base->superseded_ms = name->since_ms;
        }
    }
}

static void take_claim(struct deriving *deriving)
{
    struct facts_base *base = deriving->base;
    const struct base_claim *claim = deriving->stands;
    base->name = memory_copy_text(claim->name);
    base->digest = claim->digest;
    base->pinned = claim->pinned;
    base->evidence = base->pinned_evidence = claim->source;
    if (is_scratch(claim)) {
        border_set_own(&deriving->facts->history, base, claim->source);
        return;
    }
    set_ancestors(deriving, true);
    set_current(deriving);
    if (deriving->border < base->known_layers)
        return;
    base->layer_count = deriving->border;
    base->layer_evidence = deriving->border_evidence;
}

/* FROM scratch leaves no trace of its own. Where all layers were looked into, there is no
 * os-release in them, they are few, and the first one was copied in: what else could it be? */
static bool looks_like_scratch(const struct facts *facts)
{
    enum { LAYERS_FEW = 3 };
    const struct facts_files *files = facts->files;
    if (!files || !files->complete || files->os_release_file.there != ANSWER_NO ||
        files->layer_count > LAYERS_FEW || !facts->history.aligned)
        return false;
    for (size_t i = 0; i < facts->history.count; i++)
        if (!facts->history.steps[i].empty)
            return facts->history.steps[i].kind == STEP_COPY;
    return false;
}

static void take_scratch(struct deriving *deriving)
{
    struct facts_base *base = deriving->base;
    base->name = memory_copy_text("scratch");
    base->pinned = ANSWER_YES;
    base->evidence = base->pinned_evidence = EVIDENCE_HISTORY;
    border_set_own(&deriving->facts->history, base, EVIDENCE_HISTORY);
}

static void take_border(struct deriving *deriving)
{
    deriving->base->layer_count = deriving->border;
    deriving->base->layer_evidence = deriving->border_evidence;
}

static void decide(struct deriving *deriving)
{
    const struct base_image *match = deriving->match.image;
    const struct base_claim *stands = deriving->stands;
    bool direct = match && (deriving->confirmed || !stands || stands->source == EVIDENCE_LABEL ||
                            deriving->border == (int)match->layer_count);
    if (direct)
        take_image(deriving);
    else if (stands)
        take_claim(deriving);
    else if (!match && deriving->base->contradiction_count == 0 &&
             looks_like_scratch(deriving->facts))
        take_scratch(deriving);
    else
        take_border(deriving);
    if (!direct && match)
        border_set_least(&deriving->facts->history, (int)match->layer_count);
    if (deriving->catalogue && deriving->base->known == ANSWER_UNKNOWN &&
        !text_equal(deriving->base->name, "scratch"))
        deriving->base->known = ANSWER_NO;
}

static void find_border(struct deriving *deriving)
{
    struct facts_base *base = deriving->base;
    struct facts_history *history = &deriving->facts->history;
    deriving->border = -1;
    if (!deriving->facts->config)
        return;
    for (size_t i = 0; i < history->count; i++)
        history->steps[i].origin = ORIGIN_UNKNOWN;
    border_find(deriving->facts->config, history, base);
    /* more than there are: the config speaks of other layers than the manifest */
    if (base->layer_count <= (int)deriving->facts->manifest->layer_count) {
        deriving->border = base->layer_count;
        deriving->border_evidence = base->layer_evidence;
    }
    base->layer_count = -1;
    base->layer_evidence = EVIDENCE_NONE;
}

static void set_status(const struct deriving *deriving)
{
    const struct facts_base *base = deriving->base;
    struct fact_status *status = &deriving->facts->status[FACT_BASE];
    bool told = base->evidence != EVIDENCE_NONE || base->layer_evidence != EVIDENCE_NONE ||
                base->contradiction_count > 0 || base->known != ANSWER_UNKNOWN;
    if (!told && !deriving->facts->config && status->reason)
        return;
    free(status->reason);
    status->state = told ? FACT_PRESENT : FACT_ABSENT;
    status->reason =
        told ? NULL : memory_copy_text("nothing in the image says what it was built from");
}

void bases_apply(const struct base_catalogue *catalogue, struct facts *facts)
{
    if (!facts->manifest || facts->manifest->kind == MANIFEST_INDEX)
        return;
    struct deriving deriving = {
        .catalogue = catalogue && base_catalogue_count(catalogue) > 0 ? catalogue : NULL,
        .facts = facts,
        .base = &facts->base,
    };
    facts_base_clear_derived(&facts->base);
    find_border(&deriving);
    ask_provenance(&deriving);
    base_match_find(deriving.catalogue, facts, &deriving.match);
    facts->base.is_base =
        deriving.catalogue && base_catalogue_find(deriving.catalogue, &facts->manifest->digest);
    weigh_all(&deriving);
    decide(&deriving);
    set_status(&deriving);
}
