/* `regwarden manual` (not listed): manual pages and completions from the tables that the program
 * runs by, for the build. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/config.h"
#include "regwarden/file.h"
#include "regwarden/policy.h"

enum { TEMPLATE_BYTES_MAX = 1024 * 1024 };

/* scdoc gives these bytes a meaning. */
static void add_escaped(struct text *to, const char *string)
{
    for (const char *c = string; *c; c++) {
        if (strchr("\\*_#~`<[", *c))
            text_add_char(to, '\\');
        text_add_char(to, *c);
    }
}

static void add_choices(struct text *to, const struct param *param)
{
    if (!param->choices || !param->choices[0])
        return;
    text_add(to, param->type == PARAM_RECORDS ? " Members: " : " One of: ");
    for (size_t i = 0; param->choices[i]; i++) {
        text_add(to, i ? ", " : "");
        add_escaped(to, param->choices[i]);
    }
    text_add(to, ".");
}

static void add_param(struct text *to, const char *prefix, const struct param *param)
{
    const char *type = param_type_name(param->type);
    const char *unit = param->unit && !text_equal(param->unit, type) ? param->unit : NULL;

    text_add(to, "*");
    add_escaped(to, prefix);
    add_escaped(to, param->name);
    text_format(to, "* (%s%s%s", type, unit ? ", in " : "", unit ? unit : "");
    if (param->fallback) {
        text_add(to, ", default ");
        add_escaped(to, param->fallback);
    }
    text_add(to, param->required ? ", required" : "");
    text_add(to, param->reloadable ? ", reloadable)\n\t" : ")\n\t");
    add_escaped(to, param->help);
    add_choices(to, param);
    text_add(to, "\n\n");
}

static void add_params(struct text *to, const char *prefix, const struct param *params)
{
    for (; params->name; params++)
        add_param(to, prefix, params);
}

static void add_settings(struct text *to)
{
    add_params(to, "", config_params);
}

static void add_registry_settings(struct text *to)
{
    add_params(to, "", config_registry_params);
}

static void add_notifier_settings(struct text *to)
{
    add_params(to, "", config_notifier_params);
}

static void add_example(struct text *to, const char *yaml)
{
    text_add(to, "```\n");
    text_add(to, yaml);
    if (!text_ends_with(yaml, "\n"))
        text_add_char(to, '\n');
    text_add(to, "```\n\n");
}

static void add_rule(struct text *to, const struct rule_type *rule)
{
    const char *paragraph = rule_description(rule);

    text_format(to, "## %s\n\n", rule_name(rule));
    add_escaped(to, rule_summary(rule));
    text_add(to, "\n\n");
    add_escaped(to, paragraph);
    text_format(to, "\n\nSeverity when the policy names none: %s. Looks at:",
                severity_name(rule_severity(rule)));
    for (int group = 0; group < FACT_GROUP_COUNT; group++)
        if ((rule_needs(rule) | rule_wants(rule)) & FACT_BIT(group))
            text_format(to, " %s", fact_group_name((enum fact_group)group));
    text_add(to, ".\n\n");
    add_params(to, "", rule_params(rule));
    add_example(to, rule_example(rule));
}

static void add_rules(struct text *to)
{
    for (size_t i = 0; i < rule_count(); i++)
        add_rule(to, rule_at(i));
}

static const struct marker {
    const char *word; /* alone on a line of the template */
    void (*add)(struct text *to);
} markers[] = {
    {"@settings@", add_settings},
    {"@registry-settings@", add_registry_settings},
    {"@notifier-settings@", add_notifier_settings},
    {"@rules@", add_rules},
};

static void add_line(struct text *to, const char *line, size_t length)
{
    for (size_t i = 0; i < ARRAY_COUNT(markers); i++)
        if (strlen(markers[i].word) == length && strncmp(markers[i].word, line, length) == 0) {
            markers[i].add(to);
            return;
        }
    text_add_bytes(to, line, length);
    text_add_char(to, '\n');
}

static int print_page(const char *path)
{
    AUTO_TEXT struct text template = {0};
    AUTO_TEXT struct text page = {0};
    struct error error = {0};

    if (file_read(path, TEMPLATE_BYTES_MAX, &template, &error) < 0)
        return command_fail(&error);
    for (const char *line = text_data(&template); *line;) {
        const char *end = strchrnul(line, '\n');

        add_line(&page, line, (size_t)(end - line));
        line = *end ? end + 1 : end;
    }
    fputs(text_data(&page), stdout);
    return EXIT_PASSED;
}

static bool is_listed(const struct command *command)
{
    return command->group[0] != '\0';
}

static bool has_verbs(const struct command *command)
{
    return is_listed(command) && strchr(command->arguments, '|') != NULL;
}

static void print_verbs(const struct command *command)
{
    for (const char *c = command->arguments; *c; c++)
        putchar(*c == '|' ? ' ' : *c);
}

/* The options are asked of the program, so that completions never know fewer than it has. */
#define LIST_OPTIONS "--help 2>/dev/null | sed -nE 's/^  (-., |    )(--[a-z-]+).*/\\2/p'"

static void print_bash(void)
{
    fputs("# bash completion for regwarden\n_regwarden() {\n    local "
          "word=${COMP_WORDS[COMP_CWORD]} choices=\n"
          "    if [ \"$COMP_CWORD\" = 1 ]; then\n        choices=\"",
          stdout);
    for (size_t i = 0; commands[i]; i++)
        if (is_listed(commands[i]))
            printf("%s%s", i ? " " : "", commands[i]->name);
    fputs("\"\n    elif [[ $word == -* ]]; then\n"
          "        choices=$(regwarden \"${COMP_WORDS[1]}\" " LIST_OPTIONS ")\n"
          "    elif [ \"${COMP_WORDS[1]}\" = rules ]; then\n"
          "        choices=$(regwarden rules --names)\n"
          "    elif [ \"$COMP_CWORD\" = 2 ]; then\n        case ${COMP_WORDS[1]} in\n",
          stdout);
    for (size_t i = 0; commands[i]; i++)
        if (has_verbs(commands[i])) {
            printf("        %s) choices=\"", commands[i]->name);
            print_verbs(commands[i]);
            puts("\" ;;");
        }
    fputs(
        "        esac\n    fi\n    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
        "}\ncomplete -o default -F _regwarden regwarden\n",
        stdout);
}

static void print_zsh(void)
{
    fputs("#compdef regwarden\n_regwarden() {\n    local -a commands=(\n", stdout);
    for (size_t i = 0; commands[i]; i++)
        if (is_listed(commands[i]))
            printf("        '%s:%s'\n", commands[i]->name, commands[i]->summary);
    fputs("    )\n    local -A verbs=(\n", stdout);
    for (size_t i = 0; commands[i]; i++)
        if (has_verbs(commands[i])) {
            printf("        %s '", commands[i]->name);
            print_verbs(commands[i]);
            puts("'");
        }
    fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
          "    elif [[ $words[CURRENT] == -* ]]; then\n"
          "        compadd -- ${(f)\"$(regwarden $words[2] " LIST_OPTIONS ")\"}\n"
          "    elif [[ $words[2] == rules ]]; then\n        compadd -- ${(f)\"$(regwarden rules "
          "--names)\"}\n"
          "    elif (( CURRENT == 3 )) && [[ -n ${verbs[$words[2]]} ]]; then\n"
          "        compadd -- ${=verbs[$words[2]]}\n"
          "    else\n        _files\n    fi\n}\n_regwarden \"$@\"\n",
          stdout);
}

static void print_fish(void)
{
    for (size_t i = 0; commands[i]; i++)
        if (is_listed(commands[i]))
            printf("complete -c regwarden -n __fish_use_subcommand -a %s -d '%s'\n",
                   commands[i]->name, commands[i]->summary);
    for (size_t i = 0; commands[i]; i++)
        if (has_verbs(commands[i])) {
            printf("complete -c regwarden -n '__fish_seen_subcommand_from %s' -a '",
                   commands[i]->name);
            print_verbs(commands[i]);
            puts("'");
        }
    puts("complete -c regwarden -n '__fish_seen_subcommand_from rules' -f -a '(regwarden rules "
         "--names)'\n"
         "function __regwarden_options\n"
         "    set -l words (commandline -opc)\n"
         "    regwarden $words[2] " LIST_OPTIONS "\nend\n"
         "complete -c regwarden -n 'not __fish_use_subcommand; and string match -q -- \"-*\" "
         "(commandline -ct)' -a '(__regwarden_options)'");
}

static int print_completion(const char *shell)
{
    if (text_equal(shell, "bash"))
        print_bash();
    else if (text_equal(shell, "zsh"))
        print_zsh();
    else if (text_equal(shell, "fish"))
        print_fish();
    else
        return EXIT_USAGE;
    return EXIT_PASSED;
}

static const char usage[] = "usage: regwarden manual config|policy TEMPLATE\n"
                            "       regwarden manual completion bash|zsh|fish\n\n"
                            "Example:\n  regwarden manual completion bash > "
                            "/etc/bash_completion.d/regwarden\n";

static int run(int argc, char **argv)
{
    if (argc == 2 && text_equal(argv[1], "--help")) {
        fputs(usage, stdout);
        return EXIT_PASSED;
    }
    if (argc == 3 && (text_equal(argv[1], "config") || text_equal(argv[1], "policy")))
        return print_page(argv[2]);
    if (argc == 3 && text_equal(argv[1], "completion"))
        return print_completion(argv[2]);
    fputs(usage, stderr);
    return EXIT_USAGE;
}

const struct command command_manual = {
    .name = "manual",
    .arguments = "completion",
    .summary = "print shell completions (bash, zsh, fish)",
    .group = "",
    .run = run,
};
