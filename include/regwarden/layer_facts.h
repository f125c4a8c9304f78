/* What was found in one layer, as plain data and as one JSON document; and the view of a whole
 * image that follows from its layers.
 *
 * Layer facts are made by a scan worker, which reads bytes of strangers: what it answers is bounded
 * and checked when it is read back. They depend on the layer's bytes and LAYER_FACTS_VERSION only,
 * so they are kept by digest. All paths are relative to the root, and printable: each byte outside
 * printable ASCII, and the backslash, is written \xNN. Pure; any thread. */
#ifndef REGWARDEN_LAYER_FACTS_H
#define REGWARDEN_LAYER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"
#include "regwarden/text.h"

/* Raised whenever the table of signals, or what is done with it, changes: layers are then scanned
 * again. */
enum { LAYER_FACTS_VERSION = 3 };

enum {
    LAYER_HITS_MAX = 4096,
    LAYER_ACCOUNTS_MAX = 4096, /* users, and groups */
    LAYER_PACKAGES_MAX = 16384,
    LAYER_LIMITS_MAX = 16,
    LAYER_PATHS_MAX = 120000,
    LAYER_PATH_BYTES_MAX = 4096, /* of one path, before it is made printable */
    LAYER_TABLE_BYTES_MAX = 8 * 1024 * 1024,
    LAYER_DOCUMENT_BYTES_MAX = 8 * 1024 * 1024, /* of the document without its table */
};

/* --- one layer --- */

enum signal_kind {
    SIGNAL_COMPILER,
    SIGNAL_BUILD_TOOL,
    SIGNAL_HEADERS, /* and static libraries */
    SIGNAL_SDK,
    SIGNAL_PACKAGE_MANAGER,
    SIGNAL_PACKAGE_CACHE,
    SIGNAL_DEV_DEPENDENCY,
    SIGNAL_DOCUMENTATION, /* for people who look at facts: no rule asks for it */
    SIGNAL_CONTEXT_LEAK,
    SIGNAL_SECRET_FILE, /* by its name */
    SIGNAL_KEY_FILE,    /* by its name */
    SIGNAL_SECRET,      /* in the content of a file */
    SIGNAL_SETUID,
    SIGNAL_SETGID,
    SIGNAL_CAPABILITY,
    SIGNAL_RUNTIME,
    SIGNAL_BINARY, /* a program that says how it was built */
    SIGNAL_SHELL,
    SIGNAL_KIND_COUNT
};
const char *signal_kind_name(enum signal_kind kind); /* "compiler", "build-tool", … */
int signal_kind_from_name(const char *name, enum signal_kind *ret);

/* A file, or a directory with all that is in it: then `files` and `bytes` are of this layer. */
struct layer_hit {
    enum signal_kind kind;
    enum runtime runtime; /* RUNTIME_UNKNOWN when it is of none */
    char *what;           /* "gcc", "git-directory", "github-token" */
    char *path;
    uint64_t bytes;
    uint64_t files;
    char *detail;  /* a version, a masked secret; NULL when there is none */
    char *hash;    /* of a secret: as in facts; NULL without a salt */
    uint64_t line; /* of a secret, from 1; else 0 */
};

/* Files that are read: of each the layer may hold one, and the last entry counts. */
enum layer_file {
    LAYER_FILE_PASSWD,
    LAYER_FILE_GROUP,
    LAYER_FILE_SHADOW,
    LAYER_FILE_OS_RELEASE,     /* etc/os-release */
    LAYER_FILE_USR_OS_RELEASE, /* usr/lib/os-release */
    LAYER_FILE_COUNT
};
const char *layer_file_path(enum layer_file file); /* "etc/passwd", … */
enum layer_file_state {
    LAYER_FILE_ABSENT,
    LAYER_FILE_READ,
    LAYER_FILE_LINK,   /* symbolic or hard: detail is the target */
    LAYER_FILE_UNREAD, /* detail says why */
};
struct layer_file_status {
    enum layer_file_state state;
    char *detail; /* NULL when there is none */
};

struct layer_user {
    char *name;
    uint32_t uid; /* 0 when it is no number: that is how runtimes read it */
    uint32_t gid;
    bool no_password; /* nothing stands in the password's place, not even an x */
    char *home;
    char *shell;
};
struct layer_group {
    char *name;
    uint32_t gid;
    char *members; /* as written */
};

enum package_manager {
    PACKAGE_DPKG,
    PACKAGE_APK,
    PACKAGE_NPM,
    PACKAGE_PIP,
    PACKAGE_GO, /* modules named by a binary's build information */
    PACKAGE_RPM,
    PACKAGE_GEM,
    PACKAGE_COMPOSER,
    PACKAGE_NUGET,
    PACKAGE_JAVA, /* archives, by their names */
    PACKAGE_MANAGER_COUNT
};
/* "dpkg", "apk", "npm", "pip", "go", "rpm", "gem", "composer", "nuget", "java" */
const char *package_manager_name(enum package_manager manager);
int package_manager_from_name(const char *name, enum package_manager *ret);
struct layer_package {
    enum package_manager manager;
    char *name;
    char *version; /* "" when it is not told */
    char *path;    /* the file that tells of it */
};

enum layer_path_kind {
    LAYER_PATH_WHITEOUT = 'w', /* takes the path away from lower layers */
    LAYER_PATH_OPAQUE = 'o',   /* takes away what lower layers have below it */
    LAYER_PATH_FILE = 'f',
    LAYER_PATH_DIRECTORY = 'd',
    LAYER_PATH_SYMLINK = 'l',
    LAYER_PATH_HARD_LINK = 'h',
    LAYER_PATH_SPECIAL = 's',
};
const char *layer_path_kind_name(enum layer_path_kind kind); /* "file", "hard-link", … */
int layer_path_kind_from_name(const char *name, enum layer_path_kind *ret);

/* A path that a policy asked for (a probe of the scan): not only files. */
struct layer_probe {
    char *probe; /* id of the probe that it matched */
    char *path;
    enum layer_path_kind kind;
    uint32_t mode; /* permission bits with setuid, setgid, sticky */
    uint32_t uid;
    uint32_t gid;
    uint64_t bytes;
    struct digest sha256; /* of a file's content; DIGEST_NONE of all else */
    enum answer content;  /* UNKNOWN: not asked for, or the file is too large */
};
enum { LAYER_PROBES_MAX = 2048, LAYER_PROBES_ASKED_MAX = 256, LAYER_MODE_MAX = 07777 };

struct layer_facts {
    struct digest digest;  /* of the bytes as served */
    struct digest diff_id; /* of the unpacked bytes; DIGEST_NONE when it was not asked for */
    char *compression;     /* "none", "gzip", "zstd" */
    uint64_t compressed_bytes;
    uint64_t uncompressed_bytes;
    uint64_t entry_count;
    uint64_t file_count;
    uint64_t file_bytes;      /* stored in files, duplicates too */
    uint64_t duplicate_bytes; /* of entries that a later one of the same path replaces */
    uint64_t after_end_bytes; /* behind the end of the archive, not zero: served, never unpacked */
    uint64_t odd_entries;     /* that no runtime unpacks as written: names out of the root, too long
                                 ones … */
    struct text_list
        limits; /* what was left out because a bound was hit; empty: everything is here */

    struct layer_hit *hits;
    size_t hit_count;
    struct layer_file_status files[LAYER_FILE_COUNT];
    struct layer_user *users;
    size_t user_count;
    struct layer_group *groups;
    size_t group_count;
    struct text_list empty_passwords; /* names of shadow entries that need no password */
    struct text_pairs os_release;     /* of whichever of the two was read; etc/ wins */
    struct layer_package *packages;
    size_t package_count;
    struct text_list probes_asked; /* ids, sorted: what is not in it was not looked for */
    struct layer_probe *probes;
    size_t probe_count;
    bool paths_complete;
    struct text paths; /* the table of paths, below */
};

void layer_facts_free(struct layer_facts *facts);
void layer_facts_auto_free(struct layer_facts **facts);
#define AUTO_LAYER_FACTS AUTO(layer_facts_auto_free)

/* The document. Returns new. */
struct json *layer_facts_to_json(const struct layer_facts *facts);
/* Appends the same document without ever holding all of it as a tree. */
void layer_facts_write(const struct layer_facts *facts, struct text *to);
extern const struct json_limits layer_facts_limits; /* to parse it with */
/* FAILURE_INPUT when it is not a document of this version, or one that is out of its bounds.
 * Returns new. */
int layer_facts_from_json(const struct json *json, struct layer_facts **ret, struct error *err);

/* --- the table of paths ---
 *
 * One line per path and kind, sorted so that a directory stands before what is in it; each line
 * says how many bytes of the path before it are kept: "<kept> <rest>\t<kind><size>[\t<link>]\n". */

struct layer_path {
    const char *path;
    enum layer_path_kind kind;
    uint64_t size;
    const char *link; /* of links; else "" */
};
/* Order of the table: bytewise, a slash before all others. */
int layer_path_compare(const char *a, const char *b);
/* Appends `raw` in its printable form. */
void layer_path_print(struct text *to, const char *raw);

/* Appends a line. `previous` is the path before it, "" at the start. */
void layer_paths_add(struct text *table, const char *previous, const struct layer_path *path);

struct layer_paths_cursor {
    const char *next; /* the next line */
    const char *end;
    struct text path;
    struct text link;
    struct layer_path current;
};
/* At the start of a table, which must stay. Release with layer_paths_end(). */
void layer_paths_begin(struct layer_paths_cursor *cursor, const struct text *table);
/* 1 and cursor->current, or 0 at the end. FAILURE_INPUT when the table is damaged or out of order.
 */
int layer_paths_next(struct layer_paths_cursor *cursor, struct error *err);
void layer_paths_end(struct layer_paths_cursor *cursor);
/* Is it a table, and within the bounds of one? FAILURE_INPUT. */
int layer_paths_check(const struct text *table, struct error *err);

#endif
