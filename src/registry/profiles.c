/* The table of kinds, how each is recognised, and the calls of the door that kinds answer in their
 * own way. The questions are asked in deferred.c. */
#include "profile.h"

#include <assert.h>

#include "regwarden/json.h"
#include "regwarden/memory.h"

static const struct json_limits answer_limits = {
    .max_bytes = (size_t)64 * 1024, .max_depth = 16, .max_values = 2000};

static bool header_has(const struct http_response *response, const char *name, const char *part)
{
    for (size_t i = 0; i < response->headers.count; i++) {
        const struct text_pair *header = &response->headers.items[i];

        if (text_equal(header->key, name) && strstr(header->value, part))
            return true;
    }
    return false;
}

/* --- zot: nobody else answers the specification's question for extensions --- */

static bool zot_confirms(const struct http_response *response)
{
    AUTO_JSON struct json *document = NULL;

    if (response->status != 200 ||
        json_parse(response->body, response->body_size, &answer_limits, &document, NULL) < 0)
        return false;
    return json_is(json_get(document, "extensions"), JSON_KIND_ARRAY);
}

static const struct registry_profile profile_zot = {
    .type = REGISTRY_TYPE_ZOT,
    .summary = "zot",
    .question = "/v2/_oci/ext/discover",
    .confirms = zot_confirms,
    .page_size = 1000,
};

/* --- CNCF distribution. Others send its header, too, but not its empty object; where one is taken
 * for it, the same is done as for any registry. --- */

static bool distribution_confirms(const struct http_response *response)
{
    const char *version = http_response_header(response, "docker-distribution-api-version");

    return response->status == 200 && text_equal(version, "registry/2.0") &&
           text_equal(response->body, "{}") && !header_has(response, "server", "Nexus") &&
           !http_response_header(response, "x-jfrog-version");
}

/* What a removed tag takes along is watched, not believed: this may be another's product. */
static const struct registry_profile profile_distribution = {
    .type = REGISTRY_TYPE_DISTRIBUTION,
    .summary = "CNCF distribution, docker-registry",
    .question = "/v2/",
    .confirms = distribution_confirms,
    .page_size = 1000,
};

const struct registry_profile profile_oci = {
    .type = REGISTRY_TYPE_OCI,
    .summary = "any other registry of the OCI distribution specification",
    .page_size = 1000,
};

const struct registry_profile *const profiles[] = {
    &profile_ecr, &profile_harbor, &profile_zot, &profile_distribution, &profile_oci, NULL,
};

/* --- which kind --- */

static enum answer can(bool has)
{
    return has ? ANSWER_UNKNOWN : ANSWER_NO;
}

void profiles_settle(struct registry *registry, const struct registry_profile *profile)
{
    struct registry_abilities *abilities = &registry->abilities;

    assert(!registry->profile);
    registry->profile = profile;
    abilities->labels = can(profile->add_label);
    abilities->archive = can(profile->archive);
    abilities->scan_reports = can(profile->fetch_scan_report);
    abilities->keeps_untagged = profile->keeps_untagged;
}

void profiles_begin(struct registry *registry)
{
    enum registry_type type = (enum registry_type)registry->settings->type;

    for (size_t i = 0; profiles[i] && !registry->profile; i++) {
        const struct registry_profile *profile = profiles[i];

        if (type == profile->type || (type == REGISTRY_TYPE_AUTO && profile->has_address &&
                                      profile->has_address(&registry->url)))
            profiles_settle(registry, profile);
    }
}

void profiles_note_answer(struct registry *registry, const struct http_response *response)
{
    for (size_t i = 0; profiles[i] && !registry->profile; i++) {
        if (profiles[i]->answers && profiles[i]->answers(response))
            profiles_settle(registry, profiles[i]);
    }
}

enum registry_type registry_get_type(const struct registry *registry)
{
    return registry->profile ? registry->profile->type : REGISTRY_TYPE_AUTO;
}
