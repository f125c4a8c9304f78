/* JSON documents, behind one small door (home of jansson: src/base/json.c).
 *
 * A `struct json` is reference counted. Words: "returns new" = the caller releases it with
 * json_release; "borrowed" = lives as long as its parent; "_take" = the callee takes the reference.
 * Getters accept NULL and any kind, and then give the fallback: a chain of json_get() needs no
 * checks in between. A document may be read by several threads at once once it is built. */
#ifndef REGWARDEN_JSON_H
#define REGWARDEN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

struct json; /* opaque */

enum json_kind {
    JSON_KIND_NONE,
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_INTEGER,
    JSON_KIND_REAL,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT
};

struct json_limits {
    size_t max_bytes;
    unsigned max_depth; /* of nested arrays and objects */
    size_t max_values;  /* values in all, counted before anything is allocated */
};
extern const struct json_limits json_limits_default; /* 4 MiB, depth 64, 200 000 values */

/* Parses exactly one document. Duplicate keys, NUL in strings, trailing data, invalid UTF-8, and
 * what is over the limits are refused: FAILURE_INPUT (with line and column), FAILURE_LIMIT. limits
 * NULL = default. Returns new. */
int json_parse(const char *bytes, size_t size, const struct json_limits *limits, struct json **ret,
               struct error *err);

/* Refuses keys that differ only in ASCII case anywhere in the document: Go readers match keys
 * without case and take the last one, so such a document says different things to different
 * readers. FAILURE_INPUT names the key. */
int json_refuse_case_variants(const struct json *json, struct error *err);

struct json *json_retain(struct json *json);
void json_release(struct json *json);
void json_auto_release(struct json **json);
#define AUTO_JSON AUTO(json_auto_release)

enum json_kind json_kind(const struct json *json); /* JSON_KIND_NONE for NULL */
bool json_is(const struct json *json, enum json_kind kind);

struct json *json_get(const struct json *object, const char *key); /* borrowed; NULL when absent */
struct json *json_at(const struct json *array, size_t index);      /* borrowed */
size_t json_count(const struct json *json); /* of an array or object, else 0 */
/* jansson exports functions of these three names: the linker sees ours under others. */
const char *json_string(const struct json *json) __asm__(
    "regwarden_json_string"); /* borrowed; NULL when not a string */
int64_t json_integer(const struct json *json, int64_t fallback) __asm__("regwarden_json_integer");
double json_real(const struct json *json,
                 double fallback) __asm__("regwarden_json_real"); /* integers count too */
bool json_bool(const struct json *json, bool fallback);
const char *json_get_string(const struct json *object, const char *key);
int64_t json_get_integer(const struct json *object, const char *key, int64_t fallback);

/* Members in document order: `for (void *i = json_iterate(o); i; i = json_next(o, i))`. */
void *json_iterate(const struct json *object);
void *json_next(const struct json *object, void *iterator);
const char *json_iterator_key(void *iterator);    /* borrowed */
struct json *json_iterator_value(void *iterator); /* borrowed */

struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *
json_new_string(const char *value); /* NULL gives JSON null; invalid UTF-8 bytes become U+FFFD */
struct json *json_new_integer(int64_t value);
struct json *json_new_real(double value); /* not finite gives JSON null */
struct json *json_new_bool(bool value);
struct json *json_new_null(void);
void json_set_take(struct json *object, const char *key, struct json *value);
void json_set_string(struct json *object, const char *key,
                     const char *value); /* NULL value: the key is left out */
void json_set_integer(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
void json_append_take(struct json *array, struct json *value);

/* Appends the document. Compact and in insertion order unless flags say otherwise. */
enum json_style { JSON_COMPACT = 0, JSON_INDENTED = 1, JSON_SORTED = 2 };
void json_write(const struct json *json, unsigned style, struct text *to);

/* List and pairs from JSON: an array of strings, an object of strings. A null or absent value gives
 * an empty list; anything of another kind is FAILURE_INPUT naming `what`. */
int json_to_list(const struct json *array, const char *what, struct text_list *ret,
                 struct error *err);
int json_to_pairs(const struct json *object, const char *what, struct text_pairs *ret,
                  struct error *err);
struct json *json_from_list(const struct text_list *list);
struct json *json_from_pairs(const struct text_pairs *pairs);

#endif
