/* Vulnerabilities that a policy accepts for a while: by whom they are named, in which package,
 * until when, and why. */
#ifndef REGWARDEN_POLICY_EXCEPTIONS_H
#define REGWARDEN_POLICY_EXCEPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/vulnerabilities.h"
#include "regwarden/yaml.h"

struct exception {
    const char *id;      /* of the vulnerability; "*": any, of a package */
    const char *package; /* NULL: any */
    int64_t until_ms;
};
struct exception_list { /* texts are those of the settings */
    struct exception *items;
    size_t count;
};

/* Names that an entry may have: id, package, until, reason. */
extern const char *const exception_keys[];
/* id, until and reason must be there; `until` is a day, which is over at its end, or a time. The
 * list borrows from the records. FAILURE_INPUT. */
int exception_list_compile(const struct param_records *records, struct exception_list *ret,
                           struct error *err);
void exception_list_release(struct exception_list *list);

/* The one that holds longest of those that name it, whether it holds now or not; NULL when none
 * does. */
const struct exception *exception_find(const struct exception_list *list,
                                       const struct vulnerability *item);

#endif
