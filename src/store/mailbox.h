/* Finished operations on their way back to the loop: many per wake-up. */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "operation.h"

struct loop;
struct mailbox; /* opaque */

/* A list of operations in order. */
struct operations {
    struct operation *first;
    struct operation **last; /* NULL while the list is empty */
    size_t count;
};
void operations_add(struct operations *list, struct operation *operation);
void operations_join(struct operations *list, struct operations *from); /* `from` is empty then */

struct mailbox *mailbox_new(struct loop *loop);
void mailbox_put(struct mailbox *mailbox, struct operations *finished); /* any thread */
void mailbox_close(struct mailbox *mailbox); /* after the last put; what was not delivered is */

#endif
