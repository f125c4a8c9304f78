/* How fast one layer is looked into. usage: bench_scan limit|scan|WORKERS FILE [PROGRAM]
 *
 * "limit" unpacks and hashes both sides with the same code and looks at nothing; "scan" does it all
 * in this process; a number of workers gets the same layer each through the pool. Prints MB of
 * unpacked bytes per second of the clock and per processor second, and the highest peak of a
 * worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "decompress.h"
#include "regwarden/loop.h"
#include "regwarden/scan_pool.h"

enum { PIECE = 64 * 1024, WAIT_MS = 600000, WORKERS_MAX = 16 };

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void must(int failure, const struct error *err)
{
    if (failure == 0)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void print(double bytes, double seconds, double cpu, long peak_kib)
{
    printf("%.1f %.1f %ld\n", bytes / 1e6 / seconds, bytes / 1e6 / cpu, peak_kib);
}

/* --- in this process --- */

static int drop(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)argument;
    (void)bytes;
    (void)size;
    (void)err;
    return 0;
}

static double run_limit(const struct text *layer)
{
    struct decompress_result result;
    struct error err;
    AUTO_DECOMPRESS struct decompress *decompress = decompress_new(&(struct decompress_options){
        .limits = {.max_output_bytes = scan_limits_default.max_output_bytes,
                   .max_ratio = scan_limits_default.max_ratio,
                   .ratio_from_bytes = scan_limits_default.ratio_from_bytes,
                   .zstd_window_log = scan_limits_default.zstd_window_log},
        .hash_output = true,
        .sink = drop,
    });

    for (size_t at = 0; at < layer->length; at += PIECE) {
        size_t size = layer->length - at < PIECE ? layer->length - at : PIECE;
        must(decompress_push(decompress, layer->data + at, size, &err), &err);
    }
    must(decompress_finish(decompress, &result, &err), &err);
    return (double)result.output_bytes;
}

static struct scan_options options_of_bench(void)
{
    return (struct scan_options){.limits = scan_limits_default, .diff_id = true, .has_salt = true};
}

static double run_scan(const struct text *layer)
{
    struct scan_options options = options_of_bench();
    AUTO_SCAN struct scan *scan = scan_new(&options);
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    struct error err;

    for (size_t at = 0; at < layer->length; at += PIECE) {
        size_t size = layer->length - at < PIECE ? layer->length - at : PIECE;
        must(scan_push(scan, layer->data + at, size, &err), &err);
    }
    must(scan_finish(scan, &facts, &err), &err);
    return (double)facts->uncompressed_bytes;
}

/* --- through the pool --- */

struct feed {
    struct scan_pool *pool;
    const struct text *layer;
    size_t at;
    double *bytes;
    unsigned *left;
};

static void feed_on(void *argument, uint64_t id)
{
    struct feed *feed = argument;
    bool room = true;

    while (room && feed->at < feed->layer->length) {
        size_t size =
            feed->layer->length - feed->at < PIECE ? feed->layer->length - feed->at : PIECE;
        room = scan_pool_push(feed->pool, id, feed->layer->data + feed->at, size);
        feed->at += size;
    }
    if (feed->at == feed->layer->length)
        scan_pool_end(feed->pool, id);
}

static void feed_done(void *argument, const struct error *error, struct layer_facts **facts)
{
    struct feed *feed = argument;

    must(error ? -1 : 0, error);
    *feed->bytes += (double)(*facts)->uncompressed_bytes;
    --*feed->left;
}

static bool all_done(void *argument)
{
    return *(unsigned *)argument == 0;
}

/* Every worker gets the layer once; the first time does not count, it starts them. */
static double run_pool(struct loop *loop, struct scan_pool *pool, const struct text *layer,
                       const struct digest *digest, unsigned workers)
{
    struct feed feeds[WORKERS_MAX];
    double bytes = 0;
    unsigned left = workers;

    for (unsigned i = 0; i < workers; i++) {
        feeds[i] = (struct feed){pool, layer, 0, &bytes, &left};
        scan_pool_start(pool, &(struct scan_job){.digest = *digest,
                                                 .begin = feed_on,
                                                 .resume = feed_on,
                                                 .done = feed_done,
                                                 .argument = &feeds[i]});
    }
    loop_run_until(loop, all_done, &left, WAIT_MS);
    return bytes;
}

/* Processor seconds of all workers, and the highest peak of one. */
static double of_workers(long *peak_kib)
{
    char path[64], line[1024];
    double ticks = 0;
    int pid;

    *peak_kib = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%d", &pid) == 1) {
        unsigned long user = 0, kernel = 0;
        long peak = 0;
        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        FILE *file = fopen(path, "re");
        if (file && fgets(line, sizeof(line), file) && strrchr(line, ')'))
            sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                   &user, &kernel);
        if (file)
            fclose(file);
        ticks += (double)(user + kernel);
        snprintf(path, sizeof(path), "/proc/%d/status", pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
            sscanf(line, "VmHWM: %ld", &peak);
        if (file)
            fclose(file);
        *peak_kib = peak > *peak_kib ? peak : *peak_kib;
    }
    if (children)
        fclose(children);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static void bench_pool(const struct text *layer, unsigned workers, const char *program)
{
    struct loop *loop;
    struct scan_pool *pool;
    struct error err;
    AUTO_TEXT struct text empty = {0};
    static const char zeros[1024];
    struct digest digest;
    long peak_kib;

    must(loop_new(&loop, &err), &err);
    must(scan_pool_new(loop,
                       &(struct scan_pool_options){.program = program,
                                                   .workers = workers,
                                                   .scan = options_of_bench(),
                                                   .memory_bytes = 64 << 20,
                                                   .silence_ms = 60000},
                       &pool, &err),
         &err);
    text_add_bytes(&empty, zeros, sizeof(zeros));
    digest_compute(NULL, empty.data, empty.length, &digest);
    run_pool(loop, pool, &empty, &digest, workers);
    digest_compute(NULL, layer->data, layer->length, &digest);
    uint64_t start = now_us();
    double cpu = cpu_seconds() + of_workers(&peak_kib);
    double bytes = run_pool(loop, pool, layer, &digest, workers);
    double seconds = (double)(now_us() - start) / 1e6;
    cpu = cpu_seconds() + of_workers(&peak_kib) - cpu;
    print(bytes, seconds, cpu, peak_kib);
    scan_pool_free(pool);
    loop_free(loop);
}

static void read_file(const char *path, struct text *to)
{
    static char piece[1 << 20];
    FILE *file = fopen(path, "re");

    if (!file) {
        perror(path);
        exit(1);
    }
    for (size_t size; (size = fread(piece, 1, sizeof(piece), file)) > 0;)
        text_add_bytes(to, piece, size);
    fclose(file);
}

int main(int argc, char **argv)
{
    AUTO_TEXT struct text layer = {0};
    uint64_t workers;

    if (argc < 3) {
        fputs("usage: bench_scan limit|scan|WORKERS FILE [PROGRAM]\n", stderr);
        return 2;
    }
    read_file(argv[2], &layer);
    if (text_parse_uint(argv[1], WORKERS_MAX, &workers, NULL) == 0) {
        bench_pool(&layer, (unsigned)workers, argc > 3 ? argv[3] : NULL);
        return 0;
    }
    bool limit = text_equal(argv[1], "limit");
    if (!limit) { /* what is made once does not count */
        struct text zeros = {.data = memory_new(1024), .length = 1024};
        run_scan(&zeros);
        text_release(&zeros);
    }
    uint64_t start = now_us();
    double cpu = cpu_seconds();
    double bytes = limit ? run_limit(&layer) : run_scan(&layer);
    print(bytes, (double)(now_us() - start) / 1e6, cpu_seconds() - cpu, 0);
    return 0;
}
