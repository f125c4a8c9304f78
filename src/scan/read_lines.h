/* One kind of file that is read. Private to readers.c and the files that know the formats. */
#ifndef SCAN_READ_LINES_H
#define SCAN_READ_LINES_H

#include "findings.h"
#include "regwarden/map.h"

struct read_state {
    struct findings *findings;
    char *path;       /* raw */
    struct text name; /* of the package that is being read */
    struct text version;
    bool removed; /* it is listed, and not installed */
    size_t
        indent; /* of the fields of a package, in JSON that is written line by line; 0: not seen */
    struct text bytes; /* of a database, that come again with the next ones */
    struct map *seen;  /* packages that the database told of; NULL: none yet */
    size_t heads;      /* of packages in it */
    size_t told;       /* packages that could be read */
    bool over;         /* nothing more is wanted */
};
void read_state_release(struct read_state *state);

struct reader_type {
    bool (*recognises)(const char *path);
    void (*begin)(struct read_state *state);
    /* One of these, or neither: then the file is wanted whole. */
    void (*line)(struct read_state *state, char *line); /* may write into it */
    void (*push)(struct read_state *state, const uint8_t *bytes, size_t size);
    bool name_only; /* its path says everything */
    bool exact; /* a line that is too long, or holds a NUL, breaks it: to leave that line out, or to
                   cut it, would be another file */
    /* `broken`: a bound was hit, and what was read is not all. */
    void (*end)(struct read_state *state, const struct text *whole, bool broken);
};

extern const struct reader_type reader_passwd;
extern const struct reader_type reader_group;
extern const struct reader_type reader_shadow;
extern const struct reader_type reader_os_release;
extern const struct reader_type reader_usr_os_release;
extern const struct reader_type reader_dpkg;
extern const struct reader_type reader_apk;
extern const struct reader_type reader_pip;
extern const struct reader_type reader_npm;
extern const struct reader_type reader_gem;
extern const struct reader_type reader_composer;
extern const struct reader_type reader_nuget;
extern const struct reader_type reader_java;
extern const struct reader_type reader_rpm;

#endif
