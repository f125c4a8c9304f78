/* The addresses of Amazon ECR: whose registry a host is, and where its API answers. Follows the ECR
 * user guide (registry authentication, FIPS and dual-stack endpoints). Pure. */
#ifndef REGISTRY_ECR_HOST_H
#define REGISTRY_ECR_HOST_H

#include <stdbool.h>

#include "regwarden/http_client.h"

enum { ECR_ACCOUNT_SIZE = 13, ECR_REGION_SIZE = 32 };

struct ecr_host {
    char account[ECR_ACCOUNT_SIZE]; /* "": unknown */
    char region[ECR_REGION_SIZE];   /* "": unknown */
    bool fips, dual_stack;
};

/* "<account>.dkr.ecr[-fips].<region>.amazonaws.com" and the like, with port 443 or none. False when
 * it is none; `ret` is empty then. */
bool ecr_host_parse(const char *host_port, struct ecr_host *ret);
/* An https address of that kind. */
bool ecr_host_is_address(const struct url *url);
/* "https://api.ecr.<region>.amazonaws.com" of this region (NULL: the host's own). Returns new. */
char *ecr_host_endpoint(const struct ecr_host *host, const char *region);

#endif
