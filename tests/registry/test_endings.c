/* Operations of every kind that are ended, cancelled and begun at any moment of each other, while
 * the kind of registry, passwords and credentials are still asked for: each is told once or, when
 * it was cancelled, never, and nothing is used that is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ecr_world.h"
#include "profile.h"

enum { JOBS = 36, MOMENTS = 24 };

struct job {
    struct bustle *bustle;
    uint64_t id;
    unsigned told;
    bool cancelled;
};

struct bustle {
    struct registry *registry;
    struct digest digest;
    struct job jobs[JOBS];
    size_t count;
    unsigned again; /* jobs that callbacks may still begin */
    bool cancels;
};

static void begin(struct bustle *bustle, size_t kind);

static void cancel(struct job *job)
{
    if (job->told > 0 || job->cancelled)
        return;
    job->cancelled = true;
    registry_cancel(job->bustle->registry, job->id);
}

static void told(struct job *job)
{
    struct bustle *bustle = job->bustle;
    size_t at = (size_t)(job - bustle->jobs);

    assert_false(job->cancelled);
    assert_int_equal(job->told++, 0);
    if (bustle->cancels && at + 3 < bustle->count)
        cancel(&bustle->jobs[at + 3]);
    if (bustle->again > 0 && bustle->count < JOBS) {
        bustle->again--;
        begin(bustle, at);
    }
}

static void on_answer(void *argument, const struct registry_answer *answer)
{
    if (!answer->more)
        told(argument);
}

static void on_page(void *argument, const struct registry_page *page)
{
    (void)page;
    told(argument);
}

static void begin(struct bustle *bustle, size_t kind)
{
    struct registry *registry = bustle->registry;
    struct job *job = &bustle->jobs[bustle->count++];
    struct registry_label label = {.repository = "app", .digest = bustle->digest, .name = "x"};
    static const char bytes[] = "{\"schemaVersion\":2}";
    struct registry_manifest_put put = {.repository = "app",
                                        .reference = "new",
                                        .media_type = "application/vnd.oci.image.manifest.v1+json",
                                        .bytes = bytes,
                                        .size = sizeof(bytes) - 1};

    *job = (struct job){.bustle = bustle};
    switch (kind % 9) {
    case 0:
        job->id = registry_resolve(registry, "app", "v1", on_answer, job);
        break;
    case 1:
        job->id = registry_page_of_images(registry, "app", NULL, on_page, job);
        break;
    case 2:
        job->id = registry_delete_tag(registry, "app", "v1", on_answer, job);
        break;
    case 3:
        job->id = registry_add_label(registry, &label, on_answer, job);
        break;
    case 4:
        job->id = registry_fetch_scan_report(registry, "app", &bustle->digest, on_answer, job);
        break;
    case 5:
        job->id = registry_archive(registry, "app", &bustle->digest, on_answer, job);
        break;
    case 6:
        job->id = registry_page_of_repositories(registry, NULL, on_page, job);
        break;
    case 7:
        job->id = registry_put_manifest(registry, &put, on_answer, job);
        break;
    default:
        job->id = registry_restore(registry, "app", &bustle->digest, on_answer, job);
        break;
    }
}

static void bustle_until(struct client *client, unsigned moment, bool cancels)
{
    struct bustle bustle = {.registry = client->registry, .again = 9, .cancels = cancels};

    digest_compute(NULL, "x", 1, &bustle.digest);
    for (size_t i = 0; i < 18; i++)
        begin(&bustle, i + moment);
    for (unsigned i = 0; i < moment; i++) {
        client_run_for(client, 1 + i % 3);
        if (cancels)
            cancel(&bustle.jobs[i % bustle.count]);
    }
    bustle.again = 0;
    registry_free(client->registry);
    client->registry = NULL;
    for (size_t i = 0; i < bustle.count; i++)
        assert_int_equal(bustle.jobs[i].told, bustle.jobs[i].cancelled ? 0 : 1);
}

static void reopen(struct client *client)
{
    struct error error = {0};

    if (registry_new_tuned(client->loop, &client->settings, &client->tuning, &client->registry,
                           &error) < 0)
        fail_msg("%s", error.text);
}

static void bustle_at_every_moment(struct client *client)
{
    for (unsigned moment = 0; moment < MOMENTS; moment++) {
        if (moment > 0)
            reopen(client);
        bustle_until(client, moment, moment % 2 == 1);
    }
}

static void test_kinds_that_are_found_out(void **state)
{
    static const char *const scenarios[] = {"kind-zot", "kind-harbor", "kind-busy"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct client client;

        client_open(&client, scenarios[i],
                    &(struct client_options){.find_type = true, .with_password = true});
        bustle_at_every_moment(&client);
        client_close(&client);
    }
}

static void test_ecr(void **state)
{
    static const char *const scenarios[] = {"ok",
                                            "expired,GetAuthorizationToken=ServerException*2"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct ecr_world world;

        assert_true(ecr_world_open(&world, "ecr_stub.py", scenarios[i], true));
        bustle_at_every_moment(&world.client);
        ecr_world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_that_are_found_out),
        cmocka_unit_test(test_ecr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
