/* Layer facts: the document both ways, what is refused when it is read back, and the table of
 * paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "regwarden/layer_facts.h"

static const char document[] =
    "{`version`:3,`digest`:`sha256:"
    "00000000000000000000000000000000000000000000000000000000000000aa`,"
    "`diffId`:`sha256:00000000000000000000000000000000000000000000000000000000000000bb`,"
    "`compression`:`gzip`,`compressedBytes`:10,`uncompressedBytes`:20,`entries`:3,`fileCount`:2,"
    "`fileBytes`:7,`duplicateBytes`:1,`afterEndBytes`:4,`oddEntries`:5,`limits`:[`more hits`],"
    "`hits`:[{`kind`:`compiler`,`what`:`gcc`,`path`:`usr/bin/gcc`,`bytes`:9,`files`:1},"
    "{`kind`:`secret`,`what`:`npm-token`,`path`:`a`,`runtime`:`node`,`bytes`:0,`files`:1,"
    "`detail`:`npm_****(40)`,`hash`:`0123456789abcdef`,`line`:7}],"
    "`files`:{`etc/passwd`:{`state`:`read`},`etc/group`:{`state`:`link`,`detail`:`x`},"
    "`etc/shadow`:{`state`:`unread`,`detail`:`too long`}},"
    "`users`:[[`root`,0,0,`/root`,`/bin/sh`],[`open`,1,1,`/"
    "`,``,true]],`groups`:[[`wheel`,10,`a,b`]],"
    "`emptyPasswords`:[`guest`],`osRelease`:{`ID`:`debian`},"
    "`packages`:[[`dpkg`,`libc6`,`2.36`,`var/lib/dpkg/status`]],"
    "`probesAsked`:[`0123456789abcdef`],`probes`:[{`probe`:`0123456789abcdef`,`path`:`etc/"
    "app.conf`,"
    "`kind`:`file`,`mode`:2493,`uid`:7,`gid`:8,`bytes`:9,`sha256`:`sha256:"
    "00000000000000000000000000000000000000000000000000000000000000cc`,`content`:`yes`},"
    "{`probe`:`0123456789abcdef`,`path`:`etc/x`,`kind`:`symlink`,`mode`:511,`uid`:0,`gid`:0,"
    "`bytes`:0,`content`:`unknown`}],`pathsComplete`:true,"
    "`paths`:`0 a\\td0\\n1 /b c\\tf7\\n1 b\\tl0\\ta/b\\n`}";

static struct json *parse(const char *text)
{
    AUTO_FREE char *json = fixture_json(text);
    struct json *ret = NULL;
    struct error err = {0};

    if (json_parse(json, strlen(json), &layer_facts_limits, &ret, &err) < 0)
        fail_msg("%s", err.text);
    return ret;
}

static void documents_come_back_as_they_were(void **state)
{
    AUTO_JSON struct json *json = parse(document);
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    AUTO_TEXT struct text wanted = {0}, written = {0}, streamed = {0}, parsed = {0};
    struct error err = {0};

    (void)state;
    if (layer_facts_from_json(json, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts->hit_count, 2);
    assert_int_equal(facts->hits[1].line, 7);
    assert_int_equal(facts->hits[1].runtime, RUNTIME_NODE);
    assert_int_equal(facts->files[LAYER_FILE_OS_RELEASE].state, LAYER_FILE_ABSENT);
    AUTO_JSON struct json *again = layer_facts_to_json(facts);
    json_write(json, JSON_SORTED, &wanted);
    json_write(again, JSON_SORTED, &written);
    assert_string_equal(text_data(&written), text_data(&wanted));

    layer_facts_write(facts, &streamed);
    AUTO_JSON struct json *read = NULL;
    assert_int_equal(json_parse(streamed.data, streamed.length, NULL, &read, NULL), 0);
    json_write(read, JSON_SORTED, &parsed);
    assert_string_equal(text_data(&parsed), text_data(&wanted));
}

/* One member replaced by another value. */
static const struct {
    const char *key;
    const char *value;
} faults[] = {
    {"version", "1"},
    {"version", "null"},
    {"digest", "`sha256:12`"},
    {"digest", "null"},
    {"diffId", "`x`"},
    {"compression", "7"},
    {"compressedBytes", "-1"},
    {"uncompressedBytes", "`1`"},
    {"limits", "{}"},
    {"limits", "[1]"},
    {"limits", "[`1`,`2`,`3`,`4`,`5`,`6`,`7`,`8`,`9`,`10`,`11`,`12`,`13`,`14`,`15`,`16`,`17`]"},
    {"hits", "null"},
    {"hits", "[{}]"},
    {"hits", "[{`kind`:`x`,`what`:`gcc`,`path`:`a`,`bytes`:9,`files`:1}]"},
    {"hits", "[{`kind`:`sdk`,`what`:`gcc`,`path`:`a\\n`,`bytes`:9,`files`:1}]"},
    {"hits", "[{`kind`:`sdk`,`what`:`gcc`,`path`:`a`,`bytes`:9,`files`:1,`runtime`:`cobol`}]"},
    {"hits", "[{`kind`:`sdk`,`what`:`gcc`,`path`:`a`,`bytes`:9,`files`:1,`line`:-1}]"},
    {"hits", "[{`kind`:`sdk`,`what`:`gcc`,`path`:`\xc3\xa9`,`bytes`:9,`files`:1}]"},
    {"files", "[]"},
    {"files", "{`etc/passwd`:{`state`:`gone`}}"},
    {"users", "[[`root`]]"},
    {"users", "[[`root`,4294967296,0,``,``]]"},
    {"groups", "[[1,1,``]]"},
    {"emptyPasswords", "`x`"},
    {"osRelease", "[]"},
    {"osRelease", "{`ID`:1}"},
    {"packages", "[[`brew`,`a`,`b`,`c`]]"},
    {"packages", "[`a`]"},
    {"probesAsked", "null"},
    {"probesAsked", "[1]"},
    {"probes", "{}"},
    {"probes", "[{}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`kind`:`door`,`mode`:0,`uid`:0,`gid`:0,`bytes`:0,"
               "`content`:`no`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`kind`:`file`,`mode`:4096,`uid`:0,`gid`:0,`bytes`:0,"
               "`content`:`no`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`kind`:`file`,`mode`:0,`uid`:4294967296,`gid`:0,"
               "`bytes`:0,`content`:`no`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`kind`:`file`,`mode`:0,`uid`:0,`gid`:0,`bytes`:0,"
               "`content`:`maybe`}]"},
    {"paths", "null"},
    {"paths", "`0 a\\tf1`"},
    {"paths", "`1 a\\tf1\\n`"},
    {"paths", "`0 b\\tf1\\n0 a\\tf1\\n`"},
    {"paths", "`0 a\\tf1\\n1 \\tf1\\n`"},
    {"paths", "`0 a\\tx1\\n`"},
    {"paths", "`0 a\\tf\\n`"},
    {"paths", "`0 a\\tf1 \\n`"},
    {"paths", "`0 a\\tf1\\tb\\tc\\n`"},
    {"paths", "`0a\\tf1\\n`"},
    {"paths", "`0 \xc3\xa9\\tf1\\n`"},
};

static void what_is_not_as_it_ought_to_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        AUTO_JSON struct json *json = parse(document);
        AUTO_JSON struct json *list = NULL;
        AUTO_FREE char *value = text_new("[%s]", faults[i].value);
        AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
        struct error err = {0};
        list = parse(value);
        json_set_take(json, faults[i].key, json_retain(json_at(list, 0)));
        if (layer_facts_from_json(json, &facts, &err) != FAILURE_INPUT)
            fail_msg("%s: %s was accepted", faults[i].key, faults[i].value);
        assert_null(facts);
    }
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIGNAL_KIND_COUNT; i++) {
        enum signal_kind kind;
        assert_int_equal(signal_kind_from_name(signal_kind_name((enum signal_kind)i), &kind), 0);
        assert_int_equal(kind, i);
    }
    for (unsigned i = 0; i < PACKAGE_MANAGER_COUNT; i++) {
        enum package_manager manager;
        assert_int_equal(
            package_manager_from_name(package_manager_name((enum package_manager)i), &manager), 0);
        assert_int_equal(manager, i);
    }
}

static void tables_come_back_as_they_were(void **state)
{
    static const struct layer_path paths[] = {
        {"", LAYER_PATH_OPAQUE, 0, ""},           {"a", LAYER_PATH_WHITEOUT, 0, ""},
        {"a", LAYER_PATH_OPAQUE, 0, ""},          {"a", LAYER_PATH_DIRECTORY, 0, ""},
        {"a/b", LAYER_PATH_FILE, INT64_MAX, ""},  {"a/b/c", LAYER_PATH_SYMLINK, 0, "../x"},
        {"a/bb", LAYER_PATH_HARD_LINK, 0, "a b"}, {"a b", LAYER_PATH_SPECIAL, 0, ""},
        {"a.b", LAYER_PATH_FILE, 1, ""},
    };
    AUTO_TEXT struct text table = {0};
    struct layer_paths_cursor cursor;
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        layer_paths_add(&table, i > 0 ? paths[i - 1].path : "", &paths[i]);
    layer_paths_begin(&cursor, &table);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        if (layer_paths_next(&cursor, &err) != 1)
            fail_msg("%s: %s", paths[i].path, err.text);
        assert_string_equal(cursor.current.path, paths[i].path);
        assert_string_equal(cursor.current.link, paths[i].link);
        assert_int_equal(cursor.current.kind, paths[i].kind);
        assert_int_equal(cursor.current.size, paths[i].size);
    }
    assert_int_equal(layer_paths_next(&cursor, NULL), 0);
    layer_paths_end(&cursor);
}

static void paths_are_printed_without_doubt(void **state)
{
    AUTO_TEXT struct text text = {0};

    (void)state;
    layer_path_print(&text, "a\\x41 \xc3\xa9\n\t\x7f~");
    assert_string_equal(text_data(&text), "a\\x5cx41 \\xc3\\xa9\\x0a\\x09\\x7f~");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_back_as_they_were),
        cmocka_unit_test(what_is_not_as_it_ought_to_be_is_refused),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(tables_come_back_as_they_were),
        cmocka_unit_test(paths_are_printed_without_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
