/* Rule volumes: which directories an image may declare as volumes. */
#include "rules.h"

#include "glob.h"
#include "paths.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct text_list deny;
    struct text_list allow;
    bool none;
    struct glob_list allow_globs;
};

static const struct param params[] = {
    {.name = "deny",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, deny),
     .fallback = "[/proc, /sys, /dev, /etc, /var/run/docker.sock, /run/docker.sock]",
     .help = "Directories that may not be volumes, nor what is below them."},
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help = "Patterns of which a volume must match one, such as `/data` or `/var/lib/**`. When "
             "left out, all that deny does not refuse are allowed."},
    {.name = "none",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, none),
     .fallback = "false",
     .help = "Refuse every volume: what an image declares, nobody who runs it can take back."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    for (size_t i = 0; i < settings->deny.count; i++) {
        *ret_param = "deny";
        if (settings->deny.items[i][0] != '/')
            return error_set(err, FAILURE_INPUT, "a denied volume is an absolute path");
    }
    *ret_param = "allow";
    return glob_list_compile(&settings->allow, &settings->allow_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
}

static const char *find_fault(const struct settings *settings, const char *volume)
{
    if (settings->none)
        return "is declared: the policy allows none";
    for (size_t i = 0; i < settings->deny.count; i++) {
        if (path_is_below(volume, settings->deny.items[i]))
            return "is denied by the policy";
    }
    if (settings->allow.count > 0 && !glob_list_match(&settings->allow_globs, volume))
        return "is not one of the allowed volumes";
    return NULL;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct facts *facts = input->facts;
    const struct text_list *volumes = &facts->config->volumes;

    for (size_t i = 0; i < volumes->count; i++) {
        const char *fault = find_fault(block, volumes->items[i]);

        if (!fault)
            continue;
        AUTO_FREE char *shown = text_printable(volumes->items[i], 200);
        struct finding *finding =
            rule_fail(report, volumes->items[i], "the volume %s %s", shown, fault);
        finding_set_path(finding, volumes->items[i]);
        finding_set_step(finding, facts, history_last(facts, STEP_VOLUME, volumes->items[i]));
    }
    return rule_judgement(report);
}

const struct rule_type rule_volumes = {
    .name = "volumes",
    .summary = "the image declares no volumes but allowed ones",
    .description = "Judges the volumes of the image's config. A volume over a system directory "
                   "hides or exposes what the kernel or the runtime put there. Paths are compared "
                   "in their plain form: `/var/../proc` is `/proc`.",
    .remedy = "Take the VOLUME line away and let those who run the image mount what it needs.",
    .example = "rule: volumes\nwith:\n  allow: [/data, \"/var/lib/**\"]\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
