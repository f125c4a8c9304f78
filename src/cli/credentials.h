/* Credentials that container tools left on this machine: auth.json of podman, skopeo and buildah,
 * config.json of docker. Helpers are not run. */
#ifndef REGWARDEN_CREDENTIALS_H
#define REGWARDEN_CREDENTIALS_H

#include <stdbool.h>

#include "regwarden/error.h"

struct credentials {
    char *username; /* NULL: none found */
    char *password;
    bool has_helper; /* none found, but a helper is said to keep them */
};

/* Looks in $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, $DOCKER_CONFIG/config.json,
 * ~/.docker/config.json, in this order. Nothing found is success. FAILURE_INPUT when a file is
 * damaged. */
int credentials_find(const char *host, struct credentials *ret, struct error *err);
void credentials_forget(struct credentials *credentials); /* erases the password */

/* The password as a file in memory; returns its descriptor, or a failure. The caller closes it. */
int credentials_as_file(const struct credentials *credentials, struct error *err);

#endif
