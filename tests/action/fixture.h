/* What the tests of actions share: a loop, a registry with switches, a journal in memory that knows
 * what was announced when, and one call that performs an action and waits for its result. */
#ifndef TEST_ACTION_FIXTURE_H
#define TEST_ACTION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/action.h"
#include "regwarden/loop.h"
#include "stub.h"

enum { JOURNAL_MAX = 256, LETTERS_MAX = 256 };

struct journal_entry {
    int64_t id;
    enum plan_state state;
    char *reason;
    struct json *pushes, *undo;
    int64_t writes_before; /* that the registry had seen */
};

/* The store of this room's tests: two of its functions, in memory. */
struct journal {
    struct loop *loop;
    struct stub *stub;
    struct journal_entry entries[JOURNAL_MAX];
    size_t count;
    struct {
        char *kind, *registry, *reason, *body;
    } letters[LETTERS_MAX];
    size_t letter_count;
    bool broken; /* every operation fails */
};
extern struct journal journal;
void journal_clear(void);
/* Was this push announced before the registry saw a write? */
bool journal_announced(const char *repository, const char *reference);

struct fixture {
    struct loop *loop;
    struct stub stub; /* the registry */
    struct config_registry settings;
    struct config_notifier notifiers[4];
    struct config config;
    struct registry *registry;
    struct actions *actions;
    bool dry_run, no_gate;
    size_t holds; /* calls of the gate */
    bool held;
    char hold_reason[512];
};

/* One registry for all tests of a program. */
int fixture_setup(void **state);
int fixture_setup_with(void **state, const char *script);
int fixture_teardown(void **state);
/* Empties registry and journal; `switches` is JSON with ' for ", for example "{'mount': false}". */
void fixture_reset(struct fixture *fixture, const char *switches);
/* Starts the room anew, as after a crash: what was under way is forgotten. */
void fixture_restart(struct fixture *fixture);

/* Pushes, by hand of somebody else. Return the digest. `tag` may be NULL. */
struct digest push_image(struct fixture *fixture, const char *repository, const char *tag,
                         const char *layer);
struct digest push_index(struct fixture *fixture, const char *repository, const char *tag,
                         const struct digest *children, size_t count);
struct digest push_signature(struct fixture *fixture, const char *repository,
                             const struct digest *subject);
/* The digest that the tag has now; DIGEST_NONE. */
struct digest tag_of(struct fixture *fixture, const char *repository, const char *tag);
size_t tag_count(struct fixture *fixture, const char *repository);
bool is_whole(struct fixture *fixture, const char *repository, const struct digest *digest);
/* Requests since the last call: all, or those that change something; of the form "PUT /v2/…". */
struct json *take_log(struct fixture *fixture);
size_t take_writes(struct fixture *fixture);

struct outcome {
    bool called;
    enum plan_state state;
    struct error error; /* text empty: none */
    struct json *undo;
};
void outcome_release(struct outcome *outcome);
#define AUTO_OUTCOME AUTO(outcome_release)

struct action_target target_of(struct fixture *fixture, const char *repository, const char *tag,
                               const struct digest *digest);
void perform(struct fixture *fixture, enum action_kind kind, const struct action_target *target,
             struct outcome *ret);
/* Begins only; wait_for ends it. */
void begin(struct fixture *fixture, enum action_kind kind, const struct action_target *target,
           struct outcome *ret);
void wait_for(struct fixture *fixture, struct outcome *outcome);
void undo(struct fixture *fixture, enum action_kind kind, const struct action_target *target,
          const struct json *recorded, bool force, struct outcome *ret);

void resend(struct fixture *fixture, const struct json *letter, struct outcome *ret);
/* Runs the loop until the condition holds; also when nothing happens on the loop itself. */
bool turn_until(struct fixture *fixture, bool (*condition)(void *argument), void *argument);
void turn_for(struct fixture *fixture, int64_t ms);

#define assert_digest(a, b)                                                 \
    do {                                                                    \
        char assert_left[DIGEST_TEXT_SIZE], assert_right[DIGEST_TEXT_SIZE]; \
        struct digest assert_a = (a), assert_b = (b);                       \
        assert_string_equal(digest_format(&assert_a, assert_left),          \
                            digest_format(&assert_b, assert_right));        \
    } while (0)

#endif
