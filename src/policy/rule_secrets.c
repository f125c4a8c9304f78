/* Rule secrets: no secrets in config, history and annotations. They were found and masked when the
 * facts were built; this rule only says which of them are accepted. */
#include "rules.h"

#include "glob.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct text_list allow;
    struct text_list allow_kinds;
    bool include_base;
    struct glob_list allow_globs;
    struct glob_list allow_kind_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help = "Patterns of variables and labels whose values are known to be no secrets."},
    {.name = "allow-kinds",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow_kinds),
     .help = "Patterns of kinds of secrets that are accepted, as findings name them."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "true",
     .help = "Whether secrets in steps of the base count too. They are served with the image all "
             "the same."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "allow";
    if (glob_list_compile(&settings->allow, &settings->allow_globs, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "allow-kinds";
    return glob_list_compile(&settings->allow_kinds, &settings->allow_kind_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
    glob_list_release(&settings->allow_kind_globs);
}

/* The history step that brought it; -1 when none can be told. */
static int step_of(const struct facts *facts, const struct facts_secret *secret)
{
    if (secret->step >= 0)
        return secret->step;
    if (!secret->key)
        return -1;
    switch (secret->place) {
    case SECRET_ENV:
        return history_last(facts, STEP_ENV, secret->key);
    case SECRET_LABEL:
        return history_last(facts, STEP_LABEL, secret->key);
    case SECRET_ARG:
        return history_last(facts, STEP_ARG, secret->key);
    case SECRET_ANNOTATION:
    case SECRET_HISTORY:
    case SECRET_COMMAND:
    case SECRET_HEALTHCHECK:
        return -1;
    }
    return -1;
}

static bool is_accepted(const struct settings *settings, const struct facts *facts,
                        const struct facts_secret *secret, int step)
{
    if (secret->key && glob_list_match(&settings->allow_globs, secret->key))
        return true;
    if (glob_list_match(&settings->allow_kind_globs, secret->kind))
        return true;
    return !settings->include_base && step >= 0 && (size_t)step < facts->history.count &&
           facts->history.steps[step].origin == ORIGIN_BASE;
}

static void report_secret(struct rule_report *report, const struct facts *facts,
                          const struct facts_secret *secret, int step)
{
    const char *place = secret_place_name(secret->place);
    AUTO_FREE char *key = secret->key ? text_printable(secret->key, 120) : NULL;
    AUTO_FREE char *masked = text_printable(secret->masked, 80);
    AUTO_FREE char *subject = text_new("%s\n%s\n%s\n%s", place, secret->key ? secret->key : "",
                                       secret->kind, secret->masked);
    struct finding *finding;

    finding = rule_fail(report, subject, "a secret (%s, %s) stands in %s%s%s", secret->kind, masked,
                        place, key ? " " : "", key ? key : "");
    if (secret->key)
        finding_set_path(finding, secret->key);
    finding_set_step(finding, facts, step);
    free(finding->evidence);
    finding->evidence =
        secret->hash ? text_new("%s, hash %s", place, secret->hash) : memory_copy_text(place);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct facts *facts = input->facts;

    for (size_t i = 0; i < facts->secret_count; i++) {
        int step = step_of(facts, &facts->secrets[i]);

        if (!is_accepted(block, facts, &facts->secrets[i], step))
            report_secret(report, facts, &facts->secrets[i], step);
    }
    return rule_judgement(report);
}

const struct rule_type rule_secrets = {
    .name = "secrets",
    .summary = "no secrets stand in the image's config or history",
    .description =
        "Looks at environment, labels, commands, health check, annotations, build arguments and "
        "the text of every history step. Tokens are recognised by their format, other values by "
        "the name of their variable together with the value's shape. Checksums, key fingerprints, "
        "versions and placeholders do not count.\n\n"
        "Findings show a masked form and a salted hash, never the secret. A secret that was once "
        "pushed is known to whoever could pull: replace it, taking it out is not enough.",
    .remedy = "Replace the secret where it is used, then give it to builds with `RUN "
              "--mount=type=secret` and to containers when they run.",
    .example = "rule: secrets\nwith:\n  allow: [GPG_KEY, \"*_PUBLIC_KEY\"]\nseverity: critical\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_CRITICAL,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
