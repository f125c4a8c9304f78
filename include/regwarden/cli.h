/* The command line: one file per command in src/cli, listed in a table. */
#ifndef REGWARDEN_CLI_H
#define REGWARDEN_CLI_H

/* Returns the exit status: 0 done or passed, 1 violations, 2 usage, configuration or policy error,
 * 3 could not judge or reach. */
int cli_run(int argc, char **argv);

#endif
