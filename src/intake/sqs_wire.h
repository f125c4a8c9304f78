/* What goes over the wire to SQS and comes back, as JSON. Pure. */
#ifndef INTAKE_SQS_WIRE_H
#define INTAKE_SQS_WIRE_H

#include "regwarden/json.h"

/* The scheme, host and port of a queue's address; NULL when it is not an address. Returns new. */
char *sqs_origin(const char *queue_url);

struct sqs_message { /* borrowed from the answer */
    const char *receipt;
    const char *body;
};
size_t sqs_message_count(const struct json *answer);
/* False: it has no body or no usable receipt, so that it could be neither taken nor deleted. */
bool sqs_read_message(const struct json *answer, size_t index, struct sqs_message *ret);

/* Adds an entry of a batch. visibility_s: -1 for none. */
void sqs_add_entry(struct json *entries, const char *receipt, int visibility_s);

#endif
