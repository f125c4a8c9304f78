/* The Link header of lists (RFC 8288): where the next page is. Pure; bytes are hostile. */
#ifndef REGISTRY_LINK_H
#define REGISTRY_LINK_H

#include "regwarden/error.h"

enum { LINK_HEADER_MAX = 16384 };

/* The first target whose rel holds "next", as written (relative or absolute). `ret` is new, NULL
 * when there is none. FAILURE_INPUT for what breaks the grammar. */
int link_find_next(const char *header, char **ret, struct error *err);

#endif
