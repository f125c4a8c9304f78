/* Rule env: environment variables that must, must not, or must so be set. Secrets in them are rule
 * secrets' business. */
#include "rules.h"

#include "glob.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct text_list required;
    struct text_list forbidden;
    struct text_pairs values;
    struct glob_list forbidden_globs;
    struct glob *value_globs;
};

static const struct param params[] = {
    {.name = "required",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, required),
     .help = "Variables that must be set to something."},
    {.name = "forbidden",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, forbidden),
     .help = "Patterns of variables that may not be set, such as `*_PROXY`."},
    {.name = "values",
     .type = PARAM_PAIRS,
     .offset = offsetof(struct settings, values),
     .help = "A map from variable to the pattern that its value must match when it is set. `!` "
             "before a pattern says what it must not be."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = NULL;
    if (settings->required.count + settings->forbidden.count + settings->values.count == 0)
        return error_set(err, FAILURE_INPUT,
                         "env without required, forbidden or values says nothing");
    settings->value_globs = memory_new_array(settings->values.count, sizeof(struct glob));
    for (size_t i = 0; i < settings->values.count; i++)
        glob_compile(settings->values.items[i].value, &settings->value_globs[i]);
    *ret_param = "forbidden";
    return glob_list_compile(&settings->forbidden, &settings->forbidden_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    free(settings->value_globs);
    settings->value_globs = NULL;
    glob_list_release(&settings->forbidden_globs);
}

static void report_variable(struct rule_report *report, const struct facts *facts, const char *key,
                            const char *fault)
{
    AUTO_FREE char *shown = text_printable(key, 120);
    struct finding *finding = rule_fail(report, key, "the variable %s %s", shown, fault);

    finding_set_path(finding, key);
    finding_set_step(finding, facts, history_last(facts, STEP_ENV, key));
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts *facts = input->facts;
    const struct text_pairs *env = &facts->config->env;

    for (size_t i = 0; i < settings->required.count; i++) {
        const char *value = text_pairs_get(env, settings->required.items[i]);

        if (!value || value[0] == '\0')
            report_variable(report, facts, settings->required.items[i], "is not set");
    }
    for (size_t i = 0; settings->forbidden.count > 0 && i < env->count; i++) {
        if (glob_list_match(&settings->forbidden_globs, env->items[i].key))
            report_variable(report, facts, env->items[i].key, "may not be set");
    }
    for (size_t i = 0; i < settings->values.count; i++) {
        const struct glob *glob = &settings->value_globs[i];
        const char *value = text_pairs_get(env, settings->values.items[i].key);

        if (value && glob_match(glob, value) == glob->excludes)
            report_variable(report, facts, settings->values.items[i].key,
                            "has a value that the policy does not allow");
    }
    return rule_judgement(report);
}

const struct rule_type rule_env = {
    .name = "env",
    .summary = "environment variables are set as they must be",
    .description =
        "Judges the environment of the image's config. Values are never shown in findings, and "
        "those that were recognised as secrets are compared in their masked form: leave secrets to "
        "the rule secrets. A variable that is set twice has its last value.",
    .remedy = "Set, change or remove the variable with ENV in the Dockerfile. ENV cannot unset: "
              "what a base sets can only be overwritten.",
    .example = "rule: env\nwith:\n  forbidden: [\"*_proxy\", \"*_PROXY\"]\n  values: { "
               "NODE_ENV: production }\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
