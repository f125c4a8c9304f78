/* One body on its way to the disk: its events, its dead letter, and who waits for the answer. */
#ifndef INTAKE_DELIVERY_H
#define INTAKE_DELIVERY_H

#include "regwarden/intake.h"

enum { DEAD_LETTER_BODY_MAX = 64 << 10 };

struct delivery {
    struct intake *intake; /* NULL once the intake is gone: nobody is answered any more */
    struct delivery *next, **link;
    uint64_t exchange;    /* id of the waiting exchange, 0 for a replay */
    store_done_f *replay; /* of a replay */
    void *replay_argument;
    const char *dialect; /* from the decoder table, NULL unknown */
    const char *sender;  /* whose rules the answer follows */
    char *reply;         /* JSON that the sender waits for; NULL: the usual answer */
    struct event *events;
    size_t event_count;
    size_t ignored;
    struct dead_letter letter; /* borrows from the four below */
    char *reason;              /* NULL: everything was understood, there is no letter */
    char *body;
    char *registry;
    struct text_pairs headers;
    size_t size_bytes; /* that it counts for in what may wait */
    unsigned waiting;  /* store operations under way */
    struct error error;
};

struct letter_source {
    const struct hook_message *message;
    const struct decoder *decoder; /* NULL: none recognised it */
    const struct config_registry *registry;
};
/* The dead letter for a body that was not understood, in whole (`whole`, may be NULL) or in parts.
 */
void delivery_set_letter(struct delivery *delivery, const struct error *whole,
                         const struct decoded *decoded, const struct letter_source *source);
void delivery_free(struct delivery *delivery);

#endif
