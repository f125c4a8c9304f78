/* Provenance and referrers put into the facts, with what the two sides know of each other. */
#include <assert.h>

#include "regwarden/provenance.h"

static void set_status(struct fact_status *status, bool any, const char *gap)
{
    assert(any || gap);
    free(status->reason);
    status->reason = memory_copy_text(gap);
    if (!gap)
        status->state = FACT_PRESENT;
    else
        status->state = any ? FACT_PARTIAL : FACT_ABSENT;
}

static bool is_candidate(const struct material *material)
{
    return material->role == MATERIAL_OTHER && (material->name || material->layout);
}

/* The only image that the build can have started from; NULL when there is none, or several. */
static struct material *only_candidate(struct provenance *statement)
{
    struct material *found = NULL;

    if (statement->materials_left_out > 0)
        return NULL;
    for (size_t i = 0; i < statement->material_count; i++) {
        if (!is_candidate(&statement->materials[i]))
            continue;
        if (found)
            return NULL;
        found = &statement->materials[i];
    }
    return found;
}

/* BuildKit's own steps are instructions of a Dockerfile: a lowest layer that somebody made in
 * another way is not its own. */
static bool begins_with_others(const struct facts *facts)
{
    for (size_t i = 0; i < facts->history.count; i++)
        if (!facts->history.steps[i].empty)
            return facts->history.steps[i].kind == STEP_OTHER;
    return false;
}

/* A short statement lists images and not what became of them: one image may be the base, or the
 * first stage of a build that ends in "FROM scratch". The history knows whether there are layers of
 * somebody else. (An image that is listed without a digest may still have been pinned, when the
 * same one was copied from without; nobody writes that.) */
static void settle_base(const struct facts *facts, struct provenance *statement)
{
    struct provenance_base *base = &statement->base;
    struct material *material;

    if (!statement->is_provenance || statement->mode != PROVENANCE_MODE_MIN ||
        base->how != BASE_HOW_UNKNOWN ||
        (facts->base.layer_count <= 0 && !begins_with_others(facts)))
        return;
    material = only_candidate(statement);
    if (!material || !material->name)
        return;
    material->role = MATERIAL_BASE;
    base->name = memory_copy_text(material->name);
    base->tag = memory_copy_text(material->tag);
    base->digest = material->digest;
    base->pinned = material->pinned;
    base->how = BASE_HOW_MATERIALS;
}

void facts_set_provenance_take(struct facts *facts, struct facts_provenance *provenance,
                               const char *gap)
{
    facts_provenance_free(facts->provenance);
    facts->provenance = provenance;
    set_status(&facts->status[FACT_PROVENANCE], provenance != NULL, gap);
    for (size_t i = 0; provenance && i < provenance->count; i++)
        settle_base(facts, &provenance->statements[i]);
}

void facts_set_referrers_take(struct facts *facts, struct facts_referrers *referrers,
                              const char *gap)
{
    facts_referrers_free(facts->referrers);
    facts->referrers = referrers;
    set_status(&facts->status[FACT_REFERRERS], referrers != NULL, gap);
}
