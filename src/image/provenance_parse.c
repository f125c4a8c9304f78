/* One statement, read: whom it speaks of, who built, from which source. The base is found in
 * provenance_base.c. Only what is named here is kept: the parameters and the environment of a build
 * hold tokens, addresses and whole events of CI systems. */
#include <string.h>
#include <strings.h>

#include "provenance_read.h"

#define SLSA_V02 "https://slsa.dev/provenance/v0."
#define SLSA_V1 "https://slsa.dev/provenance/v1"
#define BUILDKIT_V02 "https://mobyproject.org/buildkit@"
#define BUILDKIT_V1 "https://github.com/moby/buildkit/"
#define BUILDKIT_METADATA "https://mobyproject.org/buildkit@v1#metadata"

static bool names_digest(const struct json *digests, const struct digest *digest)
{
    char buffer[DIGEST_TEXT_SIZE];
    char *colon;
    const char *hex;

    if (!digest_is_set(digest))
        return false;
    colon = strchr(digest_format(digest, buffer), ':');
    if (!colon)
        return false;
    *colon = '\0';
    hex = json_get_string(digests, buffer);
    return hex && strcasecmp(hex, colon + 1) == 0;
}

enum provenance_subject statement_subject(const struct json *statement,
                                          const struct provenance_image *of)
{
    const struct json *subjects = json_get(statement, "subject");
    enum provenance_subject best = SUBJECT_UNKNOWN;

    for (size_t i = 0; i < json_count(subjects); i++) {
        const struct json *digests = json_get(json_at(subjects, i), "digest");

        if (names_digest(digests, &of->image))
            return SUBJECT_IMAGE;
        if (names_digest(digests, &of->index))
            best = SUBJECT_INDEX;
        else if (best == SUBJECT_UNKNOWN && json_count(digests) > 0)
            best = SUBJECT_OTHER;
    }
    return best;
}

static void find_v02(const struct json *predicate, struct predicate *ret)
{
    const struct json *invocation = json_get(predicate, "invocation");

    *ret = (struct predicate){
        .builder = json_get(predicate, "builder"),
        .build_type = json_get_string(predicate, "buildType"),
        .config_source = json_get(invocation, "configSource"),
        .request = json_get(invocation, "parameters"),
        .materials = json_get(predicate, "materials"),
        .build_config = json_get(predicate, "buildConfig"),
        .metadata = json_get(json_get(predicate, "metadata"), BUILDKIT_METADATA),
    };
}

static void find_v1(const struct json *predicate, struct predicate *ret)
{
    const struct json *definition = json_get(predicate, "buildDefinition");
    const struct json *details = json_get(predicate, "runDetails");
    const struct json *external = json_get(definition, "externalParameters");

    *ret = (struct predicate){
        .builder = json_get(details, "builder"),
        .build_type = json_get_string(definition, "buildType"),
        .config_source = json_get(external, "configSource"),
        .request = json_get(external, "request"),
        .materials = json_get(definition, "resolvedDependencies"),
        .build_config = json_get(json_get(definition, "internalParameters"), "buildConfig"),
        .metadata = json_get(json_get(details, "metadata"), "buildkit_metadata"),
        .external = external,
    };
}

static const char *revision_of(const struct json *digests)
{
    static const char *const names[] = {"gitCommit", "sha1", "sha256"};

    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (json_get_string(digests, names[i]))
            return json_get_string(digests, names[i]);
    return NULL;
}

/* "git+https://host/x.git@refs/heads/main" and "https://host/x.git#rev" become "https://host/x". */
static char *repository_of(const char *uri)
{
    AUTO_FREE char *clean = NULL;
    const char *path;
    char *cut;

    if (text_starts_with(uri, "git+"))
        uri += strlen("git+");
    clean = provenance_url(uri);
    clean[strcspn(clean, "#?")] = '\0';
    path = strstr(clean, "://");
    path = path ? path + 3 + strcspn(path + 3, "/") : clean;
    cut = strchr(path, '@');
    if (cut && *path == '/')
        *cut = '\0';
    if (text_ends_with(clean, ".git"))
        clean[strlen(clean) - strlen(".git")] = '\0';
    return TAKE(clean);
}

static bool set_source(struct provenance *statement, const char *uri, const char *revision)
{
    if (!uri || !*uri)
        return false;
    statement->source = repository_of(uri);
    statement->revision = revision && *revision ? provenance_text(revision) : NULL;
    return true;
}

/* What the builder fetched itself counts more than what its caller said of a local directory. */
static void find_source(const struct predicate *predicate, struct provenance *statement)
{
    const struct json *vcs = json_get(predicate->metadata, "vcs");
    const struct json *workflow = json_get(predicate->external, "workflow");
    const struct json *first = NULL;

    for (size_t i = 0; !first && i < json_count(predicate->materials); i++) {
        const struct json *entry = json_at(predicate->materials, i);
        const char *uri = json_get_string(entry, "uri");

        if (uri && (text_starts_with(uri, "git+") || json_get(json_get(entry, "digest"), "sha1") ||
                    json_get(json_get(entry, "digest"), "gitCommit")))
            first = entry;
    }
    if (set_source(statement, json_get_string(predicate->config_source, "uri"),
                   revision_of(json_get(predicate->config_source, "digest"))))
        return;
    if (set_source(statement, json_get_string(workflow, "repository"),
                   revision_of(json_get(first, "digest"))))
        return;
    if (set_source(statement, json_get_string(vcs, "source"), json_get_string(vcs, "revision")))
        return;
    (void)set_source(statement, json_get_string(first, "uri"),
                     revision_of(json_get(first, "digest")));
}

static void read_materials(const struct json *materials, struct provenance *statement)
{
    size_t count = json_count(materials);

    if (count > PROVENANCE_MATERIALS_MAX) {
        statement->materials_left_out = count - PROVENANCE_MATERIALS_MAX;
        count = PROVENANCE_MATERIALS_MAX;
    }
    statement->materials = memory_new_array(count, sizeof(*statement->materials));
    statement->material_count = count;
    for (size_t i = 0; i < count; i++)
        material_read(json_at(materials, i), &statement->materials[i]);
}

static bool is_buildkit(const char *build_type)
{
    return build_type && (text_starts_with(build_type, BUILDKIT_V02) ||
                          text_starts_with(build_type, BUILDKIT_V1));
}

static void read_predicate(const struct predicate *predicate, const struct manifest *manifest,
                           struct provenance *statement)
{
    statement->is_provenance = true;
    statement->build_type = provenance_text(predicate->build_type);
    statement->builder = provenance_url(json_get_string(predicate->builder, "id"));
    find_source(predicate, statement);
    read_materials(predicate->materials, statement);
    if (!is_buildkit(predicate->build_type))
        return;
    /* "completeness" says nothing of it: it is false for every local directory. */
    statement->mode = json_count(json_get(predicate->build_config, "llbDefinition")) > 0
                          ? PROVENANCE_MODE_MAX
                          : PROVENANCE_MODE_MIN;
    provenance_find_base(predicate, manifest, statement);
}

int provenance_parse(const char *bytes, size_t size, const struct provenance_image *of,
                     struct provenance *ret, struct error *err)
{
    struct statement statement;
    struct predicate predicate;
    const char *type;
    int failure;

    if (size > PROVENANCE_BYTES_MAX)
        return error_set(err, FAILURE_LIMIT, "the statement has more than %d MiB",
                         PROVENANCE_BYTES_MAX / (1024 * 1024));
    failure = statement_read(bytes, size, &statement, err);
    if (failure)
        return failure;
    type = json_get_string(statement.json, "predicateType");
    digest_compute(NULL, bytes, size, &ret->digest);
    ret->predicate_type = provenance_text(type ? type : "");
    ret->subject = statement_subject(statement.json, of);
    ret->enveloped = statement.enveloped;
    ret->base.layer_count = -1;
    if (text_starts_with(ret->predicate_type, SLSA_V02)) {
        find_v02(json_get(statement.json, "predicate"), &predicate);
        read_predicate(&predicate, of->manifest, ret);
    } else if (text_starts_with(ret->predicate_type, SLSA_V1)) {
        find_v1(json_get(statement.json, "predicate"), &predicate);
        read_predicate(&predicate, of->manifest, ret);
    }
    json_release(statement.json);
    return 0;
}
