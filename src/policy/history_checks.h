/* Named checks on single steps of history: what the rule forbidden-history forbids. */
#ifndef REGWARDEN_POLICY_HISTORY_CHECKS_H
#define REGWARDEN_POLICY_HISTORY_CHECKS_H

#include "regwarden/facts.h"

enum history_check {
    CHECK_ADD_LOCAL,
    CHECK_APK_CACHE,
    CHECK_APT_RECOMMENDS,
    CHECK_APT_YES,
    CHECK_DIST_UPGRADE,
    CHECK_MAINTAINER,
    CHECK_PACKAGE_LISTS,
    CHECK_PIP_CACHE,
    CHECK_PIPE_SHELL,
    CHECK_RPM_CACHE,
    CHECK_SUDO,
    CHECK_UPDATE_ALONE,
    CHECK_ZYPPER_CACHE,
    HISTORY_CHECK_COUNT,
};
#define CHECK_BIT(check) (1u << (check))

extern const char *const history_check_names[]; /* ends with NULL */
const char *history_check_message(enum history_check check);
const char *history_check_remedy(enum history_check check);

/* CHECK_BITs of what the step does wrong, and of what cannot be told from its text. */
struct history_hits {
    unsigned fails;
    unsigned unknown;
};
struct history_hits history_check_step(const struct facts *facts, const struct step *step);

#endif
