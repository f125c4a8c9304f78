/* The layers of a gathering: in which order they are asked for, what a layer that cannot be had
 * means, what is known already. Source and reader are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "regwarden/facts_files.h"
#include "regwarden/gather.h"
#include "regwarden/loop.h"

enum { LAYERS_MAX = 600, CALLS_MAX = 1200 };

struct call {
    uint64_t id;
    struct digest digest; /* of the layer; unset: a merge */
    struct facts *facts;
    char *missing; /* "0 reason\n…" of a merge */
    layer_done_f *read;
    layers_merged_f *merged;
    void *argument;
    bool open;
};

struct fixture {
    struct loop *loop;
    struct text manifest;
    struct text config;
    struct image_source source;
    struct layer_reader reader;
    struct gather_options options;
    struct call calls[CALLS_MAX]; /* of the reader, in order */
    size_t call_count;
    size_t requests;
    bool covers;
    struct facts *known;
    struct gathered gathered;
    bool done;
};
static struct fixture *current;

/* --- the source --- */

struct request {
    const struct text *bytes;
    const char *media_type;
    registry_done_f *done;
    void *argument;
};

static void answer(void *argument)
{
    struct request *request = argument;
    struct registry_answer told = {.bytes = text_data(request->bytes),
                                   .size = request->bytes->length,
                                   .media_type = request->media_type};

    digest_compute(NULL, told.bytes, told.size, &told.digest);
    request->done(request->argument, &told);
    free(request);
}

static uint64_t soon(const struct text *bytes, const char *type, registry_done_f *done,
                     void *argument)
{
    struct request *request = memory_new(sizeof(*request));

    *request = (struct request){bytes, type, done, argument};
    loop_post(current->loop, answer, request);
    return ++current->requests;
}

static uint64_t fetch_manifest(void *self, const char *repository, const char *reference,
                               registry_done_f *done, void *argument)
{
    (void)repository;
    (void)reference;
    return soon(&((struct fixture *)self)->manifest, MEDIA_TYPE_OCI_MANIFEST, done, argument);
}

static uint64_t fetch_blob(void *self, const char *repository, const struct digest *digest,
                           uint64_t size, registry_done_f *done, void *argument)
{
    (void)repository;
    (void)digest;
    (void)size;
    return soon(&((struct fixture *)self)->config, "", done, argument);
}

static void cancel_request(void *self, uint64_t id)
{
    (void)self;
    (void)id;
}

/* --- the reader --- */

static struct call *add_call(struct fixture *fixture)
{
    struct call *call = &fixture->calls[fixture->call_count++];

    assert_true(fixture->call_count <= CALLS_MAX);
    call->id = 1000 + fixture->call_count;
    call->open = true;
    return call;
}

static uint64_t fake_read(void *self, const struct image_source *source, const char *repository,
                          const struct descriptor *layer, layer_done_f *done, void *argument)
{
    struct call *call = add_call(self);

    assert_ptr_equal(source->self, self);
    assert_string_equal(repository, "app");
    call->digest = layer->digest;
    call->read = done;
    call->argument = argument;
    return call->id;
}

static uint64_t fake_merge(void *self, struct facts *facts, const char *const *missing,
                           layers_merged_f *done, void *argument)
{
    struct call *call = add_call(self);
    AUTO_TEXT struct text list = {0};

    for (size_t i = 0; i < facts->manifest->layer_count; i++)
        if (missing[i])
            text_format(&list, "%zu %s\n", i, missing[i]);
    call->missing = text_take(&list);
    call->facts = facts;
    call->merged = done;
    call->argument = argument;
    return call->id;
}

static bool fake_covers(void *self, const struct facts_files *files)
{
    (void)files;
    return ((struct fixture *)self)->covers;
}

static void fake_cancel(void *self, uint64_t id)
{
    struct fixture *fixture = self;
    struct call *call = &fixture->calls[id - 1001];

    assert_true(call->open);
    call->open = false;
    facts_free(call->facts);
}

static void tell(struct fixture *fixture, size_t number, const struct error *error)
{
    struct call *call = &fixture->calls[number];

    assert_true(call->open);
    call->open = false;
    if (call->read) {
        call->read(call->argument, error);
    } else {
        call->merged(call->argument, error, &call->facts);
        facts_free(TAKE(call->facts));
    }
}

static void fail_call(struct fixture *fixture, size_t number, enum failure kind, const char *text)
{
    struct error error = {0};

    error_set(&error, kind, "%s", text);
    tell(fixture, number, &error);
}

static void run(struct fixture *fixture);

/* Tells of every layer that was asked for and of those that follow. */
static void tell_all_layers(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->call_count; i++)
        if (fixture->calls[i].open && fixture->calls[i].read)
            tell(fixture, i, NULL);
}

/* --- the image --- */

static void digest_of_number(size_t number, struct digest *ret)
{
    *ret = (struct digest){.algorithm = DIGEST_SHA256};
    memcpy(ret->bytes, &number, sizeof(number));
}

/* `types` has a letter per layer: g usual, f foreign, o other, e encrypted. */
static void make_image(struct fixture *fixture, const char *types)
{
    static const char *const names[128] = {
        ['g'] = "application/vnd.oci.image.layer.v1.tar+gzip",
        ['f'] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        ['o'] = "application/vnd.ollama.image.model",
        ['e'] = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
    };
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;

    text_add(&fixture->config, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":"
                               "\"layers\",\"diff_ids\":[]}}");
    digest_compute(NULL, text_data(&fixture->config), fixture->config.length, &digest);
    text_format(&fixture->manifest,
                "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                "\",\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG
                "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[",
                digest_format(&digest, text), fixture->config.length);
    for (size_t i = 0; types[i]; i++) {
        digest_of_number(i, &digest);
        text_format(&fixture->manifest, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":7}",
                    i ? "," : "", names[(unsigned char)types[i]], digest_format(&digest, text));
    }
    text_add(&fixture->manifest, "]}");
}

static struct facts *look(void *argument, const struct digest *digest)
{
    struct fixture *fixture = argument;

    (void)digest;
    return TAKE(fixture->known);
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));

    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    fixture->source = (struct image_source){.fetch_manifest = fetch_manifest,
                                            .fetch_blob = fetch_blob,
                                            .cancel = cancel_request,
                                            .self = fixture,
                                            .loop = fixture->loop};
    fixture->reader = (struct layer_reader){.read = fake_read,
                                            .merge_take = fake_merge,
                                            .covers = fake_covers,
                                            .cancel = fake_cancel,
                                            .self = fixture};
    fixture->options = (struct gather_options){.needs = FACT_BIT(FACT_FILES),
                                               .lookup = look,
                                               .lookup_argument = fixture,
                                               .layers = &fixture->reader};
    current = fixture;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->call_count; i++)
        free(fixture->calls[i].missing);
    facts_free(fixture->known);
    gathered_release(&fixture->gathered);
    text_release(&fixture->manifest);
    text_release(&fixture->config);
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

static void take(void *argument, struct gathered *gathered)
{
    struct fixture *fixture = argument;

    assert_false(fixture->done);
    fixture->done = true;
    fixture->gathered = *gathered;
    *gathered = (struct gathered){0};
}

static bool is_done(void *argument)
{
    return ((const struct fixture *)argument)->done;
}

static void run(struct fixture *fixture)
{
    (void)loop_run_until(fixture->loop, is_done, fixture, 100);
}

static uint64_t begin(struct fixture *fixture)
{
    uint64_t id = gather_start(&fixture->source, "app", "v1", &fixture->options, take, fixture);

    run(fixture);
    return id;
}

static const struct gathered_image *image_of(struct fixture *fixture)
{
    run(fixture);
    assert_true(fixture->done);
    assert_int_equal(fixture->gathered.image_count, 1);
    return &fixture->gathered.images[0];
}

static void expect_error(struct fixture *fixture, enum failure kind, const char *part)
{
    const struct gathered_image *image = image_of(fixture);

    assert_int_equal(image->error.kind, kind);
    assert_null(image->facts);
    if (!strstr(image->error.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, image->error.text);
}

/* --- tests --- */

static void test_bottom_first_and_few_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest;

    make_image(fixture, "gggggg");
    (void)begin(fixture);
    assert_int_equal(fixture->call_count, 4);
    tell(fixture, 1, NULL);
    assert_int_equal(fixture->call_count, 5);
    tell_all_layers(fixture);
    assert_int_equal(fixture->call_count, 7);
    for (size_t i = 0; i < 6; i++) {
        digest_of_number(i, &digest);
        assert_true(digest_equal(&fixture->calls[i].digest, &digest));
    }
    assert_string_equal(fixture->calls[6].missing, "");
    assert_false(fixture->done);
    tell(fixture, 6, NULL);
    assert_non_null(image_of(fixture)->facts);
    assert_int_equal(image_of(fixture)->error.kind, FAILURE_NONE);
    assert_false(image_of(fixture)->known);
}

static void test_not_asked_for(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "g");
    fixture->options.needs = FACT_BIT(FACT_CONFIG);
    (void)begin(fixture);
    assert_int_equal(image_of(fixture)->facts->status[FACT_FILES].state, FACT_ABSENT);
    assert_int_equal(fixture->call_count, 0);
}

static void test_nobody_can_read_layers(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "g");
    fixture->options.layers = NULL;
    (void)begin(fixture);
    assert_int_equal(image_of(fixture)->facts->status[FACT_FILES].state, FACT_ABSENT);
}

static void test_no_layer(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "");
    (void)begin(fixture);
    assert_int_equal(fixture->call_count, 1);
    tell(fixture, 0, NULL);
    assert_non_null(image_of(fixture)->facts);
}

static void test_gaps(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "gfoeggg");
    (void)begin(fixture);
    assert_int_equal(fixture->call_count, 4); /* 0, 1, 4, 5 */
    fail_call(fixture, 0, FAILURE_LIMIT, "too large");
    fail_call(fixture, 1, FAILURE_ABSENT, "answered 404");
    fail_call(fixture, 2, FAILURE_SYSTEM, "the worker died");
    fail_call(fixture, 3, FAILURE_ABSENT, "answered 404");
    tell(fixture, 4, NULL);
    assert_string_equal(
        fixture->calls[5].missing,
        "0 too large\n"
        "1 it is not to be distributed, and the registry does not have it\n"
        "2 it is of type application/vnd.ollama.image.model, which cannot be looked into\n"
        "3 it is of type application/vnd.oci.image.layer.v1.tar+gzip+encrypted, which cannot be "
        "looked into\n"
        "4 the worker died\n"
        "5 answered 404\n");
    tell(fixture, 5, NULL);
    assert_non_null(image_of(fixture)->facts);
}

static const enum failure endings[] = {FAILURE_INPUT, FAILURE_LATER, FAILURE_DENIED};

static void test_what_ends_the_image(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        struct fixture *fixture = *state;

        make_image(fixture, "ggggggggg");
        (void)begin(fixture);
        fail_call(fixture, 2, endings[i], "because");
        assert_false(fixture->done); /* the others are still out */
        tell_all_layers(fixture);
        assert_int_equal(fixture->call_count, 4); /* no more are asked for */
        expect_error(fixture, endings[i], "layer sha256:0200");
        expect_error(fixture, endings[i], "because");
        tear_down(state);
        set_up(state);
    }
}

static void test_layers_that_do_not_go_together(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "g");
    (void)begin(fixture);
    tell(fixture, 0, NULL);
    fail_call(fixture, 1, FAILURE_INPUT, "its diff_ids are not those of the config");
    expect_error(fixture, FAILURE_INPUT, "diff_ids");
}

static void test_merge_out_of_bounds(void **state)
{
    struct fixture *fixture = *state;
    const struct gathered_image *image;

    make_image(fixture, "g");
    (void)begin(fixture);
    tell(fixture, 0, NULL);
    fail_call(fixture, 1, FAILURE_LIMIT, "too much of it");
    image = image_of(fixture);
    assert_int_equal(image->error.kind, FAILURE_NONE);
    assert_int_equal(image->facts->status[FACT_FILES].state, FACT_ABSENT);
    assert_string_equal(image->facts->status[FACT_FILES].reason, "too much of it");
}

static void test_too_many_layers(void **state)
{
    struct fixture *fixture = *state;
    char types[LAYERS_MAX + 1] = {0};

    memset(types, 'g', LAYERS_MAX);
    make_image(fixture, types);
    (void)begin(fixture);
    assert_int_equal(image_of(fixture)->facts->status[FACT_FILES].state, FACT_ABSENT);
    assert_string_equal(image_of(fixture)->facts->status[FACT_FILES].reason,
                        "the image has more than 512 layers");
    assert_int_equal(fixture->call_count, 0);
}

/* Gathers once without layers, and hands out the result as known facts. */
static void make_known(struct fixture *fixture)
{
    fixture->options.needs = FACT_BIT(FACT_CONFIG);
    (void)begin(fixture);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    gathered_release(&fixture->gathered);
    fixture->done = false;
    fixture->requests = 0;
    fixture->options.needs = FACT_BIT(FACT_FILES);
}

static void test_known_facts_are_extended(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "gg");
    make_known(fixture);
    (void)begin(fixture);
    tell_all_layers(fixture);
    tell(fixture, 2, NULL);
    assert_false(image_of(fixture)->known);
    assert_int_equal(fixture->requests, 1); /* the tag; not the config */
}

static unsigned worth(void *argument, const struct facts *facts)
{
    assert_non_null(facts->config);
    return *(const unsigned *)argument;
}

/* Whether layers tell anything is asked when the config is known. */
static void test_layers_that_tell_nothing_are_not_read(void **state)
{
    struct fixture *fixture = *state;
    unsigned needs = FACT_BIT(FACT_CONFIG);

    make_image(fixture, "gg");
    fixture->options.needs_of = worth;
    fixture->options.needs_of_argument = &needs;
    (void)begin(fixture);
    assert_int_equal(fixture->call_count, 0);
    assert_int_equal(image_of(fixture)->facts->status[FACT_FILES].state, FACT_ABSENT);
    gathered_release(&fixture->gathered);
    fixture->done = false;
    needs |= FACT_BIT(FACT_FILES);
    (void)begin(fixture);
    assert_int_equal(fixture->call_count, 2);
    tell_all_layers(fixture);
    tell(fixture, 2, NULL);
    assert_non_null(image_of(fixture)->facts);
}

static void test_what_is_partial_is_asked_for_only_when_it_may_help(void **state)
{
    struct fixture *fixture = *state;

    make_image(fixture, "gg");
    make_known(fixture);
    fixture->known->files = memory_new(sizeof(*fixture->known->files));
    fixture->known->status[FACT_FILES].state = FACT_PARTIAL;
    fixture->covers = true;
    (void)begin(fixture);
    assert_true(image_of(fixture)->known);
    assert_int_equal(fixture->call_count, 0);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    gathered_release(&fixture->gathered);
    fixture->done = false;
    fixture->covers = false;
    (void)begin(fixture);
    assert_int_equal(fixture->call_count, 2);
    tell_all_layers(fixture);
    assert_null(fixture->calls[2].facts->files); /* what was known of them is dropped */
    tell(fixture, 2, NULL);
    assert_non_null(image_of(fixture)->facts);
}

static void test_cancel(void **state)
{
    struct fixture *fixture = *state;
    uint64_t id;

    make_image(fixture, "ggg");
    id = begin(fixture);
    tell(fixture, 1, NULL);
    gather_cancel(id);
    for (size_t i = 0; i < fixture->call_count; i++)
        assert_false(fixture->calls[i].open);
    fixture->call_count = 0;
    memset(fixture->calls, 0, sizeof(fixture->calls));
    id = begin(fixture);
    tell_all_layers(fixture);
    assert_true(fixture->calls[3].open);
    gather_cancel(id);
    assert_false(fixture->calls[3].open);
    run(fixture);
    assert_false(fixture->done);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bottom_first_and_few_at_once),
        TEST(test_not_asked_for),
        TEST(test_layers_that_tell_nothing_are_not_read),
        TEST(test_nobody_can_read_layers),
        TEST(test_no_layer),
        TEST(test_gaps),
        TEST(test_what_ends_the_image),
        TEST(test_layers_that_do_not_go_together),
        TEST(test_merge_out_of_bounds),
        TEST(test_too_many_layers),
        TEST(test_known_facts_are_extended),
        TEST(test_what_is_partial_is_asked_for_only_when_it_may_help),
        TEST(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
