/* Verdicts: what the engine says of one placement under one policy set. Plain data; any thread. */
#ifndef REGWARDEN_VERDICT_H
#define REGWARDEN_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"

/* Worst last, so that the worst of two is the greater. Unknown is never pass; a failure that is
 * known outranks it. */
enum verdict_status { VERDICT_PASS, VERDICT_WARN, VERDICT_UNKNOWN, VERDICT_FAIL };
const char *verdict_status_name(enum verdict_status status); /* "pass", "warn", "unknown", "fail" */
int verdict_status_from_name(const char *name, enum verdict_status *ret);

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
const char *severity_name(enum severity severity);
int severity_from_name(const char *name, enum severity *ret);
extern const char *const severity_names[]; /* ends with NULL */

/* All that a policy may ask for. The action room has one row for each. In order of strictness: when
 * several policies ask for actions that exclude each other, the greater wins (see
 * verdict_actions_resolve). */
enum action_kind {
    ACTION_NOTIFY,
    ACTION_TAG,
    ACTION_LABEL,
    ACTION_ATTEST,
    ACTION_PROMOTE,
    ACTION_HOLD,
    ACTION_ROLLBACK,
    ACTION_QUARANTINE,
    ACTION_REMOVE,
    ACTION_KIND_COUNT,
};
#define ACTION_BIT(kind) (1u << (kind))
const char *action_kind_name(enum action_kind kind); /* "notify", … */
int action_kind_from_name(const char *name, enum action_kind *ret);
extern const char *const action_kind_names[]; /* ends with NULL */
/* Drops what a stricter action of the same set rules out: remove leaves nothing to quarantine or to
 * roll back, and what is held, moved or removed is not promoted. Verdicts hold resolved sets. */
unsigned verdict_actions_resolve(unsigned actions);

enum finding_status { FINDING_WARN, FINDING_UNKNOWN, FINDING_FAIL, FINDING_WAIVED };
const char *finding_status_name(enum finding_status status);
int finding_status_from_name(const char *name, enum finding_status *ret);

enum { FINGERPRINT_SIZE = 33 };
struct finding {
    char *rule; /* the rule's name */
    char *id;   /* its id in the policy */
    char *policy;
    enum severity severity;
    enum finding_status status;
    char *message;       /* what is wrong, one sentence, printable */
    char *remedy;        /* how to mend it; may be NULL */
    char *evidence;      /* how it is known; may be NULL */
    struct digest layer; /* DIGEST_NONE when it is in none */
    enum origin origin;
    int step;       /* history step, -1 when none */
    char *path;     /* path or key (environment variable, label, port); may be NULL */
    uint64_t bytes; /* 0 when it does not apply */
    char *platform; /* child of an index that it was found in; NULL for a single image */
    char *waiver;   /* id of the waiver when waived; else NULL */
    char fingerprint[FINGERPRINT_SIZE]; /* 32 hex: stable over time and rebuilds: policy, id, path
                                           or subject; not bytes, not digests */
};
void finding_release(struct finding *finding);

struct findings {
    struct finding *items;
    size_t count;
    size_t capacity;
};

struct verdict {
    enum verdict_status status;
    struct findings findings; /* all: failing, warning, unknown, waived */
    unsigned actions;         /* ACTION_BITs asked for by policies in enforce mode */
    unsigned audit_actions;   /* asked for by policies in audit mode: recorded as "would", not done;
                                 notify excepted */
    bool enforced;            /* at least one failing finding's policy enforces */
    bool retry;               /* an unknown whose policy says on-unknown: retry */
    size_t policy_count;      /* that matched; 0: nothing applied, status pass, and reports say "no
                                 policy" */
    char policy_revision[65]; /* hex SHA-256 of the policy set's and waivers' sources */
};
void verdict_release(struct verdict *verdict);

/* Index: the worst of its children's. Moves the child's findings over, marking each with the
 * platform. */
void verdict_merge_child(struct verdict *index, struct verdict *child, const char *platform);

/* {"verdict", "findings": […], "actions", …} as in `check -o json`. Returns new. */
struct json *verdict_to_json(const struct verdict *verdict);
int verdict_from_json(const struct json *json, struct verdict *ret, struct error *err);
struct json *finding_to_json(const struct finding *finding);

#endif
