/* Kills a writing process at random moments: what it had answered is there afterwards, and the
 * database is whole. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fixture.h"
#include "regwarden/clock.h"
#include "regwarden/crypto.h"

enum { ROUNDS = 30, UNDER_WAY = 48, ACKS_MAX = 400000, LONGEST_MS = 80 };

struct ack {
    int64_t number;   /* of the image */
    int64_t event_id; /* durable */
    int64_t recorded; /* its verdict, too */
};

/* --- the child --- */

struct child {
    struct fixture *fixture;
    int pipe;
    int64_t next;
    struct verdict verdict;
};

struct job {
    struct child *child;
    int64_t number;
    char tag[32];
    struct event event;
    struct store_record record;
    struct store_plan plan;
};

static void start(struct job *job);

static void acknowledge(struct job *job, bool recorded)
{
    struct ack ack = {job->number, job->event.id, recorded};

    if (write(job->child->pipe, &ack, sizeof(ack)) != sizeof(ack))
        _exit(1);
}

static void recorded(void *argument, const struct error *error)
{
    struct job *job = argument;

    if (error)
        _exit(2);
    acknowledge(job, true);
    start(job);
}

static void added(void *argument, const struct error *error)
{
    struct job *job = argument;

    if (error)
        _exit(2);
    acknowledge(job, false);
    job->record = make_record("team/app", job->tag, job->tag, &job->child->verdict);
    job->record.event_ids = &job->event.id;
    job->record.event_count = 1;
    job->plan = (struct store_plan){.kind = ACTION_HOLD};
    job->record.plans = &job->plan;
    job->record.plan_count = 1;
    store_record_verdict(job->child->fixture->store, &job->record, recorded, job);
}

static void start(struct job *job)
{
    job->number = job->child->next++;
    snprintf(job->tag, sizeof(job->tag), "v%lld", (long long)job->number);
    job->event = make_event("team/app", job->tag, job->tag);
    store_add_events(job->child->fixture->store, &job->event, 1, added, job);
}

static void write_until_killed(struct fixture *fixture, int pipe, int64_t first)
{
    static const char *const rules[] = {"non-root", "image-size", NULL};
    struct child child = {.fixture = fixture, .pipe = pipe, .next = first};
    struct job *jobs = memory_new_array(UNDER_WAY, sizeof(*jobs));

    child.verdict = make_verdict(VERDICT_FAIL, "r", rules);
    fixture_open(fixture);
    for (int i = 0; i < UNDER_WAY; i++) {
        jobs[i].child = &child;
        start(&jobs[i]);
    }
    loop_run(fixture->loop);
    _exit(3);
}

/* --- the parent --- */

static struct ack acks[ACKS_MAX];
static size_t ack_count;

/* Reads whole acknowledgements until the end; what the child managed to write, it had been told. */
static void read_acks(int pipe)
{
    while (ack_count < ACKS_MAX) {
        char *place = (char *)&acks[ack_count];
        size_t got = 0;

        while (got < sizeof(struct ack)) {
            ssize_t size = read(pipe, place + got, sizeof(struct ack) - got);
            if (size <= 0)
                return;
            got += (size_t)size;
        }
        ack_count++;
    }
}

static unsigned random_below(unsigned limit)
{
    unsigned value;

    crypto_random(&value, sizeof(value));
    return value % limit;
}

static void kill_one(struct fixture *fixture, int64_t first)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        write_until_killed(fixture, ends[1], first);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &acks[ack_count], sizeof(struct ack)), sizeof(struct ack));
    ack_count++;
    pid_t killer = fork(); /* so that the pipe is read meanwhile and the child never waits for us */
    assert_true(killer >= 0);
    if (killer == 0) {
        usleep(random_below(LONGEST_MS * 1000));
        kill(child, SIGKILL);
        _exit(0);
    }
    read_acks(ends[0]);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    waitpid(killer, &status, 0);
}

struct open_ids {
    int64_t *items;
    size_t count, capacity;
};

static void load_open(struct fixture *fixture, struct open_ids *open_ids)
{
    for (;;) {
        struct reply page = {0};
        int64_t after = open_ids->count > 0 ? open_ids->items[open_ids->count - 1] : 0;

        store_load_events(fixture->store, after, 1000, on_events, &page);
        fixture_wait(fixture, &page, 1);
        for (size_t i = 0; i < page.count; i++) {
            open_ids->items = memory_grow(open_ids->items, open_ids->count, &open_ids->capacity,
                                          sizeof(*open_ids->items));
            open_ids->items[open_ids->count++] = page.events[i].id;
        }
        size_t count = page.count;
        reply_release(&page);
        if (count == 0)
            return;
    }
}

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static bool is_open(const struct open_ids *open_ids, int64_t id)
{
    return open_ids->count > 0 && bsearch(&id, open_ids->items, open_ids->count,
                                          sizeof(*open_ids->items), compare_ids) != NULL;
}

static void check_ack(struct fixture *fixture, const struct open_ids *open_ids,
                      const struct ack *ack)
{
    AUTO_FREE char *tag = text_new("v%lld", (long long)ack->number);
    struct event event = make_event("team/app", tag, tag);
    struct store_context context = read_context(fixture, &event);
    bool open = is_open(open_ids, ack->event_id);

    /* verdict, plan and the event's end came together, or none of them */
    assert_true(open != context.has_verdict);
    assert_int_equal(context.acted, context.has_verdict ? ACTION_BIT(ACTION_HOLD) : 0);
    if (ack->recorded)
        assert_true(context.has_verdict);
}

static void check_integrity(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *check = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(db);
}

static void what_was_answered_survives_a_kill(void **state)
{
    struct fixture *fixture = *state;
    size_t checked = 0;
    size_t recorded_count = 0;

    fixture_close(fixture); /* no thread of ours may be there when we fork */
    for (int round = 0; round < ROUNDS; round++) {
        struct open_ids open_ids = {0};

        kill_one(fixture, (int64_t)round * 1000000);
        fixture_open(fixture); /* checks the file, since it was not closed */
        load_open(fixture, &open_ids);
        for (; checked < ack_count; checked++) {
            check_ack(fixture, &open_ids, &acks[checked]);
            recorded_count += acks[checked].recorded != 0;
        }
        free(open_ids.items);
        fixture_close(fixture);
        check_integrity(fixture->path);
    }
    print_message("%d kills: %zu answers, %zu of them verdicts, all there\n", ROUNDS, ack_count,
                  recorded_count);
    assert_true(recorded_count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_answered_survives_a_kill, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
