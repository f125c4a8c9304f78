/* A pool of real workers in a loop, and layers that go through it. */
#ifndef TEST_SCAN_POOL_FIXTURE_H
#define TEST_SCAN_POOL_FIXTURE_H

#include "regwarden/loop.h"
#include "regwarden/scan_pool.h"

struct pool_fixture {
    struct loop *loop;
    struct scan_pool *pool;
};

/* Of the program's own workers; `change` sets the options that a test cares about. */
void pool_open(struct pool_fixture *fixture, const struct scan_pool_options *options);
void pool_close(struct pool_fixture *fixture);
/* Two workers, probes none, diff_id, a salt. */
struct scan_pool_options pool_options(void);

/* A layer on its way: its parts one after another, each as often as it says. Everything of it is
 * pushed as fast as the pool takes it. */
struct feed_part {
    const struct text *text;
    unsigned times; /* 0 stands for 1 */
};
enum { FEED_PARTS = 4 };
struct feed {
    struct pool_fixture *fixture;
    struct feed_part parts[FEED_PARTS];
    size_t piece; /* 0: 64 KiB */
    uint8_t owner;
    uint64_t stop_at; /* nothing beyond it is pushed; 0: no stop */
    uint64_t id;
    size_t part, at; /* what comes next */
    unsigned time;
    uint64_t pushed;
    size_t most_waiting; /* bytes in the pool */
    bool all;
    unsigned begun, resumed, done;
    unsigned place; /* in the order in which feeds began */
    enum failure kind;
    char text[ERROR_TEXT_SIZE];
    struct layer_facts *facts;
};
/* With the digest of the bytes. The fields before `id` are the caller's. */
void feed_start(struct feed *feed);
void feed_start_as(struct feed *feed, const struct digest *digest, uint64_t size);
bool feed_has_begun(void *feed); /* for loop_run_until() */
bool feed_wait(struct feed *feed);
void feed_release(struct feed *feed);

/* A layer of one small file goes through. */
void pool_still_works(struct pool_fixture *fixture);

/* Workers of a build with sanitizers have a wider filter, and no bound on memory. */
bool pool_is_sanitized(void);

/* Process ids of this process' children: the workers. */
size_t pool_children(int *ret, size_t max);
uint64_t pool_peak_kib(void); /* of the one worker there is: VmHWM */

#endif
