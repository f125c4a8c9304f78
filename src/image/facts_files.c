/* What layers hold, as part of the facts: release, what the group is worth, and to whom a layer
 * belongs. How the group is made is in facts_files_build.c; JSON is in facts_files_to_json.c and
 * facts_files_from_json.c. */
#include "regwarden/facts_files.h"

#include <assert.h>

#include "runtime.h"

static void release_layers(struct facts_files *files)
{
    for (size_t i = 0; i < files->layer_count; i++) {
        free(files->layers[i].reason);
        free(files->layers[i].compression);
    }
    free(files->layers);
}

static void release_hits(struct facts_files *files)
{
    for (size_t i = 0; i < files->hit_count; i++) {
        free(files->hits[i].what);
        free(files->hits[i].path);
        free(files->hits[i].detail);
        free(files->hits[i].hash);
    }
    free(files->hits);
}

static void release_accounts(struct facts_files *files)
{
    for (size_t i = 0; i < files->user_count; i++) {
        free(files->users[i].name);
        free(files->users[i].home);
        free(files->users[i].shell);
    }
    for (size_t i = 0; i < files->group_count; i++) {
        free(files->groups[i].name);
        free(files->groups[i].members);
    }
    free(files->users);
    free(files->groups);
    text_list_release(&files->empty_passwords);
    text_pairs_release(&files->os_release);
    free(files->passwd.reason);
    free(files->group.reason);
    free(files->shadow.reason);
    free(files->os_release_file.reason);
}

static void release_packages(struct facts_files *files)
{
    for (size_t i = 0; i < files->package_count; i++) {
        free(files->packages[i].name);
        free(files->packages[i].version);
        free(files->packages[i].path);
    }
    free(files->packages);
}

static void release_probes(struct facts_files *files)
{
    for (size_t i = 0; i < files->probe_count; i++) {
        free(files->probes[i].probe);
        free(files->probes[i].path);
    }
    free(files->probes);
    text_list_release(&files->probes_asked);
}

void facts_files_free(struct facts_files *files)
{
    if (!files)
        return;
    release_layers(files);
    release_hits(files);
    release_accounts(files);
    release_packages(files);
    release_probes(files);
    for (size_t i = 0; i < files->largest_count; i++)
        free(files->largest[i].path);
    for (size_t i = 0; i < files->wasted_count; i++)
        free(files->wasted[i].path);
    text_list_release(&files->limits);
    free(files);
}

void facts_files_auto_free(struct facts_files **files)
{
    facts_files_free(*files);
}

void facts_files_status(const struct facts_files *files, struct fact_status *ret)
{
    size_t first = 0, absent = 0;

    for (size_t i = 0; i < files->layer_count; i++)
        absent += files->layers[i].state == FACT_ABSENT;
    while (first < files->layer_count && files->layers[first].state == FACT_PRESENT)
        first++;
    *ret = (struct fact_status){.state = FACT_PRESENT};
    if (first < files->layer_count) {
        const char *reason = files->layers[first].reason;
        ret->state = absent == files->layer_count ? FACT_ABSENT : FACT_PARTIAL;
        ret->reason = text_new("layer %zu: %s", first, reason ? reason : "no reason given");
    } else if (!files->complete) {
        ret->state = FACT_PARTIAL;
        ret->reason = memory_copy_text(files->limits.count > 0 ? files->limits.items[0]
                                                               : "not all of it is known");
    }
}

void facts_add_files_take(struct facts *facts, struct facts_files *files)
{
    struct fact_status *status = &facts->status[FACT_FILES];

    assert(!facts->files);
    facts->files = files;
    free(status->reason);
    facts_files_status(files, status);
    runtime_find_in_files(files, facts);
}

void facts_drop_files(struct facts *facts)
{
    facts_files_free(TAKE(facts->files));
}

/* Of each of the lists, with a guess at what the texts take: they are counted when it is made. */
size_t facts_files_bytes(const struct facts_files *files)
{
    enum { TEXTS = 192 };

    if (!files)
        return 0;
    return sizeof *files + files->layer_count * sizeof *files->layers +
           files->hit_count * (sizeof *files->hits + TEXTS) +
           files->package_count * (sizeof *files->packages + TEXTS) +
           files->user_count * (sizeof *files->users + TEXTS) +
           files->group_count * (sizeof *files->groups + TEXTS) +
           files->probe_count * (sizeof *files->probes + TEXTS);
}

bool facts_layers_missing(const struct facts *facts)
{
    const struct facts_files *files = facts->files;

    for (size_t i = 0; files && i < files->layer_count; i++)
        if (files->layers[i].state == FACT_ABSENT)
            return true;
    return !files;
}

enum origin facts_layer_origin(const struct facts *facts, int layer)
{
    int step;

    if (layer < 0)
        return ORIGIN_UNKNOWN;
    if (facts->base.layer_count >= 0)
        return layer < facts->base.layer_count ? ORIGIN_BASE : ORIGIN_OWN;
    if (layer < facts->base.known_layers)
        return ORIGIN_BASE;
    step = facts_layer_step(facts, layer);
    return step >= 0 ? facts->history.steps[step].origin : ORIGIN_UNKNOWN;
}

int facts_layer_step(const struct facts *facts, int layer)
{
    if (layer < 0 || !facts->history.aligned)
        return -1;
    for (size_t i = 0; i < facts->history.count; i++)
        if (facts->history.steps[i].layer == layer)
            return (int)i;
    return -1;
}
