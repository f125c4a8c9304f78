/* Which media type plays which role. Private to the room. */
#ifndef IMAGE_MEDIA_TYPES_H
#define IMAGE_MEDIA_TYPES_H

#include <stdbool.h>

#include "regwarden/manifest.h"

#define MEDIA_TYPE_BUILDKIT_ATTESTATION "application/vnd.docker.attestation.manifest.v1+json"

enum media_role {
    MEDIA_OTHER,
    MEDIA_INDEX,
    MEDIA_MANIFEST,
    MEDIA_ARTIFACT_MANIFEST,
    MEDIA_SCHEMA1,
    MEDIA_IMAGE_CONFIG,   /* an image config by its proper name */
    MEDIA_DEFAULT_CONFIG, /* a generic type which runtimes take for an image config */
    MEDIA_ATTESTATION,    /* an in-toto statement, bare or in an envelope */
    MEDIA_EVIDENCE,       /* signatures, bundles, SBOMs */
};

/* Parameters ("; charset=utf-8") and letter case do not count. NULL gives MEDIA_OTHER. */
enum media_role media_role(const char *media_type);
bool media_type_equal(const char *a, const char *b);

#endif
