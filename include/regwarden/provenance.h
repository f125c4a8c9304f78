/* Provenance and referrers: what others say of an image, and how an image was built by its own
 * builder's word.
 *
 * Statements are in-toto (v0.1 and v1), bare, in a DSSE envelope or in a sigstore bundle;
 * predicates are SLSA v0.2 and v1. Nothing here verifies a signature: `verified` is unknown, and an
 * unsigned statement can be forged by whoever can push. A statement that names neither the image
 * nor its index is evidence of nothing; it is kept with SUBJECT_OTHER so that this can be said.
 * Build arguments, environment and the events of CI systems are read and never kept; secrets in
 * what is kept are masked. Plain data; pure; any thread. */
#ifndef REGWARDEN_PROVENANCE_H
#define REGWARDEN_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"
#include "regwarden/text.h"

enum {
    PROVENANCE_BYTES_MAX = 4 * 1024 * 1024, /* one statement, with its envelope */
    PROVENANCE_STATEMENTS_MAX = 32,         /* kept for one image */
    PROVENANCE_MATERIALS_MAX = 2048,        /* of one statement; more are counted only */
    PROVENANCE_DOCKERFILE_MAX = 64 * 1024,  /* bytes of text; a longer one is not kept */
    REFERRERS_KEPT_MAX = 256,               /* of one image */
};

enum provenance_mode { PROVENANCE_MODE_UNKNOWN, PROVENANCE_MODE_MIN, PROVENANCE_MODE_MAX };
const char *provenance_mode_name(enum provenance_mode mode); /* "unknown", "min", "max" */
int provenance_mode_from_name(const char *name, enum provenance_mode *ret);

/* Whom a statement speaks of. */
enum provenance_subject {
    SUBJECT_UNKNOWN, /* it names nobody */
    SUBJECT_OTHER,   /* somebody else */
    SUBJECT_INDEX,   /* the index that the image is part of */
    SUBJECT_IMAGE,
};
const char *provenance_subject_name(enum provenance_subject subject); /* "unknown", "other",
                                                                         "index", "image" */
int provenance_subject_from_name(const char *name, enum provenance_subject *ret);

enum material_role {
    MATERIAL_OTHER,    /* an image whose part in the build is not known, a download, a package */
    MATERIAL_BASE,     /* the image that the final stage starts from */
    MATERIAL_STAGE,    /* an image that another stage starts from, or that files are copied from */
    MATERIAL_FRONTEND, /* "# syntax=" */
    MATERIAL_SCANNER,  /* made the SBOM */
    MATERIAL_CONTEXT,  /* the source */
};
const char *material_role_name(enum material_role role); /* "other", "base", "stage", "frontend",
                                                            "scanner", "context" */
int material_role_from_name(const char *name, enum material_role *ret);

struct material {
    char *uri; /* without credentials */
    enum material_role role;
    char *name;           /* of an image, as Docker writes it ("golang"); NULL for other things */
    char *tag;            /* NULL when none was written */
    struct digest digest; /* DIGEST_NONE when unknown */
    enum answer pinned;   /* of an image: was it asked for by digest? */
    bool layout;          /* an image of a local OCI layout: name says nothing */
};

/* How the base of the final stage is known, best last. */
enum provenance_base_how {
    BASE_HOW_UNKNOWN,
    BASE_HOW_MATERIALS,  /* there is only one image that it can be */
    BASE_HOW_GRAPH,      /* the build graph leads to it */
    BASE_HOW_DOCKERFILE, /* the text says so */
};
const char *provenance_base_how_name(enum provenance_base_how how); /* "unknown", "materials",
                                                                       "graph", "dockerfile" */
int provenance_base_how_from_name(const char *name, enum provenance_base_how *ret);

struct provenance_base {
    char *name; /* NULL: not known; "scratch" */
    char *tag;  /* NULL when none was written */
    struct digest digest;
    enum answer pinned; /* yes for "scratch", which cannot move */
    int layer_count;    /* leading layers of the image that are those of the base; -1 unknown */
    enum provenance_base_how how;
};

/* One statement. */
struct provenance {
    struct digest digest; /* of the blob that holds it; DIGEST_NONE when not known */
    char *predicate_type; /* "" when missing */
    enum provenance_subject subject;
    bool is_provenance; /* an SLSA provenance; otherwise all below is empty */
    bool enveloped;     /* somebody signed it */
    enum answer verified;
    char *build_type;
    char *builder; /* id; "" when missing, as in a local BuildKit build */
    enum provenance_mode mode;
    char *source;   /* repository, NULL when unknown */
    char *revision; /* NULL when unknown */
    struct material *materials;
    size_t material_count;
    size_t materials_left_out; /* beyond the bound */
    struct provenance_base base;
    char *dockerfile_name;
    char *dockerfile; /* text, secrets masked; NULL when it is not in the statement */
};

struct facts_provenance {
    struct provenance *statements;
    size_t count;
};
void facts_provenance_free(struct facts_provenance *provenance);
/* Takes the statement's parts, and leaves it empty; the same blob is listed once. False when there
 * is no more room. */
bool facts_provenance_add_take(struct facts_provenance *provenance, struct provenance *statement);
/* Moves what only `from` has (by digest) to `to`; `from` may be NULL, and is only good to be freed
 * afterwards. */
void facts_provenance_keep(struct facts_provenance *to, struct facts_provenance *from);
void provenance_release(struct provenance *statement);

/* What a statement is read for. */
struct provenance_image {
    struct digest image;
    struct digest index;             /* DIGEST_NONE when there is none */
    const struct manifest *manifest; /* layers to compare; may be NULL */
};
/* Reads one statement, whatever form it has. FAILURE_INPUT, FAILURE_LIMIT. Fills a zeroed `ret`,
 * which is left empty by a failure. */
int provenance_parse(const char *bytes, size_t size, const struct provenance_image *of,
                     struct provenance *ret, struct error *err);

/* The statement that tells most of the build: one about this image or its index, signed before
 * unsigned, with a base before without. Borrowed; NULL when there is none. */
const struct provenance *provenance_best(const struct facts_provenance *provenance);
/* The base by the best statement that knows one, or knows at least that it was pinned, because all
 * that it can be were. Borrowed; NULL when none does. `ret_enveloped`:
 * is that statement signed? (Not verified.) May be NULL. */
const struct provenance_base *provenance_base(const struct facts_provenance *provenance,
                                              bool *ret_enveloped);
/* Does a statement of this predicate type tell how something was built? */
bool predicate_is_provenance(const char *predicate_type);

/* Referrers: what stands beside an image in the registry. */
enum referrer_kind {
    REFERRER_OTHER,
    REFERRER_SIGNATURE,
    REFERRER_PROVENANCE,
    REFERRER_SBOM,
    REFERRER_SUMMARY,     /* a verification summary: somebody's verdict */
    REFERRER_SCAN,        /* a vulnerability report, or VEX */
    REFERRER_ATTESTATION, /* other statements */
};
const char *referrer_kind_name(enum referrer_kind kind); /* "other", "signature", "provenance",
                                                            "sbom", "summary", "scan",
                                                            "attestation" */
int referrer_kind_from_name(const char *name, enum referrer_kind *ret);

enum referrer_way {
    REFERRER_BY_SUBJECT, /* the referrers API, or its fallback tag */
    REFERRER_BY_INDEX,   /* an entry of the index, as BuildKit makes */
    REFERRER_BY_TAG,     /* cosign's sha256-….sig */
};
const char *referrer_way_name(enum referrer_way way); /* "subject", "index", "tag" */
int referrer_way_from_name(const char *name, enum referrer_way *ret);

struct referrer {
    enum referrer_kind kind;
    enum referrer_way way;
    bool of_index;        /* it refers to the index that the image is part of */
    char *type;           /* predicate type, else artifact type, else media type */
    struct digest digest; /* of its manifest */
    bool enveloped;       /* signed by its form, or a signature itself */
    enum answer verified;
};
struct facts_referrers {
    struct referrer *items;
    size_t count;
};
void facts_referrers_free(struct facts_referrers *referrers);
/* Takes type; the same thing is listed once. False when there is no more room. */
bool facts_referrers_add_take(struct facts_referrers *referrers, struct referrer *referrer);
/* What a predicate, artifact or media type is. */
enum referrer_kind referrer_kind_of_type(const char *type);

/* Put what was gathered into the facts, in the place of what was there, and take it. `gap` says
 * what could not be had: then the group is partial, and absent when nothing was gathered (NULL).
 * When a statement leaves one image that the build can have started from, and the history shows
 * that it started from one, that is the base. */
void facts_set_provenance_take(struct facts *facts, struct facts_provenance *provenance,
                               const char *gap);
void facts_set_referrers_take(struct facts *facts, struct facts_referrers *referrers,
                              const char *gap);

/* The groups in the facts document. Return new. */
struct json *provenance_to_json(const struct facts_provenance *provenance);
struct json *referrers_to_json(const struct facts_referrers *referrers);
/* Members may be missing, as in examples written by hand. FAILURE_INPUT. Return new. */
int provenance_from_json(const struct json *object, struct facts_provenance **ret,
                         struct error *err);
int referrers_from_json(const struct json *object, struct facts_referrers **ret, struct error *err);

#endif
