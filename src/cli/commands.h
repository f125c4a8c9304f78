/* The commands, one per file command_<name>.c. */
#ifndef REGWARDEN_COMMANDS_H
#define REGWARDEN_COMMANDS_H

#include "command.h"

extern const struct command command_base;
extern const struct command command_check;
extern const struct command command_facts;
extern const struct command command_policy;
extern const struct command command_rules;
extern const struct command command_serve;
extern const struct command command_status;
extern const struct command command_verdicts;
extern const struct command command_quarantine;
extern const struct command command_waiver;
extern const struct command command_sweep;
extern const struct command command_dead_letters;
extern const struct command command_report;
extern const struct command command_harbor;
extern const struct command command_manual;

#endif
