/* The queues of all registries of one configuration. */
#ifndef INTAKE_QUEUES_H
#define INTAKE_QUEUES_H

#include "regwarden/intake.h"

struct queues; /* opaque */

/* Pollers for the registries that name a queue; none is started. options->loop NULL: there are
 * none. FAILURE_INPUT, FAILURE_ABSENT. */
int queues_new(struct intake *intake, const struct intake_options *options,
               const struct config *config, struct queues **ret, struct error *err);
void queues_start(struct queues *queues);
void queues_free(struct queues *queues); /* accepts NULL */
bool queues_status(const struct queues *queues, size_t index, struct intake_queue *ret);

#endif
