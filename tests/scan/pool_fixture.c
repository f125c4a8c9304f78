/* See pool_fixture.h. */
#include "pool_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "archives.h"
#include "pool_private.h"
#include "regwarden/crypto.h"

enum { WAIT_MS = 120000 };

struct scan_pool_options pool_options(void)
{
    struct scan_pool_options options = {
        .program = REGWARDEN_PROGRAM,
        .workers = 2,
        .scan = {.limits = scan_limits_default, .diff_id = true, .has_salt = true},
        .memory_bytes = 64 << 20,
        .silence_ms = 60000,
    };

    for (size_t i = 0; i < SCAN_SALT_SIZE; i++)
        options.scan.salt[i] = (unsigned char)i;
    return options;
}

void pool_open(struct pool_fixture *fixture, const struct scan_pool_options *options)
{
    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    assert_int_equal(scan_pool_new(fixture->loop, options, &fixture->pool, NULL), 0);
}

void pool_close(struct pool_fixture *fixture)
{
    scan_pool_free(fixture->pool);
    loop_free(fixture->loop);
    *fixture = (struct pool_fixture){0};
}

/* The next bytes, at most `max`; 0 at the end. */
static size_t next(struct feed *feed, size_t max, const char **ret)
{
    while (feed->part < FEED_PARTS && feed->parts[feed->part].text) {
        const struct feed_part *part = &feed->parts[feed->part];
        size_t size = part->text->length - feed->at;
        if (size > 0) {
            *ret = part->text->data + feed->at;
            size = size < max ? size : max;
            feed->at += size;
            return size;
        }
        feed->at = 0;
        if (++feed->time >= part->times) {
            feed->time = 0;
            feed->part++;
        }
    }
    return 0;
}

static void note_waiting(struct feed *feed)
{
    for (const struct pool_worker *worker = feed->fixture->pool->workers; worker;
         worker = worker->next)
        if (worker->out.capacity > feed->most_waiting)
            feed->most_waiting = worker->out.capacity;
}

static void push(struct feed *feed)
{
    bool room = true;
    const char *bytes;

    while (room && !feed->all && (feed->stop_at == 0 || feed->pushed < feed->stop_at)) {
        size_t size = next(feed, feed->piece, &bytes);
        feed->all = size == 0;
        feed->pushed += size;
        if (size > 0)
            room = scan_pool_push(feed->fixture->pool, feed->id, bytes, size);
        note_waiting(feed);
    }
    if (feed->all)
        scan_pool_end(feed->fixture->pool, feed->id);
}

static unsigned begun_count;

static void begin(void *argument, uint64_t id)
{
    struct feed *feed = argument;

    assert_int_equal(id, feed->id);
    feed->begun++;
    feed->place = begun_count++;
    push(feed);
}

static void resume(void *argument, uint64_t id)
{
    struct feed *feed = argument;

    assert_int_equal(id, feed->id);
    assert_int_equal(feed->done, 0);
    feed->resumed++;
    push(feed);
}

static void done(void *argument, const struct error *error, struct layer_facts **facts)
{
    struct feed *feed = argument;

    feed->done++;
    if (error) {
        assert_null(*facts);
        feed->kind = error->kind;
        snprintf(feed->text, sizeof(feed->text), "%s", error->text);
    } else {
        feed->facts = TAKE(*facts);
    }
}

void feed_start_as(struct feed *feed, const struct digest *digest, uint64_t size)
{
    if (feed->piece == 0)
        feed->piece = 64 * 1024;
    feed->id = scan_pool_start(feed->fixture->pool, &(struct scan_job){.digest = *digest,
                                                                       .size = size,
                                                                       .owner = feed->owner,
                                                                       .begin = begin,
                                                                       .resume = resume,
                                                                       .done = done,
                                                                       .argument = feed});
}

void feed_start(struct feed *feed)
{
    struct digest digest = {.algorithm = DIGEST_SHA256};
    struct hash *hash = hash_new(HASH_SHA256);
    struct feed copy = *feed;
    const char *bytes;
    uint64_t total = 0;

    for (size_t size; (size = next(&copy, 1 << 20, &bytes)) > 0; total += size)
        hash_update(hash, bytes, size);
    hash_finish(hash, digest.bytes);
    hash_free(hash);
    feed_start_as(feed, &digest, total);
}

static bool is_done(void *argument)
{
    return ((struct feed *)argument)->done > 0;
}

bool feed_has_begun(void *feed)
{
    return ((struct feed *)feed)->begun > 0;
}

bool feed_wait(struct feed *feed)
{
    return loop_run_until(feed->fixture->loop, is_done, feed, WAIT_MS);
}

void feed_release(struct feed *feed)
{
    layer_facts_free(TAKE(feed->facts));
}

void pool_still_works(struct pool_fixture *fixture)
{
    AUTO_TEXT struct text layer = {0};

    archive_add_file(&layer, "etc/still-works", "yes");
    archive_add_end(&layer);
    struct feed feed = {.fixture = fixture, .parts = {{.text = &layer}}};
    feed_start(&feed);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("the next layer: %s", feed.text);
    assert_int_equal(feed.facts->file_count, 1);
    feed_release(&feed);
}

/* --- processes --- */

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

bool pool_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
}

size_t pool_children(int *ret, size_t max)
{
    char path[64];
    size_t count = 0;
    int pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (count < max && fscanf(file, "%d", &pid) == 1)
        ret[count++] = pid;
    fclose(file);
    return count;
}

uint64_t pool_peak_kib(void)
{
    char line[256];
    unsigned long long peak = 0;
    int pid = 0;

    assert_int_equal(pool_children(&pid, 1), 1);
    snprintf(line, sizeof(line), "/proc/%d/status", pid);
    FILE *file = fopen(line, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %llu", &peak) == 1)
            break;
    fclose(file);
    return peak;
}
