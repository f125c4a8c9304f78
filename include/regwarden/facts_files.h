/* What an image's layers hold, as part of its facts (FACT_FILES): the layers' facts put on top of
 * each other, copied out of them and bounded, so that the facts document stands for itself.
 *
 * Hits, packages and probes name their layer by its index (0 is the bottom one). Which of them are
 * the base's is not stored, since it depends on what is known of bases: ask facts_layer_origin()
 * and facts_layer_step(). What a later layer takes away is listed all the same: it is served with
 * the image. Paths are printable, as in layer_facts.h. Plain data, owned by the facts; any thread.
 */
#ifndef REGWARDEN_FACTS_FILES_H
#define REGWARDEN_FACTS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"
#include "regwarden/layer_facts.h"
#include "regwarden/text.h"

enum {
    FACTS_HITS_MAX = 8192,
    FACTS_PACKAGES_MAX = 16384,
    FACTS_ACCOUNTS_MAX = 4096,
    FACTS_PROBES_MAX = 4096,
    FACTS_TOP_MAX = 20,
    FACTS_LIMITS_MAX = 64,
    FACTS_TEXT_BYTES_MAX = 4 * 1024 * 1024, /* of hits, packages, accounts and probes together */
};

struct facts_layer {       /* one for each layer of the manifest */
    struct digest digest;  /* as the manifest names it */
    struct digest diff_id; /* of the bytes that were read; DIGEST_NONE when it was not asked for */
    enum fact_state state; /* PARTIAL: a bound was hit; ABSENT: the layer could not be read */
    char *reason;          /* NULL when PRESENT */
    char *compression;     /* "none", "gzip", "zstd"; NULL when ABSENT */
    uint64_t compressed_bytes;
    uint64_t uncompressed_bytes;
    uint64_t entry_count;
    uint64_t file_count;
    uint64_t file_bytes;
    uint64_t hidden_bytes; /* of files that a later layer replaces or takes away */
    uint64_t duplicate_bytes;
    uint64_t after_end_bytes;
    uint64_t odd_entries;
};

struct facts_hit {
    enum signal_kind kind;
    enum runtime runtime;
    char *what;    /* "gcc", "git-directory", "github-token" */
    char *path;    /* a file, or a directory with all that is in it */
    char *detail;  /* version, mode, masked secret; NULL when there is none */
    char *hash;    /* of a secret; NULL when there is none */
    uint64_t line; /* of a secret, from 1; else 0 */
    uint64_t files;
    uint64_t bytes;
    uint64_t visible_files; /* 0: taken away by a later layer, and served all the same */
    uint64_t visible_bytes;
    int layer;
    int hidden_by; /* the layer that took (the first of) it away; -1 */
};

struct facts_user {
    char *name;
    uint32_t uid;
    uint32_t gid;
    bool no_password; /* by passwd itself */
    char *home;
    char *shell;
};
struct facts_group {
    char *name;
    uint32_t gid;
    char *members;
};

/* One of the files that are read: passwd, group, shadow, os-release. */
struct facts_account_file {
    enum answer there; /* UNKNOWN: see reason */
    int layer;         /* -1 unless it is there */
    char *reason;      /* NULL when there is none */
};

struct facts_package {
    enum package_manager manager;
    char *name;
    char *version; /* "" when it is not told */
    char *path;
    int layer;
};

struct facts_top {
    char *path;
    uint64_t bytes;
    int layer;
    int hidden_by;
};

struct facts_probe { /* a file that a policy asked for, see layer_probe */
    char *probe;     /* id of the probe */
    char *path;
    enum layer_path_kind kind;
    uint32_t mode; /* permission bits with setuid, setgid, sticky */
    uint32_t uid;
    uint32_t gid;
    uint64_t bytes;
    struct digest sha256; /* DIGEST_NONE when it is no file */
    enum answer content;  /* does the content match the probe's expression? UNKNOWN: not asked, or
                             too large */
    int layer;
    int hidden_by; /* -1: visible */
};

struct facts_files {
    struct facts_layer *layers;
    size_t layer_count;
    bool complete; /* every layer was read whole, and what is hidden is known */
    uint64_t file_count;
    uint64_t visible_bytes;
    uint64_t wasted_bytes; /* served and not visible */
    struct facts_hit *hits;
    size_t hit_count;
    struct facts_account_file passwd, group, shadow, os_release_file;
    struct facts_user *users; /* in order of passwd: the first line of a name counts */
    size_t user_count;
    struct facts_group *groups;
    size_t group_count;
    struct text_list empty_passwords;
    struct text_pairs os_release;
    struct facts_package *packages;
    size_t package_count;
    struct facts_top largest[FACTS_TOP_MAX]; /* largest first */
    size_t largest_count;
    struct facts_top wasted[FACTS_TOP_MAX];
    size_t wasted_count;
    struct text_list probes_asked; /* ids of the probes that the layers were asked */
    struct facts_probe *probes;
    size_t probe_count;
    struct text_list limits; /* what was left out because a bound was hit */
};

/* What is known of each layer: its facts, or why there are none. Borrowed. */
struct layer_result {
    const struct layer_facts *facts; /* NULL: see error */
    const struct error *error;
};
/* Builds the group from all layers of the manifest, bottom first, in its order. A layer that is not
 * known makes the group partial, and open what hangs on it. FAILURE_LIMIT, FAILURE_INPUT (damaged
 * tables, diff_ids that are not those of the config). Returns new. */
int facts_files_build(const struct manifest *manifest, const struct image_config *config,
                      const struct layer_result *layers, struct facts_files **ret,
                      struct error *err);
void facts_files_free(struct facts_files *files);
void facts_files_auto_free(struct facts_files **files);
#define AUTO_FACTS_FILES AUTO(facts_files_auto_free)

/* Takes the group into the facts, and what follows from it: status, runtime. Once per facts. */
void facts_add_files_take(struct facts *facts, struct facts_files *files);

/* The group is let go where it is not needed any more; its status stays. */
void facts_drop_files(struct facts *facts);
/* About how much memory the group takes. NULL: 0. */
size_t facts_files_bytes(const struct facts_files *files);

/* What the group is worth: ABSENT when no layer could be read, PARTIAL when something is not known
 * of one, with the reason (of the lowest such layer). */
void facts_files_status(const struct facts_files *files, struct fact_status *ret);

/* Is there a layer that could not be read, and may be another time? Also when none was read yet. */
bool facts_layers_missing(const struct facts *facts);

/* Whose is the layer? Asks facts->base, which may change with what is known of bases. */
enum origin facts_layer_origin(const struct facts *facts, int layer);
/* The history step that made the layer; -1 when the history does not tell. */
int facts_layer_step(const struct facts *facts, int layer);

/* config.User as container runtimes resolve it (moby/sys/user, containerd) in an image for Linux.
 */
enum user_resolution {
    USER_UNKNOWN,      /* the files that tell could not be read: see reason */
    USER_RESOLVED,     /* the uid is known */
    USER_UNRESOLVABLE, /* a container would not start: no such name, no legal id */
};
struct resolved_user {
    enum user_resolution state;
    uint32_t uid;
    uint32_t gid;
    bool gid_known;     /* it hangs on passwd even for a number, and on group for a name */
    bool numeric;       /* config.User names the user by a number (or not at all) */
    const char *reason; /* goes on from "user NAME …"; static, or borrowed from the files; NULL when
                           RESOLVED, and when UNKNOWN because there are no files */
};
/* `files` NULL: not known. Does not allocate. */
void facts_resolve_user(const char *user, const struct facts_files *files,
                        struct resolved_user *ret);

/* The member "files" of the facts document. It names LAYER_FACTS_VERSION: facts_from_json() leaves
 * out the group of another one, so that it is gathered anew. Returns new. */
struct json *facts_files_to_json(const struct facts_files *files);
/* FAILURE_INPUT when a member is not as it ought to be. All may be missing, as in examples written
 * by hand: layers are present and as many as are named (but at least `layer_count`), files and
 * bytes are visible unless `hiddenBy` is there, accounts are there when they are listed, and there
 * is nothing else. Returns new. */
int facts_files_from_json(const struct json *json, size_t layer_count, struct facts_files **ret,
                          struct error *err);
/* Members of "$defs" of the facts' schema: "files" and what it refers to. Returns new. */
struct json *facts_files_schema(void);

#endif
