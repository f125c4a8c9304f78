/* Builds the steps of an image: one per history entry, each read by the convention that recognises
 * it, lined up with the layers when the numbers agree. Own and base are told apart in border.c. */
#include "history.h"

bool history_time_is_zero(const struct history_entry *entry)
{
    static const int64_t year_1_ms = INT64_C(-62135596800000);
    return entry->has_created && entry->created_ms == year_1_ms;
}

/* An empty history entry list lines up with an image of no layers only. */
static void align(struct facts_history *history, size_t layer_count)
{
    size_t layer = 0;
    for (size_t i = 0; i < history->count; i++) {
        history->steps[i].layer = history->steps[i].empty ? -1 : (int)layer;
        layer += !history->steps[i].empty;
    }
    history->aligned = layer == layer_count;
    for (size_t i = 0; !history->aligned && i < history->count; i++)
        history->steps[i].layer = -1;
}

void history_build(const struct image_config *config, size_t layer_count, struct facts_history *ret)
{
    ret->count = config->history_count;
    ret->steps = memory_new_array(ret->count, sizeof(*ret->steps));
    for (size_t i = 0; i < ret->count; i++) {
        const struct history_entry *entry = &config->history[i];
        const struct convention *convention = convention_find(config, entry);
        convention->read(entry, &ret->steps[i]);
        ret->steps[i].empty = entry->empty_layer;
        /* The last entry is the builder's own; earlier ones may be the base's. */
        ret->builder = convention->builder;
    }
    align(ret, layer_count);
}

void history_release(struct facts_history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        free(history->steps[i].text);
        text_pairs_release(&history->steps[i].args);
    }
    free(history->steps);
    *history = (struct facts_history){0};
}
