/* A worker's memory does not grow with the layer, and its worst layer fits into what is promised:
 * 24 MiB. With sanitizers the figures mean nothing: then the layers are small, and go through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archives.h"
#include "pool_fixture.h"
#include "streams.h"

enum { NOISE = 8 << 20, PROMISED_KIB = 24 * 1024 };

/* Peak of a fresh worker that reads this one layer. */
static uint64_t peak_of(const struct feed_part *parts, size_t count, const char *what)
{
    struct pool_fixture fixture;
    struct scan_pool_options options = pool_options();

    options.workers = 1;
    options.scan.limits.max_entries = 20000000;
    options.scan.limits.max_ratio = 1 << 20;
    options.scan.diff_id = false; /* it takes time, and no memory */
    pool_open(&fixture, &options);
    struct feed feed = {.fixture = &fixture};
    memcpy(feed.parts, parts, count * sizeof(*parts));
    feed_start(&feed);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("%s: %s", what, feed.text);
    uint64_t peak = pool_peak_kib();
    printf("%-34s %7.1f MB %9llu entries: %5llu KiB at most\n", what,
           (double)feed.facts->uncompressed_bytes / 1e6,
           (unsigned long long)feed.facts->entry_count, (unsigned long long)peak);
    feed_release(&feed);
    pool_close(&fixture);
    return peak;
}

static void assert_promise(uint64_t peak)
{
    if (!pool_is_sanitized())
        assert_in_range(peak, 1, PROMISED_KIB);
}

/* The head of a file of so many times NOISE bytes. */
static void make_head(struct text *to, unsigned long long size)
{
    AUTO_TEXT struct text head = {0};
    char field[16];

    snprintf(field, sizeof(field), "%011llo", size);
    archive_add(&head, &(struct archive_entry){.name = "srv/data", .size_field = field});
    stream_add_zstd(to, head.data, head.length);
}

static void memory_does_not_grow_with_the_layer(void **state)
{
    AUTO_TEXT struct text noise = {0}, body = {0}, end = {0}, tail = {0}, small = {0}, large = {0};
    unsigned times = pool_is_sanitized() ? 4 : 128;

    (void)state;
    stream_add_noise(&noise, NOISE);
    noise.data[0] = '\0'; /* a program, not a text: most of large layers is */
    stream_add_zstd(&body, noise.data, noise.length);
    archive_add_end(&end);
    stream_add_zstd(&tail, end.data, end.length);
    make_head(&small, NOISE);
    make_head(&large, (unsigned long long)NOISE * times);
    uint64_t little =
        peak_of((struct feed_part[]){{&small, 0}, {&body, 1}, {&tail, 0}}, 3, "one file of 8 MiB");
    uint64_t much = peak_of((struct feed_part[]){{&large, 0}, {&body, times}, {&tail, 0}}, 3,
                            "one file, many times that");
    assert_promise(much);
    if (!pool_is_sanitized())
        assert_true(much < little + 1024);
}

static void ten_million_entries_are_no_more_than_the_bound(void **state)
{
    AUTO_TEXT struct text archive = {0}, body = {0}, end = {0}, tail = {0};
    unsigned times = pool_is_sanitized() ? 4 : 100;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        char name[100];
        snprintf(name, sizeof(name), "srv/%u/%u", i / 1000, i);
        archive_add_file(&archive, name, "");
    }
    stream_add_zstd(&body, archive.data, archive.length);
    archive_add_end(&end);
    stream_add_zstd(&tail, end.data, end.length);
    assert_promise(peak_of((struct feed_part[]){{&body, times}, {&tail, 0}}, 2, "many entries"));
}

static void add_file(struct text *to, const char *name, const struct text *data)
{
    archive_add(to, &(struct archive_entry){
                        .name = name, .data = data->data, .data_size = data->length, .mode = 0644});
}

/* Everything that facts keep, up to its bound at once, out of a frame that needs the largest window
 * that is allowed. */
static void the_worst_facts_fit(void **state)
{
    AUTO_TEXT struct text users = {0}, status = {0}, archive = {0}, layer = {0};
    unsigned count = pool_is_sanitized() ? 2000 : LAYER_PATHS_MAX - 2;
    char name[101];

    (void)state;
    for (unsigned i = 0; i < LAYER_ACCOUNTS_MAX; i++)
        text_format(&users, "user%u:x:%u:%u::/home/%u:/bin/sh\n", i, i, i, i);
    add_file(&archive, "etc/passwd", &users);
    for (unsigned i = 0; i < LAYER_PACKAGES_MAX; i++)
        text_format(&status, "Package: p%u\nStatus: install ok installed\nVersion: %u.0\n\n", i, i);
    add_file(&archive, "var/lib/dpkg/status", &status);
    for (unsigned i = 0; i < count; i++) { /* names and directories that no two share */
        snprintf(name, sizeof(name), "%06u/%011u", (i * 7919) % 1000000, i);
        archive_add(&archive, &(struct archive_entry){.name = name, .mode = i % 9 ? 0644 : 04755});
    }
    archive_add_end(&archive);
    stream_add_wide_zstd(&layer, archive.data, archive.length);
    assert_promise(peak_of((struct feed_part[]){{&layer, 0}}, 1, "everything at once"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_does_not_grow_with_the_layer),
        cmocka_unit_test(ten_million_entries_are_no_more_than_the_bound),
        cmocka_unit_test(the_worst_facts_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
