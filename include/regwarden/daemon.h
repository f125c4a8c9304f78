/* The daemon: start and stop order, reload, reviews, sweeps. Everything that the command line needs
 * of it is here. */
#ifndef REGWARDEN_DAEMON_H
#define REGWARDEN_DAEMON_H

#include <stdbool.h>

#include "regwarden/config.h"
#include "regwarden/error.h"

struct daemon_options {
    struct config *config;   /* taken */
    const char *config_path; /* read again at SIGHUP; NULL: nothing to reload but policies */
    bool dry_run;
    bool print_stanza;        /* tell on standard output how to make the registry notify us */
    const char *scan_program; /* that scan workers are; NULL: this one. For tests, which are not */
    bool watch;               /* write each verdict to standard output as it comes in */
};

/* Serves until SIGTERM or SIGINT. Returns 0 after a clean stop. */
int daemon_run(const struct daemon_options *options, struct error *err);

/* Loads policies and waivers named in the settings; the built-in baseline when none is named.
 * Blocking. Returns new. Each fault goes to `report` (may be NULL). */
struct policy_set;
int daemon_load_policies(const struct text_list *policies, const struct text_list *waivers,
                         void (*report)(void *argument, const struct error *err), void *argument,
                         struct policy_set **ret, struct error *err);

#endif
