/* Facts: everything known about one image (or index), by digest, as plain data and as one JSON
 * document with a published schema.
 *
 * Groups are gathered lazily. A group that could not be had is absent with a reason; a rule that
 * needs it answers unknown, never pass. Evidence says how each derived fact is known. Facts never
 * change for a digest, so they are kept and never refetched; what depends on the moment (tag, now,
 * pusher) is the placement, handed to the engine beside them. Plain data; built once, then read by
 * any thread. */
#ifndef REGWARDEN_FACTS_H
#define REGWARDEN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/image_config.h"
#include "regwarden/json.h"
#include "regwarden/manifest.h"

/* Raised whenever the meaning or derivation of a fact changes: facts stored with another number are
 * gathered again. */
enum { FACTS_VERSION = 2 };

enum fact_group {
    FACT_MANIFEST,
    FACT_CONFIG,
    FACT_HISTORY,
    FACT_PROVENANCE,
    FACT_BASE,
    FACT_RUNTIME,
    FACT_FILES,
    FACT_REFERRERS,
    FACT_VULNERABILITIES, /* vulnerabilities.h */
    FACT_PLACEMENT,
    FACT_GROUP_COUNT,
};
#define FACT_BIT(group) (1u << (group))
const char *fact_group_name(enum fact_group group);

enum fact_state { FACT_ABSENT, FACT_PARTIAL, FACT_PRESENT };
const char *fact_state_name(enum fact_state state); /* "absent", "partial", "present" */
int fact_state_from_name(const char *name, enum fact_state *ret);

/* Best evidence last. What an image, or whoever builds it, says of itself can be made up; that it
 * begins with the layers of a known image cannot, and so that stands above every unsigned claim.
 * Signed provenance stands above it for what layers do not show: whether FROM was pinned. What the
 * layers contradict is not believed, whoever signed it. */
enum evidence {
    EVIDENCE_NONE,
    EVIDENCE_HISTORY,
    EVIDENCE_ENVIRONMENT,
    EVIDENCE_LABEL, /* a claim that child images inherit */
    EVIDENCE_ANNOTATION,
    EVIDENCE_PROVENANCE,
    EVIDENCE_LAYERS,
    EVIDENCE_SIGNED_PROVENANCE,
};
const char *
evidence_name(enum evidence evidence); /* "none", "history", "environment", "label", "layers", … */
int evidence_from_name(const char *name, enum evidence *ret);

enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
const char *answer_name(enum answer answer); /* "unknown", "no", "yes" */
int answer_from_name(const char *name, enum answer *ret);

enum origin { ORIGIN_UNKNOWN, ORIGIN_OWN, ORIGIN_BASE };
const char *origin_name(enum origin origin); /* "unknown", "own", "base" */
int origin_from_name(const char *name, enum origin *ret);

/* One instruction of the build, from the conventions of classic docker, BuildKit, buildah, kaniko,
 * jib, ko, apko, Bazel, Nix. */
enum step_kind {
    STEP_OTHER,
    STEP_RUN,
    STEP_COPY,
    STEP_ADD,
    STEP_ENV,
    STEP_ARG,
    STEP_USER,
    STEP_WORKDIR,
    STEP_CMD,
    STEP_ENTRYPOINT,
    STEP_EXPOSE,
    STEP_VOLUME,
    STEP_LABEL,
    STEP_HEALTHCHECK,
    STEP_SHELL,
    STEP_STOPSIGNAL,
    STEP_ONBUILD,
    STEP_MAINTAINER,
};
const char *step_kind_name(enum step_kind kind); /* "RUN", …, "other" */
int step_kind_from_name(const char *name, enum step_kind *ret);

enum image_builder {
    BUILDER_UNKNOWN,
    BUILDER_CLASSIC,
    BUILDER_BUILDKIT,
    BUILDER_BUILDAH,
    BUILDER_KANIKO,
    BUILDER_JIB,
    BUILDER_KO,
    BUILDER_APKO,
    BUILDER_BAZEL,
    BUILDER_NIX,
    BUILDER_BUILDPACKS,
};
const char *image_builder_name(enum image_builder builder);
int image_builder_from_name(const char *name, enum image_builder *ret);

struct step {
    enum step_kind kind;
    char *text; /* the instruction's arguments, builder's marks taken off: for RUN the shell command
                   itself */
    struct text_pairs args; /* of "|N K=V … /bin/sh -c …" */
    bool empty;             /* made no layer */
    int layer;              /* index into manifest layers, or -1 */
    enum origin origin;
    bool shell_form; /* RUN, CMD, ENTRYPOINT: ran through a shell */
};

struct facts_history {
    enum image_builder builder;
    struct step *steps;
    size_t count;
    bool
        aligned; /* non-empty steps match the layers one to one; otherwise every step.layer is -1 */
};

/* What one source says of the base, as it was found: never changed by what is known of bases. */
struct base_claim {
    enum evidence source;
    char *name;           /* without digest; NULL when it says none; "scratch" is a name */
    struct digest digest; /* DIGEST_NONE when it says none */
    enum answer pinned;   /* was FROM written with a digest? */
};

/* A claim that is not believed, and why. */
enum base_conflict {
    BASE_CONFLICT_DIGEST, /* the name is right, the digest is not: buildah's base.digest names an
                             intermediate image */
    BASE_CONFLICT_NAME,   /* the layers are those of another base */
    BASE_CONFLICT_LAYERS, /* the image of this digest is known, and this one does not begin with its
                             layers */
};
const char *base_conflict_name(enum base_conflict conflict); /* "digest", "name", "layers" */
struct base_contradiction {
    enum base_conflict conflict;
    enum evidence source;
    char *name;
    struct digest digest;
};

/* A name of the base in the catalogue of known bases. */
struct base_alias {
    char *name;
    struct digest current; /* what it names today; DIGEST_NONE when that is not known */
    int64_t superseded_ms; /* since when it names another image than this base; 0: it still does */
};

/* A known image below the base. */
struct base_ancestor {
    char *name; /* NULL when its name is not known */
    struct digest digest;
    int layer_count;
};

enum { BASE_CLAIMS_MAX = 32, BASE_ALIASES_MAX = 32, BASE_ANCESTORS_MAX = 16 };

/* Claims are raw; all the rest is derived from them, from the history and from the catalogue by
 * bases_apply() of bases.h. */
struct facts_base {
    struct base_claim *claims; /* best source first */
    size_t claim_count;
    char *name;           /* NULL when unknown; "scratch" is a name */
    struct digest digest; /* DIGEST_NONE when unknown */
    enum answer pinned;   /* was FROM written with a digest? yes for "scratch", which cannot move */
    int layer_count;      /* leading layers that belong to the base, -1 unknown */
    int known_layers;     /* leading layers that are those of a known image: at least these are the
                             base's; 0 none */
    enum evidence evidence;        /* of name and digest */
    enum evidence pinned_evidence; /* of pinned */
    enum evidence layer_evidence;  /* of layer_count */
    enum answer known;          /* is the base in the catalogue? UNKNOWN: there is no catalogue */
    bool is_base;               /* the image itself is in the catalogue */
    bool by_diff_ids;           /* the layers were compressed anew: known by what is in them */
    struct base_alias *aliases; /* of a known base, current ones first */
    size_t alias_count;
    struct digest current; /* what the base's name names today, DIGEST_NONE when not known */
    int64_t since_ms;      /* known base: when it was first seen under its name; else 0 */
    int64_t superseded_ms; /* since when its name (every name, when none is claimed) names another
                              image; 0: it does not, or is not known */
    bool has_created;
    int64_t created_ms;              /* of a known base, as it says itself */
    struct base_ancestor *ancestors; /* nearest first */
    size_t ancestor_count;
    struct base_contradiction *contradictions;
    size_t contradiction_count;
};

enum runtime {
    RUNTIME_UNKNOWN,
    RUNTIME_NODE,
    RUNTIME_GO,
    RUNTIME_PYTHON,
    RUNTIME_DOTNET,
    RUNTIME_JAVA,
    RUNTIME_RUBY,
    RUNTIME_RUST,
    RUNTIME_PHP,
    RUNTIME_STATIC,
};
const char *runtime_name(enum runtime runtime); /* "unknown", "node", … */
int runtime_from_name(const char *name, enum runtime *ret);
extern const char *const runtime_names[]; /* ends with NULL */

struct facts_runtime {
    enum runtime runtime;
    char *version;   /* NULL when unknown */
    enum answer sdk; /* is the build kit in the image? */
    enum evidence evidence;
};

/* A secret found in config, history or annotations while the facts were built. Its text is nowhere
 * in the facts: the places where it stood hold the masked form. Secrets of fewer than 8 bytes are
 * masked only where they were recognised: "admin" stands in many harmless words. The same secret is
 * listed once per place and name, at most 256 in all (more are masked and not listed). */
enum secret_place {
    SECRET_ENV,
    SECRET_LABEL,
    SECRET_ANNOTATION,
    SECRET_ARG,
    SECRET_HISTORY,
    SECRET_COMMAND,
    SECRET_HEALTHCHECK
};
const char *secret_place_name(enum secret_place place); /* "env", "label", "annotation", "arg",
                                                           "history", "command", "healthcheck" */
int secret_place_from_name(const char *name, enum secret_place *ret);
struct facts_secret {
    char *kind; /* of secret_text.h */
    enum secret_place place;
    char *key; /* variable or label name; NULL where there is none */
    int step;  /* history step, -1 where there is none */
    char *masked;
    char *hash; /* first 16 hex digits of HMAC-SHA256(salt, secret); NULL without a salt */
};

struct facts_files;
struct facts_provenance;
struct facts_referrers;
struct facts_vulnerabilities;

struct fact_status {
    enum fact_state state;
    char *reason; /* why not present; NULL when present */
};

struct facts {
    struct fact_status status[FACT_GROUP_COUNT];
    struct manifest *manifest;   /* NULL unless FACT_MANIFEST; an index has only this */
    struct image_config *config; /* NULL unless FACT_CONFIG */
    struct facts_history history;
    struct facts_base base;
    struct facts_runtime runtime;
    struct facts_secret *secrets; /* part of FACT_CONFIG */
    size_t secret_count;
    struct facts_files *files;           /* facts_files.h; NULL unless FACT_FILES */
    struct facts_provenance *provenance; /* provenance.h; NULL unless FACT_PROVENANCE */
    struct facts_referrers *referrers;   /* provenance.h; NULL unless FACT_REFERRERS */
    struct facts_vulnerabilities
        *vulnerabilities; /* vulnerabilities.h; NULL unless FACT_VULNERABILITIES */
};

/* Builds every fact that manifest and config give: history, base as claimed by annotations and
 * labels, runtime from environment and history, and masks the secrets found on the way. Takes both
 * (config may be NULL: then `config_reason` says why). `salt` (32 bytes) makes secrets comparable
 * across images of one installation; NULL: no hashes. FACT_BASE is absent when nothing tells of a
 * base, and present when at least its number of layers is known; FACT_RUNTIME is present with
 * RUNTIME_UNKNOWN when config and history do not tell. Returns new. */
struct facts *facts_build_take(struct manifest *manifest, struct image_config *config,
                               const char *config_reason, const unsigned char *salt);
void facts_free(struct facts *facts);
void facts_auto_free(struct facts **facts);
#define AUTO_FACTS AUTO(facts_auto_free)

/* Is every group of `needs` (FACT_BIT …, FACT_PLACEMENT ignored) present, or as good as it gets?
 * That is FACT_FILES when every layer was read, even if not to its end. */
bool facts_cover(const struct facts *facts, unsigned needs);

/* The facts document. Environment values, labels and history text are in it as the image has them,
 * but for masked secrets. Returns new. */
struct json *facts_to_json(const struct facts *facts);
/* FAILURE_INPUT when the document is not one that facts_to_json wrote, or of another FACTS_VERSION.
 * Members may be missing, as in examples written by hand: values are then absent, and without
 * "groups" the groups whose members are there are present. "env" and "args" may be maps. Returns
 * new. */
int facts_from_json(const struct json *json, struct facts **ret, struct error *err);

/* The JSON schema (2020-12) of the document. Returns new. */
struct json *facts_schema(void);

#endif
