/* Layers that mean no good, and workers that are ended in the middle. After each of them the next
 * layer is scanned as if nothing had been. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "archives.h"
#include "pool_fixture.h"
#include "streams.h"

static struct pool_fixture fixture;
static struct scan_pool_options options;

static int set_up(void **state)
{
    (void)state;
    options = pool_options();
    options.workers = 1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pool_close(&fixture);
    return 0;
}

static void start_pool(void)
{
    pool_open(&fixture, &options);
}

static void assert_fails(const struct text *layer, enum failure kind, const char *text)
{
    struct feed feed = {.fixture = &fixture, .parts = {{.text = layer}}};

    feed_start(&feed);
    assert_true(feed_wait(&feed));
    assert_null(feed.facts);
    if (feed.kind != kind || !strstr(feed.text, text))
        fail_msg("%s: %s", failure_name(feed.kind), feed.text);
    pool_still_works(&fixture);
}

static void make_archive(struct text *to)
{
    archive_add_file(to, "etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    archive_add_file(to, "usr/bin/gcc", "some bytes that are no program");
    archive_add_end(to);
}

/* --- workers that end --- */

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void stop_in_the_middle(int number, const char *text)
{
    AUTO_TEXT struct text layer = {0};
    int pid = 0;

    make_archive(&layer);
    struct feed feed = {
        .fixture = &fixture, .parts = {{.text = &layer}}, .piece = 512, .stop_at = 1024};
    feed_start(&feed);
    loop_run_until(fixture.loop, feed_has_begun, &feed, 60000);
    loop_run_until(fixture.loop, never, NULL, 20);
    assert_int_equal(pool_children(&pid, 1), 1);
    kill(pid, number);
    if (number == SIGSTOP) {
        feed.stop_at = 0;
        scan_pool_end(fixture.pool, feed.id);
    }
    assert_true(feed_wait(&feed));
    assert_int_equal(feed.kind, FAILURE_SYSTEM);
    if (!strstr(feed.text, text))
        fail_msg("%s", feed.text);
    pool_still_works(&fixture);
}

static void a_killed_worker_costs_its_layer(void **state)
{
    (void)state;
    start_pool();
    stop_in_the_middle(SIGKILL, "was killed by signal 9");
    stop_in_the_middle(SIGSEGV,
                       pool_is_sanitized() ? "the scan worker " : "was killed by signal 11");
}

static void a_silent_worker_is_ended(void **state)
{
    (void)state;
    options.silence_ms = 4000; /* its start takes time, too */
    start_pool();
    stop_in_the_middle(SIGSTOP, "did nothing for");
}

static void a_worker_without_memory_costs_its_layer(void **state)
{
    AUTO_TEXT struct text archive = {0}, gzip = {0}, zstd = {0};

    (void)state;
    options.memory_bytes = 3 << 20;
    start_pool();
    if (pool_is_sanitized())
        return;
    for (unsigned i = 0; i < 60000; i++) {
        char name[100];
        snprintf(name, sizeof(name), "srv/%032u/%032u", i, i);
        archive_add_file(&archive, name, "");
    }
    archive_add_end(&archive);
    stream_add_gzip(&gzip, archive.data, archive.length);
    assert_fails(&gzip, FAILURE_SYSTEM, "it had no memory left");
    stream_add_zstd(&zstd, archive.data, archive.length);
    assert_fails(&zstd, FAILURE_SYSTEM, "memory");
}

/* --- layers that are damaged --- */

static void make_packed(struct text *to, unsigned packing)
{
    AUTO_TEXT struct text archive = {0};

    make_archive(&archive);
    if (packing == 0)
        text_add_bytes(to, archive.data, archive.length);
    else if (packing == 1)
        stream_add_gzip(to, archive.data, archive.length);
    else
        stream_add_zstd(to, archive.data, archive.length);
}

/* Each costs a worker, and one with sanitizers takes long to start. */
static size_t step_of(unsigned packing)
{
    if (pool_is_sanitized())
        return packing == 0 ? 305 : 13;
    return packing == 0 ? 61 : 1;
}

/* At every byte where that is few; a tar at each place that means something in it. */
static void a_truncated_layer_is_no_layer(void **state)
{
    (void)state;
    start_pool();
    for (unsigned packing = 0; packing < 3; packing++) {
        AUTO_TEXT struct text layer = {0};
        struct digest digest;
        make_packed(&layer, packing);
        digest_compute(NULL, layer.data, layer.length, &digest);
        size_t whole = layer.length, step = step_of(packing);
        for (size_t size = 0; size < whole; size += step) {
            layer.length = size;
            struct feed feed = {.fixture = &fixture, .parts = {{.text = &layer}}, .piece = 37};
            feed_start_as(&feed, &digest, whole);
            assert_true(feed_wait(&feed));
            if (feed.facts || feed.kind != FAILURE_INPUT)
                fail_msg("%zu bytes of packing %u: %s: %s", size, packing, failure_name(feed.kind),
                         feed.text);
        }
        pool_still_works(&fixture);
    }
}

static void damaged_members_are_told(void **state)
{
    (void)state;
    start_pool();
    for (unsigned packing = 1; packing < 3; packing++) {
        AUTO_TEXT struct text layer = {0}, two = {0};
        make_packed(&layer, packing);
        text_add_bytes(&two, layer.data, layer.length);
        text_add_bytes(&two, layer.data, layer.length);
        two.data[two.length - 30] ^= 0x55;
        assert_fails(&two, FAILURE_INPUT, "");
        layer.data[layer.length / 2] ^= 0x10;
        assert_fails(&layer, FAILURE_INPUT, "");
    }
}

/* --- too much of something --- */

static void bombs_are_not_unpacked(void **state)
{
    AUTO_TEXT struct text zeros = {0}, archive = {0}, gzip = {0}, zstd = {0};
    static const char block[1 << 16];

    (void)state;
    options.scan.limits.max_ratio = 100;
    options.scan.limits.ratio_from_bytes = 1 << 20;
    start_pool();
    for (unsigned i = 0; i < 512; i++)
        text_add_bytes(&zeros, block, sizeof(block));
    archive_add(&archive, &(struct archive_entry){
                              .name = "zeros", .data = zeros.data, .data_size = zeros.length});
    archive_add_end(&archive);
    stream_add_gzip(&gzip, archive.data, archive.length);
    stream_add_zstd(&zstd, archive.data, archive.length);
    assert_fails(&gzip, FAILURE_LIMIT, "");
    assert_fails(&zstd, FAILURE_LIMIT, "");
}

static void a_layer_has_a_size_and_a_time(void **state)
{
    AUTO_TEXT struct text noise = {0}, archive = {0}, layer = {0};

    (void)state;
    options.scan.limits.max_output_bytes = 1 << 20;
    start_pool();
    stream_add_noise(&noise, 20 << 20);
    archive_add(&archive, &(struct archive_entry){
                              .name = "noise", .data = noise.data, .data_size = noise.length});
    archive_add_end(&archive);
    stream_add_gzip(&layer, archive.data, archive.length);
    assert_fails(&layer, FAILURE_LIMIT, "");
    pool_close(&fixture);

    options = pool_options();
    options.workers = 1;
    options.scan.limits.max_ms = 5;
    start_pool();
    assert_fails(&layer, FAILURE_LIMIT, "takes too long");
}

static void entries_have_an_end(void **state)
{
    AUTO_TEXT struct text archive = {0};

    (void)state;
    options.scan.limits.max_entries = 100;
    start_pool();
    for (unsigned i = 0; i < 101; i++)
        archive_add_file(&archive, "a", "");
    archive_add_end(&archive);
    assert_fails(&archive, FAILURE_LIMIT, "");
}

/* --- names and links --- */

static void add_long_name(struct text *to, size_t size)
{
    AUTO_TEXT struct text name = {0};

    for (size_t i = 0; i < size; i++)
        text_add_char(&name, i % 200 == 199 ? '/' : 'n');
    archive_add(to, &(struct archive_entry){.name = "././@LongLink",
                                            .type = 'L',
                                            .magic = MAGIC_GNU,
                                            .data = name.data,
                                            .data_size = name.length});
    archive_add(to, &(struct archive_entry){.name = "cut", .magic = MAGIC_GNU, .data = "x"});
}

static void names_may_be_long(void **state)
{
    AUTO_TEXT struct text layer = {0}, longer = {0};

    (void)state;
    start_pool();
    add_long_name(&layer, 4000);
    add_long_name(&layer, 4096);
    archive_add_end(&layer);
    struct feed feed = {.fixture = &fixture, .parts = {{.text = &layer}}};
    feed_start(&feed);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("%s", feed.text);
    assert_int_equal(feed.facts->file_count, 2);
    feed_release(&feed);

    add_long_name(&longer, 1 << 20);
    archive_add_end(&longer);
    struct feed refused = {.fixture = &fixture, .parts = {{.text = &longer}}};
    feed_start(&refused);
    assert_true(feed_wait(&refused));
    if (refused.facts)
        assert_int_equal(refused.facts->odd_entries, 1);
    else
        assert_int_not_equal(refused.kind, FAILURE_SYSTEM);
    feed_release(&refused);
    pool_still_works(&fixture);
}

static void links_may_go_round(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    start_pool();
    archive_add(&layer, &(struct archive_entry){.name = "a", .type = '2', .link = "b"});
    archive_add(&layer, &(struct archive_entry){.name = "b", .type = '2', .link = "a"});
    archive_add(&layer, &(struct archive_entry){.name = "c", .type = '1', .link = "c"});
    archive_add(&layer,
                &(struct archive_entry){.name = "etc/passwd", .type = '2', .link = "passwd"});
    archive_add(&layer, &(struct archive_entry){.name = "up", .type = '2', .link = "../../../up"});
    archive_add_end(&layer);
    struct feed feed = {.fixture = &fixture, .parts = {{.text = &layer}}};
    feed_start(&feed);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("%s", feed.text);
    assert_int_equal(feed.facts->entry_count, 5);
    assert_int_equal(feed.facts->files[LAYER_FILE_PASSWD].state, LAYER_FILE_LINK);
    feed_release(&feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_killed_worker_costs_its_layer),
        TEST(a_silent_worker_is_ended),
        TEST(a_worker_without_memory_costs_its_layer),
        TEST(a_truncated_layer_is_no_layer),
        TEST(damaged_members_are_told),
        TEST(bombs_are_not_unpacked),
        TEST(a_layer_has_a_size_and_a_time),
        TEST(entries_have_an_end),
        TEST(names_may_be_long),
        TEST(links_may_go_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
