/* One kind of file that is read. Private to readers.c and the files that know the formats. */
#ifndef SCAN_READ_LINES_H
#define SCAN_READ_LINES_H

#include "findings.h"

struct read_state {
    struct findings *findings;
    char *path;       /* raw */
    struct text name; /* of the package that is being read */
    struct text version;
    bool removed; /* it is listed, and not installed */
    bool over;    /* nothing more is wanted */
};
void read_state_release(struct read_state *state);

struct reader_type {
    bool (*recognises)(const char *path);
    void (*begin)(struct read_state *state);
    void (*line)(struct read_state *state,
                 char *line); /* may write into it; NULL: the file is wanted whole */
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

#endif
