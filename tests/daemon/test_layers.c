/* Layers: one scan for many, memory and record, whose fault a failure is, and the end. The store is
 * real; the scan pool and the source are made up: this file stands in for the pool's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/facts_files.h"
#include "regwarden/layers.h"
#include "regwarden/loop.h"
#include "regwarden/scan_pool.h"
#include "regwarden/store.h"

#include "layer_cache.h"

enum { MANY = 64, WAIT_MS = 20000, LAYER_BYTES = 1000 };

static uint64_t layer_bytes = LAYER_BYTES; /* as manifests say */

/* --- the pool --- */

struct fake_job {
    struct scan_job spec;
    uint64_t bytes;
    bool open;
    bool ended;
};
static struct fake_job jobs[MANY];
static size_t job_count;
static size_t probe_count;
static bool full;

uint64_t scan_pool_start(struct scan_pool *pool, const struct scan_job *job)
{
    assert_null(pool);
    assert_true(job_count < MANY);
    jobs[job_count] = (struct fake_job){.spec = *job, .open = true};
    return ++job_count;
}

bool scan_pool_push(struct scan_pool *pool, uint64_t id, const void *bytes, size_t size)
{
    assert_null(pool);
    assert_non_null(bytes);
    assert_true(jobs[id - 1].open);
    jobs[id - 1].bytes += size;
    return !full;
}

void scan_pool_end(struct scan_pool *pool, uint64_t id)
{
    assert_null(pool);
    assert_true(jobs[id - 1].open);
    jobs[id - 1].ended = true;
}

void scan_pool_cancel(struct scan_pool *pool, uint64_t id)
{
    assert_null(pool);
    assert_true(jobs[id - 1].open);
    jobs[id - 1].open = false;
}

void scan_pool_set_probes(struct scan_pool *pool, const struct scan_probes *probes)
{
    assert_null(pool);
    probe_count = probes->count;
}

/* --- the source --- */

struct stream {
    struct blob_stream to;
    registry_done_f *done;
    void *argument;
    void *self;
    char repository[16];
    bool open;
    unsigned resumed;
};
static struct stream streams[MANY];
static size_t stream_count;

static uint64_t stream_blob(void *self, const char *repository, const struct descriptor *blob,
                            const struct blob_stream *stream, registry_done_f *done, void *argument)
{
    struct stream *it = &streams[stream_count++];

    assert_true(blob->size > 0);
    *it = (struct stream){
        .to = *stream, .done = done, .argument = argument, .self = self, .open = true};
    snprintf(it->repository, sizeof it->repository, "%s", repository);
    return stream_count;
}

static void resume(void *self, uint64_t id)
{
    (void)self;
    streams[id - 1].resumed++;
}

static void cancel(void *self, uint64_t id)
{
    assert_ptr_equal(streams[id - 1].self, self);
    assert_true(streams[id - 1].open);
    streams[id - 1].open = false;
}

static struct image_source source_of(void *self)
{
    return (struct image_source){
        .stream_blob = stream_blob, .resume = resume, .cancel = cancel, .self = self};
}
static char first_place, second_place;

static int give(size_t number, size_t size)
{
    static const char bytes[4096];
    struct error error = {0};

    assert_true(streams[number].open);
    return streams[number].to.write(streams[number].to.argument, bytes, size, &error);
}

static void end_stream(size_t number, enum failure kind)
{
    struct error error = {0};
    struct registry_answer answer = {.media_type = ""};

    assert_true(streams[number].open);
    streams[number].open = false;
    if (kind != FAILURE_NONE) {
        error_set(&error, kind, "the source says no");
        answer.error = &error;
    }
    streams[number].done(streams[number].argument, &answer);
}

/* --- the fixture --- */

struct reply { /* to one asker */
    uint64_t id;
    bool done;
    struct error error;
};

struct fixture {
    char directory[64];
    struct loop *loop;
    struct store *store;
    struct layers *layers;
    struct layer_reader reader;
    struct reply replies[MANY];
    size_t progress;
    /* of a merge */
    bool merged;
    struct error error;
    struct facts *facts;
};

static void on_progress(void *argument, const struct digest *layer, uint64_t done, uint64_t total)
{
    struct fixture *fixture = argument;

    (void)layer;
    assert_true(done <= total);
    fixture->progress++;
}

static void open_layers(struct fixture *fixture)
{
    struct layers_options options = {.store = fixture->store,
                                     .max_layer_bytes = 100000,
                                     .progress = on_progress,
                                     .progress_argument = fixture};

    fixture->layers = layers_new(fixture->loop, &options);
    fixture->reader = layers_reader(fixture->layers);
}

static void open_store(struct fixture *fixture)
{
    AUTO_FREE char *url = text_new("sqlite:%s/store.db", fixture->directory);

    assert_int_equal(store_open(fixture->loop, url, &fixture->store, NULL), 0);
}

static int set_up_alone(void **state)
{
    struct fixture *fixture = memory_new(sizeof *fixture);

    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/layers-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    job_count = stream_count = probe_count = 0;
    full = false;
    *state = fixture;
    return 0;
}

static int set_up_memory(void **state)
{
    set_up_alone(state);
    open_layers(*state);
    return 0;
}

static int set_up(void **state)
{
    set_up_alone(state);
    open_store(*state);
    open_layers(*state);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    AUTO_FREE char *clean = text_new("%s/store.db", fixture->directory);
    static const char *const tails[] = {"", "-wal", "-shm", ".lock"};

    layers_free(fixture->layers);
    if (fixture->store)
        store_close(fixture->store);
    loop_free(fixture->loop);
    facts_free(fixture->facts);
    for (size_t i = 0; i < ARRAY_COUNT(tails); i++) {
        AUTO_FREE char *path = text_new("%s%s", clean, tails[i]);
        unlink(path);
    }
    rmdir(fixture->directory);
    free(fixture);
    return 0;
}

/* After a restart of everything but the disk. */
static void reopen(struct fixture *fixture)
{
    layers_free(fixture->layers);
    store_close(fixture->store);
    open_store(fixture);
    open_layers(fixture);
}

static void make_digest(size_t number, struct digest *ret)
{
    digest_compute(NULL, &number, sizeof number, ret);
}

static void on_reply(void *argument, const struct error *error)
{
    struct reply *reply = argument;

    assert_false(reply->done);
    reply->done = true;
    if (error)
        reply->error = *error;
}

static void ask_from(struct fixture *fixture, size_t reply, size_t layer, void *place,
                     const char *repository)
{
    struct image_source source = source_of(place);
    struct descriptor descriptor = {.size = layer_bytes};

    make_digest(layer, &descriptor.digest);
    fixture->replies[reply] = (struct reply){0};
    fixture->replies[reply].id = fixture->reader.read(
        fixture->reader.self, &source, repository, &descriptor, on_reply, &fixture->replies[reply]);
    assert_false(fixture->replies[reply].done);
}

static void ask(struct fixture *fixture, size_t reply, size_t layer)
{
    ask_from(fixture, reply, layer, &first_place, "app");
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void turn(struct fixture *fixture)
{
    (void)loop_run_until(fixture->loop, never, NULL, 30);
}

static bool has_reply(void *argument)
{
    return ((struct reply *)argument)->done;
}

static void expect(struct fixture *fixture, size_t reply, enum failure kind)
{
    struct reply *it = &fixture->replies[reply];

    assert_true(loop_run_until(fixture->loop, has_reply, it, WAIT_MS));
    if (it->error.kind != kind)
        fail_msg("%s: %s", failure_name(it->error.kind), it->error.text);
}

static bool has_job(void *argument)
{
    return job_count >= *(size_t *)argument;
}

/* The job's worker is ready. */
static void begin(struct fixture *fixture, size_t number)
{
    size_t count = number + 1;

    assert_true(loop_run_until(fixture->loop, has_job, &count, WAIT_MS));
    jobs[number].spec.begin(jobs[number].spec.argument, count);
}

static void fail_job(size_t number, enum failure kind)
{
    struct layer_facts *none = NULL;
    struct error error = {0};

    error_set(&error, kind, "the scan says no");
    jobs[number].open = false;
    jobs[number].spec.done(jobs[number].spec.argument, &error, &none);
}

/* The whole way of one layer, with so many bytes of paths in the answer. */
static void finish_job(size_t number, size_t path_count, const char *probe)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = memory_new(sizeof *facts);
    struct error error = {0};
    char last[128] = "";

    facts->digest = jobs[number].spec.digest;
    facts->compressed_bytes = 1000;
    facts->compression = memory_copy_text("gzip");
    facts->paths_complete = true;
    for (size_t i = 0; i < path_count; i++) {
        char path[128];
        struct layer_path entry = {.path = path, .kind = LAYER_PATH_FILE, .size = 1, .link = ""};

        snprintf(path, sizeof path, "file%09zu%0100d", i, 0);
        layer_paths_add(&facts->paths, last, &entry);
        memcpy(last, path, sizeof last);
    }
    if (probe)
        text_list_add(&facts->probes_asked, probe);
    (void)error;
    jobs[number].open = false;
    jobs[number].spec.done(jobs[number].spec.argument, NULL, &facts);
}

static void scan(struct fixture *fixture, size_t number, size_t path_count)
{
    begin(fixture, number);
    assert_int_equal(give(stream_count - 1, 1000), 0);
    end_stream(stream_count - 1, FAILURE_NONE);
    assert_true(jobs[number].ended);
    assert_int_equal(jobs[number].bytes, 1000);
    finish_job(number, path_count, NULL);
}

static struct layers_counters counters(struct fixture *fixture)
{
    struct layers_counters ret;

    layers_counters(fixture->layers, &ret);
    return ret;
}

/* --- reading --- */

static void one_scan_serves_all(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 5; i++)
        ask_from(fixture, i, 1, i < 3 ? &first_place : &second_place, "app");
    scan(fixture, 0, 3);
    for (size_t i = 0; i < 5; i++)
        expect(fixture, i, FAILURE_NONE);
    assert_int_equal(job_count, 1);
    assert_int_equal(counters(fixture).joined, 4);
    assert_int_equal(counters(fixture).scanned, 1);
    assert_int_equal(counters(fixture).bytes, 1000);
    assert_int_equal(counters(fixture).active, 0);
    assert_int_equal(counters(fixture).waiting, 0);
    assert_int_equal(fixture->progress, 1);
    ask(fixture, 6, 1);
    expect(fixture, 6, FAILURE_NONE);
    assert_int_equal(counters(fixture).from_memory, 1);
    assert_int_equal(job_count, 1);
}

static void the_record_outlives_us(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, 0, 1);
    scan(fixture, 0, 3);
    expect(fixture, 0, FAILURE_NONE);
    reopen(fixture);
    ask(fixture, 0, 1);
    ask(fixture, 1, 1);
    expect(fixture, 0, FAILURE_NONE);
    expect(fixture, 1, FAILURE_NONE);
    assert_int_equal(job_count, 1);
    assert_int_equal(counters(fixture).from_store, 1);
}

static void the_worker_sets_the_pace(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, 0, 1);
    begin(fixture, 0);
    full = true;
    assert_int_equal(give(0, 500), 1);
    assert_int_equal(streams[0].resumed, 0);
    jobs[0].spec.resume(jobs[0].spec.argument, 1);
    assert_int_equal(streams[0].resumed, 1);
    assert_int_equal(counters(fixture).active, 1);
}

static void other_probes_want_another_scan(void **state)
{
    struct fixture *fixture = *state;
    struct scan_probes probes = {0};
    AUTO_FREE char *id = scan_probe_id("etc/app.conf", NULL);

    ask(fixture, 0, 1);
    scan(fixture, 0, 3);
    expect(fixture, 0, FAILURE_NONE);
    scan_probes_add(&probes, "etc/app.conf", NULL);
    layers_set_probes(fixture->layers, &probes);
    assert_int_equal(probe_count, 1);
    ask(fixture, 0, 1);
    begin(fixture, 1);
    end_stream(1, FAILURE_NONE);
    finish_job(1, 3, id);
    expect(fixture, 0, FAILURE_NONE);
    ask(fixture, 0, 1);
    expect(fixture, 0, FAILURE_NONE);
    /* Asked for while a scan runs that does not know of them: once more. */
    scan_probes_add(&probes, "etc/other.conf", NULL);
    ask(fixture, 1, 2);
    begin(fixture, 2);
    layers_set_probes(fixture->layers, &probes);
    end_stream(2, FAILURE_NONE);
    finish_job(2, 3, id);
    begin(fixture, 3);
    assert_false(fixture->replies[1].done);
    scan_probes_release(&probes);
}

/* --- failures --- */

static const struct {
    enum failure kind;
    bool remembered;
} verdicts[] = {
    {FAILURE_LIMIT, true}, {FAILURE_SYSTEM, true}, {FAILURE_INPUT, false}, {FAILURE_LATER, false}};

static void scans_that_fail(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(verdicts); i++) {
        size_t before = job_count;

        ask(fixture, 0, i);
        ask(fixture, 1, i);
        begin(fixture, before);
        fail_job(before, verdicts[i].kind);
        assert_false(streams[stream_count - 1].open); /* no more bytes are wanted */
        expect(fixture, 0, verdicts[i].kind);
        expect(fixture, 1, verdicts[i].kind);
        ask(fixture, 2, i);
        if (verdicts[i].remembered) {
            expect(fixture, 2, verdicts[i].kind);
            assert_int_equal(job_count, before + 1);
            layers_set_max_bytes(fixture->layers, 5000); /* other settings, another try */
            ask(fixture, 2, i);
        }
        scan(fixture, before + 1, 1);
        expect(fixture, 2, FAILURE_NONE);
    }
    assert_int_equal(counters(fixture).failed, ARRAY_COUNT(verdicts));
}

static void too_large_is_not_fetched(void **state)
{
    struct fixture *fixture = *state;

    layers_set_max_bytes(fixture->layers, 999);
    ask(fixture, 0, 1);
    expect(fixture, 0, FAILURE_LIMIT);
    assert_non_null(strstr(fixture->replies[0].error.text, "scan.max-layer"));
    assert_int_equal(job_count, 0);
}

static void another_place_may_have_it(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, 0, 1);
    ask_from(fixture, 1, 1, &second_place, "app");
    ask_from(fixture, 2, 1, &first_place, "other");
    begin(fixture, 0);
    end_stream(0, FAILURE_ABSENT);
    assert_false(jobs[0].open);
    expect(fixture, 0, FAILURE_ABSENT);
    begin(fixture, 1);
    assert_ptr_equal(streams[1].self, &second_place);
    end_stream(1, FAILURE_SYSTEM); /* of the network: nothing is said of the layer */
    expect(fixture, 1, FAILURE_LATER);
    begin(fixture, 2);
    assert_string_equal(streams[2].repository, "other");
    end_stream(2, FAILURE_NONE);
    finish_job(2, 1, NULL);
    expect(fixture, 2, FAILURE_NONE);
}

static void a_source_without_layers(void **state)
{
    struct fixture *fixture = *state;
    struct image_source source = {.self = &first_place};
    struct descriptor layer = {.size = 10};

    make_digest(1, &layer.digest);
    fixture->reader.read(fixture->reader.self, &source, "app", &layer, on_reply,
                         &fixture->replies[0]);
    expect(fixture, 0, FAILURE_ABSENT);
}

/* --- who goes --- */

static void the_last_one_stops_the_scan(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, 0, 1);
    ask(fixture, 1, 1);
    begin(fixture, 0);
    fixture->reader.cancel(fixture->reader.self, fixture->replies[0].id);
    assert_true(jobs[0].open);
    fixture->reader.cancel(fixture->reader.self, fixture->replies[1].id);
    assert_false(jobs[0].open);
    assert_false(streams[0].open);
    assert_int_equal(counters(fixture).active, 0);
    ask(fixture, 2, 1); /* before the record has answered */
    fixture->reader.cancel(fixture->reader.self, fixture->replies[2].id);
    turn(fixture);
    assert_int_equal(job_count, 1);
    assert_false(fixture->replies[0].done || fixture->replies[1].done || fixture->replies[2].done);
}

static void a_source_that_goes_is_replaced(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, 0, 1);
    ask_from(fixture, 1, 1, &second_place, "app");
    begin(fixture, 0);
    fixture->reader.cancel(fixture->reader.self, fixture->replies[0].id);
    assert_false(streams[0].open);
    begin(fixture, 1);
    assert_ptr_equal(streams[1].self, &second_place);
    end_stream(1, FAILURE_NONE);
    finish_job(1, 1, NULL);
    expect(fixture, 1, FAILURE_NONE);
}

static void an_answer_that_waits_can_be_cancelled(void **state)
{
    struct fixture *fixture = *state;

    layers_set_max_bytes(fixture->layers, 1);
    ask(fixture, 0, 1);
    fixture->reader.cancel(fixture->reader.self, fixture->replies[0].id);
    turn(fixture);
    assert_false(fixture->replies[0].done);
}

static void the_end_is_told(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, 0, 1);
    ask(fixture, 1, 2);
    begin(fixture, 0);
    ask(fixture, 2, 3); /* the record is asked */
    layers_free(TAKE(fixture->layers));
    for (size_t i = 0; i < 3; i++) {
        assert_true(fixture->replies[i].done);
        assert_int_equal(fixture->replies[i].error.kind, FAILURE_LATER);
    }
    turn(fixture); /* the record answers nobody */
}

/* --- merging --- */

static struct facts *facts_with(const size_t *layers, size_t count)
{
    struct manifest *manifest = memory_new(sizeof *manifest);

    manifest->media_type = memory_copy_text(MEDIA_TYPE_OCI_MANIFEST);
    manifest->layers = memory_new_array(count, sizeof *manifest->layers);
    manifest->layer_count = count;
    for (size_t i = 0; i < count; i++) {
        make_digest(layers[i], &manifest->layers[i].digest);
        manifest->layers[i].media_type = memory_copy_text("");
        manifest->layers[i].size = layer_bytes;
    }
    manifest->config.media_type = memory_copy_text("");
    return facts_build_take(manifest, NULL, "none", NULL);
}

static void on_merged(void *argument, const struct error *error, struct facts **facts)
{
    struct fixture *fixture = argument;

    assert_false(fixture->merged);
    fixture->merged = true;
    if (error)
        fixture->error = *error;
    fixture->facts = TAKE(*facts);
}

static bool is_merged(void *argument)
{
    return ((struct fixture *)argument)->merged;
}

static uint64_t merge(struct fixture *fixture, const size_t *layers, const char *const *missing,
                      size_t count)
{
    fixture->merged = false;
    facts_free(TAKE(fixture->facts));
    return fixture->reader.merge_take(fixture->reader.self, facts_with(layers, count), missing,
                                      on_merged, fixture);
}

static void read_layers(struct fixture *fixture, size_t from, size_t count, size_t path_count)
{
    for (size_t i = from; i < from + count; i++) {
        size_t number = job_count;

        ask(fixture, i, i);
        scan(fixture, number, path_count);
        expect(fixture, i, FAILURE_NONE);
    }
}

static void layers_come_together(void **state)
{
    struct fixture *fixture = *state;
    static const size_t layers[] = {1, 2, 9, 1};
    static const char *const missing[] = {NULL, NULL, "it is gone", NULL};
    const struct facts_files *files;

    read_layers(fixture, 1, 2, 5);
    merge(fixture, layers, missing, 4);
    assert_true(loop_run_until(fixture->loop, is_merged, fixture, WAIT_MS));
    assert_int_equal(fixture->error.kind, FAILURE_NONE);
    files = fixture->facts->files;
    assert_int_equal(files->layer_count, 4);
    assert_int_equal(files->layers[0].state, FACT_PRESENT);
    assert_int_equal(files->layers[2].state, FACT_ABSENT);
    assert_string_equal(files->layers[2].reason, "it is gone");
    assert_int_equal(fixture->facts->status[FACT_FILES].state, FACT_PARTIAL);
    assert_false(fixture->reader.covers(fixture->reader.self, files));
}

/* Somebody names the layer with a size that is wrong: nobody else's image is the worse for it. */
static void sizes_are_not_believed_of_others(void **state)
{
    struct fixture *fixture = *state;
    static const size_t layers[] = {1};
    static const char *const missing[] = {NULL};

    layer_bytes = 10;
    ask(fixture, 0, 1);
    layer_bytes = LAYER_BYTES;
    ask(fixture, 1, 1);
    begin(fixture, 0);
    assert_int_equal(jobs[0].spec.size, 10);
    end_stream(0, FAILURE_INPUT); /* more bytes than that */
    expect(fixture, 0, FAILURE_INPUT);
    scan(fixture, 1, 1);
    expect(fixture, 1, FAILURE_NONE);
    /* and it is noticed when the layer is known already */
    layer_bytes = 10;
    ask(fixture, 2, 1);
    expect(fixture, 2, FAILURE_NONE);
    merge(fixture, layers, missing, 1);
    assert_true(loop_run_until(fixture->loop, is_merged, fixture, WAIT_MS));
    layer_bytes = LAYER_BYTES;
    assert_int_equal(fixture->error.kind, FAILURE_INPUT);
    assert_non_null(
        strstr(fixture->error.text, "layer 0 has 1000 bytes, but the manifest says 10"));
}

static void layers_come_from_the_record(void **state)
{
    struct fixture *fixture = *state;
    static const size_t layers[] = {1, 2};
    static const char *const missing[] = {NULL, NULL};

    read_layers(fixture, 1, 2, 5);
    reopen(fixture);
    merge(fixture, layers, missing, 2);
    assert_true(loop_run_until(fixture->loop, is_merged, fixture, WAIT_MS));
    assert_int_equal(fixture->error.kind, FAILURE_NONE);
    assert_int_equal(fixture->facts->status[FACT_FILES].state, FACT_PRESENT);
    assert_true(fixture->reader.covers(fixture->reader.self, fixture->facts->files));
}

static void what_is_lost_is_read_again_later(void **state)
{
    struct fixture *fixture = *state;
    static const size_t layers[] = {7};
    static const char *const missing[] = {NULL};

    merge(fixture, layers, missing, 1);
    assert_true(loop_run_until(fixture->loop, is_merged, fixture, WAIT_MS));
    assert_int_equal(fixture->error.kind, FAILURE_LATER);
    assert_non_null(fixture->facts); /* they come back */
    assert_null(fixture->facts->files);
}

/* Four layers of some 5 MB of paths each: what is over the budget loses its paths, and says so. */
static void memory_is_bounded(void **state)
{
    enum { COUNT = 4, PATHS = 45000 };
    struct fixture *fixture = *state;
    size_t layers[COUNT];
    static const char *missing[COUNT];
    const struct facts_files *files;

    for (size_t i = 0; i < COUNT; i++)
        layers[i] = i + 1;
    read_layers(fixture, 1, COUNT, PATHS);
    merge(fixture, layers, missing, COUNT);
    assert_true(loop_run_until(fixture->loop, is_merged, fixture, WAIT_MS));
    assert_int_equal(fixture->error.kind, FAILURE_NONE);
    files = fixture->facts->files;
    assert_int_equal(files->layers[0].state, FACT_PRESENT);
    assert_int_equal(files->layers[COUNT - 1].state, FACT_PARTIAL);
    assert_non_null(strstr(files->layers[COUNT - 1].reason, "too many"));
    assert_false(files->complete);
}

static void merges_wait_for_each_other_and_can_be_cancelled(void **state)
{
    struct fixture *fixture = *state;
    static const size_t layers[] = {1, 2};
    static const char *const missing[] = {NULL, NULL};
    uint64_t ids[3];

    read_layers(fixture, 1, 2, 5);
    for (size_t i = 0; i < 3; i++)
        ids[i] = merge(fixture, layers, missing, 2);
    fixture->reader.cancel(fixture->reader.self, ids[1]);
    fixture->reader.cancel(fixture->reader.self, ids[0]);
    assert_true(loop_run_until(fixture->loop, is_merged, fixture, WAIT_MS));
    assert_int_equal(fixture->facts->status[FACT_FILES].state, FACT_PRESENT);
}

static void merges_end_with_the_layers(void **state)
{
    struct fixture *fixture = *state;
    static const size_t layers[] = {7};
    static const char *const missing[] = {NULL};

    merge(fixture, layers, missing, 1);
    layers_free(TAKE(fixture->layers));
    assert_true(fixture->merged);
    assert_int_equal(fixture->error.kind, FAILURE_LATER);
    turn(fixture);
}

/* --- the cache --- */

static void old_entries_go(void **state)
{
    struct layer_cache *cache = layer_cache_new(1000);
    struct text_list none = {0};
    struct text packed = {0};
    struct digest digest;
    size_t kept = 0;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        text_add_char(&packed, 'x');
    for (size_t i = 0; i < 30; i++) {
        make_digest(i, &digest);
        layer_cache_put(cache, &digest, &packed, &none);
    }
    for (size_t i = 0; i < 30; i++) {
        make_digest(i, &digest);
        kept += layer_cache_get(cache, &digest) != NULL;
    }
    assert_non_null(layer_cache_get(cache, &digest));
    assert_in_range(kept, 5, 10);
    for (size_t i = 0; i < 30; i++) /* the same one: no others go for it */
        layer_cache_put(cache, &digest, &packed, &none);
    make_digest(28, &digest);
    assert_non_null(layer_cache_get(cache, &digest));
    while (packed.length <= 500)
        text_add_char(&packed, 'x');
    layer_cache_put(cache, &digest, &packed, &none); /* too large */
    layer_cache_free(cache);
    text_release(&packed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TEST_MEMORY(function) cmocka_unit_test_setup_teardown(function, set_up_memory, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_scan_serves_all),
        TEST_MEMORY(one_scan_serves_all),
        TEST(the_record_outlives_us),
        TEST(the_worker_sets_the_pace),
        TEST(other_probes_want_another_scan),
        TEST(scans_that_fail),
        TEST_MEMORY(scans_that_fail),
        TEST(too_large_is_not_fetched),
        TEST(another_place_may_have_it),
        TEST(sizes_are_not_believed_of_others),
        TEST(a_source_without_layers),
        TEST(the_last_one_stops_the_scan),
        TEST(a_source_that_goes_is_replaced),
        TEST(an_answer_that_waits_can_be_cancelled),
        TEST(the_end_is_told),
        TEST(layers_come_together),
        TEST_MEMORY(layers_come_together),
        TEST(layers_come_from_the_record),
        TEST(what_is_lost_is_read_again_later),
        TEST_MEMORY(what_is_lost_is_read_again_later),
        TEST(memory_is_bounded),
        TEST(merges_wait_for_each_other_and_can_be_cancelled),
        TEST(merges_end_with_the_layers),
        cmocka_unit_test(old_entries_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
