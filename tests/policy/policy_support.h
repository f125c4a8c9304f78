/* Helpers of the policy tests: sets from text, facts from what differs from a good image. */
#ifndef TESTS_POLICY_SUPPORT_H
#define TESTS_POLICY_SUPPORT_H

#include "regwarden/policy.h"

/* Fails the test when the text is at fault. Returns new. */
struct policy_set *support_compile(const char *yaml);

/* The facts of the image that examples differ from, with YAML laid over them. Returns new. */
struct facts *support_facts(const char *yaml);

/* The same, with the probes of the set: see example_fill_probes(). Returns new. */
struct facts *support_facts_for(const struct policy_set *set, const char *yaml);

/* When that image is judged. */
int64_t support_now_ms(void);

#endif
