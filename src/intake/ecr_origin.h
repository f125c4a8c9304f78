/* Which registry an event of AWS is of, and Amazon Inspector's events. */
#ifndef INTAKE_ECR_ORIGIN_H
#define INTAKE_ECR_ORIGIN_H

#include "decode.h"

/* Rules of EventBridge may forward events of many accounts and regions: is this one of the
 * registry? FAILURE_INPUT when it is another's. */
int ecr_check_origin(const char *account, const char *region,
                     const struct config_registry *registry, struct error *err);
int ecr_check_event_origin(const struct json *body, const struct config_registry *registry,
                           struct error *err);

/* As the other detail types of decode_ecr.c: 0, or why the event was not understood. */
int inspector_decode_scan(const struct json *body, const struct config_registry *registry,
                          struct decoded *decoded, struct error *err);
int inspector_decode_finding(const struct json *body, const struct config_registry *registry,
                             struct decoded *decoded, struct error *err);

#endif
