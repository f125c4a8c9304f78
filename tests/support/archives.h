/* Tar archives for tests, written block by block. */
#ifndef TEST_ARCHIVES_H
#define TEST_ARCHIVES_H

#include "regwarden/text.h"

enum archive_magic { MAGIC_USTAR, MAGIC_GNU, MAGIC_NONE };

struct archive_entry {
    const char *name;
    const char *prefix;
    const char *link;
    char type; /* 0 stands for '0'; 'v' for the NUL of the oldest format */
    unsigned mode;
    unsigned uid;
    unsigned gid;
    enum archive_magic magic;
    const char *data; /* up to its NUL, unless data_size says more */
    size_t data_size;
    const char *size_field; /* 12 bytes instead of the size; the data comes all the same */
    const char *raw;        /* bytes put at raw_at, before the checksum is made */
    size_t raw_at;
    size_t raw_size;
    bool bad_checksum;
};
void archive_add(struct text *to, const struct archive_entry *entry);
void archive_add_file(struct text *to, const char *name, const char *data);
/* PAX records ("key=value" each, ended by NULL) for the next entry (type 'x') or for all ('g'). */
void archive_add_pax(struct text *to, char type, const char *const *records);
void archive_add_end(struct text *to);
void archive_pad(struct text *to); /* to a whole block */

#endif
