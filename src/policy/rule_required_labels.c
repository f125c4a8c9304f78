/* Rule required-labels: labels that must be there and what they must look like. */
#include "rules.h"

#include <string.h>

#include "glob.h"
#include "names.h"
#include "run_step.h"
#include "typed_text.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct wanted {
    const char *label; /* borrowed from the settings */
    enum { WANTED_TYPE, WANTED_EXACT, WANTED_GLOB } kind;
    enum text_type type;
    const char *exact;
    struct glob glob;
};

struct settings {
    struct text_pairs labels;
    bool annotations;
    struct wanted *wanted;
};

static const struct param params[] = {
    {.name = "labels",
     .type = PARAM_PAIRS,
     .offset = offsetof(struct settings, labels),
     .required = true,
     .help = "A map from label to what it must be: text, url, rfc3339, spdx, git-hash, semver, "
             "email, exact:VALUE or glob:PATTERN."},
    {.name = "annotations",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, annotations),
     .fallback = "true",
     .help = "Whether an annotation of the manifest counts where the config has no such label."},
    {.name = NULL},
};

static int read_wanted(const struct text_pair *pair, struct wanted *wanted, struct error *err)
{
    int type = name_find(text_type_names, pair->value);
    const char *near = text_suggest(pair->value, text_type_names);

    wanted->label = pair->key;
    if (text_starts_with(pair->value, "exact:")) {
        wanted->kind = WANTED_EXACT;
        wanted->exact = pair->value + strlen("exact:");
    } else if (text_starts_with(pair->value, "glob:")) {
        wanted->kind = WANTED_GLOB;
        glob_compile(pair->value + strlen("glob:"), &wanted->glob);
    } else if (type >= 0) {
        wanted->kind = WANTED_TYPE;
        wanted->type = (enum text_type)type;
    } else {
        AUTO_FREE char *shown = text_printable(pair->value, 60);
        if (near)
            return error_set(err, FAILURE_INPUT, "'%s' is not a type of label, did you mean '%s'?",
                             shown, near);
        error_set(err, FAILURE_INPUT, "'%s' is not a type of label", shown);
        return error_hint(err, "one of text, url, rfc3339, spdx, git-hash, semver, email, "
                               "exact:VALUE, glob:PATTERN");
    }
    return 0;
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "labels";
    if (settings->labels.count == 0)
        return error_set(err, FAILURE_INPUT, "required-labels without labels requires nothing");
    settings->wanted = memory_new_array(settings->labels.count, sizeof(*settings->wanted));
    for (size_t i = 0; i < settings->labels.count; i++) {
        int rc = read_wanted(&settings->labels.items[i], &settings->wanted[i], err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static void release(void *block)
{
    struct settings *settings = block;

    free(settings->wanted);
    settings->wanted = NULL;
}

static bool is_met(const struct wanted *wanted, const char *value)
{
    switch (wanted->kind) {
    case WANTED_TYPE:
        return text_type_check(wanted->type, value);
    case WANTED_EXACT:
        return strcmp(wanted->exact, value) == 0;
    case WANTED_GLOB:
        return glob_match(&wanted->glob, value) != wanted->glob.excludes;
    }
    return false;
}

static void report_wrong(struct rule_report *report, const struct facts *facts,
                         const struct wanted *wanted, const char *value)
{
    AUTO_FREE char *label = text_printable(wanted->label, 120);
    AUTO_FREE char *shown = text_printable(value, 120);
    struct finding *finding = NULL;

    switch (wanted->kind) {
    case WANTED_TYPE:
        finding = rule_fail(report, wanted->label, "the label %s is \"%s\", which is not %s", label,
                            shown, text_type_descriptions[wanted->type]);
        break;
    case WANTED_EXACT:
        finding = rule_fail(report, wanted->label, "the label %s is \"%s\" and must be \"%s\"",
                            label, shown, wanted->exact);
        break;
    case WANTED_GLOB:
        finding = rule_fail(report, wanted->label,
                            "the label %s is \"%s\", which does not match "
                            "\"%s\"",
                            label, shown, wanted->glob.pattern);
        break;
    }
    finding_set_path(finding, wanted->label);
    finding_set_step(finding, facts, history_last(facts, STEP_LABEL, wanted->label));
}

static void report_missing(struct rule_report *report, const struct wanted *wanted)
{
    AUTO_FREE char *label = text_printable(wanted->label, 120);
    struct finding *finding = rule_fail(report, wanted->label, "the label %s is missing", label);

    finding_set_path(finding, wanted->label);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts *facts = input->facts;

    for (size_t i = 0; i < settings->labels.count; i++) {
        const struct wanted *wanted = &settings->wanted[i];
        const char *value = text_pairs_get(&facts->config->labels, wanted->label);

        if (!value && settings->annotations)
            value = text_pairs_get(&facts->manifest->annotations, wanted->label);
        if (!value)
            report_missing(report, wanted);
        else if (!is_met(wanted, value))
            report_wrong(report, facts, wanted, value);
    }
    return rule_judgement(report);
}

const struct rule_type rule_required_labels = {
    .name = "required-labels",
    .summary = "the image carries the labels that are asked for",
    .description =
        "Each label must be there and be what the policy says: any text, a URL, a time, an SPDX "
        "licence expression (its grammar; not whether the licence exists), a git hash, a semantic "
        "version, an e-mail address, an exact value or a pattern.\n\n"
        "Labels are inherited from the base: a label that only the base sets counts here, and may "
        "speak of the base. The finding names the step that set a wrong one.",
    .remedy = "Set the label in the Dockerfile (`LABEL key=value`) or when building (`--label "
              "key=value`).",
    .example = "rule: required-labels\nwith:\n  labels:\n    org.opencontainers.image.source: url\n"
               "    org.opencontainers.image.licenses: spdx\n    team: \"glob:team-*\"\n",
    .needs = FACT_BIT(FACT_CONFIG) | FACT_BIT(FACT_MANIFEST),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
