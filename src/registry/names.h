/* What one answer of a list holds: names, and where the next page is. */
#ifndef REGISTRY_NAMES_H
#define REGISTRY_NAMES_H

#include "internal.h"

enum { NAMES_BYTES_MAX = 8 * 1024 * 1024 };

struct names_kind {
    const char *key; /* of the names in the JSON */
    bool (*is_name)(const char *name);
};
extern const struct names_kind names_of_tags, names_of_repositories;

/* Names that are against the grammar are left out: nothing could be asked about them. */
int names_read(const struct names_kind *kind, const struct http_response *response,
               struct text_list *ret, struct error *err);
/* The next page's address on the registry, as a path; new, NULL at the end. FAILURE_INPUT for
 * another host and for a header that cannot be read. */
int names_find_next(const struct registry *registry, const struct exchange_answer *answer,
                    char **ret, struct error *err);
/* What this answer to a question for the catalogue says of it. */
void names_note_catalog(struct registry *registry, const struct exchange_answer *answer);

#endif
