/* Walking a list a page per call: cursors that outlive the client, circles, and registries that
 * send all at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"
#include "cursor.h"
#include "internal.h"

struct walked {
    bool done;
    struct error error;
    struct text_list names;
    char *cursor;
};

static void walked_release(struct walked *walked)
{
    text_list_release(&walked->names);
    free(walked->cursor);
    *walked = (struct walked){0};
}
#define AUTO_WALKED AUTO(walked_release)

static void take_page(void *argument, const struct registry_page *page)
{
    struct walked *walked = argument;

    assert_false(walked->done);
    walked->done = true;
    free(walked->cursor);
    walked->cursor = memory_copy_text(page->cursor);
    if (page->error) {
        walked->error = *page->error;
        assert_null(page->cursor);
        return;
    }
    for (size_t i = 0; i < page->row_count; i++) {
        assert_false(digest_is_set(&page->rows[i].digest));
        assert_null(page->rows[i].labels);
        text_list_add(&walked->names, page->rows[i].tag);
    }
    for (size_t i = 0; page->repositories && i < page->repositories->count; i++)
        text_list_add(&walked->names, page->repositories->items[i]);
}

static void wait_page(struct client *client, struct walked *walked)
{
    for (unsigned i = 0; i < 1000 && !walked->done; i++)
        client_run_for(client, 10);
    assert_true(walked->done);
}

static void next_page(struct client *client, bool repositories, struct walked *walked)
{
    AUTO_FREE char *cursor = TAKE(walked->cursor);

    walked->done = false;
    if (repositories)
        (void)registry_page_of_repositories(client->registry, cursor, take_page, walked);
    else
        (void)registry_page_of_images(client->registry, "app", cursor, take_page, walked);
    wait_page(client, walked);
}

/* All pages, each by a client of its own: nothing but the cursor is kept. Returns their number. */
static unsigned walk(const char *scenario, bool repositories, struct walked *walked)
{
    unsigned pages = 0;
    struct client client;

    client_open(&client, scenario, NULL);
    do {
        registry_free(client.registry);
        client.registry = NULL;
        assert_int_equal(registry_new_tuned(client.loop, &client.settings, &client.tuning,
                                            &client.registry, NULL),
                         0);
        next_page(&client, repositories, walked);
        pages++;
        assert_true(pages < 100);
        assert_true(!walked->cursor || strlen(walked->cursor) <= CURSOR_MAX);
    } while (walked->cursor);
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 0);
    client_close(&client);
    return pages;
}

static const struct {
    const char *scenario;
    bool repositories;
    enum failure kind;
    const char *text;
    unsigned pages;
    size_t names;
} walks[] = {
    {"pages", false, FAILURE_NONE, "", 3, 5},
    {"pages-absolute", false, FAILURE_NONE, "", 3, 5},
    {"pages-opaque", false, FAILURE_NONE, "", 3, 5},
    {"ok", false, FAILURE_NONE, "", 1, 3},
    {"tags-null", false, FAILURE_NONE, "", 1, 0},
    {"tags-odd", false, FAILURE_NONE, "", 1, 2},
    {"tags-not-a-list", false, FAILURE_INPUT, "there is no \"tags\"", 1, 0},
    {"link-loop", false, FAILURE_INPUT, "in a circle", 2, 2},
    {"link-foreign", false, FAILURE_INPUT, "on another host", 1, 0},
    {"link-broken", false, FAILURE_INPUT, "Link header", 1, 0},
    {"link-long", false, FAILURE_LIMIT, "too long", 1, 0},
    {"link-endless", false, FAILURE_LIMIT, "more than 20 pages", 20, 19},
    {"page-gone", false, FAILURE_ABSENT, "does not know this place", 2, 2},
    {"page-absent", false, FAILURE_ABSENT, "does not know this place", 2, 2},
    {"all-at-once", false, FAILURE_NONE, "", 3, 12000},
    {"all-at-once", true, FAILURE_NONE, "", 2, 6000},
    {"ok", true, FAILURE_NONE, "", 1, 2},
    {"page-size-refused", true, FAILURE_NONE, "", 1, 2},
    {"no-catalog", true, FAILURE_ABSENT, "answered 404", 1, 0},
};

static void test_walks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(walks); i++) {
        AUTO_WALKED struct walked walked = {0};
        unsigned pages = walk(walks[i].scenario, walks[i].repositories, &walked);

        if (walked.error.kind != walks[i].kind || !strstr(walked.error.text, walks[i].text))
            fail_msg("%s: %d %s", walks[i].scenario, walked.error.kind, walked.error.text);
        assert_int_equal(pages, walks[i].pages);
        assert_int_equal(walked.names.count, walks[i].names);
    }
}

/* Slices are in order, so that whoever goes on behind a name misses nothing. */
static void test_slices_in_order(void **state)
{
    AUTO_WALKED struct walked walked = {0};

    (void)state;
    (void)walk("all-at-once", false, &walked);
    for (size_t i = 1; i < walked.names.count; i++)
        assert_true(strcmp(walked.names.items[i - 1], walked.names.items[i]) < 0);
}

/* A circle is found although it begins nowhere and nobody remembers its pages. */
static void test_circle(void **state)
{
    AUTO_WALKED struct walked walked = {0};
    struct client client;

    (void)state;
    client_open(&client, "link-circle",
                &(struct client_options){.tuning = &registry_tuning_default});
    do {
        next_page(&client, false, &walked);
        assert_true(walked.names.count < 40);
    } while (walked.cursor);
    assert_int_equal(walked.error.kind, FAILURE_INPUT);
    assert_non_null(strstr(walked.error.text, "in a circle"));
    client_close(&client);
}

static void test_absent_repository(void **state)
{
    AUTO_WALKED struct walked walked = {0};
    struct client client;

    (void)state;
    client_open(&client, "ok", NULL);
    (void)registry_page_of_images(client.registry, "nowhere", NULL, take_page, &walked);
    wait_page(&client, &walked);
    assert_int_equal(walked.error.kind, FAILURE_ABSENT);
    walked.done = false;
    (void)registry_page_of_images(client.registry, "../nowhere", NULL, take_page, &walked);
    wait_page(&client, &walked);
    assert_int_equal(walked.error.kind, FAILURE_INPUT);
    client_close(&client);
}

/* A place of another kind of list, or no place at all. Nothing is asked then. */
static void test_strange_cursors(void **state)
{
    static const char *const cursors[] = {
        "2",
        "app",
        "/v2/app/tags/list",
        "1.0123456789ab:",
        "1.0123456789ab:v2",
        "1.0123456789ab://other.example/v2/",
        "1.0123456789ab:http://other.example/v2/",
        "1.0123:/v2/app/tags/list",
        "-1.0123456789ab:/v2/app/tags/list",
        "99999999999.0123456789ab:/v2/app/tags/list",
        "1.0123456789ab:/v2/app/tags/list?last=\r\nHost: x",
        "+\x01",
    };
    struct client client;

    (void)state;
    client_open(&client, "ok", NULL);
    for (size_t i = 0; i < ARRAY_COUNT(cursors); i++) {
        AUTO_WALKED struct walked walked = {.cursor = memory_copy_text(cursors[i])};

        next_page(&client, false, &walked);
        if (walked.error.kind != FAILURE_ABSENT)
            fail_msg("%s: %s", cursors[i], walked.error.text);
    }
    assert_int_equal(stub_count(&client.stub, "tags/list", NULL), 0);
    client_close(&client);
}

/* The first page is asked with a question of its own, when the kind is not known. */
static void test_deferred(void **state)
{
    AUTO_WALKED struct walked walked = {0};
    struct client client;

    (void)state;
    client_open(&client, "kind-distribution", &(struct client_options){.find_type = true});
    next_page(&client, true, &walked);
    next_page(&client, false, &walked);
    assert_int_equal(walked.error.kind, FAILURE_NONE);
    assert_int_equal(walked.names.count, 5);
    assert_int_equal(stub_count(&client.stub, "/api/v2.0/ping", NULL), 1);
    client_close(&client);

    walked_release(&walked);
    client_open(&client, "kind-distribution", &(struct client_options){.find_type = true});
    (void)registry_page_of_repositories(client.registry, NULL, take_page, &walked);
    registry_free(client.registry);
    client.registry = NULL;
    assert_true(walked.done);
    assert_int_equal(walked.error.kind, FAILURE_LATER);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),           cmocka_unit_test(test_slices_in_order),
        cmocka_unit_test(test_circle),          cmocka_unit_test(test_absent_repository),
        cmocka_unit_test(test_strange_cursors), cmocka_unit_test(test_deferred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
