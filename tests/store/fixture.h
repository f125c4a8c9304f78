/* A store in a directory of its own, and calls that wait for their answer. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/loop.h"
#include "regwarden/memory.h"
#include "regwarden/store.h"
#include "store_open.h"

enum { WAIT_MS = 60000 };

struct fixture {
    char *directory;
    char *path; /* of the database */
    char *url;
    struct loop *loop;
    struct store *store;
};
int fixture_setup(void **state);    /* directory, loop, open store */
int fixture_teardown(void **state); /* closes what is open, removes the directory */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);
/* Changes the closed database behind the store's back, and opens it again. */
void fixture_change(struct fixture *fixture, const char *sql);

/* What a callback said. */
struct reply {
    int calls;
    struct error error; /* kind NONE: no error */
    int64_t id;
    int64_t second;
    struct event *events;
    size_t count;
    struct store_context context; /* facts taken */
    struct facts *facts;
    struct json *json;
    char text[256];
    struct plan plan; /* the first; taken */
    struct waiver *waivers;
};
void reply_release(struct reply *answer);
store_done_f on_done;
store_sweep_f on_sweep;
store_ids_f on_ids;
store_events_f on_events;
store_context_f on_context;
store_facts_f on_facts;
store_json_f on_json;
store_plans_f on_plans;
store_waivers_f on_waivers;
void on_count(void *argument, const struct error *error, int64_t count, int64_t oldest_ms);
void fixture_wait(struct fixture *fixture, struct reply *answer, int calls);

/* Each waits, and fails the test when there was an error. */
struct event make_event(const char *repository, const char *tag, const char *content);
void add_event(struct fixture *fixture, struct event *event);
void record(struct fixture *fixture, struct store_record *record);
struct store_context read_context(struct fixture *fixture, const struct event *event);
struct json *read_list(struct fixture *fixture, enum store_list list,
                       const struct store_filter *filter); /* returns new */
int64_t count_open(struct fixture *fixture);

struct digest digest_of(const char *content);
/* Of a verdict: `rules` is a list of rule names, each one failing finding of severity high. */
struct verdict make_verdict(enum verdict_status status, const char *revision,
                            const char *const *rules);
/* A record with the usual rest: registry "main", 1000 bytes. */
struct store_record make_record(const char *repository, const char *tag, const char *content,
                                const struct verdict *verdict);
/* Facts of a small image; `content` makes them differ. Returns new. */
struct facts *make_facts(const char *content);

#endif
