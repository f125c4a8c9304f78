/* Rates of the store on this machine's disk, beside what plain SQLite does with the same rows:
 * bench_store, in /tmp; or one of them: bench_store events UNDER-WAY MILLISECONDS. Not a test:
 * nothing here passes or fails. */
#include <stdio.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fixture.h"
#include "regwarden/clock.h"

enum { PLACEMENTS = 20000 };

static int64_t for_ms = 2000;

static struct event bench_event(int number)
{
    struct event event = make_event("team/service/backend", "v1.2.3", NULL);

    event.digest.algorithm = DIGEST_SHA256;
    memcpy(event.digest.bytes, &number, sizeof(number));
    event.media_type = (char *)(uintptr_t)MEDIA_TYPE_OCI_MANIFEST;
    event.actor = (char *)(uintptr_t) "ci-robot";
    event.source_id = (char *)(uintptr_t) "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    return event;
}

/* --- the limit: SQLite, one row per event, nothing around it --- */

static void plain_step(sqlite3 *db, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_DONE)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

static void plain_bind(sqlite3_stmt *insert, const struct event *event)
{
    sqlite3_bind_int64(insert, 1, event->received_ms);
    sqlite3_bind_int64(insert, 2, event->action);
    sqlite3_bind_int64(insert, 3, event->cause);
    sqlite3_bind_text(insert, 4, event->registry, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 5, event->repository, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 6, event->tag, -1, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 7, event->digest.bytes, 33, SQLITE_STATIC);
    sqlite3_bind_text(insert, 8, event->media_type, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 9, event->actor, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 10, event->source_id, -1, SQLITE_STATIC);
}

static sqlite3_stmt *plain_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    return statement;
}

static double plain_rate(const char *directory, int batch)
{
    AUTO_FREE char *path = text_new("%s/plain.db", directory);
    AUTO_FREE char *log = text_new("%s-wal", path);
    sqlite3 *db = NULL;

    unlink(path);
    unlink(log);
    sqlite3_open(path, &db);
    sqlite3_exec(db,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
                 "CREATE TABLE events (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i, j)",
                 NULL, NULL, NULL);
    sqlite3_stmt *begin = plain_prepare(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = plain_prepare(db, "COMMIT");
    sqlite3_stmt *insert = plain_prepare(
        db, "INSERT INTO events (a, b, c, d, e, f, g, h, i, j) VALUES (?,?,?,?,?,?,?,?,?,?)");
    int64_t start = clock_steady_ms();
    int count = 0;

    while (clock_steady_ms() - start < for_ms) {
        plain_step(db, begin);
        for (int i = 0; i < batch; i++) {
            struct event event = bench_event(count++);

            plain_bind(insert, &event);
            plain_step(db, insert);
        }
        plain_step(db, commit);
    }
    double rate = count * 1000.0 / (double)(clock_steady_ms() - start);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return rate;
}

/* --- the store: so many calls under way, each answer makes the next --- */

struct bench;
typedef void call_f(struct bench *bench, int slot);

struct bench {
    struct fixture *fixture;
    call_f *call;
    struct event *events; /* one per slot */
    struct store_record *records;
    char (*tags)[32];
    int64_t (*ids)[1];
    struct verdict verdict;
    struct facts *facts;
    struct store_image *images; /* one per slot */
    int slots;
    int made, answered, failed, with_facts;
    int64_t stop_ms;
    bool running;
};

struct slot {
    struct bench *bench;
    int number;
};

static void answered(struct slot *slot, const struct error *error)
{
    struct bench *bench = slot->bench;

    bench->answered++;
    bench->failed += error != NULL;
    if (bench->running && (bench->answered % 64 != 0 || clock_steady_ms() < bench->stop_ms))
        bench->call(bench, slot->number);
    else
        bench->running = false;
}

static struct slot *slots;

static void on_slot(void *argument, const struct error *error)
{
    answered(argument, error);
}

static void on_slot_context(void *argument, const struct error *error,
                            struct store_context *context)
{
    struct slot *slot = argument;

    slot->bench->with_facts += context && context->facts;
    answered(slot, error);
}

static void call_add(struct bench *bench, int slot)
{
    bench->events[slot] = bench_event(bench->made++);
    store_add_events(bench->fixture->store, &bench->events[slot], 1, on_slot, &slots[slot]);
}

static void call_repeat(struct bench *bench, int slot)
{
    int64_t id = ++bench->made;
    char tag[32];

    snprintf(tag, sizeof(tag), "v%d", bench->made % PLACEMENTS);
    store_record_repeat(bench->fixture->store, "main", "team/app", tag, 1700000000000 + id, &id, 1,
                        on_slot, &slots[slot]);
}

/* What the dispatcher does when a known digest is pushed again. */
static void call_again(struct bench *bench, int slot)
{
    char tag[32];

    snprintf(tag, sizeof(tag), "v%d", bench->made % PLACEMENTS);
    bench->events[slot] = bench_event(bench->made++);
    store_add_events(bench->fixture->store, &bench->events[slot], 1, NULL, NULL);
    bench->ids[slot][0] = bench->made;
    store_record_repeat(bench->fixture->store, "main", "team/app", tag, 1700000000000,
                        bench->ids[slot], 1, on_slot, &slots[slot]);
}

static void call_record(struct bench *bench, int slot)
{
    AUTO_FREE char *content = text_new("image %d", bench->made);

    snprintf(bench->tags[slot], sizeof(bench->tags[slot]), "v%d", bench->made++ % PLACEMENTS);
    bench->records[slot] = make_record("team/app", bench->tags[slot], content, &bench->verdict);
    bench->images[slot] =
        (struct store_image){.digest = bench->records[slot].digest, .facts = bench->facts};
    bench->records[slot].images = &bench->images[slot];
    bench->records[slot].image_count = 1;
    store_record_verdict(bench->fixture->store, &bench->records[slot], on_slot, &slots[slot]);
}

static void call_context(struct bench *bench, int slot)
{
    AUTO_FREE char *content = text_new("image %d", bench->made % PLACEMENTS);
    AUTO_FREE char *tag = text_new("v%d", bench->made++ % PLACEMENTS);
    struct event event = make_event("team/app", tag, content);

    store_read_context(bench->fixture->store, &event, on_slot_context, &slots[slot]);
}

static void call_fresh_context(struct bench *bench, int slot)
{
    AUTO_FREE char *content = text_new("new %d", bench->made++);
    struct event event = make_event("team/app", "v1", content);

    store_read_context(bench->fixture->store, &event, on_slot_context, &slots[slot]);
}

struct rest {
    struct bench *bench;
    int target;
};

static bool nothing_waits(void *argument)
{
    struct rest *rest = argument;

    return !rest->bench->running && rest->bench->answered >= rest->target;
}

static double rate_of(struct fixture *fixture, const char *name, int under_way, call_f *call,
                      double *ret_batch)
{
    static const char *const rules[] = {"non-root", "image-size", "base-pinned", "no-cache", NULL};
    struct bench bench = {.fixture = fixture, .call = call, .slots = under_way, .running = true};
    struct store_counters before;
    struct store_counters after;

    bench.events = memory_new_array((size_t)under_way, sizeof(*bench.events));
    bench.records = memory_new_array((size_t)under_way, sizeof(*bench.records));
    bench.tags = memory_new_array((size_t)under_way, sizeof(*bench.tags));
    bench.ids = memory_new_array((size_t)under_way, sizeof(*bench.ids));
    bench.verdict = make_verdict(VERDICT_FAIL, "r", rules);
    bench.facts = make_facts("bench");
    bench.images = memory_new_array((size_t)under_way, sizeof(*bench.images));
    slots = memory_new_array((size_t)under_way, sizeof(*slots));
    store_counters(fixture->store, &before);
    int64_t start = clock_steady_ms();
    bench.stop_ms = start + for_ms;
    for (int i = 0; i < under_way; i++) {
        slots[i] = (struct slot){&bench, i};
        call(&bench, i);
    }
    while (bench.running)
        loop_run_until(fixture->loop, nothing_waits, &(struct rest){&bench, INT32_MAX}, 50);
    int64_t elapsed = clock_steady_ms() - start;
    int counted = bench.answered;
    loop_run_until(fixture->loop, nothing_waits, &(struct rest){&bench, counted + under_way - 1},
                   2000);
    store_counters(fixture->store, &after);
    double rate = counted * 1000.0 / (double)elapsed;
    double batch = after.commits > before.commits ? (double)(after.operations - before.operations) /
                                                        (double)(after.commits - before.commits)
                                                  : 0;
    printf("%-32s %5d under way %8.0f/s", name, under_way, rate);
    if (batch > 0)
        printf(", %.0f writes per commit", batch);
    if (bench.with_facts)
        printf(", %d%% with facts", (int)(100.0 * bench.with_facts / bench.answered));
    if (bench.failed)
        printf(", %d FAILED", bench.failed);
    printf("\n");
    verdict_release(&bench.verdict);
    facts_free(bench.facts);
    free(bench.images);
    free(bench.events);
    free(bench.records);
    free(bench.tags);
    free(bench.ids);
    free(slots);
    *ret_batch = batch;
    return rate;
}

/* Right after each other, on a disk that others may be using too. */
static void compare(struct fixture *fixture, int under_way)
{
    double batch = 1;
    double rate = rate_of(fixture, "events", under_way, call_add, &batch);
    double plain = plain_rate(fixture->directory, batch < 1 ? 1 : (int)batch);

    printf("%-32s %5d per commit %8.0f/s: the store reaches %.0f%%\n",
           "  plain SQLite, the same row", (int)batch, plain, 100 * rate / plain);
}

static void measure_all(struct fixture *fixture)
{
    static const struct {
        const char *name;
        int under_way;
        call_f *call;
    } others[] = {
        {"new images recorded", 256, call_record},
        {"contexts of known images", 256, call_context},
        {"contexts of unknown images", 256, call_fresh_context},
        {"repeats recorded", 256, call_repeat},
        {"known digest: event and repeat", 64, call_again},
        {"known digest: event and repeat", 256, call_again},
        {"known digest: event and repeat", 1024, call_again},
    };
    static const int ways[] = {1, 16, 64, 256, 1024, 4096};
    double batch;

    for (size_t i = 0; i < ARRAY_COUNT(ways); i++)
        compare(fixture, ways[i]);
    fixture_close(fixture);
    struct store_options apart = {.loop = fixture->loop, .url = fixture->url, .isolate = true};
    if (store_open_with(&apart, &fixture->store, NULL) < 0)
        fail_msg("cannot open the store");
    rate_of(fixture, "events, each in a savepoint", 1024, call_add, &batch);
    fixture_reopen(fixture);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        rate_of(fixture, others[i].name, others[i].under_way, others[i].call, &batch);
}

int main(int argc, char **argv)
{
    void *state = NULL;
    double batch;

    fixture_setup(&state);
    if (argc == 4 && text_equal(argv[1], "events")) {
        for_ms = strtoll(argv[3], NULL, 10);
        rate_of(state, "events", (int)strtoll(argv[2], NULL, 10), call_add, &batch);
    } else {
        measure_all(state);
    }
    fixture_teardown(&state);
    return 0;
}
