/* Where AWS's services answer. Pure.
 * Partitions: botocore/data/partitions.json. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "regwarden/http_client.h"

/* It becomes part of a host: lower case letters, digits and dashes only. FAILURE_INPUT. */
int endpoint_check_region(const char *region, struct error *err);

/* `own`, or where `service` ("ecr", "sqs", "sts") answers in this region. FAILURE_INPUT. */
int endpoint_of(const char *service, const char *region, const char *own, struct url *ret,
                struct error *err);

/* The endpoint for credentials of a container, from what the platform has put into the environment;
 * http only to the platforms' own addresses and to this machine. FAILURE_INPUT. */
int endpoint_of_container(const char *full_uri, const char *relative_uri, struct url *ret,
                          struct error *err);

/* The header Host, as it is sent: without the scheme's own port. Returns new. */
char *endpoint_host(const struct url *url);

#endif
