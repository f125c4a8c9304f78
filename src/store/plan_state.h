/* Questions about the state of a plan. */
#ifndef STORE_PLAN_STATE_H
#define STORE_PLAN_STATE_H

#include <stdbool.h>

#include "regwarden/store.h"

/* Not to be asked for again: it will be done, is done, or an operator has undone it. */
static inline bool plan_state_counts(enum plan_state state)
{
    return state == PLAN_PLANNED || state == PLAN_DONE || state == PLAN_UNDONE;
}

#endif
