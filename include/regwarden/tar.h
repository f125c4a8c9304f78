/* A walk over a tar stream: ustar, GNU, PAX and what old writers made of them.
 *
 * Bytes go in, in pieces of any size; entries and their data come out through callbacks. Nothing is
 * unpacked; memory does not grow with the archive. Where readers are known to disagree about what
 * an archive holds (a hidden entry in one is a file in another), it is refused: FAILURE_INPUT with
 * the place in the stream. Two zero blocks end the archive; bytes behind them are counted, as
 * container runtimes do not unpack them. After an error only tar_free() may be called. */
#ifndef REGWARDEN_TAR_H
#define REGWARDEN_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

enum tar_kind {
    TAR_FILE,
    TAR_HARD_LINK,
    TAR_SYMLINK,
    TAR_DIRECTORY,
    TAR_DEVICE,
    TAR_FIFO,
    TAR_OTHER, /* of a type that runtimes do not unpack */
};

/* What the name says about lower layers, whatever the entry's type. */
enum tar_whiteout {
    TAR_PLAIN,
    TAR_WHITEOUT, /* path is the path that is taken away */
    TAR_OPAQUE,   /* path is the directory whose lower content is taken away */
    TAR_META,     /* bookkeeping of a storage driver: nothing that a container sees */
    TAR_INVALID_WHITEOUT,
};

struct tar_entry {
    enum tar_kind kind;
    enum tar_whiteout whiteout;
    /* Relative to the root, without ".", "..", doubled or outer slashes; "" is the root. Any bytes
     * but NUL. */
    const char *path;
    size_t path_size;
    const char *link; /* symbolic: as written; hard: as path; else "" */
    uint64_t size;    /* of the content, with holes */
    uint64_t stored;  /* bytes of it in the archive */
    unsigned mode;    /* 07777 */
    int64_t uid;
    int64_t gid;
    bool sparse;
    bool capability; /* has file capabilities */
    bool escapes;    /* was written with more ".." than it has directories */
    bool overlong;   /* path was cut at the bound: no runtime can create it */
};

/* Each may refuse: the failure stops the walk and is handed on. Data comes in order, holes left
 * out. */
struct tar_events {
    int (*entry)(void *argument, const struct tar_entry *entry, struct error *err);
    int (*data)(void *argument, const uint8_t *bytes, size_t size, struct error *err);
    int (*end)(void *argument, struct error *err); /* of the entry */
    void *argument;
};

struct tar_limits {
    uint64_t max_entries;
    size_t max_path_bytes;
    size_t max_meta_bytes; /* of one long name or one set of PAX records */
};

struct tar_end {
    uint64_t entry_count;
    uint64_t after_end_bytes; /* behind the end mark, not zero */
};

struct tar; /* opaque */
struct tar *tar_new(const struct tar_limits *limits, const struct tar_events *events);
int tar_push(struct tar *tar, const uint8_t *bytes, size_t size, struct error *err);
/* How many bytes come next of an entry's data or of what fills up its last block; 0 when a header
 * comes. Who has the archive at hand and does not want them may leave them out with tar_skip(),
 * which takes up to so many as pushed and tells no data. */
uint64_t tar_unread(const struct tar *tar);
int tar_skip(struct tar *tar, uint64_t size, struct error *err);
/* Says that the stream ends here. An archive without end mark is complete at the border of an
 * entry. */
int tar_finish(struct tar *tar, struct tar_end *ret, struct error *err);
void tar_free(struct tar *tar);
void tar_auto_free(struct tar **tar);
#define AUTO_TAR AUTO(tar_auto_free)

/* Replaces `ret` by the path without ".", "..", doubled and outer slashes, as it stands below the
 * archive's root. At most `max` bytes; *ret_cut says that there were more, *ret_escapes that ".."
 * led out of the root. */
void tar_path_clean(const char *name, size_t max, struct text *ret, bool *ret_escapes,
                    bool *ret_cut);

#endif
