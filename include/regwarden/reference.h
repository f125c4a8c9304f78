/* Names of images: repository and tag grammar of the OCI distribution-spec, and what users write on
 * a command line.
 *
 * No familiar-name magic: "alpine" does not become docker.io/library/alpine. Plain data, any
 * thread. */
#ifndef REGWARDEN_REFERENCE_H
#define REGWARDEN_REFERENCE_H

#include <stdbool.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"

bool repository_is_valid(const char *repository); /* grammar and at most 255 bytes */
bool tag_is_valid(const char *tag);               /* [A-Za-z0-9_][A-Za-z0-9._-]{0,127} */

enum reference_transport {
    REFERENCE_REGISTRY,
    REFERENCE_OCI_LAYOUT,
    REFERENCE_OCI_ARCHIVE,
    REFERENCE_DOCKER_ARCHIVE
};

struct reference {
    enum reference_transport transport;
    char *host;           /* with port; NULL unless REFERENCE_REGISTRY */
    char *path;           /* directory or file; NULL for REFERENCE_REGISTRY */
    char *repository;     /* NULL unless REFERENCE_REGISTRY */
    char *tag;            /* NULL when absent; registry references default to no tag */
    struct digest digest; /* DIGEST_NONE when absent */
};

/* "host[:port]/repo[:tag][@digest]", "oci:DIR[:TAG]", "oci-archive:FILE[:TAG]",
 * "docker-archive:FILE[:NAME:TAG]". A "docker://" prefix is accepted. FAILURE_INPUT with a hint. */
int reference_parse(const char *text, struct reference *ret, struct error *err);
void reference_release(struct reference *reference);
/* "host/repo:tag@digest". Returns new. */
char *reference_format(const struct reference *reference);

#endif
