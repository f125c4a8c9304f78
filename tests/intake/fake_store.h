/* A store for the tests of the endpoint: remembers what it is given, and answers when and how the
 * test says. */
#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

#include "regwarden/store.h"

enum { FAKE_WAITING_MAX = 64, FAKE_LETTERS_MAX = 64 };

struct fake_letter {
    char *registry, *dialect, *reason, *body;
    size_t body_size;
    struct text_pairs headers;
};

struct fake_store {
    bool wait;         /* answers come with fake_store_answer() only */
    enum failure fail; /* of each operation; FAILURE_NONE: committed */
    size_t event_count;
    char last_repository[256];
    char last_registry[64];
    int64_t last_received_ms;
    struct fake_letter letters[FAKE_LETTERS_MAX];
    size_t letter_count;
    struct {
        store_done_f *done;
        void *argument;
    } waiting[FAKE_WAITING_MAX];
    size_t waiting_count;
};
extern struct fake_store fake_store;

void fake_store_reset(void);
void fake_store_answer(void); /* all that wait, in order */

#endif
