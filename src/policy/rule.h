/* What a rule is, and the words in which rules speak.
 *
 * A rule is a pure function: settings × facts → pass, fail or unknown, with findings. One file per
 * rule (rule_*.c) holds a settings struct, its parameter table, a judge and one const struct
 * rule_type; rules.c lists them. YAML reading, JSON schema, help and manual come from the tables.
 * A judge may not allocate unless it adds a finding: passing must be cheap. Any thread. */
#ifndef REGWARDEN_POLICY_RULE_H
#define REGWARDEN_POLICY_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/policy.h"
#include "regwarden/verdict.h"
#include "regwarden/yaml.h"

/* Worst last. Unknown: a fact that the answer hangs on is missing or not good enough. */
enum judgement { RULE_PASS, RULE_UNKNOWN, RULE_FAIL };

struct rule_input {
    const struct facts *facts;
    /* What layers hold: NULL when it is not known, and when the policy says `layers: false`,
     * whatever is known. Rules look here and not into the facts. */
    const struct facts_files *files;
    bool layers; /* does the policy look into layers? */
    const struct placement *placement;
    int64_t now_ms;
};

/* What a rule has found so far; made by the engine, one per judge call. */
enum { RULE_FINDINGS_MAX = 64 };
struct rule_report {
    const struct rule_type *type;
    const char *policy; /* the policy's name */
    const char *id;     /* of the rule in the policy */
    enum severity severity;
    struct findings *findings; /* of the whole verdict; this rule's begin at `first` */
    size_t first;
    size_t dropped; /* findings beyond RULE_FINDINGS_MAX: counted, not kept */
    struct finding spare;
    /* Does a waiver excuse it? Asked of what is dropped, which counts all the same; may be NULL. */
    bool (*excuses)(const void *argument, const struct finding *finding);
    const void *argument;
    bool dropped_stands; /* some of what was dropped is not excused; the worst of it: */
    enum finding_status dropped_worst;
    enum judgement judgement;
    bool layers_open; /* rule_doubt_layers(): the rule saw not all that layers might tell */
    bool later;       /* an unknown that may be known when the image is judged again */
};

struct rule_type {
    const char *name;        /* kebab-case; key in policy files */
    const char *summary;     /* one line, says what must hold */
    const char *description; /* paragraphs: what is judged, and what the rule cannot see */
    const char *remedy;      /* how to mend it; the default of every finding */
    const char *example;     /* YAML of one rule entry */
    unsigned needs;          /* FACT_BITs: absent ones make the rule unknown without being asked */
    unsigned wants;          /* FACT_BITs: fetched for the rule, which also judges without them and
                                says itself what stays open: rule_doubt_layers(). FACT_FILES among
                                them heeds the policy's `layers`. */
    enum severity severity;  /* when the policy does not say */
    const struct param *params;
    size_t settings_size;
    /* After the parameters were read: checks what a table cannot and compiles patterns. Names the
     * parameter at fault in *ret_param (NULL: the rule as a whole). NULL when there is nothing to
     * do. */
    int (*prepare)(void *settings, const char **ret_param, struct error *err);
    void (*release)(void *settings); /* of what prepare made; accepts half-made; may be NULL */
    /* Which of `wants` are worth having for this image, of which all but these is known? So that
     * nobody reads layers to learn that user 65532 is not root. NULL: all. */
    unsigned (*wants_of)(const void *settings, const struct facts *facts);
    void (*probes)(const void *settings, struct scan_probes *to); /* adds what it asks of layers;
                                                                     NULL: nothing */
    /* Must return rule_judgement() of the report, or RULE_PASS with nothing reported. */
    enum judgement (*judge)(const void *settings, const struct rule_input *input,
                            struct rule_report *report);
};

/* Adds a finding. `subject` names what is at fault so that the fingerprint stays the same when the
 * image is rebuilt: a key, port, path or check; never bytes, digests or numbers of steps. Text from
 * the image must go through text_printable(). The finding may be filled in until the next call;
 * never NULL. */
struct finding *rule_fail(struct rule_report *report, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct finding *rule_unknown(struct rule_report *report, const char *subject, const char *format,
                             ...) __attribute__((format(printf, 3, 4)));
/* Of lower weight than the rule: it only ever warns and notifies, whatever the policy says. */
struct finding *rule_warn(struct rule_report *report, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum judgement rule_judgement(const struct rule_report *report);
/* What was dropped last has been filled in: it is counted and forgotten. */
void rule_report_settle(struct rule_report *report);
/* For rules that want FACT_FILES, as their last word, when layers might have told of something:
 * makes a pass unknown when the policy looks into layers and they are not all known; the engine
 * does so when all that was found is excused, or warns only. Returns rule_judgement(). */
enum judgement rule_doubt_layers(struct rule_report *report, const struct rule_input *input);

void finding_set_path(struct finding *finding, const char *path); /* made printable */
void finding_set_evidence(struct finding *finding, enum evidence evidence);
void finding_set_remedy(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The beginning of a step's text on one line, printable. Returns new. */
char *finding_step_text(const char *text, size_t max);
/* Blames history step `step` (< 0: nobody): its number, origin and layer. */
void finding_set_step(struct finding *finding, const struct facts *facts, int step);
/* Blames a layer (< 0: nobody): its digest, origin, and the step that made it. */
void finding_set_layer(struct finding *finding, const struct facts *facts, int layer);

/* Choices of a setting "min-evidence", from "none" on, and the least evidence that each asks for.
 */
extern const char *const rule_evidence_choices[];
enum evidence rule_evidence_of_choice(int choice);

#endif
