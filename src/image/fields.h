/* Reading the members of a JSON object that Go programs read too.
 *
 * Go matches the name of a member without regard to case (Unicode simple folding) and takes the
 * last that fits. A document that says "Layers" or "layer\u017f" beside or instead of "layers"
 * therefore says one thing to us and another to a container runtime: it is refused. The keys of
 * free maps (labels, annotations, ports) are matched exactly by both and are not looked at. */
#ifndef IMAGE_FIELDS_H
#define IMAGE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/json.h"

/* `names` ends with NULL; `what` names the object in messages. FAILURE_INPUT. */
int fields_refuse_variants(const struct json *object, const char *const *names, const char *what,
                           struct error *err);

/* Each reads a member that may be absent or null (then the value stays as it was given) and refuses
 * any other kind with FAILURE_INPUT. `ret` gets a new copy; what stood there is freed. */
int fields_string(const struct json *object, const char *name, const char *what, char **ret,
                  struct error *err);
int fields_bool(const struct json *object, const char *name, const char *what, bool *ret,
                struct error *err);
/* Null entries become empty strings, as for Go readers. A bare string counts as a list of one. */
int fields_list(const struct json *object, const char *name, const char *what,
                struct text_list *ret, struct error *err);
/* A map of strings; null values become empty. At most `max` members: FAILURE_LIMIT. */
int fields_pairs(const struct json *object, const char *name, const char *what, size_t max,
                 struct text_pairs *ret, struct error *err);
/* Of documents of our own; what digest_parse() and clock_parse_rfc3339() refuse is FAILURE_INPUT.
 */
int fields_digest(const struct json *object, const char *name, const char *what, struct digest *ret,
                  struct error *err);
int fields_time(const struct json *object, const char *name, const char *what, int64_t *ret_ms,
                struct error *err);
/* The member when it is of `kind`; *ret is NULL when it is absent or null. Borrowed. */
int fields_member(const struct json *object, const char *name, const char *what,
                  enum json_kind kind, const struct json **ret, struct error *err);

#endif
