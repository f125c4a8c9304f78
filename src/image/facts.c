/* Building facts from manifest and config, and what belongs to their life. How each fact is derived
 * is in history.c, border.c, base_claims.c, runtime.c and facts_secrets.c. */
#include "regwarden/facts.h"

#include <assert.h>

#include "base_claims.h"
#include "facts_base.h"
#include "facts_secrets.h"
#include "history.h"
#include "regwarden/bases.h"
#include "regwarden/facts_files.h"
#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"
#include "runtime.h"

static void set_absent(struct facts *facts, enum fact_group group, const char *reason)
{
    facts->status[group].state = FACT_ABSENT;
    facts->status[group].reason = memory_copy_text(reason);
}

static void set_present(struct facts *facts, enum fact_group group)
{
    facts->status[group].state = FACT_PRESENT;
}

static void build_from_config(struct facts *facts)
{
    set_present(facts, FACT_CONFIG);
    history_build(facts->config, facts->manifest->layer_count, &facts->history);
    if (facts->history.count > 0)
        set_present(facts, FACT_HISTORY);
    else
        set_absent(facts, FACT_HISTORY, "the image config has no history");
    base_claims_read(facts->manifest, facts->config, &facts->history, &facts->base);
    bases_apply(NULL, facts);
    runtime_find(facts->config, &facts->history, &facts->runtime);
    set_present(facts, FACT_RUNTIME); /* "unknown" is an answer: the files may know better */
}

struct facts *facts_build_take(struct manifest *manifest, struct image_config *config,
                               const char *config_reason, const unsigned char *salt)
{
    static const enum fact_group from_config[] = {FACT_CONFIG, FACT_HISTORY, FACT_BASE,
                                                  FACT_RUNTIME};
    static const enum fact_group gathered_later[] = {FACT_PROVENANCE, FACT_FILES, FACT_REFERRERS,
                                                     FACT_VULNERABILITIES, FACT_PLACEMENT};
    assert(manifest);
    struct facts *facts = memory_new(sizeof(*facts));
    facts->manifest = manifest;
    facts->config = config;
    facts->base.layer_count = -1;
    set_present(facts, FACT_MANIFEST);
    for (size_t i = 0; i < ARRAY_COUNT(gathered_later); i++)
        set_absent(facts, gathered_later[i], "not gathered");
    for (size_t i = 0; !config && i < ARRAY_COUNT(from_config); i++)
        set_absent(facts, from_config[i],
                   config_reason ? config_reason : "there is no image config");
    if (config)
        build_from_config(facts);
    facts_mask_secrets(facts, salt);
    return facts;
}

static void release_secret(struct facts_secret *secret)
{
    free(secret->kind);
    free(secret->key);
    free(secret->masked);
    free(secret->hash);
}

void facts_free(struct facts *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < FACT_GROUP_COUNT; i++)
        free(facts->status[i].reason);
    manifest_free(facts->manifest);
    image_config_free(facts->config);
    history_release(&facts->history);
    facts_base_release(&facts->base);
    free(facts->runtime.version);
    for (size_t i = 0; i < facts->secret_count; i++)
        release_secret(&facts->secrets[i]);
    free(facts->secrets);
    facts_files_free(facts->files);
    facts_provenance_free(facts->provenance);
    facts_referrers_free(facts->referrers);
    facts_vulnerabilities_free(facts->vulnerabilities);
    free(facts);
}

void facts_auto_free(struct facts **facts)
{
    facts_free(*facts);
    *facts = NULL;
}

bool facts_cover(const struct facts *facts, unsigned needs)
{
    for (unsigned i = 0; i < FACT_GROUP_COUNT; i++) {
        if (i == FACT_PLACEMENT || !(needs & FACT_BIT(i)) || facts->status[i].state == FACT_PRESENT)
            continue;
        if (i != FACT_FILES || facts_layers_missing(facts))
            return false;
    }
    return true;
}
