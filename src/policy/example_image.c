/* The image that examples differ from. Written as a registry would serve it and read by the same
 * code, so that it stays a facts document whatever becomes of facts. */
#include "example_image.h"

#include <stdlib.h>
#include <string.h>

#include "regwarden/crypto.h"
#include "regwarden/facts.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

#define HEX16(digit) \
    digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit
#define SHA256(digit) "sha256:" HEX16(digit) HEX16(digit) HEX16(digit) HEX16(digit)
#define LAYER(digit, size)                                                                 \
    "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" SHA256( \
        digit) "\",\"size\":" size "}"
#define STEP(created, by, comment) \
    "{\"created\":\"" created "\",\"created_by\":\"" by "\",\"comment\":\"" comment "\""
#define OWN(by) STEP("2030-01-01T12:00:00Z", by, "buildkit.dockerfile.v0")
#define BASE(by) STEP("2029-12-20T08:00:00Z", by, "buildkit.dockerfile.v0")

static const char
    config_json[] =
        "{\"created\":\"2030-01-01T12:00:00Z\",\"architecture\":\"amd64\",\"os\":"
        "\"linux\","
        "\"config\":{\"User\":\"65532:65532\","
        "\"Env\":[\"PATH=/usr/local/bin:/usr/bin:/bin\",\"PYTHON_VERSION=3.14.2\","
        "\"PIP_NO_CACHE_DIR=1\"],"
        "\"Entrypoint\":[\"/app/serve\"],\"Cmd\":[\"--port=8080\"],\"WorkingDir\":\"/"
        "app\","
        "\"ExposedPorts\":{\"8080/tcp\":{}},\"StopSignal\":\"SIGTERM\","
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"/app/"
        "serve\",\"--check\"],\"Interval\":30000000000},"
        "\"Labels\":{\"org.opencontainers.image.source\":\"https://code.example/team/"
        "app\","
        "\"org.opencontainers.image.revision\":"
        "\"0123456789abcdef0123456789abcdef01234567\","
        "\"org.opencontainers.image.version\":\"1.0.0\","
        "\"org.opencontainers.image.licenses\":\"MIT OR Apache-2.0\","
        "\"org.opencontainers.image.created\":\"2030-01-01T12:00:00Z\","
        "\"org.opencontainers.image.authors\":\"team@code.example\","
        "\"org.opencontainers.image.title\":\"app\"}},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" SHA256("1") "\",\"" SHA256(
            "2") "\",\"" SHA256("3") "\",\"" SHA256("4") "\"]},"
                                                         "\"history\":[" BASE(
                                                             "ADD "
                                                             "debian-rootfs.tar.xz / "
                                                             "# buildkit") "}," BASE("RUN /bin/sh "
                                                                                     "-c apt-get "
                                                                                     "update && "
                                                                                     "apt-get "
                                                                                     "install -y "
                                                                                     "--no-install-"
                                                                                     "recommends "
                                                                                     "ca-"
                                                                                     "certificates "
                                                                                     "&& rm -rf "
                                                                                     "/var/lib/apt/"
                                                                                     "lists/* # "
                                                                                     "buildkit") "}"
                                                                                                 "," BASE("CMD [\\\"bash\\\"]") ",\"empty_layer\":true}," OWN("ENV PIP_NO_CACHE_DIR=1") ",\"empty_layer\":true}," OWN(
                                                                                                     "WORKDIR /app") ",\"empty_"
                                                                                                                     "layer\":"
                                                                                                                     "true}"
                                                                                                                     "," OWN(
                                                                                                                         "C"
                                                                                                                         "O"
                                                                                                                         "P"
                                                                                                                         "Y"
                                                                                                                         " "
                                                                                                                         "r"
                                                                                                                         "e"
                                                                                                                         "q"
                                                                                                                         "u"
                                                                                                                         "i"
                                                                                                                         "r"
                                                                                                                         "e"
                                                                                                                         "m"
                                                                                                                         "e"
                                                                                                                         "n"
                                                                                                                         "t"
                                                                                                                         "s"
                                                                                                                         "."
                                                                                                                         "t"
                                                                                                                         "x"
                                                                                                                         "t"
                                                                                                                         " "
                                                                                                                         "."
                                                                                                                         "/"
                                                                                                                         " "
                                                                                                                         "#"
                                                                                                                         " "
                                                                                                                         "b"
                                                                                                                         "u"
                                                                                                                         "i"
                                                                                                                         "l"
                                                                                                                         "d"
                                                                                                                         "k"
                                                                                                                         "i"
                                                                                                                         "t") "}," OWN("RUN /bin/sh -c pip install -r requirements.txt # buildkit") "}," OWN("EXPOSE [8080/tcp]") ",\"empty_layer\":true}," OWN("USER 65532:65532") ",\"empty_layer\":true}," OWN("HEALTHCHECK &{[\\\"CMD\\\" \\\"/app/serve\\\" \\\"--check\\\"] \\\"30s\\\"}") ",\"empty_layer\":true}," OWN("ENTRYPOINT [\\\"/app/serve\\\"]") ",\"empty_layer\":true}," OWN("CMD [\\\"--port=8080\\\"]") ",\"empty_layer\":true}"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "]}";

/* Nothing in the layers that any rule minds. */
static const char files_json[] =
    "{\"fileCount\":3000,\"visibleBytes\":120000000,"
    "\"users\":[{\"name\":\"root\",\"uid\":0,\"home\":\"/root\",\"shell\":\"/bin/bash\"},"
    "{\"name\":\"nobody\",\"uid\":65534,\"home\":\"/nonexistent\","
    "\"shell\":\"/usr/sbin/nologin\"},"
    "{\"name\":\"nonroot\",\"uid\":65532,\"home\":\"/home/nonroot\","
    "\"shell\":\"/usr/sbin/nologin\"}],"
    "\"groups\":[{\"name\":\"root\",\"gid\":0},{\"name\":\"nogroup\",\"gid\":65534},"
    "{\"name\":\"nonroot\",\"gid\":65532}],\"emptyPasswords\":[],"
    "\"osRelease\":{\"ID\":\"debian\",\"VERSION_ID\":\"13\",\"NAME\":\"Debian GNU/Linux\"}}";

/* Built by a pipeline, and signed. */
static const char provenance_json[] =
    "{\"statements\":[{\"predicateType\":\"https://slsa.dev/provenance/v1\",\"signed\":true,"
    "\"builder\":\"https://builds.example/team/app/runs/7\",\"mode\":\"max\","
    "\"source\":\"https://code.example/team/app\","
    "\"revision\":\"0123456789abcdef0123456789abcdef01234567\"}]}";
static const char referrers_json[] =
    "{\"items\":[{\"kind\":\"provenance\",\"type\":\"https://slsa.dev/provenance/v1\","
    "\"signed\":true},{\"kind\":\"sbom\",\"type\":\"https://spdx.dev/Document\"},"
    "{\"kind\":\"signature\",\"type\":\"application/vnd.cncf.notary.signature\"}]}";

/* Scanned by the registry on the day of the build; nothing that most policies mind. */
static const char vulnerabilities_json[] =
    "{\"reports\":[{\"source\":\"harbor\",\"scanner\":\"Trivy v0.60.0\",\"ofRegistry\":true,"
    "\"generated\":\"2030-01-01T13:00:00Z\",\"items\":[{\"id\":\"CVE-2029-0001\","
    "\"package\":\"libc6\",\"version\":\"2.41-12\",\"severity\":\"low\",\"fixable\":\"no\","
    "\"published\":\"2029-02-03T00:00:00Z\"}]}]}";

static struct manifest *read_manifest(size_t config_size)
{
    AUTO_FREE char *json = text_new(
        "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST "\","
        "\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG "\",\"digest\":\"" SHA256(
            "c") "\","
                 "\"size\":%zu},\"layers\":[" LAYER("a", "30000000") "," LAYER(
                     "b", "10000000") "," LAYER("d", "2000") "," LAYER("e", "5000000") "]}",
        config_size);
    struct manifest *manifest = NULL;
    struct digest digest;

    digest_compute(NULL, json, strlen(json), &digest);
    if (manifest_parse(json, strlen(json), MEDIA_TYPE_OCI_MANIFEST, &digest, &manifest, NULL) < 0)
        abort(); /* our own text */
    return manifest;
}

static struct image_config *read_config(void)
{
    struct image_config *config = NULL;

    if (image_config_parse(config_json, strlen(config_json), &config, NULL) < 0)
        abort(); /* our own text */
    return config;
}

static void add_group(struct json *document, enum fact_group group, const char *text)
{
    struct json *members = NULL, *status = json_new_object();

    if (json_parse(text, strlen(text), NULL, &members, NULL) < 0)
        abort(); /* our own text */
    json_set_take(document, fact_group_name(group), members);
    json_set_string(status, "state", "present");
    json_set_take(json_get(document, "groups"), fact_group_name(group), status);
}

/* What only provenance and layers could tell. */
static void complete(struct facts *facts)
{
    struct facts_base *base = &facts->base;

    free(base->name);
    base->name = memory_copy_text("docker.io/library/python:3.14-slim");
    digest_compute(NULL, "base", strlen("base"), &base->digest);
    base->pinned = ANSWER_YES;
    base->evidence = base->pinned_evidence = EVIDENCE_PROVENANCE;
    free(facts->status[FACT_BASE].reason);
    facts->status[FACT_BASE] = (struct fact_status){.state = FACT_PRESENT};
    facts->runtime.sdk = ANSWER_NO;
}

struct json *example_image_facts(void)
{
    struct image_config *config = read_config();
    AUTO_FACTS struct facts *facts =
        facts_build_take(read_manifest(strlen(config_json)), config, NULL, NULL);

    complete(facts);
    struct json *document = facts_to_json(facts);
    /* without a list of layers, so that an example with others has as many as its manifest */
    add_group(document, FACT_FILES, files_json);
    add_group(document, FACT_PROVENANCE, provenance_json);
    add_group(document, FACT_REFERRERS, referrers_json);
    add_group(document, FACT_VULNERABILITIES, vulnerabilities_json);
    return document;
}
