/* Opening with what only tests and measurements choose. */
#ifndef STORE_STORE_OPEN_H
#define STORE_STORE_OPEN_H

#include "regwarden/store.h"

struct store_options {
    struct loop *loop;
    const char *url;
    bool isolate; /* every write in a savepoint of its own, also when none fails */
};
int store_open_with(const struct store_options *options, struct store **ret, struct error *err);

#endif
