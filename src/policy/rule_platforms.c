/* Rule platforms: which platforms images may be for, and that index and config agree on it. */
#include "rules.h"

#include <string.h>

#include "scope.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct text_list allow;
    struct glob_list allow_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .required = true,
     .help = "Patterns of platforms, such as `linux/amd64` or `linux/*`. Without the variant they "
             "match every variant."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "allow";
    if (settings->allow.count == 0)
        return error_set(err, FAILURE_INPUT, "platforms with nothing to allow refuses every image");
    return glob_list_compile(&settings->allow, &settings->allow_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
}

/* Length of "os/architecture" without the variant. */
static size_t base_length(const char *platform)
{
    const char *slash = strchr(platform, '/');

    return slash ? (size_t)(slash - platform) + 1 + strcspn(slash + 1, "/") : strlen(platform);
}

static bool same_platform(const char *a, const char *b)
{
    size_t length = base_length(a);

    return length == base_length(b) && memcmp(a, b, length) == 0;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const char *claimed = input->placement->platform;
    char platform[PLATFORM_TEXT_SIZE];

    platform_text(&input->facts->config->platform, platform);
    if (platform[0] == '\0') {
        rule_unknown(report, "platform", "the image does not say which platform it is for");
        return rule_judgement(report);
    }
    AUTO_FREE char *shown = NULL;
    if (!platform_globs_match(&settings->allow_globs, platform)) {
        shown = text_printable(platform, PLATFORM_TEXT_SIZE);
        rule_fail(report, platform, "the image is for %s, which is not an allowed platform", shown)
            ->evidence = memory_copy_text("config");
    } else if (claimed && claimed[0] && !same_platform(claimed, platform)) {
        AUTO_FREE char *index = text_printable(claimed, PLATFORM_TEXT_SIZE);
        shown = text_printable(platform, PLATFORM_TEXT_SIZE);
        rule_fail(report, "mismatch", "the index says %s, the image itself says %s", index, shown)
            ->evidence = memory_copy_text("config");
    }
    return rule_judgement(report);
}

const struct rule_type rule_platforms = {
    .name = "platforms",
    .summary = "the image is for an allowed platform",
    .description = "Judges the platform in the image's config. In an index, each image is judged "
                   "for itself, and one whose config disagrees with its entry in the index fails: "
                   "clients choose by the entry and run what the config says.",
    .remedy =
        "Build for an allowed platform (`--platform`), and leave the others out of the index.",
    .example = "rule: platforms\nwith:\n  allow: [linux/amd64, linux/arm64]\n",
    .needs = FACT_BIT(FACT_CONFIG) | FACT_BIT(FACT_PLACEMENT),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
