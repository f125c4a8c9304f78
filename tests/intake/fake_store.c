/* See fake_store.h. Linked instead of the store room. */
#include "fake_store.h"

#include <assert.h>

struct fake_store fake_store;

static void finish(store_done_f *done, void *argument)
{
    struct error err = {0};
    if (fake_store.fail != FAILURE_NONE)
        error_set(&err, fake_store.fail, "disk full");
    done(argument, fake_store.fail == FAILURE_NONE ? NULL : &err);
}

static void answer_now_or_later(store_done_f *done, void *argument)
{
    if (!fake_store.wait) {
        finish(done, argument);
        return;
    }
    assert(fake_store.waiting_count < FAKE_WAITING_MAX);
    fake_store.waiting[fake_store.waiting_count].done = done;
    fake_store.waiting[fake_store.waiting_count].argument = argument;
    fake_store.waiting_count++;
}

void fake_store_answer(void)
{
    size_t count = fake_store.waiting_count;
    fake_store.waiting_count = 0;
    for (size_t i = 0; i < count; i++)
        finish(fake_store.waiting[i].done, fake_store.waiting[i].argument);
}

void fake_store_reset(void)
{
    for (size_t i = 0; i < fake_store.letter_count; i++) {
        struct fake_letter *letter = &fake_store.letters[i];
        free(letter->registry);
        free(letter->dialect);
        free(letter->reason);
        free(letter->body);
        text_pairs_release(&letter->headers);
    }
    fake_store = (struct fake_store){0};
}

void store_add_events(struct store *store, struct event *events, size_t count, store_done_f *done,
                      void *argument)
{
    (void)store;
    for (size_t i = 0; i < count; i++)
        events[i].id = (int64_t)++fake_store.event_count;
    const struct event *last = &events[count - 1];
    snprintf(fake_store.last_repository, sizeof(fake_store.last_repository), "%s",
             last->repository);
    snprintf(fake_store.last_registry, sizeof(fake_store.last_registry), "%s", last->registry);
    fake_store.last_received_ms = last->received_ms;
    answer_now_or_later(done, argument);
}

void store_add_dead_letter(struct store *store, const struct dead_letter *letter,
                           store_done_f *done, void *argument)
{
    (void)store;
    assert(fake_store.letter_count < FAKE_LETTERS_MAX);
    assert(text_equal(letter->kind, "hook"));
    struct fake_letter *kept = &fake_store.letters[fake_store.letter_count++];
    *kept = (struct fake_letter){
        .registry = memory_copy_text(letter->registry),
        .dialect = memory_copy_text(letter->dialect),
        .reason = memory_copy_text(letter->reason),
        .body = memory_copy_bytes(letter->body, letter->body_size),
        .body_size = letter->body_size,
    };
    text_pairs_copy(&kept->headers, letter->headers);
    answer_now_or_later(done, argument);
}
