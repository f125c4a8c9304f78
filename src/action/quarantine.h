/* What taking into quarantine and releasing from it share: names. */
#ifndef REGWARDEN_ACTION_QUARANTINE_H
#define REGWARDEN_ACTION_QUARANTINE_H

#include "task.h"

/* "<prefix>/<repository>". FAILURE_INPUT when that is no legal name. Returns new. */
int quarantine_repository(const struct actions *actions, const char *registry,
                          const char *repository, char **ret, struct error *err);

#endif
