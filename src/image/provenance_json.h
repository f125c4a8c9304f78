/* What the groups "provenance" and "referrers" add to the schema of the facts document. Private to
 * the room. */
#ifndef IMAGE_PROVENANCE_JSON_H
#define IMAGE_PROVENANCE_JSON_H

extern const char provenance_schema[]; /* an object of definitions for "$defs" */

#endif
