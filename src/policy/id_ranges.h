/* Lists of numbers and ranges, "0" and "100-999", in settings of rules. Private to the room. */
#ifndef REGWARDEN_POLICY_ID_RANGES_H
#define REGWARDEN_POLICY_ID_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct id_range {
    uint32_t first, last;
};
struct id_ranges {
    struct id_range *items;
    size_t count;
};

/* FAILURE_INPUT when one is no number or range. `ret` is to be released either way. */
int id_ranges_read(const struct text_list *texts, struct id_ranges *ret, struct error *err);
void id_ranges_release(struct id_ranges *ranges);
bool id_ranges_have(const struct id_ranges *ranges, uint32_t id);

#endif
