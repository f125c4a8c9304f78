/* The table of commands, and what they share: help, errors, exit statuses. */
#include "command.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "regwarden/cli.h"
#include "regwarden/text.h"

#include "commands.h"

const struct command *const commands[] = {
    &command_check,        &command_facts,  &command_policy, &command_rules,
    &command_serve,        &command_harbor, &command_status, &command_verdicts,
    &command_quarantine,   &command_waiver, &command_base,   &command_sweep,
    &command_dead_letters, &command_report, &command_manual, NULL,
};

static const struct {
    const char *group;
    const char *heading;
} headings[] = {
    {"judge", "Judge images, here and now"},
    {"serve", "Run beside a registry"},
    {"daemon", "Ask the running daemon"},
};

static void print_help(void)
{
    puts("regwarden judges container images beside the registry: who runs as root, what is too "
         "large,\n"
         "what is not pinned, what leaks, and holds or moves what violates your policy.\n\n"
         "Usage: regwarden COMMAND [OPTION…]\n");
    for (size_t h = 0; h < ARRAY_COUNT(headings); h++) {
        printf("%s\n", headings[h].heading);
        for (size_t i = 0; commands[i]; i++)
            if (text_equal(commands[i]->group, headings[h].group))
                printf("  %-13s %s\n", commands[i]->name, commands[i]->summary);
        puts("");
    }
    puts("Try these\n"
         "  regwarden check registry.example.com/team/app:1.4      judge one image, exit 1 when it "
         "violates\n"
         "  regwarden serve --registry http://127.0.0.1:5000       watch a whole registry, "
         "changing nothing\n"
         "  regwarden rules non-root                               what a rule looks at and how to "
         "set it\n\n"
         "`regwarden COMMAND --help` tells more; so do regwarden(1) and regwarden(8).");
}

static void print_unknown(const char *word)
{
    const char *names[ARRAY_COUNT(commands)] = {NULL};
    const char *near;

    for (size_t i = 0; commands[i]; i++)
        names[i] = commands[i]->name;
    near = text_suggest(word, names);
    fprintf(stderr, "regwarden: there is no command \"%s\"%s%s%s. `regwarden --help` lists them.\n",
            word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

void command_parse(const struct command *command, const struct argp *argp, int argc, char **argv,
                   void *input)
{
    AUTO_FREE char *name = text_new("regwarden %s", command->name);
    char *shown = argv[0];

    argv[0] = name;
    program_invocation_short_name = name;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(argp, argc, argv, 0, NULL, input);
    argv[0] = shown;
    program_invocation_short_name = shown;
}

int command_fail(const struct error *err)
{
    fprintf(stderr, "regwarden: %s\n", err->text);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
    switch (err->kind) {
    case FAILURE_NONE:
        return EXIT_PASSED;
    case FAILURE_INPUT:
        return EXIT_USAGE;
    case FAILURE_ABSENT:
    case FAILURE_DENIED:
    case FAILURE_LATER:
    case FAILURE_LIMIT:
    case FAILURE_UNCERTAIN:
    case FAILURE_SYSTEM:
        return EXIT_UNABLE;
    }
    return EXIT_UNABLE;
}

static int run(int argc, char **argv)
{
    if (argc < 2 || text_equal(argv[1], "--help") || text_equal(argv[1], "-h") ||
        text_equal(argv[1], "help")) {
        print_help();
        return argc < 2 ? EXIT_USAGE : EXIT_PASSED;
    }
    if (text_equal(argv[1], "--version") || text_equal(argv[1], "-V")) {
        puts("regwarden " REGWARDEN_VERSION);
        return EXIT_PASSED;
    }
    for (size_t i = 0; commands[i]; i++)
        if (text_equal(commands[i]->name, argv[1]))
            return commands[i]->run(argc - 1, argv + 1);
    print_unknown(argv[1]);
    return EXIT_USAGE;
}

/* An answer that did not arrive is none: a full disk must not look like a pass. */
static int check_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "regwarden: writing to standard output: %s\n", strerror(errno));
    return EXIT_UNABLE;
}

int cli_run(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    return check_output(run(argc, argv));
}
