/* The index of a tar archive: a walk over its headers that jumps over the data. What the members
 * mean is known elsewhere. */
#include "archive.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "regwarden/map.h"
#include "regwarden/tar.h"
#include "regwarden/text.h"

enum {
    MEMBERS_MAX = 20000,
    NAME_BYTES_MAX = 1024,
    META_BYTES_MAX = 64 * 1024,
    LINKS_MAX = 8, /* that are followed from one name */
    PIECE = 512    /* headers come in blocks of this size */
};

struct member {
    enum tar_kind kind;
    bool sparse;
    struct archive_member place;
    char *link; /* where it leads, as a canonical name; NULL when that is not in the archive */
};

struct archive {
    struct map *members; /* k: canonical name -> v: struct member */
};

struct walk {
    int fd;
    uint64_t size; /* of the file */
    uint64_t at;
    struct archive *archive;
};

static char *clean(const char *name, bool *ret_inside)
{
    AUTO_TEXT struct text path = {0};
    bool escapes, cut;

    tar_path_clean(name, NAME_BYTES_MAX, &path, &escapes, &cut);
    *ret_inside = !escapes && !cut && path.length > 0;
    return memory_copy_text(text_data(&path));
}

/* Symbolic links are read from where they stand. */
static char *link_target(const struct tar_entry *entry)
{
    const char *slash = strrchr(entry->path, '/');
    AUTO_FREE char *joined = NULL;
    AUTO_FREE char *target = NULL;
    bool inside;

    if (entry->kind == TAR_SYMLINK && entry->link[0] == '/')
        return NULL;
    if (entry->kind == TAR_SYMLINK && slash)
        joined = text_new("%.*s/%s", (int)(slash - entry->path), entry->path, entry->link);
    target = clean(joined ? joined : entry->link, &inside);
    return inside ? TAKE(target) : NULL;
}

static int check_name(const struct tar_entry *entry, struct error *err)
{
    AUTO_FREE char *shown = text_printable(entry->path, 100);

    if (entry->escapes)
        return error_set(err, FAILURE_INPUT, "the name of a member leads out of the archive: %s",
                         shown);
    if (entry->overlong)
        return error_set(err, FAILURE_LIMIT, "the name of a member is longer than %d bytes: %s",
                         NAME_BYTES_MAX, shown);
    return 0;
}

static void member_free(struct member *member)
{
    if (!member)
        return;
    free(member->link);
    free(member);
}

static int on_entry(void *argument, const struct tar_entry *entry, struct error *err)
{
    struct walk *walk = argument;
    struct member *member, *before;
    int rc = check_name(entry, err);

    if (rc < 0 || entry->kind == TAR_DIRECTORY || entry->whiteout != TAR_PLAIN)
        return rc; /* no image's documents name a directory, or what looks like a whiteout */
    member = memory_new(sizeof(*member));
    member->kind = entry->kind;
    member->sparse = entry->sparse;
    member->place = (struct archive_member){walk->at + PIECE, entry->stored};
    if (entry->kind == TAR_SYMLINK || entry->kind == TAR_HARD_LINK)
        member->link = link_target(entry);
    before = map_set(walk->archive->members, entry->path, member);
    if (before) {
        AUTO_FREE char *shown = text_printable(entry->path, 100);

        member_free(before);
        return error_set(err, FAILURE_INPUT,
                         "%s is in the archive twice: readers disagree about which one counts",
                         shown);
    }
    return 0;
}

static int on_data(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)argument, (void)bytes, (void)size, (void)err;
    return 0;
}

static int on_end(void *argument, struct error *err)
{
    (void)argument, (void)err;
    return 0;
}

static int read_piece(struct walk *walk, uint8_t piece[static PIECE], size_t *ret_size,
                      struct error *err)
{
    ssize_t got;

    do
        got = pread(walk->fd, piece, PIECE, (off_t)walk->at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot read");
    *ret_size = (size_t)got;
    return 0;
}

/* Up to the end of the file; what is missing of a member's data is told by tar_finish(). */
static int walk_headers(struct walk *walk, struct tar *tar, struct error *err)
{
    uint8_t piece[PIECE];
    size_t size = 0;
    int rc = 0;

    while (rc == 0 && walk->at < walk->size) {
        uint64_t left = walk->size - walk->at;
        uint64_t unread = tar_unread(tar);

        if (unread > 0) {
            unread = unread < left ? unread : left;
            rc = tar_skip(tar, unread, err);
            walk->at += unread;
            continue;
        }
        rc = read_piece(walk, piece, &size, err);
        if (rc == 0 && size == 0)
            break;
        if (rc == 0)
            rc = tar_push(tar, piece, size, err);
        walk->at += size;
    }
    return rc;
}

static int walk_archive(struct walk *walk, struct error *err)
{
    static const struct tar_limits limits = {.max_entries = MEMBERS_MAX,
                                             .max_path_bytes = NAME_BYTES_MAX,
                                             .max_meta_bytes = META_BYTES_MAX};
    struct tar_events events = {on_entry, on_data, on_end, walk};
    AUTO_TAR struct tar *tar = tar_new(&limits, &events);
    struct tar_end end = {0};
    int rc = walk_headers(walk, tar, err);

    if (rc < 0)
        return rc;
    rc = tar_finish(tar, &end, err);
    if (rc == 0 && map_count(walk->archive->members) == 0)
        return error_set(err, FAILURE_INPUT, "the archive is empty");
    return rc;
}

/* Members of a compressed archive have no place that could be read. */
static int refuse_compressed(struct walk *walk, struct error *err)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *name;
        const char *command;
    } formats[] = {
        {"\x1f\x8b", 2, "gzip", "gunzip --keep"},
        {"\x28\xb5\x2f\xfd", 4, "zstd", "unzstd"},
        {"\xfd"
         "7zXZ",
         5, "xz", "unxz --keep"},
        {"BZh", 3, "bzip2", "bunzip2 --keep"},
    };
    uint8_t piece[PIECE] = {0};
    size_t size = 0;
    int rc = read_piece(walk, piece, &size, err);

    for (size_t i = 0; rc == 0 && i < ARRAY_COUNT(formats); i++) {
        if (memcmp(piece, formats[i].magic, formats[i].size) != 0)
            continue;
        (void)error_set(err, FAILURE_INPUT, "the archive is compressed with %s", formats[i].name);
        return error_hint(err,
                          "Unpack the compression first, with `%s FILE`: a compressed archive "
                          "cannot be read in place.",
                          formats[i].command);
    }
    return rc;
}

int archive_new(int fd, struct archive **ret, struct error *err)
{
    struct walk walk = {.fd = fd};
    struct stat status;
    int rc;

    if (fstat(fd, &status) < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot look at the archive");
    walk.size = (uint64_t)status.st_size;
    walk.archive = memory_new(sizeof(*walk.archive));
    walk.archive->members = map_new();
    rc = refuse_compressed(&walk, err);
    if (rc == 0)
        rc = walk_archive(&walk, err);
    if (rc < 0)
        archive_free(walk.archive);
    else
        *ret = walk.archive;
    return rc;
}

void archive_free(struct archive *archive)
{
    size_t position = 0;
    void *member;

    if (!archive)
        return;
    while (map_each(archive->members, &position, NULL, &member))
        member_free(member);
    map_free(archive->members);
    free(archive);
}

static int follow(const struct archive *archive, const char *name, const struct member **ret,
                  struct error *err)
{
    const struct member *member = map_get(archive->members, name);

    for (int links = 0; member && (member->kind == TAR_SYMLINK || member->kind == TAR_HARD_LINK);
         links++) {
        if (!member->link)
            return error_set(err, FAILURE_INPUT, "it is a link out of the archive");
        if (links == LINKS_MAX)
            return error_set(err, FAILURE_INPUT, "its links go round or are too many");
        member = map_get(archive->members, member->link);
    }
    if (!member)
        return error_set(err, FAILURE_ABSENT, "it is not in the archive");
    *ret = member;
    return 0;
}

int archive_find(const struct archive *archive, const char *name, struct archive_member *ret,
                 struct error *err)
{
    const struct member *member = NULL;
    AUTO_FREE char *path = NULL;
    bool inside;
    int rc;

    path = clean(name, &inside);
    if (!inside)
        return error_set(err, FAILURE_INPUT, "its name leads out of the archive");
    rc = follow(archive, path, &member, err);
    if (rc < 0)
        return rc;
    assert(member);
    if (member->kind != TAR_FILE || member->sparse)
        return error_set(err, FAILURE_INPUT, "it is no plain file");
    *ret = member->place;
    return 0;
}
