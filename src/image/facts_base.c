/* The group "base" of the facts: its life. What is derived in it comes from bases_apply.c. */
#include "facts_base.h"

#include <string.h>

static struct base_claim copy_claim(const struct base_claim *claim)
{
    struct base_claim copy = *claim;
    copy.name = memory_copy_text(claim->name);
    return copy;
}

/* What buildah writes into its own step comes before labels, which children inherit. */
static int rank(enum evidence source)
{
    return source == EVIDENCE_LABEL ? 0 : 1 + (int)source;
}

void facts_base_claim(struct facts_base *base, const struct base_claim *claim)
{
    size_t place = base->claim_count;
    if (!base->claims)
        base->claims = memory_new_array(BASE_CLAIMS_MAX, sizeof(*base->claims));
    while (place > 0 && rank(base->claims[place - 1].source) < rank(claim->source))
        place--;
    if (place == BASE_CLAIMS_MAX)
        return;
    if (base->claim_count == BASE_CLAIMS_MAX)
        free(base->claims[--base->claim_count].name);
    memmove(&base->claims[place + 1], &base->claims[place],
            (base->claim_count - place) * sizeof(*base->claims));
    base->claims[place] = copy_claim(claim);
    base->claim_count++;
}

void facts_base_drop_claims(struct facts_base *base, enum evidence source)
{
    size_t kept = 0;
    for (size_t i = 0; i < base->claim_count; i++) {
        if (base->claims[i].source == source)
            free(base->claims[i].name);
        else
            base->claims[kept++] = base->claims[i];
    }
    base->claim_count = kept;
}

void facts_base_contradict(struct facts_base *base, enum base_conflict conflict,
                           const struct base_claim *claim)
{
    if (!base->contradictions)
        base->contradictions = memory_new_array(BASE_CLAIMS_MAX, sizeof(*base->contradictions));
    if (base->contradiction_count == BASE_CLAIMS_MAX)
        return;
    base->contradictions[base->contradiction_count++] =
        (struct base_contradiction){.conflict = conflict,
                                    .source = claim->source,
                                    .name = memory_copy_text(claim->name),
                                    .digest = claim->digest};
}

void facts_base_clear_derived(struct facts_base *base)
{
    struct facts_base cleared = {
        .claims = base->claims, .claim_count = base->claim_count, .layer_count = -1};
    free(base->name);
    for (size_t i = 0; i < base->alias_count; i++)
        free(base->aliases[i].name);
    free(base->aliases);
    for (size_t i = 0; i < base->ancestor_count; i++)
        free(base->ancestors[i].name);
    free(base->ancestors);
    for (size_t i = 0; i < base->contradiction_count; i++)
        free(base->contradictions[i].name);
    free(base->contradictions);
    *base = cleared;
}

void facts_base_release(struct facts_base *base)
{
    facts_base_clear_derived(base);
    for (size_t i = 0; i < base->claim_count; i++)
        free(base->claims[i].name);
    free(base->claims);
    *base = (struct facts_base){.layer_count = -1};
}
