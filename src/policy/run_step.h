/* What the commands of a RUN step do with packages: shared by the rules that read history. */
#ifndef REGWARDEN_POLICY_RUN_STEP_H
#define REGWARDEN_POLICY_RUN_STEP_H

#include "shell.h"

#include "regwarden/facts.h"

enum installer {
    INSTALLER_NONE,
    INSTALLER_APT,
    INSTALLER_APK,
    INSTALLER_RPM, /* yum, dnf, microdnf, tdnf */
    INSTALLER_ZYPPER,
    INSTALLER_PIP,
    INSTALLER_COUNT,
};

enum package_verb {
    VERB_OTHER,
    VERB_UPDATE, /* of the lists */
    VERB_FETCH,  /* packages or sources, without installing them */
    VERB_INSTALL,
    VERB_UPGRADE,
    VERB_DIST_UPGRADE,
    VERB_REMOVE,
    VERB_CLEAN,
};

/* One simple command, with what stands before the program (assignments, keywords, sudo, env)
 * passed. */
struct run_command {
    const struct shell_command *shell;
    size_t program; /* index of its word; == shell->count when there is none */
    bool sudo;
    enum installer manager;
    enum package_verb verb;
    size_t operands; /* index of the first word behind the verb */
    bool assume_yes;
    bool no_cache;
    bool no_recommends;
    bool has_variables; /* some operand is known at build time only */
};

const char *installer_name(enum installer manager);
/* Is the program called so, with or without its directory? */
bool run_command_is(const struct run_command *command, const char *program);

/* Reads every simple command of a script, also those within `sh -c '…'` (three levels deep). */
typedef void run_command_f(void *argument, const struct run_command *command);
void run_script_each(const char *text, run_command_f *each, void *argument);

/* The last step of this kind whose text holds `word` as a whole word (NULL: any); -1 when there is
 * none. */
int history_last(const struct facts *facts, enum step_kind kind, const char *word);

#endif
