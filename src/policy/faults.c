/* Collecting faults: the YAML room stops at the first one of a map; whoever writes policies wants
 * to see all of them at once. */
#include "faults.h"

#include <string.h>

#include "regwarden/memory.h"

void faults_add(struct faults *faults, const struct error *err)
{
    if (faults->count++ == 0)
        faults->first = *err;
    if (faults->report)
        faults->report(faults->argument, err);
}

static struct yaml_node only_member(const struct yaml_node *map, size_t index)
{
    struct yaml_node one = *map;

    one.members = &map->members[index];
    one.count = 1;
    return one;
}

static size_t count_params(const struct param *params)
{
    size_t count = 0;

    while (params[count].name)
        count++;
    return count;
}

/* The same table, none of it required, so that members can be read one at a time. */
static struct param *relax(const struct param *params)
{
    size_t count = count_params(params);
    struct param *relaxed = memory_new_array(count + 1, sizeof(*relaxed));

    memcpy(relaxed, params, (count + 1) * sizeof(*relaxed));
    for (size_t i = 0; i < count; i++)
        relaxed[i].required = false;
    return relaxed;
}

static void report_each_member(struct faults *faults, const struct param_source *source)
{
    AUTO_FREE struct param *relaxed = relax(source->params);

    for (size_t i = 0; i < source->map->count; i++) {
        struct yaml_node one = only_member(source->map, i);
        AUTO_FREE void *scratch = memory_new(source->settings_size);
        struct error err = {0};

        if (params_read(relaxed, source->document, &one, scratch, &err) < 0)
            faults_add(faults, &err);
        else
            params_release(relaxed, scratch);
    }
}

static void report_missing(struct faults *faults, const struct param_source *source)
{
    for (const struct param *param = source->params; param->name; param++) {
        struct error err = {0};

        if (!param->required || yaml_get(source->map, param->name))
            continue;
        yaml_error(source->document, source->map ? source->map : source->place, &err,
                   "'%s' is missing: %s", param->name, param->help);
        faults_add(faults, &err);
    }
}

int faults_read_params(struct faults *faults, const struct param_source *source, void *settings)
{
    struct error first = {0};
    size_t before = faults->count;

    if (params_read(source->params, source->document, source->map, settings, &first) == 0)
        return 0;
    if (source->map && source->map->kind == YAML_KIND_MAP)
        report_each_member(faults, source);
    if (!source->map || source->map->kind == YAML_KIND_MAP)
        report_missing(faults, source);
    if (faults->count == before)
        faults_add(faults, &first);
    return FAILURE_INPUT;
}

void faults_check_keys(struct faults *faults, const struct yaml_document *document,
                       const struct yaml_node *map, const char *const *names)
{
    for (size_t i = 0; i < map->count; i++) {
        struct yaml_node one = only_member(map, i);
        struct error err = {0};

        if (yaml_check_keys(document, &one, names, &err) < 0)
            faults_add(faults, &err);
    }
}

struct yaml_node faults_known_members(const struct yaml_node *map, const struct param *params)
{
    struct yaml_node known = *map;

    known.members = memory_new_array(map->count, sizeof(*known.members));
    known.count = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct param *param = params;

        while (param->name && !text_equal(param->name, map->members[i].key))
            param++;
        if (param->name)
            known.members[known.count++] = map->members[i];
    }
    return known;
}

void faults_known_release(struct yaml_node *known)
{
    free(known->members);
    known->members = NULL;
}

const struct yaml_node *faults_place(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = key ? yaml_get(map, key) : NULL;

    return node ? node : map;
}
