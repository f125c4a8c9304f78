/* Policies: YAML to compiled rules, and the pure engine that judges facts.
 *
 * Knows no clock, network, disk or thread: callers hand over bytes, now, and placement. All
 * policies whose scope matches apply, findings are merged, every action that any of them asks for
 * is asked for. A compiled set never changes: reload builds a new one, and it may be used by
 * several threads at once. */
#ifndef REGWARDEN_POLICY_H
#define REGWARDEN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"
#include "regwarden/probes.h"
#include "regwarden/verdict.h"
#include "regwarden/yaml.h"

struct policy_set; /* opaque; a set of policies and waivers, compiled */

struct policy_source {
    const char *name; /* file name, for messages */
    const char *bytes;
    size_t size;
};

/* A file may hold one policy (key `policy`) or one list of waivers (key `waivers`); both kinds may
 * be mixed. Every fault of every file is reported: `report` (may be NULL) is called once per fault.
 * The call then fails with the first one. Returns new. */
typedef void policy_fault_f(void *argument, const struct error *err);
int policy_set_compile(const struct policy_source *sources, size_t count, policy_fault_f *report,
                       void *argument, struct policy_set **ret, struct error *err);
void policy_set_free(struct policy_set *set);
const char *policy_set_revision(
    const struct policy_set *set); /* hex SHA-256 over the sources, sorted by content; borrowed */
size_t policy_set_count(const struct policy_set *set);
bool policy_set_has_rule(const struct policy_set *set, const char *name); /* in any policy */
/* {"policies": [{name, description, mode, existing, scope, rules: […]}], "waivers": […]}. Returns
 * new. */
struct json *policy_set_to_json(const struct policy_set *set);

/* Where an image stands: what scope and tag rules look at. All strings borrowed. */
struct placement {
    const char *registry;   /* configured name; NULL for local files */
    const char *repository; /* "" for local files without a name */
    const char *tag;        /* NULL when untagged */
    struct digest digest;
    bool first_seen_is_known;
    int64_t first_seen_ms;
    struct digest previous; /* digest the tag pointed at before; DIGEST_NONE when none or unknown */
    uint64_t previous_size_bytes; /* compressed; 0 unknown */
    bool previous_is_known; /* previous was looked up: DIGEST_NONE then means that there was none */
    bool has_no_record;   /* nobody records what tags pointed at (`check`): rules that compare with
                           * what was before have nothing to say */
    const char *pusher;   /* NULL unknown */
    const char *platform; /* "linux/amd64" of the image judged, NULL when it is not known */
};

/* FACT_BITs that judging this placement may take, before anything is known of the image (platform
 * not considered). */
unsigned policy_set_needs(const struct policy_set *set, const struct placement *placement);
/* The same for an image of which manifest, config and what follows from them are known: often
 * without FACT_FILES, so that its layers need not be read. */
unsigned policy_set_needs_of(const struct policy_set *set, const struct placement *placement,
                             const struct facts *facts);
/* Adds the probes that the rules of policies in scope want answered (NULL: of all policies; whoever
 * scans layers asks for these, so that a layer is scanned once). A set holds at most
 * SCAN_PROBES_MAX. */
void policy_set_probes(const struct policy_set *set, const struct placement *placement,
                       struct scan_probes *to);
/* Does `existing: enforce` hold for any policy in scope? Used when a policy change judges images
 * again. */
bool policy_set_enforces_existing(const struct policy_set *set, const struct placement *placement);

/* Judges one image. facts are of the image (never of an index). `ret` must be empty; release with
 * verdict_release. Always gives a verdict: what cannot be told is unknown. Waivers are applied
 * last: evaluated, then waived. */
void policy_judge(const struct policy_set *set, const struct facts *facts,
                  const struct placement *placement, int64_t now_ms, struct verdict *ret);
/* A verdict for what could not be had at all (facts missing, refused, limits): unknown with this
 * reason, under the matching policies' on-unknown; `fail` when the content itself is illegal
 * (FAILURE_INPUT), so that an unjudgeable manifest never slips through. */
void policy_judge_unavailable(const struct policy_set *set, const struct placement *placement,
                              const struct error *why, int64_t now_ms, struct verdict *ret);

struct waiver {
    char *id;
    char *rule;           /* rule id or name; "*" all */
    char *policy;         /* NULL: any */
    char *repository;     /* glob; NULL: any */
    char *tag;            /* glob; NULL: any */
    char *path;           /* of the finding: glob; NULL: any */
    char *fingerprint;    /* NULL: any */
    struct digest digest; /* DIGEST_NONE: any */
    char *reason;
    char *owner;
    int64_t expires_ms; /* required */
};
void waiver_release(struct waiver *waiver);
int waiver_check(const struct waiver *waiver, struct error *err); /* required fields */
struct json *waiver_to_json(const struct waiver *waiver);
int waiver_from_json(const struct json *json, struct waiver *ret, struct error *err);
/* Waivers from the ledger (API, CLI) beside those from files; replaces all earlier ones of this
 * kind. The revision says which waivers hold at `now_ms`: once one of them ends, the next set has
 * another revision, so that what it excused is judged again. Shares nothing that `set` could take
 * along when it is freed. */
struct waiver_view { /* borrowed */
    const struct waiver *items;
    size_t count;
    int64_t now_ms;
    const char *also; /* 64 hex digits of what else decides, such as the catalogue of bases: joined
                         with the revision. NULL: nothing */
};
int policy_set_with_waivers(const struct policy_set *set, const struct waiver_view *ledger,
                            struct policy_set **ret, struct error *err);
size_t policy_set_waiver_count(const struct policy_set *set);
const struct waiver *policy_set_waiver(const struct policy_set *set, size_t index); /* borrowed */

/* The rule table, for help, manual and schema. */
struct rule_type;
size_t rule_count(void);
const struct rule_type *rule_at(size_t index);       /* in alphabetical order; borrowed */
const struct rule_type *rule_find(const char *name); /* NULL when unknown */
const char *rule_name(const struct rule_type *rule);
const char *rule_summary(const struct rule_type *rule);
const char *rule_description(const struct rule_type *rule); /* paragraphs */
unsigned rule_needs(const struct rule_type *rule);
unsigned rule_wants(const struct rule_type *rule);
enum severity rule_severity(const struct rule_type *rule);
const struct param *rule_params(const struct rule_type *rule);
const char *rule_example(const struct rule_type *rule); /* YAML of one rule entry */

struct json *policy_schema(void); /* JSON schema of policy files, for editors. Returns new. */

/* `policy test`: a YAML file of examples: `policy: <file>` beside it, `examples: [{name, facts:
 * {…partial facts document…}, placement, now, expect: {verdict, rules: {id:
 * pass|fail|unknown|warn|waived}}}]`. Calls back once per example. */
struct policy_example_result {
    const char *name;
    bool passed;
    const char *why; /* when not passed */
};
typedef void policy_example_f(void *argument, const struct policy_example_result *result);
int policy_test(const struct policy_set *set, const struct policy_source *examples,
                policy_example_f *report, void *argument, struct error *err);

#endif
