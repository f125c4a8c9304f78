/* A walk over every text in the facts. Private to the room. */
#ifndef IMAGE_FACTS_STRINGS_H
#define IMAGE_FACTS_STRINGS_H

#include "regwarden/facts.h"

struct facts_place {
    enum secret_place place;
    const char *key; /* of a pair's value, or the option in front of a word; else NULL */
    int step;        /* -1 outside history */
    enum step_kind kind;
    bool raw; /* the unread form of what the walk gave before as a step */
};

/* May replace *text by another allocated string. */
typedef void facts_visit_f(void *argument, const struct facts_place *where, char **text);

void facts_visit(struct facts *facts, facts_visit_f *visit, void *argument);

#endif
