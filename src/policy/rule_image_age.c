/* Rule image-age: images are rebuilt now and then. */
#include "rules.h"

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

/* Clocks of build machines are off by minutes, not days. */
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* Reproducible builds write a fixed date instead of the time of the build: the year 1, 1970 or
 * 1980. No image was built before 1981. */
#define FIRST_BELIEVABLE_MS ((int64_t)347155200 * 1000)

struct settings {
    int64_t max_age_ms;
};

static const struct param params[] = {
    {.name = "max-age",
     .type = PARAM_DURATION,
     .offset = offsetof(struct settings, max_age_ms),
     .fallback = "90d",
     .min = 1,
     .max = 36500 * DAY_MS,
     .help = "How old an image may be, counted from when it was built."},
    {.name = NULL},
};

static enum judgement unknown(struct rule_report *report, const char *why)
{
    rule_unknown(report, "created", "how old the image is cannot be told: %s", why);
    return rule_judgement(report);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct image_config *config = input->facts->config;
    int64_t created_ms = config->created_ms;
    char created[CLOCK_TEXT_SIZE];
    char age[TEXT_NUMBER_SIZE];
    char limit[TEXT_NUMBER_SIZE];

    if (!config->has_created)
        return unknown(report, "it does not say when it was built");
    if (created_ms < FIRST_BELIEVABLE_MS)
        return unknown(report, "it was built reproducibly, with a fixed date");
    if (created_ms > input->now_ms + DAY_MS)
        return unknown(report, "it says that it was built in the future");
    if (input->now_ms - created_ms <= settings->max_age_ms)
        return RULE_PASS;
    rule_fail(report, "created", "the image was built %s ago (%s); %s are allowed",
              text_format_duration(input->now_ms - created_ms, age),
              clock_format_rfc3339(created_ms, created),
              text_format_duration(settings->max_age_ms, limit))
        ->evidence = memory_copy_text("config");
    return rule_judgement(report);
}

const struct rule_type rule_image_age = {
    .name = "image-age",
    .summary = "the image was built not too long ago",
    .description =
        "Reads the creation time of the image's config. Reproducible builds write a fixed date "
        "(the year 1, 1970 or 1980), and anybody can write any date: one that is missing, fixed or "
        "in the future is unknown. The verdict of an image changes with time; it is judged again "
        "when it is pushed, asked for or swept.",
    .remedy = "Rebuild the image on a fresh base, and do so regularly.",
    .example = "rule: image-age\nwith:\n  max-age: 90d\non-unknown: warn\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};
