/* The parts of the rule build-tools: what history tells, and how each runtime is built in stages.
 */
#ifndef REGWARDEN_POLICY_BUILD_TOOLS_H
#define REGWARDEN_POLICY_BUILD_TOOLS_H

#include "glob.h"
#include "rule.h"

/* RUN steps that install build tools and leave them, by their text. Steps whose layers were read
 * are passed over: the layers know better. */
void build_tools_judge_history(const struct glob_list *allow, bool include_base,
                               const struct rule_input *input, struct rule_report *report);

/* The Dockerfile that builds in one stage and ships another; borrowed. */
const char *build_tools_pattern(enum runtime runtime);
/* What to start the final stage from instead of the build kit's image; borrowed. */
const char *build_tools_base(enum runtime runtime);

#endif
