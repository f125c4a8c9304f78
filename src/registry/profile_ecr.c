/* Amazon ECR in the table of registries. Images are pulled and blobs are copied by the distribution
 * API, with the password that AWS hands out (ecr_login.c); all else goes through the API of ECR,
 * since the other one lists slowly and removes images where a tag is meant. Images have no labels
 * there. */
#include "ecr.h"
#include "profile.h"

const struct registry_profile profile_ecr = {
    .type = REGISTRY_TYPE_ECR,
    .summary = "Amazon Elastic Container Registry",
    .has_address = ecr_host_is_address,
    /* Since the last tag is never removed alone: see ecr_write.c. */
    .keeps_untagged = ANSWER_YES,
    .delete_tag = ecr_delete_tag,
    .delete_manifest = ecr_delete_manifest,
    .put_manifest = ecr_put_manifest,
    .page_of_repositories = ecr_page_of_repositories,
    .page_of_images = ecr_page_of_images,
    .archive = ecr_archive,
    .restore = ecr_restore,
    .fetch_scan_report = ecr_fetch_scan_report,
};
