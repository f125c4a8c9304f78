/* Both readers of the messages between pool and worker, and what is inside: the bytes come in
 * pieces of which the first byte tells the size. */
#include <string.h>

#include "regwarden/layer_facts.h"
#include "wire.h"
#include "worker_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(const struct text *message)
{
    AUTO_JSON struct json *json = NULL;
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;

    if (json_parse(text_data(message), message->length, &layer_facts_limits, &json, NULL) == 0)
        layer_facts_from_json(json, &facts, NULL);
}

static void read_options(const struct text *message)
{
    struct worker_options options;

    if (worker_options_read(text_data(message), message->length, &options, NULL) == 0)
        worker_options_release(&options);
}

static void take(const struct wire_part *part, struct text *message)
{
    if (part->size > 0)
        text_add_bytes(message, part->bytes, part->size);
    if (!part->complete)
        return;
    if (part->kind == WIRE_PATHS)
        layer_paths_check(message, NULL);
    else if (part->kind == WIRE_FACTS)
        read_answer(message);
    else if (part->kind == WIRE_OPTIONS)
        read_options(message);
    text_clear(message);
}

static void read_side(enum wire_side side, const uint8_t *data, size_t size, size_t piece)
{
    AUTO_TEXT struct text message = {0};
    struct wire_reader reader = {.side = side};
    struct wire_part part;
    int more = 0;

    for (size_t from = 0; from < size && more >= 0; from += piece) {
        const uint8_t *at = data + from;
        const uint8_t *end = size - from < piece ? data + size : at + piece;
        while ((more = wire_next(&reader, &at, end, &part, NULL)) > 0)
            take(&part, &message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    read_side(data[0] & 1 ? WIRE_TO_WORKER : WIRE_TO_POOL, data + 1, size - 1, 1 + data[0] / 2);
    return 0;
}
