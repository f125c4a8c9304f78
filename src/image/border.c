/* Own or base? Without a catalogue of layers this is read from traces, and each trace has its own
 * strength: what buildpacks and buildah write is exact, marks of kaniko, jib and ko nearly so,
 * times are a hint. Where two answers are possible, the steps between them stay "unknown" and no
 * number of layers is named. */
#include "border.h"

#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "regwarden/json.h"

/* Steps below base_end are the base's, from own_start on they are own, between them unknown. */
struct border {
    size_t base_end;
    size_t own_start;
    int layer_count; /* -1: to be counted from the steps */
    enum evidence evidence;
};

/* A new build begins where time jumps right after the last word of a Dockerfile. Measured on images
 * whose parents are known, this is right or too low in all but one of 179. */
static const int64_t after_command_ms = INT64_C(60) * 1000;
/* A jump elsewhere may be a base without CMD, or a step that the build cache kept: ambiguous. */
static const int64_t ambiguous_ms = INT64_C(60) * 60 * 1000;

static int64_t distance(const struct history_entry *a, const struct history_entry *b)
{
    if (!a->has_created || !b->has_created)
        return 0;
    return llabs(a->created_ms - b->created_ms);
}

static enum image_builder builder_of(const struct image_config *config, size_t index)
{
    return convention_find(config, &config->history[index])->builder;
}

/* Does the image's builder take over here from another one? Entries without any mark inside its
 * part (an exec-form RUN) are its own and no border. */
static bool takes_over(enum image_builder before, enum image_builder builder,
                       enum image_builder last, bool seen)
{
    return builder == last && before != last && (before != BUILDER_UNKNOWN || !seen);
}

static bool by_times(const struct image_config *config, const struct facts_history *history,
                     struct border *ret)
{
    struct border border = {.own_start = history->count, .layer_count = -1};
    enum image_builder before = history->count > 0 ? builder_of(config, 0) : BUILDER_UNKNOWN;
    bool seen = before == history->builder;
    for (size_t i = 1; i < history->count; i++) {
        const struct step *step = &history->steps[i - 1];
        enum image_builder builder = builder_of(config, i);
        bool command = step->empty && (step->kind == STEP_CMD || step->kind == STEP_ENTRYPOINT);
        int64_t jump = distance(&config->history[i - 1], &config->history[i]);
        bool change = takes_over(before, builder, history->builder, seen);
        if (change || (command && jump > after_command_ms))
            border.base_end = border.own_start = i;
        else if (jump > ambiguous_ms)
            border.own_start = i;
        before = builder;
        seen = seen || builder == history->builder;
    }
    border.evidence = EVIDENCE_HISTORY;
    *ret = border;
    return border.own_start < history->count;
}

/* The own steps are the last run of entries that bear the builder's mark. */
static bool by_marks(const struct image_config *config, const struct facts_history *history,
                     struct border *ret)
{
    size_t start = history->count;
    while (start > 0 && builder_of(config, start - 1) == history->builder)
        start--;
    *ret = (struct border){start, start, .layer_count = -1, .evidence = EVIDENCE_HISTORY};
    return true;
}

/* The last named FROM: earlier ones came with a base that buildah built, and nameless ones are
 * intermediate images of this build. */
static bool by_from_comment(const struct image_config *config, const struct facts_history *history,
                            struct border *ret)
{
    for (size_t i = history->count; i > 0; i--) {
        if (!history_from_comment(&config->history[i - 1]))
            continue;
        *ret = (struct border){i - 1, i - 1, .layer_count = -1, .evidence = EVIDENCE_HISTORY};
        return true;
    }
    return false;
}

static bool in_one_piece(const struct image_config *config, const struct facts_history *history,
                         struct border *ret)
{
    for (size_t i = 0; i < history->count; i++)
        if (builder_of(config, i) != history->builder)
            return false;
    *ret = (struct border){.layer_count = 0, .evidence = EVIDENCE_HISTORY};
    return true;
}

/* Buildpacks name the last layer of the run image by its diff_id. */
static bool by_top_layer(const struct image_config *config, const struct facts_history *history,
                         struct border *ret)
{
    const char *label = text_pairs_get(&config->labels, "io.buildpacks.lifecycle.metadata");
    AUTO_JSON struct json *metadata = NULL;
    struct digest top;
    if (!label || json_parse(label, strlen(label), NULL, &metadata, NULL))
        return false;
    const char *text = json_get_string(json_get(metadata, "runImage"), "topLayer");
    if (!text || digest_parse(text, &top, NULL))
        return false;
    size_t layer = 0;
    while (layer < config->diff_id_count && !digest_equal(&top, &config->diff_ids[layer]))
        layer++;
    if (layer == config->diff_id_count)
        return false;
    *ret = (struct border){
        .own_start = history->count, .layer_count = (int)layer + 1, .evidence = EVIDENCE_LABEL};
    for (size_t i = 0; i < history->count; i++) {
        if (history->steps[i].layer >= 0 && history->steps[i].layer <= (int)layer)
            ret->base_end = i + 1;
        if (history->steps[i].layer == (int)layer + 1)
            ret->own_start = i;
    }
    return true;
}

typedef bool border_f(const struct image_config *config, const struct facts_history *history,
                      struct border *ret);

static border_f *const ways[] = {
    [BUILDER_UNKNOWN] = NULL,
    [BUILDER_CLASSIC] = by_times,
    [BUILDER_BUILDKIT] = by_times,
    [BUILDER_BUILDAH] = by_from_comment,
    [BUILDER_KANIKO] = by_marks,
    [BUILDER_JIB] = by_marks,
    [BUILDER_KO] = by_marks,
    [BUILDER_APKO] = in_one_piece,
    [BUILDER_BAZEL] = NULL,
    [BUILDER_NIX] = NULL,
    [BUILDER_BUILDPACKS] = by_top_layer,
};

static int count_layers(const struct facts_history *history, size_t end)
{
    int count = 0;
    for (size_t i = 0; i < end; i++)
        count += !history->steps[i].empty;
    return count;
}

static void apply(const struct border *border, struct facts_history *history,
                  struct facts_base *base)
{
    for (size_t i = 0; i < history->count; i++)
        history->steps[i].origin = i < border->base_end     ? ORIGIN_BASE
                                   : i >= border->own_start ? ORIGIN_OWN
                                                            : ORIGIN_UNKNOWN;
    bool exact = border->base_end == border->own_start && history->aligned;
    if (border->layer_count >= 0)
        base->layer_count = border->layer_count;
    else if (exact)
        base->layer_count = count_layers(history, border->base_end);
    else
        return;
    base->layer_evidence = border->evidence;
}

void border_find(const struct image_config *config, struct facts_history *history,
                 struct facts_base *base)
{
    struct border border;
    border_f *way = ways[history->builder];
    base->layer_count = -1;
    base->layer_evidence = EVIDENCE_NONE;
    if (way && way(config, history, &border))
        apply(&border, history, base);
}

void border_set_own(struct facts_history *history, struct facts_base *base, enum evidence evidence)
{
    struct border border = {.layer_count = 0, .evidence = evidence};
    apply(&border, history, base);
}

/* One behind the step that made the last of the first `layers` layers. */
static size_t steps_of_layers(const struct facts_history *history, int layers)
{
    size_t end = 0;
    for (size_t i = 0; i < history->count; i++)
        if (history->steps[i].layer >= 0 && history->steps[i].layer < layers)
            end = i + 1;
    return end;
}

void border_set_known(struct facts_history *history, int layers, size_t steps)
{
    bool exact = steps <= history->count;
    size_t base_end = exact ? steps : steps_of_layers(history, layers);
    if (!exact && !history->aligned)
        return;
    for (size_t i = 0; i < history->count; i++) {
        struct step *step = &history->steps[i];
        if (i < base_end)
            step->origin = ORIGIN_BASE;
        else if (exact || (step->layer >= layers))
            step->origin = ORIGIN_OWN;
        else if (i > 0 && history->steps[i - 1].origin == ORIGIN_OWN)
            step->origin = ORIGIN_OWN;
        else
            step->origin = ORIGIN_UNKNOWN;
    }
}

void border_set_least(struct facts_history *history, int layers)
{
    size_t end = history->aligned ? steps_of_layers(history, layers) : 0;
    for (size_t i = 0; i < end; i++)
        history->steps[i].origin = ORIGIN_BASE;
}
