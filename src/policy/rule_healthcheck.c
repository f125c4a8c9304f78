/* Rule healthcheck: the image says how to find out whether it works. */
#include "rules.h"

#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    bool allow_none;
};

static const struct param params[] = {
    {.name = "allow-none",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, allow_none),
     .fallback = "false",
     .help = "Whether `HEALTHCHECK NONE` will do: somebody thought about it and decided against."},
    {.name = NULL},
};

/* What is wrong; NULL when nothing is. */
static const char *find_fault(const struct settings *settings, const struct healthcheck *check)
{
    if (!check->present || check->test.count == 0 || check->test.items[0][0] == '\0')
        return "the image has no health check";
    if (text_equal(check->test.items[0], "NONE"))
        return settings->allow_none ? NULL : "the health check is switched off (NONE)";
    if (check->test.count < 2)
        return "the health check names no command";
    return NULL;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct facts *facts = input->facts;
    const char *fault = find_fault(block, &facts->config->healthcheck);
    struct finding *finding;

    if (!fault)
        return RULE_PASS;
    finding = rule_fail(report, "healthcheck", "%s", fault);
    finding->evidence = memory_copy_text("config");
    if (facts->config->healthcheck.present)
        finding_set_step(finding, facts, history_last(facts, STEP_HEALTHCHECK, NULL));
    return rule_judgement(report);
}

const struct rule_type rule_healthcheck = {
    .name = "healthcheck",
    .summary = "the image has a health check",
    .description =
        "Reads the health check of the image's config. Docker and Swarm use it; Kubernetes does "
        "not, it has probes of its own. The OCI image format has no field for it, so builders that "
        "write strictly OCI images drop it.",
    .remedy = "Add a HEALTHCHECK with a command that is in the image, or waive this where an "
              "orchestrator probes.",
    .example = "rule: healthcheck\nseverity: low\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};
