/* PAX records and sparse maps: what stands in front of, or at the head of, an entry's data. Private
 * to the room. */
#ifndef IMAGE_TAR_PAX_H
#define IMAGE_TAR_PAX_H

#include <stdbool.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

/* The fragments of a sparse file, checked as they come: in order, apart, inside the file. */
struct tar_sparse {
    uint64_t real_size;
    uint64_t end;    /* of the last fragment */
    uint64_t stored; /* bytes of all fragments */
    int64_t offset;  /* of the fragment whose length comes next; -1 between fragments */
};
/* FAILURE_INPUT. */
int tar_sparse_add(struct tar_sparse *sparse, uint64_t offset, uint64_t size, struct error *err);
/* GNU: the entries of an old header or of its extension. Stops at the first empty one. */
int tar_sparse_add_fields(struct tar_sparse *sparse, const uint8_t *fields, size_t count,
                          struct error *err);

enum tar_map { TAR_MAP_NONE, TAR_MAP_IN_RECORDS, TAR_MAP_IN_DATA };

struct tar_pax {
    bool given; /* there were records */
    struct text path;
    struct text link;
    struct text sparse_name;
    bool has_size;
    uint64_t size;
    bool has_uid;
    uint64_t uid;
    bool has_gid;
    uint64_t gid;
    bool capability;
    enum tar_map map;
    bool has_real_size;
    struct tar_sparse sparse;
    char major; /* of the sparse format: '\0', '0', '1' */
    char minor;
};
void tar_pax_clear(struct tar_pax *pax);
void tar_pax_release(struct tar_pax *pax);
/* `global` records may not say what would change an entry: readers disagree about those.
 * FAILURE_INPUT. */
int tar_pax_read(const char *bytes, size_t size, bool global, struct tar_pax *ret,
                 struct error *err);

/* The map at the head of the data, in decimal lines (format 1.0). */
struct tar_map_reader {
    uint64_t number;
    uint64_t left; /* numbers that still come */
    size_t digits;
    bool counted; /* the first number, how many fragments, was read */
    uint64_t offset;
};
enum { TAR_SPARSE_FRAGMENTS_MAX = 1 << 20 };
bool tar_map_done(const struct tar_map_reader *reader);
/* Reads one block. FAILURE_INPUT, FAILURE_LIMIT. */
int tar_map_read(struct tar_map_reader *reader, const uint8_t *block, struct tar_sparse *sparse,
                 struct error *err);

#endif
