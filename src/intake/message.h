/* One notification as the decoders and the proofs see it, and what of it is kept. */
#ifndef INTAKE_MESSAGE_H
#define INTAKE_MESSAGE_H

#include "regwarden/http_server.h"
#include "regwarden/intake.h"

/* The message borrows from the exchange and from `headers`, which must be empty. */
void message_from_exchange(const struct http_exchange *exchange, struct text_pairs *headers,
                           struct hook_message *ret);
/* Borrows from the body. */
void message_from_body(const struct intake_body *body, struct hook_message *ret);

size_t message_header_count(const struct hook_message *message, const char *name);

/* Copies the headers without which the body could not be read again: its type, and those that the
 * decoder (may be NULL) or any other names, since what is wrong may be the dialect. Never one that
 * proves the sender, whatever a decoder names; never one that is doubled or longer than a kilobyte.
 */
void message_keep_headers(const struct hook_message *message, const struct decoder *decoder,
                          const struct config_registry *registry, struct text_pairs *to);

#endif
