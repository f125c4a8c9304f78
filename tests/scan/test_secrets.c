/* Secrets in the content of layers: every format of the table, wherever it stands, in what
 * encoding, and the places where others' examples are nobody's secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archives.h"
#include "regwarden/clock.h"
#include "regwarden/scan.h"
#include "secret_examples.h"

#define ENTRY(...) (&(struct archive_entry){__VA_ARGS__})
#define TOKEN \
    "ghp_"    \
    "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"

static struct layer_facts *facts_of(const struct text *layer)
{
    struct scan_options options = {.limits = scan_limits_default, .has_salt = true};
    AUTO_SCAN struct scan *scan = scan_new(&options);
    struct layer_facts *facts = NULL;
    struct error err = {0};

    if (scan_push(scan, layer->data, layer->length, &err) < 0 ||
        scan_finish(scan, &facts, &err) < 0)
        fail_msg("%s", err.text);
    return facts;
}

static struct layer_facts *facts_of_file(const char *name, const char *data, size_t size)
{
    AUTO_TEXT struct text layer = {0};

    archive_add(&layer, ENTRY(.name = name, .data = data, .data_size = size));
    archive_add_end(&layer);
    return facts_of(&layer);
}

static size_t count_secrets(const struct layer_facts *facts)
{
    size_t count = 0;

    for (size_t i = 0; i < facts->hit_count; i++)
        count += facts->hits[i].kind == SIGNAL_SECRET;
    return count;
}

static void every_format_is_found(void **state)
{
    AUTO_TEXT struct text layer = {0};
    size_t count = secret_formats_count();

    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t start, size;
        AUTO_FREE char *text = secret_example(secret_formats_row(i), i % 2, &start, &size);
        AUTO_FREE char *name = text_new("app/f%zu", i);
        archive_add_file(&layer, name, text);
    }
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    for (size_t i = 0, hit = 0; i < count; i++, hit++) {
        const struct secret_format *row = secret_formats_row(i);
        AUTO_FREE char *name = text_new("app/f%zu", i);
        if (hit >= facts->hit_count || !text_equal(facts->hits[hit].path, name) ||
            !text_equal(facts->hits[hit].what, row->kind))
            fail_msg("%s in %s", row->kind, name);
        assert_int_equal(facts->hits[hit].line, row->name ? 2 : 1);
    }
    assert_int_equal(facts->hit_count, count);
}

static void places_and_lines_are_right(void **state)
{
    AUTO_TEXT struct text text = {0};

    (void)state;
    for (int i = 0; i < 60000; i++)
        text_add(&text, i % 7 == 0 ? "\n" : "some text here. ");
    text_add(&text, "\nx = " TOKEN "\n");
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file("app/a", text.data, text.length);
    assert_int_equal(facts->hit_count, 1);
    assert_int_equal(facts->hits[0].line, 60000 / 7 + 1 + 2);
    text_clear(&text);
    while (text.length < 3 * 1024 * 1024) /* minified */
        text_add(&text, "function(a,b){return a?b:\"eyJ://-----BEGIN\"};");
    text_add(&text, "k=\"" TOKEN "\"");
    AUTO_LAYER_FACTS struct layer_facts *again = facts_of_file("app/a.js", text.data, text.length);
    assert_int_equal(again->hit_count, 1);
    assert_int_equal(again->hits[0].line, 1);
}

static void wide_texts_are_read(void **state)
{
    static const char narrow[] = "A=1\r\nB=" TOKEN "\r\n";

    (void)state;
    for (int big = 0; big < 2; big++) {
        AUTO_TEXT struct text text = {0};
        text_add(&text, big ? "\xfe\xff" : "\xff\xfe");
        for (size_t i = 0; i < sizeof(narrow) - 1; i++) {
            text_add_char(&text, big ? '\0' : narrow[i]);
            text_add_char(&text, big ? narrow[i] : '\0');
        }
        AUTO_LAYER_FACTS struct layer_facts *facts =
            facts_of_file("app/x.ini", text.data, text.length);
        assert_int_equal(facts->hit_count, 1);
        assert_string_equal(facts->hits[0].what, "github-token");
        assert_int_equal(facts->hits[0].line, 2);
    }
}

static void examples_of_others_are_nobodys_secret(void **state)
{
    static const char key[] = "-----BEGIN RSA PRIVATE KEY-----\n"
                              "MIIEowIBAAKCAQEAq1Zk3v8yJf0bQ9xU2mH7sLw5RtYpN4dKcVgX6aOeTiBjSuEn\n"
                              "-----END RSA PRIVATE KEY-----\n";
    static const char cut[] = "-----BEGIN RSA PRIVATE KEY-----\n"
                              "MIIEowIBAAKCAQEAq1Zk3v8yJf0bQ9xU2mH7sLw5RtYpN4dKcVgX6aOeTiBjSuEn\n"
                              "[...]\n-----END RSA PRIVATE KEY-----\n";
    static const char url[] = "db = postgres://app:hunter22@db/x\n";
    static const struct {
        const char *path, *content;
        size_t hits;
    } rows[] = {
        {"root/.ssh/id_rsa", key, 1},
        {"app/config/server.pem", key, 1},
        {"app/config/server.pem", cut, 0},
        {"usr/share/doc/x/key.pem", key, 0},
        {"usr/lib/python3/dist-packages/x/tests/key.pem", key, 0},
        {"usr/local/lib/python3.11/site-packages/x/key.pem", key, 0},
        {"app/node_modules/x/test.pem", key, 0},
        {"app/tests/key.pem", key, 0},
        {"etc/ssl/private/ssl-cert-snakeoil.key", key, 0},
        {"etc/ssl/private/tls.key", key, 1},
        {"app/settings.py", url, 1},
        {"usr/src/app/settings.py", url, 1},
        {"usr/share/nginx/html/config.js", url, 1},
        /* descriptions of packages tell of http://foo:foobar@host */
        {"var/lib/apt/lists/deb_debian_main_i18n_Translation-en", url, 0},
        {"var/lib/dpkg/available", url, 0},
        {"app/README.md", url, 0},
        {"app/db_test.go", url, 0},
        {"app/.env.example", url, 0},
        {"app/x.py", "u = 'https://user:password@host'\n", 0},
        {"app/x.py", "u = 'https://u:pw@host'\n", 0},
        {"app/README.md", TOKEN, 1},
        {"app/node_modules/x/index.js", TOKEN, 1},
        {"app/node_modules/x/README.md", TOKEN, 0},
        {"root/.aws/credentials",
         "[default]\naws_access_key_id = AKIA"
         "Q2W3E4R5T6Y7U2I3\n"
         "aws_secret_access_key = q1Zk3v8yJf0bQ9xU2mH7sLw5RtYpN4dKcVgX6aOe\n",
         2},
        {"home/a/.npmrc", "//registry.npmjs.org/:_authToken=0a1b2c3d-4e5f-6789-a0b1-c2d3e4f5a6b7\n",
         1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_LAYER_FACTS struct layer_facts *facts =
            facts_of_file(rows[i].path, rows[i].content, 0);
        if (count_secrets(facts) != rows[i].hits)
            fail_msg("%s: %zu secrets in %s", rows[i].path, count_secrets(facts), rows[i].content);
    }
}

static void names_tell_in_lists_of_variables(void **state)
{
    static const char content[] = "# DB_PASSWORD=old-one\n"
                                  "PORT=8080\n"
                                  "DB_PASSWORD=\"correct horse\"\r\n"
                                  "export API_TOKEN=q1Zk3v8yJf0bQ9xU\n"
                                  "SESSION_SECRET=${FROM_OUTSIDE}\n"
                                  "GH=" TOKEN "\n";
    static const struct {
        const char *path;
        size_t hits;
    } rows[] = {{"app/.env", 3},         {"app/.env.production", 3},     {"etc/default/app.env", 3},
                {"app/.env.example", 1}, {"app/node_modules/x/.env", 1}, {"app/env", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file(rows[i].path, content, 0);
        if (count_secrets(facts) != rows[i].hits)
            fail_msg("%s: %zu secrets", rows[i].path, count_secrets(facts));
        for (size_t k = 0; k < facts->hit_count; k++)
            if (text_equal(facts->hits[k].what, "named-value"))
                assert_true(facts->hits[k].line == 3 || facts->hits[k].line == 4);
    }
}

/* Texts that are made to look like the beginning of secrets everywhere. */
static void time_does_not_grow_faster_than_the_text(void **state)
{
    enum { SMALL = 1 << 20 };
    static const char *const units[] = {"sk-",
                                        "eyJhbGciOi.eyJ",
                                        "://a:",
                                        "-AKIAQ2W3",
                                        "\"auth\":  ",
                                        "datadog_key=",
                                        "xoxb-1",
                                        ":AA",
                                        "secret_",
                                        "-----BEGIN PRIVATE KEY-----",
                                        "Authorization: Basic "};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        AUTO_TEXT struct text text = {0};
        while (text.length < SMALL)
            text_add(&text, units[i]);
        int64_t before = clock_steady_ms();
        layer_facts_free(facts_of_file("a", text.data, text.length));
        int64_t took_ms = clock_steady_ms() - before;
        if (took_ms > 5000)
            fail_msg("%s takes %lld ms", units[i], (long long)took_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_found),
        cmocka_unit_test(places_and_lines_are_right),
        cmocka_unit_test(wide_texts_are_read),
        cmocka_unit_test(examples_of_others_are_nobodys_secret),
        cmocka_unit_test(names_tell_in_lists_of_variables),
        cmocka_unit_test(time_does_not_grow_faster_than_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
