/* The framing: see wire.h. */
#include "wire.h"

#include <assert.h>
#include <string.h>

#include "worker_options.h"

static const struct {
    enum wire_side side;
    size_t max_bytes;
} kinds[WIRE_KIND_COUNT] = {
    [WIRE_OPTIONS] = {WIRE_TO_WORKER, WORKER_OPTIONS_BYTES_MAX},
    [WIRE_LAYER] = {WIRE_TO_WORKER, 1},
    [WIRE_BYTES] = {WIRE_TO_WORKER, UINT32_MAX},
    [WIRE_END] = {WIRE_TO_WORKER, 0},
    [WIRE_CANCEL] = {WIRE_TO_WORKER, 0},
    [WIRE_READY] = {WIRE_TO_POOL, 1024},
    [WIRE_FACTS] = {WIRE_TO_POOL, LAYER_DOCUMENT_BYTES_MAX},
    [WIRE_PATHS] = {WIRE_TO_POOL, LAYER_TABLE_BYTES_MAX},
    [WIRE_ERROR] = {WIRE_TO_POOL, ERROR_TEXT_SIZE + 16},
    [WIRE_CANCELLED] = {WIRE_TO_POOL, 0},
};

struct head {
    uint32_t kind;
    uint32_t size;
};

/* 1 when the head is complete and legal. */
static int read_head(struct wire_reader *reader, const uint8_t **at, const uint8_t *end,
                     struct error *err)
{
    size_t wanted = sizeof(reader->head) - reader->head_size, there = (size_t)(end - *at);
    size_t taken = wanted < there ? wanted : there;
    struct head head;

    if (taken > 0)
        memcpy(reader->head + reader->head_size, *at, taken);
    *at += taken;
    reader->head_size += taken;
    if (taken < wanted)
        return 0;
    memcpy(&head, reader->head, sizeof(head));
    if (head.kind == 0 || head.kind >= WIRE_KIND_COUNT || kinds[head.kind].side != reader->side)
        return error_set(err, FAILURE_INPUT, "a message of unknown kind %u came", head.kind);
    if (head.size > kinds[head.kind].max_bytes)
        return error_set(err, FAILURE_INPUT, "a message of kind %u and %u bytes is too large",
                         head.kind, head.size);
    reader->left = head.size;
    return 1;
}

int wire_next(struct wire_reader *reader, const uint8_t **at, const uint8_t *end,
              struct wire_part *ret, struct error *err)
{
    bool at_head = reader->head_size < sizeof(reader->head);
    int more = at_head ? read_head(reader, at, end, err) : 1;
    size_t there = (size_t)(end - *at), size = reader->left < there ? reader->left : there;
    struct head head;

    if (more <= 0)
        return more;
    if (size == 0 && reader->left > 0)
        return 0;
    memcpy(&head, reader->head, sizeof(head));
    reader->left -= size;
    *ret = (struct wire_part){.kind = (enum wire_kind)head.kind,
                              .total = head.size,
                              .bytes = *at,
                              .size = size,
                              .complete = reader->left == 0};
    *at += size;
    if (ret->complete)
        reader->head_size = 0;
    return 1;
}

void wire_add_head(struct text *to, enum wire_kind kind, size_t size)
{
    struct head head = {.kind = (uint32_t)kind, .size = (uint32_t)size};

    assert(size <= kinds[kind].max_bytes);
    text_add_bytes(to, &head, sizeof(head));
}
