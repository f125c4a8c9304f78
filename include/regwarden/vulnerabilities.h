/* Reports of vulnerability scanners, as facts. regwarden does not scan for vulnerabilities: it
 * reads what the registry's scanner found (Harbor, ECR) and what was attached to the image (in-toto
 * vulnerability attestations, SARIF). Pure; bytes are hostile.
 *
 * Reports change while the image does not: the group FACT_VULNERABILITIES is read anew whenever an
 * image is judged by a policy that needs it, and again when a registry tells of a finished scan. */
#ifndef REGWARDEN_VULNERABILITIES_H
#define REGWARDEN_VULNERABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"

/* Worst last; what a scanner calls negligible or unimportant is LOW's neighbour below. */
enum vulnerability_severity {
    VULNERABILITY_UNKNOWN,
    VULNERABILITY_NEGLIGIBLE,
    VULNERABILITY_LOW,
    VULNERABILITY_MEDIUM,
    VULNERABILITY_HIGH,
    VULNERABILITY_CRITICAL,
    VULNERABILITY_SEVERITY_COUNT,
};
const char *vulnerability_severity_name(enum vulnerability_severity severity);
int vulnerability_severity_from_name(const char *name, enum vulnerability_severity *ret);

enum {
    VULNERABILITY_REPORTS_MAX = 16, /* of one image */
    VULNERABILITIES_MAX = 4096,     /* of one report: the worst ones; the others are counted only */
};

struct vulnerability {
    char *id;      /* "CVE-2024-1234", "GHSA-…": printable, at most 128 bytes */
    char *package; /* NULL when the report does not say */
    char *version; /* installed; may be NULL */
    char *fixed;   /* version that mends it; NULL: none is known */
    enum vulnerability_severity severity;
    int64_t published_ms; /* of the vulnerability; 0 unknown */
};

struct vulnerability_report {
    char *source;          /* "harbor", "ecr", "attestation", "sarif" */
    char *scanner;         /* "Trivy 0.50"; NULL unknown */
    int64_t generated_ms;  /* 0 unknown */
    struct digest subject; /* that the report says it speaks of; DIGEST_NONE when it does not say */
    enum answer verified;  /* signature: no for what the registry's own scanner says is meaningless,
                              and UNKNOWN there */
    struct vulnerability *items; /* worst first, then by id */
    size_t count;
    uint64_t totals[VULNERABILITY_SEVERITY_COUNT]; /* of all, also of those left out */
    bool truncated;                                /* more than `items` hold */
};

struct facts_vulnerabilities {
    struct vulnerability_report *reports; /* newest first */
    size_t count;
};
void vulnerability_report_release(struct vulnerability_report *report);
void facts_vulnerabilities_free(struct facts_vulnerabilities *facts); /* accepts NULL */

/* What registry_fetch_scan_report() hands over as media type. */
#define MEDIA_TYPE_HARBOR_REPORT "application/vnd.security.vulnerability.report; version=1.1"
#define MEDIA_TYPE_ECR_REPORT "application/vnd.regwarden.ecr-findings+json"
#define MEDIA_TYPE_SARIF "application/sarif+json"

/* Is this the media type, artifact type or predicate type of a report that is understood? */
bool vulnerability_report_is_known(const char *type);
/* Reads one report. type: one of the above, or the predicate type of an in-toto statement, whose
 * predicate `bytes` is then. FAILURE_INPUT, FAILURE_LIMIT; `ret` is empty then. */
int vulnerability_report_read(const char *type, const char *bytes, size_t size,
                              struct vulnerability_report *ret, struct error *err);

#endif
