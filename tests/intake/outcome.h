/* What came out of a message, in words that a table of tests can hold. */
#ifndef TEST_OUTCOME_H
#define TEST_OUTCOME_H

#include "decode.h"

/* A line for each: "push repository:tag@first 12 digits by actor", "ignored N", "fault TEXT",
 * "confirm N", "reply JSON". */
void outcome_describe(const struct decoded *decoded, struct text *to);

#endif
