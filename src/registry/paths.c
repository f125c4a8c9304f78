/* The addresses of the distribution API. Names are checked here once more: what is against the
 * grammar never gets into a request line. */
#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "internal.h"

static int check_repository(const char *repository, struct error *err)
{
    AUTO_FREE char *shown = NULL;

    if (repository && repository_is_valid(repository))
        return 0;
    shown = text_printable(repository ? repository : "", 80);
    return error_set(err, FAILURE_INPUT, "\"%s\" is not a repository name", shown);
}

static int check_reference(const char *reference, struct error *err)
{
    AUTO_FREE char *shown = NULL;
    struct digest digest;

    if (reference && tag_is_valid(reference))
        return 0;
    if (reference && digest_parse_verifiable(reference, &digest, NULL) == 0)
        return 0;
    shown = text_printable(reference ? reference : "", 80);
    return error_set(err, FAILURE_INPUT, "\"%s\" is neither a tag nor a digest", shown);
}

int path_of_repository(const char *repository, const char *tail, char **ret, struct error *err)
{
    int rc = check_repository(repository, err);

    if (rc < 0)
        return rc;
    *ret = text_new("/v2/%s/%s", repository, tail);
    return 0;
}

int path_of_manifest(const char *repository, const char *reference, char **ret, struct error *err)
{
    int rc = check_repository(repository, err);

    if (rc == 0)
        rc = check_reference(reference, err);
    if (rc < 0)
        return rc;
    *ret = text_new("/v2/%s/manifests/%s", repository, reference);
    return 0;
}

int path_of_digest(const char *repository, const char *kind, const struct digest *digest,
                   char **ret, struct error *err)
{
    char text[DIGEST_TEXT_SIZE];
    int rc = check_repository(repository, err);

    if (rc < 0)
        return rc;
    if (digest->algorithm != DIGEST_SHA256 && digest->algorithm != DIGEST_SHA512)
        return error_set(err, FAILURE_INPUT, "a digest that cannot be verified is not asked for");
    *ret = text_new("/v2/%s/%s/%s", repository, kind, digest_format(digest, text));
    return 0;
}

char *scope_of_repository(const char *repository, const char *actions)
{
    return text_new("repository:%s:%s", repository, actions);
}
