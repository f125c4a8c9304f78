/* Reading one policy and one list of waivers from YAML. */
#ifndef REGWARDEN_POLICY_POLICY_FILE_H
#define REGWARDEN_POLICY_POLICY_FILE_H

#include "compiled.h"
#include "faults.h"

extern const struct param policy_head_params[]; /* all of a policy but `scope` and `rules` */
extern const struct param rule_entry_params[];  /* all of a rule's entry but `with` */
extern const struct param waiver_params[];

/* Actions that make sense when a rule fails, and when all is well. ACTION_BITs. */
extern const unsigned policy_on_fail_actions;
extern const unsigned policy_on_pass_actions;

/* Faults go to `faults`; the policy is then not usable, but may be released. */
void policy_file_read(const struct yaml_document *document, struct faults *faults,
                      struct policy *policy);
/* Adds what the file says to the list. */
void waiver_file_read(const struct yaml_document *document, struct faults *faults,
                      struct waiver_list *list);

#endif
