/* Choosing and grouping hits of layers. What they mean is for the rules to say. */
#include "hits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { STEP_TEXT_SHOWN = 60, NAME_SHOWN = 60, PATH_MATCH_MAX = 4096 };

static int path_list_compile(struct text_list *patterns, struct glob_list *ret, struct error *err)
{
    for (size_t i = 0; i < patterns->count; i++) {
        char *pattern = patterns->items[i];
        char *begin = *pattern == '!' ? pattern + 1 : pattern;
        size_t slashes = strspn(begin, "/");

        memmove(begin, begin + slashes, strlen(begin + slashes) + 1);
    }
    return glob_list_compile(patterns, ret, err);
}

bool path_list_match(const struct glob_list *list, const char *path)
{
    char directory[PATH_MATCH_MAX];
    size_t size;

    if (list->count == 0)
        return false;
    if (glob_list_match(list, path))
        return true;
    size = strlen(path);
    if (size + 2 > sizeof(directory) || list->only_excludes)
        return false;
    memcpy(directory, path, size);
    memcpy(directory + size, "/", 2);
    return glob_list_match(list, directory);
}

int hit_settings_prepare(void *block, const char **ret_param, struct error *err)
{
    struct hit_settings *settings = block;

    *ret_param = "allow";
    if (glob_list_compile(&settings->allow, &settings->allow_globs, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "allow-paths";
    return path_list_compile(&settings->allow_paths, &settings->allow_path_globs, err);
}

void hit_settings_release(void *block)
{
    struct hit_settings *settings = block;

    glob_list_release(&settings->allow_globs);
    glob_list_release(&settings->allow_path_globs);
}

bool hit_is_chosen(const struct hit_choice *choice, const struct facts *facts,
                   const struct facts_hit *hit)
{
    if (!(choice->kinds & SIGNAL_BIT(hit->kind)))
        return false;
    if (!choice->hidden_too && hit->visible_files == 0)
        return false;
    if (!choice->include_base && facts_layer_origin(facts, hit->layer) == ORIGIN_BASE)
        return false;
    return !glob_list_match(&choice->settings->allow_globs, hit->what) &&
           !path_list_match(&choice->settings->allow_path_globs, hit->path);
}

void hit_list_choose(const struct hit_choice *choice, const struct rule_input *input,
                     struct hit_list *ret)
{
    *ret = (struct hit_list){0};
    if (!input->files)
        return;
    for (size_t i = 0; i < input->files->hit_count; i++) {
        const struct facts_hit *hit = &input->files->hits[i];

        if (!hit_is_chosen(choice, input->facts, hit))
            continue;
        ret->items =
            memory_grow(ret->items, ret->count, &ret->capacity, sizeof(struct facts_hit *));
        ret->items[ret->count++] = hit;
    }
}

void hit_list_release(struct hit_list *list)
{
    free(list->items);
    *list = (struct hit_list){0};
}

static int by_layer(const void *a, const void *b)
{
    const struct facts_hit *left = *(const struct facts_hit *const *)a;
    const struct facts_hit *right = *(const struct facts_hit *const *)b;

    if (left->layer != right->layer)
        return left->layer < right->layer ? -1 : 1;
    return layer_path_compare(left->path, right->path);
}

void hit_list_sort(struct hit_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), by_layer);
}

static int by_name(const void *a, const void *b)
{
    const struct facts_hit *left = *(const struct facts_hit *const *)a;
    const struct facts_hit *right = *(const struct facts_hit *const *)b;
    int order = left->layer != right->layer ? 0 : strcmp(left->what, right->what);

    return order ? order : by_layer(a, b);
}

/* The most bytes first; then the order in which the image was built, so that reports do not
 * change. */
static int by_bytes(const void *a, const void *b)
{
    const struct hit_group *left = a;
    const struct hit_group *right = b;

    if (left->bytes != right->bytes)
        return left->bytes > right->bytes ? -1 : 1;
    if (left->layer != right->layer)
        return left->layer < right->layer ? -1 : 1;
    return strcmp(left->largest->what, right->largest->what);
}

bool hit_lies_in(const char *path, const struct facts_hit *directory)
{
    size_t size = strlen(directory->path);

    return strncmp(path, directory->path, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static void add_up(struct hit_group *group)
{
    const struct facts_hit *outer = NULL;

    group->layer = group->hits[0]->layer;
    group->hidden_by = -1;
    for (size_t i = 0; i < group->count; i++) {
        const struct facts_hit *hit = group->hits[i];

        if (!group->largest || hit->bytes > group->largest->bytes)
            group->largest = hit;
        if (group->hidden_by < 0)
            group->hidden_by = hit->hidden_by;
        if (outer && hit_lies_in(hit->path, outer))
            continue;
        outer = hit;
        group->files += hit->files;
        group->bytes += hit->bytes;
        group->visible_files += hit->visible_files;
        group->visible_bytes += hit->visible_bytes;
    }
}

static bool is_of_group(const struct hit_group *group, enum hit_grouping grouping,
                        const struct facts_hit *hit)
{
    return group->hits[0]->layer == hit->layer &&
           (grouping == HITS_BY_LAYER || strcmp(group->hits[0]->what, hit->what) == 0);
}

void hit_groups_make(struct hit_list *list, enum hit_grouping grouping, struct hit_groups *ret)
{
    *ret = (struct hit_groups){0};
    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof(*list->items),
          grouping == HITS_BY_NAME ? by_name : by_layer);
    ret->items = memory_new_array(list->count, sizeof(*ret->items));
    for (size_t i = 0; i < list->count; i++) {
        const struct facts_hit *hit = list->items[i];

        if (ret->count > 0 && is_of_group(&ret->items[ret->count - 1], grouping, hit))
            ret->items[ret->count - 1].count++;
        else
            ret->items[ret->count++] = (struct hit_group){.hits = &list->items[i], .count = 1};
    }
    for (size_t i = 0; i < ret->count; i++)
        add_up(&ret->items[i]);
    qsort(ret->items, ret->count, sizeof(*ret->items), by_bytes);
}

void hit_groups_release(struct hit_groups *groups)
{
    free(groups->items);
    *groups = (struct hit_groups){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different names, in alphabetical order: "cmake, gcc, make"; at most `max`, then how many
 * more.
 */
static void add_names(const struct hit_group *group, size_t max, struct text *to)
{
    AUTO_FREE const char **names = memory_new_array(group->count, sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; i < group->count; i++)
        names[i] = group->hits[i]->what;
    qsort(names, group->count, sizeof(*names), compare_names);
    for (size_t i = 0; i < group->count; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        if (count++ >= max)
            continue;
        AUTO_FREE char *shown = text_printable(names[i], NAME_SHOWN);
        text_add(to, count > 1 ? ", " : "");
        text_add(to, shown);
    }
    if (count > max)
        text_format(to, " and %zu more", count - max);
}

/* "214.3 MB in 312 files", and how much of it a later layer takes away. */
static void add_size(const struct hit_group *group, struct text *to)
{
    char bytes[TEXT_NUMBER_SIZE];

    text_format(to, "%s in %" PRIu64 " file%s", text_format_bytes(group->bytes, bytes),
                group->files, group->files == 1 ? "" : "s");
    if (group->visible_files == 0)
        text_add(to, ", all of it taken away by a later layer and served all the same");
    else if (group->visible_bytes < group->bytes)
        text_format(to, ", %s of it taken away by later layers and served all the same",
                    text_format_bytes(group->bytes - group->visible_bytes, bytes));
}

void layer_name(const struct facts *facts, int layer, struct text *to)
{
    static const char *const whose[] = {
        [ORIGIN_UNKNOWN] = "", [ORIGIN_OWN] = "own ", [ORIGIN_BASE] = "the base's "};
    int step = facts_layer_step(facts, layer);
    const char *owner = whose[facts_layer_origin(facts, layer)];

    if (step < 0 || (size_t)step >= facts->history.count)
        text_format(to, "%slayer %d", owner, layer);
    else
        text_format(to, "%sstep %d", owner, step);
}

void layer_describe(const struct facts *facts, int layer, struct text *to)
{
    int step = facts_layer_step(facts, layer);
    const struct step *at;

    layer_name(facts, layer, to);
    if (step < 0 || (size_t)step >= facts->history.count)
        return;
    at = &facts->history.steps[step];
    if (!at->text || !*at->text)
        return;
    AUTO_FREE char *shown = finding_step_text(at->text, STEP_TEXT_SHOWN);
    text_format(to, " (%s%s%s)", at->kind == STEP_OTHER ? "" : step_kind_name(at->kind),
                at->kind == STEP_OTHER ? "" : " ", shown);
}

static struct finding *add_finding(const struct hit_group *group, const struct facts *facts,
                                   struct rule_report *report, const struct hit_report *as,
                                   const char *subject)
{
    enum origin origin = facts_layer_origin(facts, group->layer);
    AUTO_TEXT struct text names = {0};
    AUTO_TEXT struct text place = {0};
    AUTO_TEXT struct text size = {0};

    add_names(group, as->names_max, &names);
    add_size(group, &size);
    layer_describe(facts, group->layer, &place);
    if (origin == ORIGIN_UNKNOWN)
        text_add(&place, ", own or the base's,");
    if (as->unknown_if_base && origin == ORIGIN_UNKNOWN)
        return rule_unknown(report, subject, "%s brings %s: %s (%s)", text_data(&place), as->brings,
                            text_data(&names), text_data(&size));
    return (as->weight == HIT_WARNS ? rule_warn : rule_fail)(
        report, subject, "%s brings %s: %s (%s)", text_data(&place), as->brings, text_data(&names),
        text_data(&size));
}

struct finding *hit_group_report(const struct hit_group *group, const struct facts *facts,
                                 struct rule_report *report, const struct hit_report *as)
{
    AUTO_TEXT struct text names = {0};
    struct finding *finding;

    if (!as->subject)
        add_names(group, SIZE_MAX, &names);
    finding = add_finding(group, facts, report, as, as->subject ? as->subject : text_data(&names));
    finding_set_layer(finding, facts, group->layer);
    finding_set_path(finding, group->largest->path);
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    finding->bytes = group->bytes;
    return finding;
}

bool layers_are_compressed(const struct rule_input *input)
{
    const struct manifest *manifest = input->facts->manifest;

    if (input->placement && input->placement->registry)
        return true; /* what is stored there is what every pull moves */
    for (size_t i = 0; i < manifest->layer_count; i++)
        if (text_ends_with(manifest->layers[i].media_type, ".tar"))
            return false;
    return true;
}
