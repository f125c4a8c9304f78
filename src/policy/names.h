/* Finding a word in a list of names. */
#ifndef REGWARDEN_POLICY_NAMES_H
#define REGWARDEN_POLICY_NAMES_H

/* Index in `names` (ends with NULL); -1 when `name` is not one of them or NULL. */
int name_find(const char *const *names, const char *name);

#endif
