/* Lists and sums for people: what the files list_*.c share. */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "operation.h"

enum { LIST_LIMIT_DEFAULT = 100, LIST_LIMIT_MAX = 1000 };

/* What is asked for, and what has been found so far. */
struct listing {
    const struct session *session;
    const struct store_filter *filter;
    int64_t before; /* ids below this: never 0 */
    size_t limit;   /* within its bounds */
    int64_t now_ms;
    struct json *array;
    struct error error; /* of a row that could not be read */
};

typedef int list_f(struct listing *listing, struct json **ret, struct error *err);
list_f list_verdicts, list_history, list_dead_letters, list_plans, list_waivers, list_sweeps,
    list_status, list_report;

/* Runs the query, whose rows go to listing->array. */
int list_rows(struct listing *listing, const struct query *query, struct json **ret,
              struct error *err);

/* NULL filters take everything. `repository` is a glob. */
bool list_takes_repository(const struct listing *listing, const char *registry,
                           const char *repository);
/* Appends and says whether more is wanted. Takes `item`. */
bool list_add_take(struct listing *listing, struct json *item);
bool list_fail(struct listing *listing, const struct error *error); /* false: for row functions */

/* Left out when the time is 0. */
void json_set_time(struct json *object, const char *key, int64_t ms);
void json_set_digest(struct json *object, const char *key, const struct digest *digest);

#endif
