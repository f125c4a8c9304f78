/* What a walk saw goes to the store in batches, each with the position that the walk had reached
 * when it was full: nothing is asked twice by a sweep that breaks off and goes on, and nothing left
 * out. While one batch waits for its last digests or for the store, the other one is filled. */
#include "sweep.h"

#include "regwarden/clock.h"

void sweep_boxes_init(struct sweep *sweep)
{
    for (size_t i = 0; i < ARRAY_COUNT(sweep->boxes.boxes); i++)
        sweep->boxes.boxes[i].items = memory_new_array(SWEEP_BATCH, sizeof(struct sweep_item));
    sweep->boxes.filling = &sweep->boxes.boxes[0];
}

void sweep_boxes_empty(struct sweep_item *item)
{
    event_release(&item->event);
    *item = (struct sweep_item){0};
}

static void clear(struct sweep_box *box)
{
    for (size_t i = 0; i < box->count; i++)
        sweep_boxes_empty(&box->items[i]);
    box->count = 0;
    text_list_release(&box->exceptions);
    box->exceptions = (struct text_list){0};
    free(TAKE(box->position));
}

void sweep_boxes_release(struct sweep *sweep)
{
    for (size_t i = 0; i < ARRAY_COUNT(sweep->boxes.boxes); i++) {
        clear(&sweep->boxes.boxes[i]);
        free(sweep->boxes.boxes[i].items);
    }
    sweep->boxes = (struct sweep_boxes){0};
}

bool sweep_boxes_are_empty(const struct sweep *sweep)
{
    return !sweep->boxes.sealed && sweep->boxes.filling->count == 0;
}

static void seal(struct sweep *sweep)
{
    struct sweep_boxes *boxes = &sweep->boxes;

    boxes->sealed = boxes->filling;
    boxes->sealed->position = sweep_position_write(&sweep->position);
    boxes->filling = boxes->sealed == &boxes->boxes[0] ? &boxes->boxes[1] : &boxes->boxes[0];
    sweep->unsaved_pages = 0;
}

struct sweep_item *sweep_boxes_place(struct sweep *sweep)
{
    struct sweep_boxes *boxes = &sweep->boxes;
    struct sweep_item *item;

    if (boxes->filling->count == SWEEP_BATCH) {
        if (boxes->sealed)
            return NULL;
        seal(sweep);
    }
    item = &boxes->filling->items[boxes->filling->count++];
    *item = (struct sweep_item){
        .event = {.action = EVENT_PUSH,
                  .cause = sweep->is_first ? EVENT_CAUSE_EXISTING : EVENT_CAUSE_SWEEP,
                  .registry = memory_copy_text(sweep->registry->settings->name),
                  .repository = memory_copy_text(sweep->position.repository)}};
    return item;
}

static void pass_on(struct sweep *sweep, const struct sweep_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct sweep_item *item = &batch->items[i];

        if (item->wanted) {
            sweep->position.wanted++;
            sweep->counters.wanted++;
            dispatcher_add(sweep->daemon->dispatcher, &item->event, 1);
        }
        if (item->redo) {
            sweep->counters.redone++;
            acts_take_up(sweep->daemon->acts, item->redo);
        }
    }
}

static void saved(void *argument, const struct error *error)
{
    struct sweep *sweep = argument;
    struct sweep_box *box = sweep->boxes.sealed;

    sweep->boxes.saving = false;
    sweep->boxes.sealed = NULL;
    if (error) {
        sweep_walk_fail(sweep, error);
    } else {
        sweep->advanced = true;
        pass_on(sweep, &box->batch);
    }
    clear(box);
    sweep_walk_on(sweep);
}

/* What turned out not to be there leaves no gap. */
static void close_gaps(struct sweep_box *box)
{
    size_t count = 0;

    for (size_t i = 0; i < box->count; i++) {
        if (!box->items[i].event.repository)
            continue;
        if (count != i) {
            box->items[count] = box->items[i];
            box->items[i] = (struct sweep_item){0};
        }
        count++;
    }
    box->count = count;
}

void sweep_boxes_save(struct sweep *sweep, bool all)
{
    struct sweep_boxes *boxes = &sweep->boxes;
    struct sweep_box *box;

    if (all && !boxes->sealed &&
        (boxes->filling->count || boxes->filling->exceptions.count || sweep->unsaved_pages))
        seal(sweep);
    box = boxes->sealed;
    if (!box || box->pending || boxes->saving)
        return;
    close_gaps(box);
    boxes->saving = true;
    box->batch = (struct sweep_batch){.id = sweep->id,
                                      .items = box->items,
                                      .count = box->count,
                                      .exceptions = &box->exceptions,
                                      .position = box->position,
                                      .at_ms = clock_wall_ms()};
    store_sweep_batch(sweep->daemon->store, &box->batch, saved, sweep);
}
