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
    VULNERABILITY_REPORT_BYTES_MAX = 8 * 1024 * 1024, /* one report, with its envelope */
    VULNERABILITY_REPORTS_MAX = 16,                   /* of one image */
    VULNERABILITIES_MAX = 4096, /* of one report, and of all reports of an image: the worst ones;
                                   the others are counted only */
};

struct vulnerability {
    char *id;      /* "CVE-2024-1234", "GHSA-…": printable, as all of these are */
    char *package; /* NULL when the report does not say */
    char *version; /* installed; may be NULL */
    char *fixed;   /* versions that mend it; NULL: none is known */
    enum vulnerability_severity severity;
    enum answer fixable;  /* is there a version that mends it? UNKNOWN: the report does not say */
    int64_t published_ms; /* when it became known: published, else first seen; 0 unknown */
};

struct vulnerability_report {
    char *source;     /* form of the report: "harbor", "ecr", "attestation", "sarif" */
    char *scanner;    /* "Trivy 0.50"; NULL unknown */
    bool of_registry; /* the registry's own scanner says so; else whoever may push attached it */
    struct digest digest;  /* of the blob that was attached; else DIGEST_NONE */
    int64_t generated_ms;  /* 0 unknown */
    struct digest subject; /* that the report says it speaks of; DIGEST_NONE when it does not say */
    bool enveloped;        /* somebody signed it */
    enum answer verified;  /* of that signature; UNKNOWN for what the registry's scanner says */
    struct vulnerability *items; /* worst first, then by id */
    size_t count;
    uint64_t totals[VULNERABILITY_SEVERITY_COUNT]; /* of all, also of those left out */
    bool truncated;                                /* more than `items` hold */
};

struct facts_vulnerabilities {
    struct vulnerability_report *reports; /* the registry's own first, then by age, newest first */
    size_t count;
    char *registry_gap; /* why the registry's scanner tells nothing (then no report is of_registry),
                           or nothing new; NULL: it does */
    bool registry_unread; /* with registry_gap: it has a report, or will have one, of which we know
                             nothing */
    char *attached_gap;   /* something attached could not be read; NULL: all could */
};
void vulnerability_report_release(struct vulnerability_report *report);
void facts_vulnerabilities_free(struct facts_vulnerabilities *facts); /* accepts NULL */
/* Takes the report's parts, and leaves it empty; the same blob is listed once. False when there is
 * no more room. Reports that are added first keep more of their items. */
bool facts_vulnerabilities_add_take(struct facts_vulnerabilities *facts,
                                    struct vulnerability_report *report);
/* Moves the registry's own report from `from` (may be NULL, and is only good to be freed
 * afterwards) when `to` has none: what it found does not go away because no newer one can be had.
 */
void facts_vulnerabilities_keep(struct facts_vulnerabilities *to,
                                struct facts_vulnerabilities *from);
/* Puts what was gathered into the facts, in the place of what was there, and takes it. Without a
 * report the group is absent, for the reasons that the gaps give. It is partial when something that
 * is attached could not be read, or the registry's report is an old one. */
void facts_set_vulnerabilities_take(struct facts *facts,
                                    struct facts_vulnerabilities *vulnerabilities);
/* The report of the registry's own scanner that is known; borrowed, NULL when none is. */
const struct vulnerability_report *
vulnerabilities_of_registry(const struct facts_vulnerabilities *facts);

/* What registry_fetch_scan_report() hands over as media type. */
#define MEDIA_TYPE_HARBOR_REPORT "application/vnd.security.vulnerability.report; version=1.1"
#define MEDIA_TYPE_ECR_REPORT "application/vnd.regwarden.ecr-findings+json"
#define MEDIA_TYPE_SARIF "application/sarif+json"

/* Is this the media type, artifact type or predicate type of a report that is understood? Without
 * regard to parameters ("; version=1.1"). */
bool vulnerability_report_is_known(const char *type);
/* Reads one report. type: one of the above, or the predicate type of an in-toto statement, whose
 * predicate `bytes` is then. FAILURE_INPUT, FAILURE_LIMIT; FAILURE_ABSENT: it says that the image
 * was not scanned; FAILURE_LATER: that the scan goes on. `ret` is empty then. */
int vulnerability_report_read(const char *type, const char *bytes, size_t size,
                              struct vulnerability_report *ret, struct error *err);

/* Reads what was attached to an image: a report, or an in-toto statement of one, bare, in a DSSE
 * envelope or in a sigstore bundle. Failures as above, and FAILURE_DENIED: it speaks of another
 * image, or of none; FAILURE_ABSENT: it is a statement of something else. */
struct provenance_image;
struct vulnerability_attachment {
    const char *type; /* media or artifact type of a report; NULL: a statement */
    const char *bytes;
    size_t size;
    const struct provenance_image *of;
};
int vulnerability_attachment_read(const struct vulnerability_attachment *attachment,
                                  struct vulnerability_report *ret, struct error *err);

/* The group in the facts document. Return new. FAILURE_INPUT. */
struct json *vulnerabilities_to_json(const struct facts_vulnerabilities *facts);
int vulnerabilities_from_json(const struct json *object, struct facts_vulnerabilities **ret,
                              struct error *err);

#endif
