/* See samples.h. */
#include "samples.h"

#include <assert.h>

#define EVIL "\033]0;x\007<script>alert(1)</script>|@all\xE2\x80\xAE\n\r\"'`*=cmd\xff]]>"

const char sample_evil[] = EVIL;

static char evil[] = EVIL;
static char policy[] = "baseline", base_name[] = "docker.io/library/node:20", version[] = "20.11";
static char non_root[] = "non-root", non_root_message[] = "The container runs as root.";
static char non_root_remedy[] = "Add a user and name it:\nUSER 10001";
static char evidence[] = "config";
static char secrets[] = "secrets", secrets_message[] = "A private key is in the image.";
static char path[] = "/app/key.pem";
static char pinned[] = "base-pinned", pinned_message[] = "Nothing tells which base was used.";
static char size_rule[] = "image-size", size_message[] = "118.3 MB, of 120 MB.";
static char waived_rule[] = "healthcheck", waived_message[] = "There is no health check.";
static char waiver[] = "W-7", platform_arm[] = "linux/arm64";

/* a macro, since clang takes no variable for a constant */
#define DIGEST                                                                      \
    {                                                                               \
        .algorithm = DIGEST_SHA256,                                                 \
        .bytes = {0x3f, 0x2a, 0x9c, 0x81, 0xd0, 0xab, 0x3f, 0x2a, 0x9c, 0x81, 0xd0, \
                  0xab, 0x3f, 0x2a, 0x9c, 0x81, 0xd0, 0xab, 0x3f, 0x2a, 0x9c, 0x81, \
                  0xd0, 0xab, 0x3f, 0x2a, 0x9c, 0x81, 0xd0, 0xab, 0x00, 0x00},      \
    }
#define LAYER                                                                       \
    {                                                                               \
        .algorithm = DIGEST_SHA256, .bytes = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc } \
    }

static struct finding failing[] = {
    {.rule = size_rule,
     .id = size_rule,
     .policy = policy,
     .severity = SEVERITY_MEDIUM,
     .status = FINDING_WARN,
     .message = size_message,
     .step = -1,
     .bytes = 118300000,
     .fingerprint = SAMPLE_FINGERPRINT},
    {.rule = waived_rule,
     .id = waived_rule,
     .policy = policy,
     .severity = SEVERITY_CRITICAL,
     .status = FINDING_WAIVED,
     .message = waived_message,
     .step = -1,
     .waiver = waiver,
     .fingerprint = SAMPLE_FINGERPRINT},
    {.rule = non_root,
     .id = non_root,
     .policy = policy,
     .severity = SEVERITY_HIGH,
     .status = FINDING_FAIL,
     .message = non_root_message,
     .remedy = non_root_remedy,
     .evidence = evidence,
     .step = -1,
     .fingerprint = SAMPLE_FINGERPRINT},
    {.rule = secrets,
     .id = secrets,
     .policy = policy,
     .severity = SEVERITY_CRITICAL,
     .status = FINDING_FAIL,
     .message = secrets_message,
     .layer = LAYER,
     .origin = ORIGIN_OWN,
     .step = 7,
     .path = path,
     .bytes = 1704,
     .platform = platform_arm,
     .fingerprint = SAMPLE_FINGERPRINT},
    {.rule = pinned,
     .id = pinned,
     .policy = policy,
     .severity = SEVERITY_HIGH,
     .status = FINDING_UNKNOWN,
     .message = pinned_message,
     .step = -1,
     .fingerprint = SAMPLE_FINGERPRINT},
};

static const struct verdict verdict_fail = {
    .status = VERDICT_FAIL,
    .findings = {.items = failing, .count = ARRAY_COUNT(failing)},
    .actions = ACTION_BIT(ACTION_HOLD),
    .enforced = true,
    .policy_count = 1,
    .policy_revision = "abc",
};
static const struct verdict verdict_pass = {.status = VERDICT_PASS, .policy_count = 1};
static const struct verdict verdict_unknown = {.status = VERDICT_UNKNOWN};

static struct descriptor layers[] = {{.size = 100000000}, {.size = 18300000}};
static struct manifest manifest = {
    .kind = MANIFEST_IMAGE, .layers = layers, .layer_count = ARRAY_COUNT(layers)};
static const struct facts facts = {
    .manifest = &manifest,
    .base = {.name = base_name, .pinned = ANSWER_NO, .evidence = EVIDENCE_ANNOTATION},
    .runtime = {.runtime = RUNTIME_NODE, .version = version},
};

const struct check_result samples[SAMPLE_COUNT] = {
    {.reference = "registry.example/team/app:v1",
     .digest = DIGEST,
     .platform = "linux/amd64",
     .facts = &facts,
     .verdict = &verdict_fail},
    {.reference = "oci:layout", .digest = DIGEST, .facts = &facts, .verdict = &verdict_pass},
    {.reference = "registry.example/gone", .verdict = &verdict_unknown},
};

static struct finding hostile_finding = {
    .rule = evil,
    .id = evil,
    .policy = evil,
    .severity = SEVERITY_LOW,
    .status = FINDING_FAIL,
    .message = evil,
    .remedy = evil,
    .evidence = evil,
    .step = -1,
    .path = evil,
    .platform = evil,
    .fingerprint = SAMPLE_FINGERPRINT,
};
static const struct verdict hostile_verdict = {
    .status = VERDICT_FAIL, .findings = {.items = &hostile_finding, .count = 1}, .policy_count = 1};
static const struct facts hostile_facts = {
    .base = {.name = evil},
    .runtime = {.runtime = RUNTIME_GO, .version = evil},
};
const struct check_result sample_hostile = {
    .reference = EVIL, .platform = EVIL, .facts = &hostile_facts, .verdict = &hostile_verdict};

void samples_write(const char *format, const struct check_result *results, size_t count, bool color,
                   struct text *to)
{
    const struct check_format *found = check_format_find(format);
    assert(found != NULL);
    found->write(results, count, color, to);
}
