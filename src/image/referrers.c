/* The life of the group "referrers", and what is known of their types. */
#include "regwarden/provenance.h"

#include <string.h>
#include <strings.h>

void facts_referrers_free(struct facts_referrers *referrers)
{
    if (!referrers)
        return;
    for (size_t i = 0; i < referrers->count; i++)
        free(referrers->items[i].type);
    free(referrers->items);
    free(referrers);
}

/* A manifest with two statements is two referrers; one that two lists name is one. */
static bool is_same(const struct referrer *a, const struct referrer *b)
{
    return a->kind == b->kind && digest_is_set(&a->digest) &&
           digest_equal(&a->digest, &b->digest) && text_equal(a->type, b->type);
}

bool facts_referrers_add_take(struct facts_referrers *referrers, struct referrer *referrer)
{
    for (size_t i = 0; i < referrers->count; i++) {
        if (!is_same(&referrers->items[i], referrer))
            continue;
        free(TAKE(referrer->type));
        return true;
    }
    if (referrers->count == REFERRERS_KEPT_MAX) {
        free(TAKE(referrer->type));
        return false;
    }
    if (!referrers->items)
        referrers->items = memory_new_array(REFERRERS_KEPT_MAX, sizeof(*referrers->items));
    referrers->items[referrers->count++] = *referrer;
    referrer->type = NULL;
    return true;
}

/* The first that the type begins with. */
static const struct {
    const char *start;
    enum referrer_kind kind;
} types[] = {
    {"https://slsa.dev/provenance/", REFERRER_PROVENANCE},
    {"https://slsa.dev/verification_summary/", REFERRER_SUMMARY},
    {"https://spdx.dev/Document", REFERRER_SBOM},
    {"https://cyclonedx.org/", REFERRER_SBOM},
    {"https://syft.dev/bom", REFERRER_SBOM},
    {"application/spdx", REFERRER_SBOM},
    {"text/spdx", REFERRER_SBOM},
    {"application/vnd.cyclonedx", REFERRER_SBOM},
    {"application/vnd.syft", REFERRER_SBOM},
    {"application/vnd.goharbor.harbor.sbom", REFERRER_SBOM},
    {"https://cosign.sigstore.dev/attestation/vuln/", REFERRER_SCAN},
    {"https://in-toto.io/attestation/vulns", REFERRER_SCAN},
    {"https://openvex.dev/", REFERRER_SCAN},
    {"https://scout.docker.com/", REFERRER_SCAN},
    {"application/sarif", REFERRER_SCAN},
    {"application/vnd.security.vulnerability.report", REFERRER_SCAN},
    {"https://sigstore.dev/cosign/sign/", REFERRER_SIGNATURE},
    {"application/vnd.dev.cosign.simplesigning", REFERRER_SIGNATURE},
    {"application/vnd.dev.cosign.artifact.sig", REFERRER_SIGNATURE},
    {"application/vnd.cncf.notary.signature", REFERRER_SIGNATURE},
    {"application/vnd.in-toto", REFERRER_ATTESTATION},
    {"application/vnd.dsse", REFERRER_ATTESTATION},
    {"application/vnd.docker.attestation", REFERRER_ATTESTATION},
    {"https://in-toto.io/", REFERRER_ATTESTATION},
};

enum referrer_kind referrer_kind_of_type(const char *type)
{
    for (size_t i = 0; type && i < ARRAY_COUNT(types); i++)
        if (strncasecmp(type, types[i].start, strlen(types[i].start)) == 0)
            return types[i].kind;
    return REFERRER_OTHER;
}

bool predicate_is_provenance(const char *predicate_type)
{
    return referrer_kind_of_type(predicate_type) == REFERRER_PROVENANCE;
}
