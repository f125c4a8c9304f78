/* What goes wrong with disks, files and other programs: refused with a reason, survived when it
 * passes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fixture.h"
#include "migrations.h"
#include "regwarden/clock.h"

static void expect_refusal(struct fixture *fixture, const char *url, enum failure kind,
                           const char *words)
{
    struct store *store = NULL;
    struct error err = {0};

    assert_int_equal(store_open(fixture->loop, url, &store, &err), kind);
    assert_null(store);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static enum failure try_add(struct fixture *fixture, struct event *event)
{
    struct reply reply = {0};

    store_add_events(fixture->store, event, 1, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    return reply.error.kind;
}

/* --- other programs --- */

static sqlite3 *lock_database(struct fixture *fixture)
{
    sqlite3 *other = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return other;
}

static void unlock_database(sqlite3 *other)
{
    /* it must not write the log back when it closes */
    sqlite3_db_config(other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

static void a_locked_database_is_tried_later(void **state)
{
    struct fixture *fixture = *state;
    struct event event = make_event("a", "v1", "one");
    struct reply reply = {0};
    sqlite3 *other = lock_database(fixture);

    store_add_events(fixture->store, &event, 1, on_done, &reply);
    assert_int_equal(count_open(fixture), 0); /* readers are not disturbed */
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_LATER);
    assert_non_null(strstr(reply.error.text, "cannot record events"));
    assert_non_null(strstr(reply.error.text, "locked"));
    unlock_database(other);
    assert_int_equal(try_add(fixture, &event), FAILURE_NONE);
    assert_int_equal(count_open(fixture), 1);
}

static void too_much_waiting_is_refused(void **state)
{
    enum { FITS = 65536, COUNT = FITS + 5000 };
    struct fixture *fixture = *state;
    struct event *events = memory_new_array(COUNT, sizeof(*events));
    struct reply reply = {0};
    struct store_counters counters;
    sqlite3 *other = lock_database(fixture);

    for (int i = 0; i < COUNT; i++) {
        events[i] = make_event("a", "v1", "x");
        store_add_events(fixture->store, &events[i], 1, on_done, &reply);
    }
    store_counters(fixture->store, &counters);
    assert_true(counters.waiting <= FITS);
    unlock_database(other);
    fixture_wait(fixture, &reply, COUNT);
    assert_int_equal(reply.error.kind, FAILURE_LATER);
    assert_true(count_open(fixture) >= FITS - 4096); /* what was taken is there */
    assert_true(count_open(fixture) < COUNT);
    free(events);
}

static void a_store_has_one_process(void **state)
{
    struct fixture *fixture = *state;

    expect_refusal(fixture, fixture->url, FAILURE_LATER, "in use by another process");
}

static void another_programs_database_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *other = NULL;
    struct stat before;
    struct stat after;

    fixture_close(fixture);
    unlink(fixture->path);
    sqlite3_open(fixture->path, &other);
    sqlite3_exec(other, "CREATE TABLE songs (title TEXT)", NULL, NULL, NULL);
    sqlite3_close(other);
    stat(fixture->path, &before);
    expect_refusal(fixture, fixture->url, FAILURE_INPUT, "another program");
    stat(fixture->path, &after);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void places_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *url;
        enum failure kind;
        const char *words;
    } cases[] = {
        {"sqlite:/nowhere/at/all/x.db", FAILURE_SYSTEM, "/nowhere/at/all"},
        {"sqlite:relative.db", FAILURE_INPUT, "slash"},
        {"sqlite:", FAILURE_INPUT, "slash"},
        {"sqlite::memory:", FAILURE_INPUT, "slash"},
        {"postgresql://host/db", FAILURE_INPUT, "no kind of database"},
        {"", FAILURE_INPUT, "no kind of database"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        expect_refusal(fixture, cases[i].url, cases[i].kind, cases[i].words);
}

static void nobody_else_may_read_it(void **state)
{
    struct fixture *fixture = *state;
    AUTO_FREE char *log = text_new("%s-wal", fixture->path);
    struct event event = make_event("a", "v1", "one");
    struct stat status;

    add_event(fixture, &event);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(log, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* --- damage --- */

static void overwrite(const char *path, off_t at, size_t size)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY);
    AUTO_FREE char *garbage = memory_new(size);

    memset(garbage, 0x5a, size);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, garbage, size, at), size);
}

static void damaged_files_are_refused(void **state)
{
    static const struct {
        off_t at;
        size_t size;
    } damages[] = {{0, 100}, {4096 * 3, 4096}, {4096 * 20, 8192}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        struct event events[500];

        if (!fixture->store) {
            unlink(fixture->path);
            fixture_open(fixture);
        }
        for (size_t k = 0; k < ARRAY_COUNT(events); k++)
            events[k] = make_event("a", "v1", "x");
        struct reply reply = {0};
        store_add_events(fixture->store, events, ARRAY_COUNT(events), on_done, &reply);
        fixture_wait(fixture, &reply, 1);
        fixture_close(fixture);
        overwrite(fixture->path, damages[i].at, damages[i].size);
        expect_refusal(fixture, fixture->url, FAILURE_SYSTEM, "damaged");
    }
}

static void a_damaged_document_is_an_error_not_an_absence(void **state)
{
    static const char *const changes[] = {
        "UPDATE facts SET document = x'00'", "UPDATE facts SET document = x''",
        "UPDATE facts SET document = substr(document, 1, length(document) - 3)",
        /* an honest frame that is no JSON: one byte, stored raw */
        "UPDATE facts SET document = x'28b52ffd20010900007b'"};
    struct fixture *fixture = *state;
    struct facts *facts = make_facts("one");
    struct store_image image = {.digest = digest_of("one"), .facts = facts};
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record wanted = make_record("a", "v1", "one", &verdict);

    wanted.images = &image;
    wanted.image_count = 1;
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        struct reply reply = {0};

        record(fixture, &wanted);
        fixture_change(fixture, changes[i]);
        store_read_facts(fixture->store, &image.digest, on_facts, &reply);
        fixture_wait(fixture, &reply, 1);
        if (i == 1) /* an empty one was never written */
            assert_null(reply.facts);
        else
            assert_int_equal(reply.error.kind, FAILURE_SYSTEM);
        reply_release(&reply);
    }
    facts_free(facts);
}

/* --- schema --- */

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *fixture = *state;

    fixture_change(fixture, "CREATE TABLE unrelated (a TEXT)");
    fixture_close(fixture);
    sqlite3 *other = NULL;
    sqlite3_open(fixture->path, &other);
    sqlite3_exec(other, "INSERT INTO migrations VALUES (999, 'of tomorrow', 0)", NULL, NULL, NULL);
    sqlite3_close(other);
    expect_refusal(fixture, fixture->url, FAILURE_INPUT, "schema 999");
}

static void an_older_schema_is_brought_up(void **state)
{
    struct fixture *fixture = *state;

    for (size_t steps = 1; steps < migration_count; steps++) {
        struct driver *driver = NULL;
        struct error err = {0};

        fixture_close(fixture);
        unlink(fixture->path);
        assert_int_equal(driver_open(fixture->url, false, &driver, &err), 0);
        assert_int_equal(migrate(driver, migrations, steps, 1000, &err), 0);
        assert_int_equal(driver->type->define(driver,
                                              "INSERT INTO events VALUES (7, 1, 0, 0, 'main', 'a',"
                                              " 'v1', x'', NULL, NULL, NULL);"
                                              "INSERT INTO open_events VALUES (7)",
                                              &err),
                         0);
        driver_close(driver);
        fixture_open(fixture);
        assert_int_equal(count_open(fixture), 1);
        struct store_plan plan = {.kind = ACTION_HOLD};
        struct verdict verdict = make_verdict(VERDICT_FAIL, "r", NULL);
        struct store_record wanted = make_record("a", "v1", "one", &verdict);
        wanted.plans = &plan;
        wanted.plan_count = 1;
        record(fixture, &wanted);
        AUTO_JSON struct json *sweeps = read_list(fixture, STORE_LIST_SWEEPS, NULL);
        assert_int_equal(json_count(sweeps), 0);
    }
}

static void a_failing_step_leaves_the_schema_as_it_was(void **state)
{
    static const struct migration broken[] = {
        {.number = 1, .name = "good", .sql = "CREATE TABLE good (a TEXT)"},
        {.number = 2, .name = "bad", .sql = "CREATE TABLE half (a TEXT); CREATE NONSENSE"}};
    static const struct migration mended[] = {
        {.number = 1, .name = "good", .sql = "CREATE TABLE good (a TEXT)"},
        {.number = 2, .name = "mended", .sql = "CREATE TABLE half (a TEXT)"}};
    struct fixture *fixture = *state;
    struct driver *driver = NULL;
    struct error err = {0};

    fixture_close(fixture);
    unlink(fixture->path);
    assert_int_equal(driver_open(fixture->url, false, &driver, &err), 0);
    assert_int_equal(migrate(driver, broken, 2, 1000, &err), FAILURE_SYSTEM);
    assert_non_null(strstr(err.text, "schema step 2 (bad)"));
    assert_int_equal(migrate(driver, mended, 2, 1000, &err), 0);
    assert_int_equal(migrate(driver, mended, 2, 1000, &err), 0); /* nothing left to do */
    driver_close(driver);
}

/* --- no space --- */

/* Adds until it fails, at most `most` events of some size; the number that was acknowledged. */
static int64_t fill(struct fixture *fixture, int most, struct reply *ret_last)
{
    AUTO_FREE char *actor = memory_new(20001);
    int64_t added = 0;

    memset(actor, 'x', 20000);
    for (int i = 0; i < most; i++) {
        struct event event = make_event("a", "v1", "x");
        struct reply reply = {0};

        event.actor = actor;
        store_add_events(fixture->store, &event, 1, on_done, &reply);
        fixture_wait(fixture, &reply, 1);
        *ret_last = reply;
        if (reply.error.kind != FAILURE_NONE)
            break;
        added++;
    }
    return added;
}

static void expect_recovery(struct fixture *fixture, int64_t added)
{
    struct event event = make_event("a", "v1", "one");

    assert_int_equal(count_open(fixture), added);
    assert_int_equal(try_add(fixture, &event), FAILURE_NONE);
    assert_int_equal(count_open(fixture), added + 1);
    fixture_reopen(fixture);
    assert_int_equal(count_open(fixture), added + 1);
}

static void a_limited_file_is_no_space(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before;
    struct reply last = {0};

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1024 * 1024, before.rlim_max});
    int64_t added = fill(fixture, 1000, &last);
    assert_int_equal(last.error.kind, FAILURE_LATER);
    assert_non_null(strstr(last.error.text, "no space"));
    assert_true(last.error.hint[0] != '\0');
    assert_true(added > 0 && added < 1000);
    assert_int_equal(count_open(fixture), added); /* reading goes on */
    setrlimit(RLIMIT_FSIZE, &before);
    expect_recovery(fixture, added);
}

static void a_full_disk_is_survived(void **state)
{
    struct fixture *fixture = *state;
    AUTO_FREE char *small = text_new("%s/small", fixture->directory);
    AUTO_FREE char *ballast = text_new("%s/ballast", small);
    struct reply last = {0};

    mkdir(small, 0700);
    if (mount("none", small, "tmpfs", 0, "size=2m") != 0) {
        rmdir(small);
        skip(); /* needs the right to mount */
    }
    fixture_close(fixture);
    free(fixture->url);
    fixture->url = text_new("sqlite:%s/regwarden.db", small);
    fixture_open(fixture);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 512 * 1024), 0);
    close(fd);
    int64_t added = fill(fixture, 1000, &last);
    assert_int_equal(last.error.kind, FAILURE_LATER);
    assert_true(added > 0 && added < 1000);
    for (int i = 0; i < 3; i++) { /* it stays full, and is said so each time */
        struct reply again = {0};
        assert_int_equal(fill(fixture, 1, &again), 0);
        assert_int_equal(again.error.kind, FAILURE_LATER);
    }
    unlink(ballast);
    expect_recovery(fixture, added);
    fixture_close(fixture);
    assert_int_equal(umount(small), 0);
    rmdir(small);
    free(fixture->url);
    fixture->url = text_new("sqlite:%s", fixture->path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_locked_database_is_tried_later),
        TEST(too_much_waiting_is_refused),
        TEST(a_store_has_one_process),
        TEST(another_programs_database_is_left_alone),
        TEST(places_that_cannot_be_are_refused),
        TEST(nobody_else_may_read_it),
        TEST(damaged_files_are_refused),
        TEST(a_damaged_document_is_an_error_not_an_absence),
        TEST(a_newer_schema_is_refused),
        TEST(an_older_schema_is_brought_up),
        TEST(a_failing_step_leaves_the_schema_as_it_was),
        TEST(a_limited_file_is_no_space),
        TEST(a_full_disk_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
