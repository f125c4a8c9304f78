/* Rule entrypoint: the image says what it runs, and runs it without a shell in between. */
#include "rules.h"

#include <string.h>

#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    bool required;
    bool exec_form;
};

static const struct param params[] = {
    {.name = "required",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, required),
     .fallback = "true",
     .help = "Whether the image must have an entry point or a command."},
    {.name = "exec-form",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, exec_form),
     .fallback = "true",
     .help = "Whether it must be in exec form. A shell that ends in `exec` is accepted."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    const struct settings *settings = block;

    *ret_param = NULL;
    if (!settings->required && !settings->exec_form)
        return error_set(err, FAILURE_INPUT, "entrypoint with both settings off allows everything");
    return 0;
}

/* Does the shell hand over to the program with `exec`? Then signals reach it. */
static void note_exec(void *argument, const struct run_command *command)
{
    bool *is_last_exec = argument;

    *is_last_exec = command->shell->count > 1 && shell_word_is(&command->shell->words[0], "exec");
}

static bool ends_in_exec(const struct text_list *words)
{
    bool is_last_exec = false;

    if (words->count > 0)
        run_script_each(words->items[words->count - 1], note_exec, &is_last_exec);
    return is_last_exec;
}

static void report_shell(struct rule_report *report, const struct facts *facts, const char *what,
                         enum step_kind kind)
{
    struct finding *finding =
        rule_fail(report, what,
                  "the %s is in shell form: the shell is process 1, and signals "
                  "do not reach the program",
                  what);

    finding->evidence = memory_copy_text("config");
    finding_set_step(finding, facts, history_last(facts, kind, NULL));
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts *facts = input->facts;
    const struct image_config *config = facts->config;

    if (config->entrypoint.count == 0 && config->cmd.count == 0) {
        if (settings->required)
            rule_fail(report, "missing", "the image has neither an entry point nor a command");
        return rule_judgement(report);
    }
    if (!settings->exec_form)
        return RULE_PASS;
    if (config->entrypoint_is_shell && !ends_in_exec(&config->entrypoint))
        report_shell(report, facts, "entry point", STEP_ENTRYPOINT);
    if (config->cmd_is_shell && config->entrypoint.count == 0 && !ends_in_exec(&config->cmd))
        report_shell(report, facts, "command", STEP_CMD);
    return rule_judgement(report);
}

const struct rule_type rule_entrypoint = {
    .name = "entrypoint",
    .summary = "the image says what it runs, in exec form",
    .description =
        "Judges entry point and command of the image's config. In shell form (`/bin/sh -c …`) the "
        "shell is process 1: a stop signal does not reach the program, which is then killed after "
        "the grace period. A shell whose last command is `exec …` hands over and is accepted.\n\n"
        "A command that is only handed to an entry point as its arguments is not judged.",
    .remedy = "Write it as a list: `ENTRYPOINT [\"/app/server\"]`.",
    .example = "rule: entrypoint\nwith:\n  exec-form: true\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .judge = judge,
};
