/* What the catalogue knows of an image's base, put into its facts: names, what they name today,
 * since when, and what is below. */
#include "bases_private.h"

const struct digest *base_name_digest(const struct base_image *image, const struct base_name *name)
{
    return digest_is_set(&name->index) ? &name->index : &image->digest;
}

static struct base_alias *find_alias(struct facts_base *base, const char *name)
{
    for (size_t i = 0; i < base->alias_count; i++)
        if (text_equal(base->aliases[i].name, name))
            return &base->aliases[i];
    return NULL;
}

/* Under another index the same name may name the image still. */
static void add_alias(struct facts_base *base, const struct base_image *image,
                      const struct base_name *name)
{
    struct base_alias *alias = find_alias(base, name->name);
    if (alias && (!alias->superseded_ms || name->superseded_ms))
        return;
    if (!alias) {
        if (base->alias_count == BASE_ALIASES_MAX)
            return;
        alias = &base->aliases[base->alias_count++];
        alias->name = memory_copy_text(name->name);
    }
    alias->superseded_ms = name->superseded_ms;
    alias->current = name->superseded_ms ? name->successor : *base_name_digest(image, name);
}

static void set_aliases(struct facts_base *base, const struct base_image *image)
{
    base->aliases = memory_new_array(BASE_ALIASES_MAX, sizeof(*base->aliases));
    for (int current = 1; current >= 0; current--)
        for (size_t i = 0; i < image->name_count; i++)
            if ((image->names[i].superseded_ms == 0) == (current == 1))
                add_alias(base, image, &image->names[i]);
}

/* Of the name that is claimed, or, when none is, of those that know best: a base is not superseded
 * while any of its names still names it. */
static const struct base_alias *best_alias(const struct facts_base *base, const char *full)
{
    const struct base_alias *best = NULL;
    for (size_t i = 0; i < base->alias_count; i++) {
        const struct base_alias *alias = &base->aliases[i];
        if (full && !base_name_matches(alias->name, full))
            continue;
        if (!best || (best->superseded_ms &&
                      (!alias->superseded_ms || alias->superseded_ms > best->superseded_ms)))
            best = alias;
    }
    return best;
}

static void set_since(struct facts_base *base, const struct base_image *image, const char *name)
{
    for (size_t i = 0; i < image->name_count; i++)
        if (text_equal(image->names[i].name, name) &&
            (!base->since_ms || image->names[i].since_ms < base->since_ms))
            base->since_ms = image->names[i].since_ms;
}

void base_set_known(struct facts_base *base, const struct base_image *image,
                    const struct base_claim *claim, const char *full)
{
    set_aliases(base, image);
    const struct base_alias *alias = full ? best_alias(base, full) : NULL;
    if (!alias)
        alias = best_alias(base, NULL);
    else
        base->name = memory_copy_text(claim->name);
    base->known = ANSWER_YES;
    base->has_created = image->has_created;
    base->created_ms = image->created_ms;
    if (!alias)
        return;
    if (!base->name)
        base->name = memory_copy_text(alias->name);
    base->current = alias->current;
    base->superseded_ms = alias->superseded_ms;
    set_since(base, image, alias->name);
}

void base_add_ancestor(struct facts_base *base, const struct base_image *image)
{
    struct base_ancestor *ancestor;
    if (base->ancestor_count == BASE_ANCESTORS_MAX)
        return;
    if (!base->ancestors)
        base->ancestors = memory_new_array(BASE_ANCESTORS_MAX, sizeof(*base->ancestors));
    ancestor = &base->ancestors[base->ancestor_count++];
    ancestor->digest = image->digest;
    ancestor->layer_count = (int)image->layer_count;
    for (size_t i = 0; i < image->name_count; i++) {
        if (ancestor->name && image->names[i].superseded_ms)
            continue;
        free(ancestor->name);
        ancestor->name = memory_copy_text(image->names[i].name);
    }
}
