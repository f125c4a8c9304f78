/* One call of the store's door on its way: made on the loop, carried out by a thread of the store,
 * answered on the loop.
 *
 * Each file of operations embeds `struct operation` as the first member of its own struct and
 * hands it over with store_submit(). `run` may be called again after a failed transaction, so it
 * only overwrites what it wrote before. */
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include <stdbool.h>

#include "driver.h"
#include "regwarden/store.h"

struct codec;

/* Which thread: all writes have one, so they keep their order; short reads do not wait for long
 * ones. */
enum lane { LANE_WRITE, LANE_READ, LANE_LIST, LANE_COUNT };

/* What a thread of the store works with. */
struct session {
    struct driver *driver;
    struct codec *codec;
};

struct operation {
    struct operation *next;
    const struct operation_type *type;
    struct error *error; /* NULL while nothing has failed */
    bool again;          /* set by `run`: commit, then run once more before the answer */
};

struct operation_type {
    const char *doing; /* "record the verdict": for messages */
    enum lane lane;
    int (*run)(struct operation *operation, const struct session *session, struct error *err);
    void (*finish)(struct operation *operation); /* on the loop: calls back, frees the operation */
};

struct codec *store_codec(struct store *store); /* of the loop; borrowed */
void store_submit(struct store *store, struct operation *operation);
void operation_free(struct operation *operation); /* the struct itself and its error */

/* The commonest callback. */
struct done {
    store_done_f *call; /* may be NULL */
    void *argument;
};
static inline void done_call(struct done done, const struct operation *operation)
{
    if (done.call)
        done.call(done.argument, operation->error);
}

#endif
