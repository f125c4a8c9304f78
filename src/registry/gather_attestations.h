/* What the files share that look for what others say of an image. Private to the room. */
#ifndef REGISTRY_GATHER_ATTESTATIONS_H
#define REGISTRY_GATHER_ATTESTATIONS_H

#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"

#include "gathering.h"

/* What is looked into, of one gathering. */
enum { TARGETS_MAX = 256, FETCHES_MAX = 64, BUDGET_BYTES = 16 * 1024 * 1024 };

/* A manifest that may hold evidence. */
struct target {
    struct digest digest;
    uint64_t size;
    enum referrer_way way;
    bool of_index;
};

struct attestations { /* of one gathering */
    struct gather *gather;
    struct pending *pending; /* the image that is looked at; NULL between two */
    unsigned step;
    unsigned nothing; /* bits of the steps about the index that found nothing for another image */
    uint64_t bytes;
    size_t fetches;
    uint64_t request;
    struct target *targets;
    size_t target_count;
    size_t next;          /* of them */
    struct target target; /* whose manifest is read */
    struct manifest *manifest;
    size_t layer;
    struct facts_provenance *provenance;
    struct facts_referrers *referrers;
    struct facts_vulnerabilities *vulnerabilities;
    char *gap;        /* the first; NULL */
    char *report_gap; /* of reports only, likewise */
    char *refused;    /* why a report does not count; NULL */
};

/* gather_attestations.c */
void attestations_go_on(struct attestations *evidence);
const struct digest *attestations_index(const struct attestations *evidence); /* NULL: none */
bool attestations_want(const struct attestations *evidence, enum fact_group group);
void attestations_add_gap(struct attestations *evidence, const char *what, const char *why);
/* A failure is a gap, unless it may pass: then the image is given up. False, and nothing is to be
 * done but gather_proceed(). */
bool attestations_survive(struct attestations *evidence, const struct error *error,
                          const char *what);
/* Counts what is fetched. FAILURE_LIMIT. */
int attestations_take_budget(struct attestations *evidence, uint64_t bytes, struct error *err);

/* gather_reports.c: asks for the report of the registry's own scanner, of the image or of the
 * index; or goes on to the next step when there is nothing to be asked. */
void attestations_ask_report(struct attestations *evidence, const struct digest *digest);
/* Reads what is attached: `type` of a report, NULL for a statement. */
void attestations_take_report(struct attestations *evidence, const struct descriptor *layer,
                              const char *type, const struct registry_answer *answer);
/* Puts the group into the facts of the image. */
void attestations_finish_reports(struct attestations *evidence);

/* gather_statements.c: whom statements have to speak of. */
struct provenance_image attestations_subject(const struct attestations *evidence);
/* gather_statements.c: the manifest of an answer, to be read by attestations_read_manifest(). */
void attestations_take_manifest(struct attestations *evidence, const struct target *target,
                                const struct registry_answer *answer);
/* The next thing in it: asks for a statement, or settles what needs no asking. */
void attestations_read_manifest(struct attestations *evidence);
/* An entry of a list of referrers. True when its manifest has to be read. */
bool attestations_take_descriptor(struct attestations *evidence, const struct descriptor *entry,
                                  const struct target *target);

#endif
