/* Lists of packages of applications and rpm's databases, in the shapes that their writers give
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "archives.h"
#include "regwarden/scan.h"

#define ENTRY(...) (&(struct archive_entry){__VA_ARGS__})

static struct layer_facts *facts_of(const char *path, const char *data, size_t size, size_t piece)
{
    struct scan_options options = {.limits = scan_limits_default};
    AUTO_TEXT struct text layer = {0};
    AUTO_SCAN struct scan *scan = scan_new(&options);
    struct layer_facts *facts = NULL;
    struct error err = {0};

    archive_add(&layer, ENTRY(.name = path, .data = data, .data_size = size));
    archive_add_end(&layer);
    for (size_t at = 0; at < layer.length; at += piece) {
        size_t part = layer.length - at < piece ? layer.length - at : piece;
        if (scan_push(scan, layer.data + at, part, &err) < 0)
            fail_msg("%s", err.text);
    }
    if (scan_finish(scan, &facts, &err) < 0)
        fail_msg("%s", err.text);
    return facts;
}

/* "manager name version" of each, with ", " between. */
static char *listed(const struct layer_facts *facts)
{
    struct text text = {0};

    for (size_t i = 0; i < facts->package_count; i++)
        text_format(&text, "%s%s %s %s", i > 0 ? ", " : "",
                    package_manager_name(facts->packages[i].manager), facts->packages[i].name,
                    facts->packages[i].version);
    return text_take(&text);
}

static void applications_tell_their_packages(void **state)
{
    static const struct {
        const char *path, *content, *wanted;
    } rows[] = {
        {"usr/local/bundle/specifications/rack-test-2.1.0.gemspec", "Gem::Specification.new do |s|",
         "gem rack-test 2.1.0"},
        {"usr/local/lib/ruby/gems/3.2.0/specifications/default/json-2.6.3.gemspec", "",
         "gem json 2.6.3"},
        {"x/specifications/nokogiri-1.15.4-x86_64-linux.gemspec", "",
         "gem nokogiri 1.15.4-x86_64-linux"},
        {"x/rack.gemspec", "", ""},
        {"opt/app/lib/commons-lang3-3.12.0.jar", "PK\3\4", "java commons-lang3 3.12.0"},
        {"opt/app/app.jar", "PK\3\4", "java app "},
        {"opt/app/-1.jar", "PK\3\4", ""},
        {"var/www/vendor/composer/installed.json",
         "{\n    \"packages\": [\n        {\n            \"name\": \"monolog/monolog\",\n"
         "            \"version\": \"3.5.0\",\n            \"require\": {\n"
         "                \"php\": \">=8.1\"\n            },\n            \"authors\": [\n"
         "                {\n                    \"name\": \"a/b\",\n"
         "                    \"version\": \"9\"\n                }\n            ]\n        },\n"
         "        {\n            \"name\": \"psr/log\",\n            \"version\": \"3.0.0\",\n"
         "            \"version_normalized\": \"3.0.0.0\"\n        }\n    ],\n"
         "    \"dev\": false\n}\n",
         "composer monolog/monolog 3.5.0, composer psr/log 3.0.0"},
        {"app/App.deps.json",
         "{\n  \"targets\": {\n    \".NETCoreApp,Version=v8.0\": {\n      \"App/1.0.0\": {\n"
         "        \"dependencies\": {\n          \"Serilog\": \"3.1.1\"\n        }\n      }\n"
         "    }\n  },\n  \"libraries\": {\n    \"App/1.0.0\": {\n      \"type\": \"project\",\n"
         "      \"serviceable\": false\n    },\n    \"Serilog/3.1.1\": {\n"
         "      \"type\": \"package\",\n      \"path\": \"serilog/3.1.1\"\n    }\n  }\n}\n",
         "nuget Serilog 3.1.1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_LAYER_FACTS struct layer_facts *facts =
            facts_of(rows[i].path, rows[i].content, strlen(rows[i].content), 1 << 16);
        AUTO_FREE char *got = listed(facts);
        if (strcmp(got, rows[i].wanted) != 0)
            fail_msg("%s: '%s', not '%s'", rows[i].path, got, rows[i].wanted);
        assert_int_equal(facts->limits.count, 0);
    }
}

static void add_head(struct text *to)
{
    /* two numbers, tag 63 with what belongs to it, and the name's own entry */
    static const char head[] = "\0\0\0\2\0\0\2\0\0\0\0\x3f\0\0\0\7\0\0\1\xf0\0\0\0\x10"
                               "\0\0\3\xe8\0\0\0\6\0\0\0\2\0\0\0\1";

    text_add_bytes(to, head, sizeof(head) - 1);
}

static void add_package(struct text *to, const char *name, const char *version, const char *release)
{
    add_head(to);
    text_add_bytes(to, "C", 2);
    text_add_bytes(to, name, strlen(name) + 1);
    text_add_bytes(to, version, strlen(version) + 1);
    text_add_bytes(to, release, strlen(release) + 1);
    text_add_bytes(to, "What it is for", 15);
}

static void rpm_packages_are_found_in_the_bytes(void **state)
{
    static const char *const paths[] = {"var/lib/rpm/Packages", "usr/lib/sysimage/rpm/rpmdb.sqlite",
                                        "var/lib/rpm/Packages.db"};
    AUTO_TEXT struct text data = {0};
    char filler[3000];

    (void)state;
    memset(filler, 'C', sizeof(filler));
    text_add_bytes(&data, "SQLite format 3", 16);
    add_package(&data, "bash", "5.1.8", "6.el9_1");
    text_add_bytes(&data, filler, sizeof(filler));
    add_package(&data, "gpg-pubkey", "8483c65d", "5ccc5b19");
    add_package(&data, "libstdc++", "11.3.1~rc1", "4.3.el9");
    add_package(&data, "bash", "5.1.8", "6.el9_1"); /* an older copy */
    text_add_bytes(&data, filler, sizeof(filler));
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        for (size_t piece = 61; piece < 20000; piece *= 3) {
            AUTO_LAYER_FACTS struct layer_facts *facts =
                facts_of(paths[i], data.data, data.length, piece);
            AUTO_FREE char *got = listed(facts);
            assert_string_equal(got, "rpm bash 5.1.8-6.el9_1, rpm libstdc++ 11.3.1~rc1-4.3.el9");
            assert_int_equal(facts->limits.count, 0);
        }
    }
}

static void a_database_that_was_not_read_whole_says_so(void **state)
{
    AUTO_TEXT struct text data = {0};

    (void)state;
    add_package(&data, "bash", "5.1.8", "6.el9_1");
    add_head(&data);
    text_add_bytes(&data, "C\0fr\0coreutils\0008.32\00034.el9\0Outils", 33);
    AUTO_LAYER_FACTS struct layer_facts *facts =
        facts_of("var/lib/rpm/Packages", data.data, data.length, 1 << 16);
    assert_int_equal(facts->package_count, 1);
    assert_int_equal(facts->limits.count, 1);
    assert_string_equal(facts->limits.items[0],
                        "packages of rpm that are scattered in its database");
    AUTO_LAYER_FACTS struct layer_facts *other =
        facts_of("app/Packages", data.data, data.length, 1 << 16);
    assert_int_equal(other->package_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applications_tell_their_packages),
        cmocka_unit_test(rpm_packages_are_found_in_the_bytes),
        cmocka_unit_test(a_database_that_was_not_read_whole_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
