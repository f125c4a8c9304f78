/* `regwarden rules`: the table of rules, and one rule in full. */
#include "commands.h"

#include <stdio.h>

#include "regwarden/policy.h"

struct options {
    const char *name;
    bool names;
};

enum option_key { OPTION_NAMES = 256 };

static const struct argp_option option_table[] = {
    {"names", OPTION_NAMES, NULL, 0, "Print the names only, one a line", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case OPTION_NAMES:
        options->names = true;
        return 0;
    case ARGP_KEY_ARG:
        options->name = value;
        return state->arg_num == 0 ? 0 : ARGP_ERR_UNKNOWN;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "[NAME]",
    .doc = "List the rules, or explain one: what it looks at, its settings, an example.\v"
           "Example:\n  regwarden rules image-size",
};

static void print_param(const struct param *param)
{
    printf("  %s (%s%s%s%s%s)\n      %s\n", param->name, param_type_name(param->type),
           param->unit ? ", in " : "", param->unit ? param->unit : "",
           param->fallback ? ", default " : "", param->fallback ? param->fallback : "",
           param->help);
    const char *before = param->type == PARAM_RECORDS ? "      Members: " : "      One of: ";
    for (size_t i = 0; param->choices && param->choices[i]; i++)
        printf("%s%s%s", i ? ", " : before, param->choices[i], param->choices[i + 1] ? "" : "\n");
}

static void print_rule(const struct rule_type *rule)
{
    printf("%s: %s\n\n%s\n\nSeverity when the policy names none: %s\n", rule_name(rule),
           rule_summary(rule), rule_description(rule), severity_name(rule_severity(rule)));
    printf("Looks at:");
    for (int group = 0; group < FACT_GROUP_COUNT; group++)
        if ((rule_needs(rule) | rule_wants(rule)) & FACT_BIT(group))
            printf(" %s", fact_group_name((enum fact_group)group));
    puts("\n\nSettings (under `with:`)");
    for (const struct param *param = rule_params(rule); param->name; param++)
        print_param(param);
    printf("\nExample\n\n%s\n", rule_example(rule));
}

static int explain(const char *name)
{
    const struct rule_type *rule = rule_find(name);
    const char **names;
    const char *near;

    if (rule) {
        print_rule(rule);
        return EXIT_PASSED;
    }
    names = memory_new_array(rule_count() + 1, sizeof *names);
    for (size_t i = 0; i < rule_count(); i++)
        names[i] = rule_name(rule_at(i));
    near = text_suggest(name, names);
    fprintf(stderr, "regwarden: there is no rule \"%s\"%s%s%s\n", name,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    free(names);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    struct options options = {0};

    command_parse(&command_rules, &argp, argc, argv, &options);
    if (options.name)
        return explain(options.name);
    for (size_t i = 0; i < rule_count(); i++) {
        if (options.names)
            puts(rule_name(rule_at(i)));
        else
            printf("%-18s %s\n", rule_name(rule_at(i)), rule_summary(rule_at(i)));
    }
    if (!options.names)
        puts("\n`regwarden rules NAME` explains one.");
    return EXIT_PASSED;
}

const struct command command_rules = {
    .name = "rules",
    .arguments = "[NAME]",
    .summary = "list the rules, or explain one",
    .group = "judge",
    .run = run,
};
