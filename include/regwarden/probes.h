/* Probes: files that policies ask for beyond the tables of signals.
 *
 * The id follows from what is asked, so that facts of layers that were scanned for one policy
 * answer another one that asks the same. A list is kept sorted by id and holds each probe once.
 * Owns its strings. Any thread. */
#ifndef REGWARDEN_PROBES_H
#define REGWARDEN_PROBES_H

#include <stddef.h>

#include "regwarden/memory.h"

/* By a pattern of paths, relative to the root (as in policies: `*` within a part, `**` across
 * parts; see text_glob_match()), and, where it is set, a POSIX extended expression that is looked
 * for in the content. */
struct scan_probe {
    char *id;
    char *path;
    char *content; /* NULL: the content is not asked for */
};
struct scan_probes {
    struct scan_probe *items;
    size_t count;
    size_t capacity;
};
enum { SCAN_PROBES_MAX = 256, SCAN_PROBE_TEXT_MAX = 512 };

/* 16 hex digits of SHA-256. Returns new. */
char *scan_probe_id(const char *path, const char *content);
/* Copies; what is there already is not added again. */
void scan_probes_add(struct scan_probes *probes, const char *path, const char *content);
void scan_probes_release(struct scan_probes *probes);
#define AUTO_PROBES AUTO(scan_probes_release)

#endif
