/* The life of the group "provenance", and which of several statements counts. Statements are read
 * in provenance_parse.c. */
#include "regwarden/provenance.h"

#include <assert.h>

static void release_material(struct material *material)
{
    free(material->uri);
    free(material->name);
    free(material->tag);
}

void provenance_release(struct provenance *statement)
{
    free(statement->predicate_type);
    free(statement->build_type);
    free(statement->builder);
    free(statement->source);
    free(statement->revision);
    for (size_t i = 0; i < statement->material_count; i++)
        release_material(&statement->materials[i]);
    free(statement->materials);
    free(statement->base.name);
    free(statement->base.tag);
    free(statement->dockerfile_name);
    free(statement->dockerfile);
    *statement = (struct provenance){0};
}

void facts_provenance_free(struct facts_provenance *provenance)
{
    if (!provenance)
        return;
    for (size_t i = 0; i < provenance->count; i++)
        provenance_release(&provenance->statements[i]);
    free(provenance->statements);
    free(provenance);
}

static bool has_statement(const struct facts_provenance *provenance, const struct digest *digest)
{
    for (size_t i = 0; i < provenance->count; i++)
        if (digest_is_set(digest) && digest_equal(&provenance->statements[i].digest, digest))
            return true;
    return false;
}

bool facts_provenance_add_take(struct facts_provenance *provenance, struct provenance *statement)
{
    bool known = has_statement(provenance, &statement->digest);

    if (known || provenance->count == PROVENANCE_STATEMENTS_MAX) {
        provenance_release(statement);
        return known;
    }
    if (!provenance->statements)
        provenance->statements =
            memory_new_array(PROVENANCE_STATEMENTS_MAX, sizeof(*provenance->statements));
    provenance->statements[provenance->count++] = *statement;
    *statement = (struct provenance){0};
    return true;
}

void facts_provenance_keep(struct facts_provenance *to, struct facts_provenance *from)
{
    for (size_t i = 0; from && i < from->count; i++)
        (void)facts_provenance_add_take(to, &from->statements[i]);
}

/* How much a statement is worth; 0: it tells nothing of the build of this image. */
static unsigned worth(const struct provenance *statement, bool with_base)
{
    unsigned value;

    if (!statement->is_provenance || statement->subject < SUBJECT_INDEX)
        return 0;
    if (with_base && !statement->base.name && !digest_is_set(&statement->base.digest) &&
        statement->base.pinned != ANSWER_YES)
        return 0;
    value = 1 + (statement->enveloped ? 8 : 0);
    /* Within its kind, the one that knows the build from the inside. */
    value += statement->base.name ? 4 : 0;
    value += statement->mode == PROVENANCE_MODE_MAX ? 2 : 0;
    value += statement->subject == SUBJECT_IMAGE ? 1 : 0;
    return value;
}

static const struct provenance *find_best(const struct facts_provenance *provenance, bool with_base)
{
    const struct provenance *best = NULL;

    for (size_t i = 0; provenance && i < provenance->count; i++) {
        const struct provenance *statement = &provenance->statements[i];

        if (worth(statement, with_base) > (best ? worth(best, with_base) : 0))
            best = statement;
    }
    return best;
}

const struct provenance *provenance_best(const struct facts_provenance *provenance)
{
    return find_best(provenance, /* with_base= */ false);
}

const struct provenance_base *provenance_base(const struct facts_provenance *provenance,
                                              bool *ret_enveloped)
{
    const struct provenance *best = find_best(provenance, /* with_base= */ true);

    if (!best)
        return NULL;
    if (ret_enveloped)
        *ret_enveloped = best->enveloped;
    return &best->base;
}
