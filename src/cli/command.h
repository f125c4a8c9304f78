/* What every command has in common. Each command is one file with one `const struct command`; cli.c
 * lists them. */
#ifndef REGWARDEN_COMMAND_H
#define REGWARDEN_COMMAND_H

#include <argp.h>
#include <stdbool.h>

#include "regwarden/error.h"
#include "regwarden/json.h"

enum exit_status {
    EXIT_PASSED = 0,
    EXIT_VIOLATIONS = 1,
    EXIT_USAGE = 2,
    EXIT_UNABLE = 3,
    EXIT_INTERRUPTED = 130
};

struct command {
    const char *name;
    const char *arguments;             /* "REF…" */
    const char *summary;               /* one line for the list of commands */
    const char *group;                 /* "judge", "serve", "daemon": headings of the list */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit_status */
};
extern const struct command *const commands[]; /* ends with NULL */

/* argp_parse with our manners: --help teaches, usage errors exit with EXIT_USAGE. The name shown is
 * "regwarden <command>". */
void command_parse(const struct command *command, const struct argp *argp, int argc, char **argv,
                   void *input);

/* Writes the error and its hint to standard error, as "regwarden: …". Returns the exit status that
 * fits its kind. */
int command_fail(const struct error *err);

#endif
