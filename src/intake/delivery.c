/* What is kept of one body while it is written: plain ownership and the wording of its dead letter.
 * Neither store nor HTTP. */
#include "delivery.h"

#include "message.h"

#include "regwarden/clock.h"

static void reason_add(struct text *reason, const struct error *error)
{
    if (reason->length > 0)
        text_add(reason, "; ");
    text_add(reason, error->text);
    if (error->hint[0] != '\0')
        text_format(reason, " (%s)", error->hint);
}

/* One letter for all parts of a body: a letter for each, every one with the body, would let a body
 * of a megabyte fill the disk with gigabytes. */
static char *reason_of(const struct error *whole, const struct decoded *decoded)
{
    AUTO_TEXT struct text reason = {0};
    if (whole != NULL)
        reason_add(&reason, whole);
    for (size_t i = 0; i < decoded->fault_count; i++)
        reason_add(&reason, &decoded->faults[i]);
    if (decoded->fault_more > 0)
        text_format(&reason, "; and %zu more faults", decoded->fault_more);
    return text_take(&reason);
}

void delivery_set_letter(struct delivery *delivery, const struct error *whole,
                         const struct decoded *decoded, const struct letter_source *source)
{
    size_t size = source->message->size;
    size_t kept = size < DEAD_LETTER_BODY_MAX ? size : DEAD_LETTER_BODY_MAX;
    delivery->reason = reason_of(whole, decoded);
    delivery->body = memory_copy_bytes(source->message->bytes, kept);
    message_keep_headers(source->message, source->decoder, source->registry, &delivery->headers);
    delivery->letter = (struct dead_letter){
        .at_ms = clock_wall_ms(),
        .kind = "hook",
        .registry = delivery->registry,
        .dialect = delivery->dialect,
        .reason = delivery->reason,
        .body = delivery->body,
        .body_size = kept,
        .headers = &delivery->headers,
    };
}

void delivery_free(struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->event_count; i++)
        event_release(&delivery->events[i]);
    free(delivery->events);
    free(delivery->reason);
    free(delivery->body);
    free(delivery->reply);
    free(delivery->registry);
    text_pairs_release(&delivery->headers);
    free(delivery);
}
