/* The pool with real workers: what comes out is what a scan in this process finds, whatever the
 * number of layers and workers, and however they are stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archives.h"
#include "pool_fixture.h"
#include "streams.h"
#include "worker_options.h"

#define TOKEN \
    "ghp_"    \
    "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"

static struct pool_fixture fixture;

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static int open_pool(void **state)
{
    struct scan_pool_options options = pool_options();

    (void)state;
    pool_open(&fixture, &options);
    return 0;
}

/* One worker, so that layers are read one after the other. */
static int open_narrow_pool(void **state)
{
    struct scan_pool_options options = pool_options();

    (void)state;
    options.workers = 1;
    pool_open(&fixture, &options);
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    pool_close(&fixture);
    return 0;
}

/* Something of everything; `number` makes layers different. */
static void make_archive(struct text *to, unsigned number)
{
    AUTO_TEXT struct text noise = {0};
    AUTO_FREE char *name = text_new("srv/app%u/data", number);

    stream_add_noise(&noise, 300000);
    for (unsigned i = 0; i < 500; i++) { /* so many that sorting them takes more than the stack */
        AUTO_FREE char *page = text_new("usr/share/man/page%u", i * 7919 % 500);

        archive_add_file(to, page, "text");
    }
    archive_add_file(to, "etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:7:7::/:/bin/sh\n");
    archive_add_file(to, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    archive_add_file(to, "usr/bin/gcc", "ELF");
    archive_add_file(to, "srv/app/.env", "GITHUB_TOKEN=" TOKEN "\n");
    archive_add(to, &(struct archive_entry){.name = "usr/bin/su", .mode = 04755, .data = "su"});
    archive_add(to, &(struct archive_entry){.name = "usr/bin/cc", .type = '2', .link = "gcc"});
    archive_add(
        to, &(struct archive_entry){.name = name, .data = noise.data, .data_size = noise.length});
    archive_add_end(to);
}

enum packing { PLAIN, GZIP, ZSTD, PACKING_COUNT };

static void make_layer(struct text *to, unsigned number, enum packing packing)
{
    AUTO_TEXT struct text archive = {0};

    make_archive(&archive, number);
    if (packing == PLAIN)
        text_add_bytes(to, archive.data, archive.length);
    else if (packing == GZIP)
        stream_add_gzip(to, archive.data, archive.length);
    else
        stream_add_zstd(to, archive.data, archive.length);
}

static void facts_to_text(const struct layer_facts *facts, struct text *to)
{
    AUTO_JSON struct json *json = layer_facts_to_json(facts);

    json_write(json, JSON_INDENTED, to);
}

static void assert_same_as_here(const struct feed *feed)
{
    struct scan_options options = pool_options().scan;
    AUTO_SCAN struct scan *scan = scan_new(&options);
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    AUTO_TEXT struct text here = {0}, there = {0};

    if (!feed->facts)
        fail_msg("%s", feed->text);
    assert_int_equal(scan_push(scan, feed->parts[0].text->data, feed->parts[0].text->length, NULL),
                     0);
    assert_int_equal(scan_finish(scan, &facts, NULL), 0);
    facts_to_text(facts, &here);
    facts_to_text(feed->facts, &there);
    assert_string_equal(text_data(&here), text_data(&there));
    assert_true(facts->hit_count >= 4);
}

static void facts_are_those_of_a_scan_in_this_process(void **state)
{
    enum { LAYERS = 7 };
    struct text layers[LAYERS] = {{0}};
    struct feed feeds[LAYERS] = {{0}};

    (void)state;
    for (unsigned i = 0; i < LAYERS; i++) {
        make_layer(&layers[i], i, (enum packing)(i % PACKING_COUNT));
        feeds[i] = (struct feed){.fixture = &fixture,
                                 .parts = {{.text = &layers[i]}},
                                 .piece = 1000 + 30000 * (size_t)i};
        feed_start(&feeds[i]);
    }
    for (unsigned i = 0; i < LAYERS; i++) {
        assert_true(feed_wait(&feeds[i]));
        assert_int_equal(feeds[i].begun, 1);
        assert_int_equal(feeds[i].done, 1);
        assert_same_as_here(&feeds[i]);
        feed_release(&feeds[i]);
        text_release(&layers[i]);
    }
    int workers[8];
    assert_int_equal(pool_children(workers, 8), 2);
    printf("missing of the sandbox: %s.\n", scan_pool_missing(fixture.pool));
    struct scan_pool_counters counters;
    scan_pool_counters(fixture.pool, &counters);
    assert_int_equal(counters.started, LAYERS);
    assert_int_equal(counters.finished, LAYERS);
    assert_int_equal(counters.failed + counters.killed + counters.active + counters.waiting, 0);
}

/* The layers of one do not stand before the only one of another. */
static void owners_take_turns(void **state)
{
    enum { LAYERS = 5 };
    AUTO_TEXT struct text layer = {0};
    struct feed feeds[LAYERS] = {{0}};

    (void)state;
    make_layer(&layer, 1, PLAIN);
    for (unsigned i = 0; i < LAYERS; i++) {
        feeds[i] = (struct feed){
            .fixture = &fixture, .parts = {{.text = &layer}}, .owner = i + 1 < LAYERS ? 1 : 200};
        feed_start(&feeds[i]);
    }
    for (unsigned i = 0; i < LAYERS; i++) {
        assert_true(feed_wait(&feeds[i]));
        assert_non_null(feeds[i].facts);
        feed_release(&feeds[i]);
    }
    for (unsigned i = 1; i + 1 < LAYERS; i++)
        assert_true(feeds[LAYERS - 1].place < feeds[i].place);
}

static void layers_may_have_either_digest(void **state)
{
    AUTO_TEXT struct text layer = {0};
    const struct digest like = {.algorithm = DIGEST_SHA512};
    struct digest digest;

    (void)state;
    make_layer(&layer, 1, GZIP);
    digest_compute(&like, layer.data, layer.length, &digest);
    struct feed feed = {.fixture = &fixture, .parts = {{.text = &layer}}};
    feed_start_as(&feed, &digest, layer.length);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("%s", feed.text);
    assert_true(digest_equal(&feed.facts->digest, &digest));
    assert_int_equal(feed.facts->diff_id.algorithm, DIGEST_SHA256);
    feed_release(&feed);
    pool_still_works(&fixture);
}

static void other_bytes_than_asked_for_are_refused(void **state)
{
    AUTO_TEXT struct text layer = {0};
    struct digest digest;

    (void)state;
    make_layer(&layer, 1, GZIP);
    digest_compute(NULL, "other", 5, &digest);
    struct feed feed = {.fixture = &fixture, .parts = {{.text = &layer}}};
    feed_start_as(&feed, &digest, 0);
    assert_true(feed_wait(&feed));
    assert_null(feed.facts);
    assert_int_equal(feed.kind, FAILURE_INPUT);
    assert_non_null(strstr(feed.text, ", not sha256:"));

    digest_compute(NULL, layer.data, layer.length, &digest);
    struct feed longer = {.fixture = &fixture, .parts = {{.text = &layer}}};
    feed_start_as(&longer, &digest, layer.length + 1);
    assert_true(feed_wait(&longer));
    assert_int_equal(longer.kind, FAILURE_INPUT);
    pool_still_works(&fixture);
}

/* At every stage: before a worker is there, while bytes flow, when all were given, when it is done.
 */
static void a_cancelled_layer_has_no_answer(void **state)
{
    AUTO_TEXT struct text layer = {0};
    AUTO_TEXT struct text small = {0};
    struct scan_pool_counters counters;

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        make_archive(&small, i);
    stream_add_zstd(&layer, small.data, small.length);
    for (unsigned stage = 0; stage < 8; stage++) {
        struct feed feed = {.fixture = &fixture,
                            .parts = {{.text = &layer}},
                            .piece = 4096,
                            .stop_at = stage < 4 ? layer.length / 2 : 0};
        feed_start(&feed);
        loop_run_until(fixture.loop, feed_has_begun, &feed, stage == 0 ? 0 : 60000);
        if (stage > 1)
            loop_run_until(fixture.loop, never, NULL, 7 * stage);
        unsigned before = feed.done;
        scan_pool_cancel(fixture.pool, feed.id);
        scan_pool_cancel(fixture.pool, feed.id);
        assert_true(scan_pool_push(fixture.pool, feed.id, "x", 1));
        scan_pool_end(fixture.pool, feed.id);
        pool_still_works(&fixture);
        assert_int_equal(feed.done, before);
        feed_release(&feed);
    }
    scan_pool_counters(fixture.pool, &counters);
    assert_int_equal(counters.active + counters.waiting + counters.killed, 0);
    assert_int_equal(counters.started, counters.finished + counters.failed);
}

static void a_pool_that_goes_tells_its_layers(void **state)
{
    AUTO_TEXT struct text layer = {0};
    struct feed feeds[5] = {{0}};
    int workers[8];

    (void)state;
    make_layer(&layer, 1, GZIP);
    for (unsigned i = 0; i < 5; i++) {
        feeds[i] = (struct feed){
            .fixture = &fixture, .parts = {{.text = &layer}}, .stop_at = layer.length / 2};
        feed_start(&feeds[i]);
    }
    loop_run_until(fixture.loop, feed_has_begun, &feeds[1], 60000);
    scan_pool_free(fixture.pool);
    fixture.pool = NULL;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(feeds[i].done, 1);
        assert_int_equal(feeds[i].kind, FAILURE_LATER);
    }
    assert_int_equal(pool_children(workers, 8), 0);
}

/* What a worker asks is fixed before its sandbox is. */
static void new_probes_get_new_workers(void **state)
{
    AUTO_PROBES struct scan_probes probes = {0};
    int before[8] = {0}, after[8] = {0};

    (void)state;
    pool_still_works(&fixture);
    assert_int_equal(pool_children(before, 8), 1);
    pool_still_works(&fixture);
    assert_int_equal(pool_children(after, 8), 1);
    assert_int_equal(before[0], after[0]);
    scan_probes_add(&probes, "etc/pass*", "^app:");
    scan_pool_set_probes(fixture.pool, &probes);
    pool_still_works(&fixture);
    assert_int_equal(pool_children(after, 8), 1);
    assert_int_not_equal(before[0], after[0]);
}

static void options_survive_the_way(void **state)
{
    struct worker_options options = {
        .scan = pool_options().scan, .memory_bytes = 12345, .cpu_seconds = 99};
    struct worker_options read = {0};
    AUTO_TEXT struct text text = {0}, again = {0};

    (void)state;
    scan_probes_add(&options.probes, "a/**", "x\"y");
    scan_probes_add(&options.probes, "b", NULL);
    worker_options_write(&options, &text);
    assert_int_equal(worker_options_read(text.data, text.length, &read, NULL), 0);
    assert_int_equal(read.memory_bytes, 12345);
    assert_int_equal(read.scan.limits.max_ms, options.scan.limits.max_ms);
    assert_memory_equal(read.scan.salt, options.scan.salt, SCAN_SALT_SIZE);
    worker_options_write(&read, &again);
    assert_string_equal(text.data, again.data);
    worker_options_release(&read);
    worker_options_release(&options);
    assert_int_equal(worker_options_read("{}", 2, &read, NULL), FAILURE_INPUT);
}

/* A program that does not know the command would run itself again, and so on without end. */
static void a_worker_starts_no_workers(void **state)
{
    struct loop *loop = NULL;
    struct scan_pool *pool = NULL;
    struct scan_pool_options options = pool_options();
    struct error error = {0};

    (void)state;
    assert_int_equal(loop_new(&loop, NULL), 0);
    setenv("REGWARDEN_SCAN_WORKER", "1", 1);
    assert_int_equal(scan_pool_new(loop, &options, &pool, &error), FAILURE_SYSTEM);
    unsetenv("REGWARDEN_SCAN_WORKER");
    assert_null(pool);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_are_those_of_a_scan_in_this_process, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(owners_take_turns, open_narrow_pool, close_pool),
        cmocka_unit_test_setup_teardown(layers_may_have_either_digest, open_pool, close_pool),
        cmocka_unit_test_setup_teardown(other_bytes_than_asked_for_are_refused, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(a_cancelled_layer_has_no_answer, open_pool, close_pool),
        cmocka_unit_test_setup_teardown(a_pool_that_goes_tells_its_layers, open_pool, close_pool),
        cmocka_unit_test_setup_teardown(new_probes_get_new_workers, open_pool, close_pool),
        cmocka_unit_test(options_survive_the_way),
        cmocka_unit_test(a_worker_starts_no_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
