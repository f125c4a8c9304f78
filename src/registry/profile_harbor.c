/* Harbor, as a kind of registry. */
#include <string.h>

#include "harbor_api.h"
#include "profile.h"

/* It sends its own clients to its token service; whoever came with a password that is not enough is
 * told the realm's name only. */
static bool answers(const struct http_response *response)
{
    const char *challenge = http_response_header(response, "www-authenticate");

    return challenge && (strstr(challenge, "service=\"harbor-registry\"") ||
                         strstr(challenge, "realm=\"harbor\""));
}

static bool confirms(const struct http_response *response)
{
    return response->status == 200 && response->body && text_starts_with(response->body, "Pong");
}

/* A quarantined image is copied by the distribution API: one manifest, its blobs mounted. Harbor's
 * own copying takes every tag of the artifact along, and its signatures, so that more would stand
 * in the quarantine than was put there. Signatures stay with the artifact that they were made for,
 * which stays where it was when a tag is taken away. */
const struct registry_profile profile_harbor = {
    .type = REGISTRY_TYPE_HARBOR,
    .summary = "Harbor 2",
    .answers = answers,
    .question = "/api/v2.0/ping",
    .confirms = confirms,
    .page_size = HARBOR_PAGE_SIZE,
    .keeps_untagged = ANSWER_YES,
    .delete_tag = harbor_delete_tag,
    .delete_manifest = harbor_delete_manifest,
    .page_of_repositories = harbor_page_of_repositories,
    .page_of_images = harbor_page_of_images,
    .add_label = harbor_add_label,
    .remove_label = harbor_remove_label,
    .fetch_scan_report = harbor_fetch_scan_report,
};
