/* What the tests of the daemon share: a whole daemon on a loop of the test, with a store on disk,
 * in front of a registry with switches (tests/action/stub_writable.py). */
#ifndef TEST_DAEMON_FIXTURE_H
#define TEST_DAEMON_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../action/stub.h"
#include "daemon_priv.h"
#include "start.h"

struct fixture {
    struct stub stub;
    char *directory;
    char *policy_path;
    struct daemon daemon;
    struct daemon_options options;
    bool running;
};

/* One registry for all tests of a program; a directory of its own and a running daemon for each
 * test. */
int fixture_group_setup(void **state);
int fixture_group_teardown(void **state);
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

/* Lines of YAML: for the whole file, and below the registry "main". Both may be NULL. */
struct fixture_settings {
    const char *top;
    const char *registry;
    const char *name; /* of the registry; NULL: "main" */
};
void fixture_start_with(struct fixture *fixture, const struct fixture_settings *settings);
void fixture_start(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);
/* As stop, but nothing gets time to end. */
void fixture_break_off(struct fixture *fixture);
void fixture_write(struct fixture *fixture, const char *name, const char *bytes);
/* "non-root" with these actions. */
void fixture_policy(struct fixture *fixture, const char *mode, const char *actions,
                    const char *more);

/* --- the registry --- */
struct digest push_image(struct fixture *fixture, const char *repository, const char *tag,
                         bool good, const char *content);
struct digest push_many(struct fixture *fixture, const char *repository, const char *tag,
                        int count);
bool tag_is(struct fixture *fixture, const char *repository, const char *tag,
            const struct digest *digest); /* NULL: not there */
/* The tag, and the manifest when `digest` is given. */
void take_away(struct fixture *fixture, const char *repository, const char *tag,
               const struct digest *digest);
size_t requests(struct fixture *fixture); /* since the last call */
void switches(struct fixture *fixture, const char *json);

/* --- events --- */
struct event make_event(enum event_cause cause, const char *repository, const char *tag,
                        const struct digest *digest); /* borrows */
/* Durable, then handed to the dispatcher, as intake does. */
void tell(struct fixture *fixture, struct event *events, size_t count);
void tell_push(struct fixture *fixture, const char *repository, const char *tag,
               const struct digest *digest);
void tell_delete(struct fixture *fixture, const char *repository, const char *tag,
                 const struct digest *digest);
/* Durable only, as if memory had had no place. */
void keep(struct fixture *fixture, struct event *events, size_t count);

/* --- waiting; each fails the test after half a minute --- */
void settle(struct fixture *fixture); /* every event judged, every plan carried out */
void until(struct fixture *fixture, bool (*condition)(struct fixture *fixture));
void turn_for(struct fixture *fixture, int64_t ms);

/* --- the record --- */
struct json *list(struct fixture *fixture, enum store_list list,
                  const struct store_filter *filter); /* returns new */
size_t count_of(struct fixture *fixture, enum store_list list, const struct store_filter *filter);
/* "pass", "fail" …, "" without one; of the verdict in force. Borrowed until the next call. */
const char *verdict_of(struct fixture *fixture, const char *repository, const char *tag);
int64_t open_events(struct fixture *fixture);

#endif
