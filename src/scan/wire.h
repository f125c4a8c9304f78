/* Messages between the pool and a worker: a head of kind and size, and bytes behind it. Private to
 * the room.
 *
 * Both sides read what the other wrote as it comes, in pieces; a message that is of no known kind,
 * comes from the wrong side or is larger than its kind allows is refused by its head, before
 * anything is kept of it. Both are the same program on the same machine: numbers are written as
 * they stand in memory. */
#ifndef SCAN_WIRE_H
#define SCAN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

enum wire_kind {
    /* to the worker */
    WIRE_OPTIONS = 1, /* once, first: see worker_options.h */
    WIRE_LAYER,       /* a layer begins; one byte: the algorithm of its digest */
    WIRE_BYTES,       /* of the layer */
    WIRE_END,         /* of the layer; empty */
    WIRE_CANCEL,      /* whatever it was; empty */
    /* from the worker */
    WIRE_READY,     /* once: what of the sandbox is not in force, one a line */
    WIRE_FACTS,     /* a document, without its table of paths */
    WIRE_PATHS,     /* the table: the end of an answer */
    WIRE_ERROR,     /* failure kind as a decimal, a blank, the text; nothing comes after it */
    WIRE_CANCELLED, /* the worker is free again; empty */
    WIRE_KIND_COUNT
};

enum wire_side { WIRE_TO_WORKER, WIRE_TO_POOL };

/* Part of a message. The last part of each has `complete`; an empty message is one empty part. */
struct wire_part {
    enum wire_kind kind;
    size_t total; /* bytes of the whole message */
    const uint8_t *bytes;
    size_t size;
    bool complete;
};

struct wire_reader {
    enum wire_side side; /* where the messages go to */
    uint8_t head[8];
    size_t head_size;
    size_t left; /* of the message, when the head is there */
};

/* Takes the next part out of [*at, end): 1 and `ret`, 0 when more bytes are needed. FAILURE_INPUT:
 * the other side does not keep to the protocol. */
int wire_next(struct wire_reader *reader, const uint8_t **at, const uint8_t *end,
              struct wire_part *ret, struct error *err);

/* Appends the head of a message of `size` bytes. */
void wire_add_head(struct text *to, enum wire_kind kind, size_t size);

#endif
