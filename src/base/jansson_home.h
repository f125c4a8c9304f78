/* How json.c and json_build.c see jansson: some of its functions have the names of our door, so
 * they get others here. Private to these two files. */
#ifndef REGWARDEN_BASE_JANSSON_HOME_H
#define REGWARDEN_BASE_JANSSON_HOME_H

#include "regwarden/json.h" /* first: jansson defines JSON_COMPACT as a macro */

#define json_string jansson_string
#define json_integer jansson_integer
#define json_real jansson_real
#include <jansson.h>
#undef json_string
#undef json_integer
#undef json_real
enum { JANSSON_COMPACT = JSON_COMPACT };
#undef JSON_COMPACT /* from here on the door's */

json_t *jansson_integer(json_int_t value) __asm__("json_integer");
json_t *jansson_real(double value) __asm__("json_real");

/* A struct json is jansson's json_t. jansson takes const away where it only reads. */
static inline json_t *native(const struct json *json)
{
    union {
        const struct json *ours;
        json_t *theirs;
    } view = {.ours = json};
    return view.theirs;
}

static inline struct json *foreign(json_t *json)
{
    return (struct json *)json;
}

#endif
