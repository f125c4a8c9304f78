/* Who wants to be told: the configured notifiers with their keys read. */
#ifndef REGWARDEN_ACTION_RECEIVERS_H
#define REGWARDEN_ACTION_RECEIVERS_H

#include "notification.h"

struct receiver {
    char *name, *url;
    struct text key; /* of the signature; empty: unsigned */
    enum notification_format format;
    struct text_list on; /* names of verdicts */
    int64_t timeout_ms;
};
struct receivers {
    struct receiver *items;
    size_t count;
};
/* Reads the keys' files. `ret` must be empty. */
int receivers_read(const struct config *config, struct receivers *ret, struct error *err);
void receivers_release(struct receivers *receivers);
const struct receiver *receivers_find(const struct receivers *receivers, const char *name);
/* Those that take this verdict. */
void receivers_names(const struct receivers *receivers, enum verdict_status verdict,
                     struct text_list *ret);

#endif
