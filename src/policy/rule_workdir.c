/* Rule workdir: the working directory is absolute and not one of the system's. */
#include "rules.h"

#include <string.h>

#include "paths.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct text_list deny;
    bool allow_root;
};

static const struct param params[] = {
    {.name = "deny",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, deny),
     .fallback = "[/bin, /boot, /dev, /etc, /lib, /lib64, /proc, /run, /sbin, /sys, /usr/bin, "
                 "/usr/lib, /usr/sbin]",
     .help = "Directories that may not be the working directory, nor what is below them."},
    {.name = "allow-root",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, allow_root),
     .fallback = "true",
     .help = "Whether the image may work in / (which also is what no WORKDIR means)."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    for (size_t i = 0; i < settings->deny.count; i++) {
        *ret_param = "deny";
        if (settings->deny.items[i][0] != '/')
            return error_set(err, FAILURE_INPUT, "a denied directory is an absolute path");
    }
    return 0;
}

static bool is_windows_path(const char *path)
{
    return ((path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z')) &&
           path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

static const char *find_fault(const struct settings *settings, const struct image_config *config)
{
    const char *path = config->working_dir;

    if (text_equal(config->platform.os, "windows") && is_windows_path(path))
        return NULL;
    if (path[0] == '\0' || path_is_root(path))
        return settings->allow_root ? NULL : "is the root directory";
    if (path[0] != '/')
        return "is not absolute";
    for (size_t i = 0; i < settings->deny.count; i++) {
        if (path_is_below(path, settings->deny.items[i]))
            return "is a directory of the system";
    }
    return NULL;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct facts *facts = input->facts;
    const char *path = facts->config->working_dir;
    const char *fault = find_fault(block, facts->config);

    if (!fault)
        return RULE_PASS;
    AUTO_FREE char *shown = text_printable(path[0] ? path : "/", 200);
    struct finding *finding =
        rule_fail(report, "workdir", "the working directory %s %s", shown, fault);
    finding_set_path(finding, path[0] ? path : "/");
    finding_set_step(finding, facts, history_last(facts, STEP_WORKDIR, NULL));
    return rule_judgement(report);
}

const struct rule_type rule_workdir = {
    .name = "workdir",
    .summary = "the working directory is absolute and not the system's",
    .description = "Judges the working directory of the image's config. A relative one depends on "
                   "what came before it; one of the system's mixes the application's files with "
                   "the distribution's.",
    .remedy = "Set WORKDIR to an absolute directory of the application, such as /app.",
    .example = "rule: workdir\nwith:\n  allow-root: false\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .judge = judge,
};
