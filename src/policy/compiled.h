/* What policies and waivers look like once compiled. Built by compile.c, policy_file.c and
 * waivers.c; read by engine.c. Never changes once built. */
#ifndef REGWARDEN_POLICY_COMPILED_H
#define REGWARDEN_POLICY_COMPILED_H

#include <stdatomic.h>

#include "rule.h"
#include "scope.h"

enum policy_mode { MODE_AUDIT, MODE_ENFORCE };
enum policy_existing { EXISTING_REPORT, EXISTING_ENFORCE };
enum on_unknown { ON_UNKNOWN_RETRY, ON_UNKNOWN_WARN, ON_UNKNOWN_FAIL, ON_UNKNOWN_PASS };
extern const char *const policy_mode_names[];     /* ends with NULL */
extern const char *const policy_existing_names[]; /* ends with NULL */
extern const char *const on_unknown_names[];      /* ends with NULL */

struct rule_entry {
    const struct rule_type *type;
    char *id;
    void *settings; /* of type->settings_size */
    enum severity severity;
    unsigned on_fail; /* ACTION_BITs */
    enum on_unknown on_unknown;
};

struct policy {
    char *name;
    char *description; /* NULL when there is none */
    struct scope scope;
    enum policy_mode mode;
    enum policy_existing existing;
    unsigned on_pass; /* ACTION_BITs */
    struct rule_entry *rules;
    size_t rule_count;
    size_t rule_capacity;
    bool layers;    /* may rules look into layers? */
    unsigned needs; /* what all its rules need and want */
};
void policy_release(struct policy *policy);
/* Those of the wanted FACT_BITs that the policy lets its rules have. */
unsigned policy_wants(const struct policy *policy, unsigned wants);

/* Waivers, sorted by the rule they name so that a finding meets only those that may excuse it. */
struct waiver_entry {
    struct waiver waiver;
    struct glob repository, tag, path; /* borrow from the waiver; GLOB_ALL when it says nothing */
};
struct waiver_list {
    struct waiver_entry *items;
    size_t count;
    size_t capacity;
};
void waiver_list_add(struct waiver_list *list, const struct waiver *waiver); /* copies */
void waiver_list_sort(struct waiver_list *list); /* once, when all were added */
void waiver_list_release(struct waiver_list *list);
/* The waiver that excuses this finding now, or NULL. Expired ones never do. */
const struct waiver *waiver_list_find(const struct waiver_list *list, const struct finding *finding,
                                      const struct placement *placement, int64_t now_ms);
/* A day (until its end, UTC) or an RFC 3339 time. FAILURE_INPUT with a hint. */
int waiver_expires_parse(const char *text, int64_t *ret_ms, struct error *err);

/* The policies of a set and the waivers of its files. Shared by the sets that differ in ledger
 * waivers only, hence counted. */
struct policy_book {
    atomic_uint references;
    struct policy *policies;
    size_t count;
    size_t capacity;
    struct waiver_list waivers; /* from files, as added */
    char revision[65];
};

struct policy_set {
    struct policy_book *book;
    struct waiver_list waivers; /* from files and ledger, sorted */
    char revision[65];
};

/* Is the policy's scope met by registry, repository, tag and, where `platform` is not NULL,
 * platform? */
bool policy_matches(const struct policy *policy, const struct placement *placement,
                    const char *platform);

#endif
