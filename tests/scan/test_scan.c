/* Whole layers: archives in, facts out, the same whatever the pieces. Tokens are put together here,
 * so that no scanner takes this file for a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archives.h"
#include "regwarden/clock.h"
#include "regwarden/scan.h"
#include "streams.h"

#define ENTRY(...) (&(struct archive_entry){__VA_ARGS__})
#define TOKEN \
    "ghp_"    \
    "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"

static struct scan_options options_of_test(void)
{
    return (struct scan_options){.limits = scan_limits_default, .diff_id = true, .has_salt = true};
}

static int scan(const struct scan_options *options, const struct text *layer, size_t piece,
                struct layer_facts **ret, struct error *err)
{
    AUTO_SCAN struct scan *scan = scan_new(options);

    for (size_t at = 0; at < layer->length; at += piece) {
        size_t size = layer->length - at < piece ? layer->length - at : piece;
        int failure = scan_push(scan, layer->data + at, size, err);
        if (failure < 0)
            return failure;
    }
    return scan_finish(scan, ret, err);
}

static struct layer_facts *facts_of(const struct text *layer)
{
    struct scan_options options = options_of_test();
    struct layer_facts *facts = NULL;
    struct error err = {0};

    if (scan(&options, layer, 1 << 16, &facts, &err) < 0)
        fail_msg("%s", err.text);
    return facts;
}

static struct layer_facts *facts_of_file(const char *name, const char *data)
{
    AUTO_TEXT struct text layer = {0};

    archive_add_file(&layer, name, data);
    archive_add_end(&layer);
    return facts_of(&layer);
}

static const struct layer_hit *find(const struct layer_facts *facts, const char *what)
{
    for (size_t i = 0; i < facts->hit_count; i++)
        if (strcmp(facts->hits[i].what, what) == 0)
            return &facts->hits[i];
    return NULL;
}

/* --- accounts --- */

static void numbers_in_passwd_are_read_as_runtimes_do(void **state)
{
    static const struct {
        const char *line;
        const char *name;
        uint32_t uid, gid;
        const char *shell;
    } rows[] = {
        {"root:x:0:0:root:/root:/bin/sh", "root", 0, 0, "/bin/sh"},
        {"  app:x:1000:1001::/home/app:/bin/false \r", "app", 1000, 1001, "/bin/false"},
        {"toor:x:x:5:::", "toor", 0, 5, ""},
        {"a:x:+7:-0", "a", 7, 0, ""},
        {"a:x:-1:-2", "a", UINT32_MAX, UINT32_MAX - 1, ""},
        {"a:x:4294967296:4294967297", "a", 0, 1, ""}, /* moby and containerd cut to 32 bits */
        {"a:x:-4294967296:1", "a", 0, 1, ""},
        {"a:x:-99999999999999999999:1", "a", 0, 1, ""},
        {"a:x: 5:5 ", "a", 0, 5, ""},
        {"a:x:1_0:5", "a", 0, 5, ""},
        {"\xc2\xa0"
         "app:x:0:0:::\xe3\x80\x80",
         "app", 0, 0, ""}, /* Go trims these */
        {"\xe2\x80\x8b"
         "app:x:1:1",
         "\\xe2\\x80\\x8bapp", 1, 1, ""}, /* and not this */
        {"a:x:00:0x5", "a", 0, 0, ""},
        {"a:x:99999999999999999999:1", "a", UINT32_MAX, 1, ""},
        {"a", "a", 0, 0, ""},
        {"\xc3\xa9:x:1:1", "\\xc3\\xa9", 1, 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file("etc/passwd", rows[i].line);
        assert_int_equal(facts->files[LAYER_FILE_PASSWD].state, LAYER_FILE_READ);
        assert_int_equal(facts->user_count, 1);
        assert_string_equal(facts->users[0].name, rows[i].name);
        assert_int_equal(facts->users[0].uid, rows[i].uid);
        assert_int_equal(facts->users[0].gid, rows[i].gid);
        assert_string_equal(facts->users[0].shell, rows[i].shell);
    }
}

static void accounts_are_read(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    archive_add_file(&layer, "etc/passwd", "old:x:1:1:::\n");
    archive_add_file(&layer, "./etc//passwd", "root:x:0:0:::\n\nroot:x:5:5:::\n");
    archive_add_file(&layer, "etc/group", "wheel:x:10:a,b\nbad:x\n");
    archive_add_file(&layer, "etc/shadow", "root:*:1:\nguest::1:\nhash:$6$abc:1\nodd\n:x\n");
    archive_add(&layer,
                ENTRY(.name = "etc/os-release", .type = '2', .link = "../usr/lib/os-release"));
    archive_add_file(&layer, "usr/lib/os-release",
                     "NAME='A \"b\"'\nID=debian\nID=second\nVERSION_ID=\"12\"\nHOME_URL=x\n");
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(facts->user_count, 2); /* those of the last entry, in order */
    assert_int_equal(facts->users[1].uid, 5);
    assert_int_equal(facts->group_count, 2);
    assert_string_equal(facts->groups[0].members, "a,b");
    assert_int_equal(facts->groups[1].gid, 0);
    assert_int_equal(facts->empty_passwords.count, 1);
    assert_string_equal(facts->empty_passwords.items[0], "guest");
    assert_int_equal(facts->files[LAYER_FILE_OS_RELEASE].state, LAYER_FILE_LINK);
    assert_string_equal(facts->files[LAYER_FILE_OS_RELEASE].detail, "../usr/lib/os-release");
    assert_string_equal(text_pairs_get(&facts->os_release, "NAME"), "A \"b\"");
    assert_string_equal(text_pairs_get(&facts->os_release, "ID"), "debian");
    assert_null(text_pairs_get(&facts->os_release, "HOME_URL"));
    assert_int_equal(facts->duplicate_bytes, 13);
}

/* Nothing in the password's place of passwd is a password that nobody is asked for. */
static void open_accounts_are_told_apart(void **state)
{
    AUTO_LAYER_FACTS struct layer_facts *facts =
        facts_of_file("etc/passwd", "a:x:1:1\nb::2:2\nc:*:3:3\nd\ne:\n");

    (void)state;
    assert_int_equal(facts->user_count, 5);
    for (size_t i = 0; i < facts->user_count; i++)
        assert_int_equal(facts->users[i].no_password, i == 1 || i == 4);
}

/* A line that others read whole, and we would not, may be the one that counts. */
static void accounts_are_read_exactly_or_not_at_all(void **state)
{
    static const char *const files[] = {"etc/passwd", "etc/group", "etc/shadow"};
    AUTO_TEXT struct text long_line = {0};

    (void)state;
    text_add(&long_line, "a:x:0:0:");
    while (long_line.length < 5000)
        text_add(&long_line, "long");
    text_add(&long_line, "::\na:x:1:1\n");
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        AUTO_TEXT struct text layer = {0};
        AUTO_LAYER_FACTS struct layer_facts *cut = facts_of_file(files[i], text_data(&long_line));
        archive_add(&layer, ENTRY(.name = files[i], .data = "a:x:1000\0:0\n", .data_size = 12));
        archive_add_end(&layer);
        AUTO_LAYER_FACTS struct layer_facts *broken = facts_of(&layer);
        assert_int_equal(cut->files[i].state, LAYER_FILE_UNREAD);
        assert_int_equal(broken->files[i].state, LAYER_FILE_UNREAD);
    }
}

static void too_many_accounts_are_not_read(void **state)
{
    AUTO_TEXT struct text lines = {0};

    (void)state;
    for (int i = 0; i <= LAYER_ACCOUNTS_MAX; i++)
        text_format(&lines, "u%d:x:%d:%d:::\n", i, i, i);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file("etc/passwd", text_data(&lines));
    assert_int_equal(facts->files[LAYER_FILE_PASSWD].state, LAYER_FILE_UNREAD);
    assert_int_equal(facts->user_count, LAYER_ACCOUNTS_MAX);
}

static void what_cannot_be_read_says_so(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    archive_add(&layer, ENTRY(.name = "etc/passwd", .type = '1', .link = "x"));
    archive_add(&layer, ENTRY(.name = "etc/group", .type = '5'));
    archive_add_pax(&layer, 'x',
                    (const char *const[]){"GNU.sparse.map=0,9", "GNU.sparse.size=99", NULL});
    archive_add_file(&layer, "etc/shadow", "guest::1:");
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(facts->files[LAYER_FILE_PASSWD].state, LAYER_FILE_LINK);
    assert_int_equal(facts->files[LAYER_FILE_GROUP].state, LAYER_FILE_UNREAD);
    assert_int_equal(facts->files[LAYER_FILE_SHADOW].state, LAYER_FILE_UNREAD);
}

/* --- packages --- */

static void packages_are_listed(void **state)
{
    static const struct {
        const char *path, *content;
        const char *wanted; /* "manager name version; …" */
    } rows[] = {
        {"var/lib/dpkg/status",
         "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nDescription: x\n Version: "
         "7\n\n"
         "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: last\nVersion: "
         "3",
         "dpkg libc6 2.36-9; dpkg last 3; "},
        {"var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\n",
         "dpkg base-files 12.4; "},
        {"var/lib/dpkg/status.d/base.md5sums", "Package: x\n", ""},
        {"lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.4-r2\nF:lib\n\nP:busybox\nV:1.36\n\n",
         "apk musl 1.2.4-r2; apk busybox 1.36; "},
        {"usr/lib/python3/dist-packages/Flask-3.0.dist-info/METADATA",
         "Metadata-Version: 2.1\r\nName: Flask\r\nVersion: 3.0\r\n\r\nName: prose\r\n",
         "pip Flask 3.0; "},
        {"opt/a.egg-info/PKG-INFO", "Name: a\nVersion: 1", "pip a 1; "},
        {"app/node_modules/left-pad/package.json", "{\"name\":\"lies\",\"version\":\"1.3.0\"}",
         "npm left-pad 1.3.0; "},
        {"app/node_modules/@scope/x/package.json", "{\"version\":7}", "npm @scope/x ; "},
        {"app/node_modules/a/node_modules/b/package.json", "not json", "npm b ; "},
        {"app/node_modules/a/lib/package.json", "{}", ""},
        {"app/my_node_modules/a/package.json", "{}", ""},
        {"app/package.json", "{}", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file(rows[i].path, rows[i].content);
        AUTO_TEXT struct text got = {0};
        for (size_t k = 0; k < facts->package_count; k++) {
            text_format(&got, "%s %s %s; ", package_manager_name(facts->packages[k].manager),
                        facts->packages[k].name, facts->packages[k].version);
            assert_string_equal(facts->packages[k].path, rows[i].path);
        }
        assert_string_equal(text_data(&got), rows[i].wanted);
    }
}

static void a_list_that_comes_again_counts_once(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    archive_add_file(&layer, "lib/apk/db/installed", "P:a\nV:1\n");
    archive_add_file(&layer, "lib/apk/db/installed", "P:b\nV:2\n");
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(facts->package_count, 1);
    assert_string_equal(facts->packages[0].name, "b");
}

/* --- signals --- */

static void files_of_one_signal_are_added_up(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    archive_add_file(&layer, "usr/include/a.h", "1234");
    archive_add_file(&layer, "usr/include/sys/b.h", "567");
    archive_add(&layer, ENTRY(.name = "usr/include/c", .type = '5'));
    archive_add(&layer,
                ENTRY(.name = "usr/bin/su", .mode = 04755, .data = "xx", .uid = 0, .gid = 7));
    archive_add(&layer, ENTRY(.name = "usr/bin/wall", .mode = 02755));
    archive_add_pax(&layer, 'x', (const char *const[]){"SCHILY.xattr.security.capability=x", NULL});
    archive_add(&layer, ENTRY(.name = "usr/bin/ping", .mode = 0755));
    archive_add(&layer, ENTRY(.name = "usr/bin/dir", .mode = 04755, .type = '5'));
    archive_add_file(&layer, "app/.wh..git", "");
    archive_add_file(&layer, "stargz.index.json", "{}");
    archive_add_file(&layer, "../escaped", "");
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(find(facts, "c-headers")->bytes, 7);
    assert_int_equal(find(facts, "c-headers")->files, 2);
    assert_string_equal(find(facts, "c-headers")->path, "usr/include");
    assert_string_equal(find(facts, "setuid")->path, "usr/bin/su");
    assert_string_equal(find(facts, "setuid")->detail, "4755 0:7");
    assert_int_equal(find(facts, "setuid")->files, 1);
    assert_string_equal(find(facts, "setgid")->path, "usr/bin/wall");
    assert_string_equal(find(facts, "capability")->path, "usr/bin/ping");
    assert_null(find(facts, "git-directory"));
    assert_int_equal(facts->odd_entries, 1);
    assert_true(facts->paths_complete);
    assert_string_equal(text_data(&facts->paths), "0 app/.git\tw0\n"
                                                  "0 escaped\tf0\n"
                                                  "0 usr/bin/dir\td0\n"
                                                  "8 ping\tf0\n"
                                                  "8 su\tf2\n"
                                                  "8 wall\tf0\n"
                                                  "4 include/a.h\tf4\n"
                                                  "12 c\td0\n"
                                                  "12 sys/b.h\tf3\n");
}

/* Names that bases of all kinds are full of. */
/* A later layer may take the first name away; and a table of contents is no program. */
static void setuid_by_other_names(void **state)
{
    AUTO_TEXT struct text layer = {0};
    size_t count = 0;

    (void)state;
    archive_add(&layer, ENTRY(.name = "bin/su", .mode = 04755, .data = "xx"));
    archive_add(&layer, ENTRY(.name = "keep/su", .mode = 0644, .type = '1', .link = "/bin/su"));
    archive_add(&layer, ENTRY(.name = "keep/too", .type = '1', .link = "keep/su"));
    archive_add(&layer, ENTRY(.name = "stargz.index.json", .mode = 04755, .data = "xx"));
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    static const char *const paths[] = {"bin/su", "keep/su", "keep/too", "stargz.index.json"};
    for (size_t i = 0; i < facts->hit_count; i++) {
        if (facts->hits[i].kind != SIGNAL_SETUID)
            continue;
        assert_true(count < ARRAY_COUNT(paths));
        assert_string_equal(facts->hits[i].path, paths[count++]);
        assert_string_equal(facts->hits[i].detail, "4755 0:0");
    }
    assert_int_equal(count, ARRAY_COUNT(paths));
    assert_non_null(strstr(text_data(&facts->paths), "stargz.index.json"));
}

static void what_only_bears_the_name_is_none(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    archive_add_file(&layer, "var/lib/apt/lists/lock", "");
    archive_add_file(&layer, "var/cache/apt/archives/lock", "");
    archive_add_file(&layer, "usr/include/python3.9/pyconfig-64.h", "x");
    archive_add(&layer, ENTRY(.name = "usr/bin/make", .type = '2', .link = "/bin/busybox"));
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(facts->hit_count, 0);
}

static void hits_are_bounded(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    for (int i = 0; i < LAYER_HITS_MAX + 10; i++) {
        AUTO_FREE char *name = text_new("d%d/.env", i);
        archive_add_file(&layer, name, "");
    }
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(facts->hit_count, LAYER_HITS_MAX);
    assert_int_equal(facts->limits.count, 1);
    assert_string_equal(facts->limits.items[0], "more findings than are kept");
}

/* --- secrets in content --- */

static void secrets_are_found_masked_and_hashed(void **state)
{
    AUTO_LAYER_FACTS struct layer_facts *facts =
        facts_of_file("app/x.conf", "# a\n\nkey = " TOKEN "\n");
    AUTO_LAYER_FACTS struct layer_facts *again = facts_of_file("b", TOKEN);
    AUTO_JSON struct json *json = layer_facts_to_json(facts);
    AUTO_TEXT struct text text = {0};

    (void)state;
    assert_int_equal(facts->hit_count, 1);
    assert_int_equal(facts->hits[0].kind, SIGNAL_SECRET);
    assert_string_equal(facts->hits[0].what, "github-token");
    assert_string_equal(facts->hits[0].detail, "ghp_****(40)");
    assert_int_equal(facts->hits[0].line, 3);
    assert_int_equal(strlen(facts->hits[0].hash), 16);
    assert_string_equal(facts->hits[0].hash, again->hits[0].hash);
    json_write(json, JSON_COMPACT, &text);
    assert_null(strstr(text_data(&text), TOKEN));
}

/* At every place around the borders of windows, and once only. */
static void secrets_are_found_wherever_they_stand(void **state)
{
    enum { WINDOW = 128 * 1024, OVERLAP = 16 * 1024 };
    static const size_t around[] = {0, 8192, WINDOW - OVERLAP, WINDOW, 2 * WINDOW - 2 * OVERLAP};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(around); i++) {
        for (int shift = -60; shift <= 60; shift += 7) {
            AUTO_TEXT struct text content = {0};
            size_t at = around[i] + (size_t)(shift + (around[i] == 0 ? 60 : 0));
            while (content.length < at)
                text_add(&content, content.length % 80 == 79 ? "\n" : ".");
            text_add(&content, TOKEN);
            while (content.length < 2 * WINDOW)
                text_add(&content, " ");
            AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file("x", text_data(&content));
            if (facts->hit_count != 1)
                fail_msg("at %zu: %zu hits", at, facts->hit_count);
            assert_int_equal(facts->hits[0].line, 1 + at / 80);
        }
    }
}

static void binaries_and_libraries_are_not_searched_for_examples(void **state)
{
    static const char pem[] = "-----BEGIN RSA PRIVATE KEY-----\n"
                              "MIIEowIBAAKCAQEAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
                              "MIIEowIBAAKCAQEAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
                              "-----END RSA PRIVATE KEY-----\n";
    static const struct {
        const char *path, *content;
        size_t size;
        size_t hits;
    } rows[] = {
        {"app/key.txt", pem, 0, 1},
        {"usr/share/doc/key.txt", pem, 0, 0},
        {"app/node_modules/x/key.txt", pem, 0, 0},
        {"app/README.md", pem, 0, 0},
        {"app/node_modules/x/a.js", TOKEN, 0, 1},
        {"app/binary", "\0" TOKEN, sizeof(TOKEN), 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text layer = {0};
        archive_add(&layer, ENTRY(.name = rows[i].path, .data = rows[i].content,
                                  .data_size = rows[i].size));
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
        size_t secrets = 0;
        for (size_t k = 0; k < facts->hit_count; k++)
            secrets += facts->hits[k].kind == SIGNAL_SECRET;
        if (secrets != rows[i].hits)
            fail_msg("%s: %zu secrets", rows[i].path, secrets);
    }
}

static void secrets_of_one_file_are_bounded(void **state)
{
    AUTO_TEXT struct text content = {0};

    (void)state;
    for (int i = 0; i < 200; i++)
        text_format(&content, "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q%03d\n", i);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of_file("x", text_data(&content));
    assert_int_equal(facts->hit_count, 64);
    assert_string_equal(facts->limits.items[0], "more secrets in one file than are kept");
}

static void secrets_behind_marks_are_found(void **state)
{
    AUTO_TEXT struct text layer = {0};

    (void)state;
    archive_add_file(&layer, "a/.wh.b", TOKEN);
    archive_add_file(&layer, "twice", TOKEN);
    archive_add_file(&layer, "twice", "");
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
    assert_int_equal(facts->hit_count, 2);
}

/* --- programs --- */

/* An ELF header with one program header of this type, and whatever follows. */
static void add_elf(struct text *to, uint8_t type, uint8_t header_type)
{
    char head[120] = "\x7f"
                     "ELF\2\1\1";

    head[16] = (char)type;
    head[24] = 1; /* entry */
    head[32] = 64;
    head[54] = 56;
    head[56] = 1;
    head[64] = (char)header_type;
    text_add_bytes(to, head, sizeof(head));
}

static void add_go_block(struct text *to, size_t offset)
{
    static const char modules[] =
        "0123456789abcdefpath\texample.com/cmd\nmod\texample.com/m\tv1.2.3\th1:x\n"
        "dep\tgithub.com/a/b\tv0.1.0\th1:y\ndep\tgithub.com/c/d\tv9\n"
        "=>\tgithub.com/e/f\tv2.0.0\nbuild\t-compiler=gc\n0123456789abcdef";

    while (to->length < offset)
        text_add_char(to, 1);
    text_add_bytes(to, "\xff Go buildinf:\x08\x02", 16);
    text_add_bytes(to, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    text_add_char(to, 8);
    text_add(to, "go1.22.4");
    text_add_char(to, (char)(0x80 | (strlen(modules) & 0x7f)));
    text_add_char(to, (char)(strlen(modules) >> 7));
    text_add(to, modules);
}

static void go_programs_tell_how_they_were_built(void **state)
{
    static const size_t offsets[] = {128, 8192, 16 * 1001, 65536 - 16, 200000 / 16 * 16};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(offsets); i++) {
        AUTO_TEXT struct text layer = {0}, program = {0};
        add_elf(&program, 2, 1);
        add_go_block(&program, offsets[i]);
        archive_add(&layer, ENTRY(.name = "app/server", .mode = 0755, .data = program.data,
                                  .data_size = program.length));
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
        const struct layer_hit *hit = find(facts, "go-binary");
        assert_non_null(hit);
        assert_string_equal(hit->detail, "go1.22.4 example.com/cmd");
        assert_int_equal(hit->runtime, RUNTIME_GO);
        assert_int_equal(hit->bytes, program.length);
        assert_int_equal(facts->package_count, 3);
        assert_string_equal(facts->packages[0].name, "example.com/m");
        assert_string_equal(facts->packages[2].name, "github.com/e/f");
        assert_string_equal(facts->packages[2].version, "v2.0.0");
    }
}

static void static_programs_are_told_from_others(void **state)
{
    static const struct {
        const char *name;
        uint8_t type, header;
        unsigned mode;
        bool is_static;
    } rows[] = {
        {"app", 2, 1, 0755, true},        {"app", 3, 1, 0755, true},
        {"app", 2, 3, 0755, false},       {"app", 2, 1, 0644, false},
        {"lib.so.1", 3, 1, 0755, false},  {"app.o", 1, 1, 0755, false},
        {"lib.so/app", 2, 1, 0755, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text layer = {0}, program = {0};
        add_elf(&program, rows[i].type, rows[i].header);
        archive_add(&layer, ENTRY(.name = rows[i].name, .mode = rows[i].mode, .data = program.data,
                                  .data_size = program.length));
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&layer);
        assert_int_equal(find(facts, "static-binary") != NULL, rows[i].is_static);
    }
}

/* --- whole layers --- */

static void fill(struct text *layer)
{
    AUTO_TEXT struct text program = {0}, noise = {0};

    archive_add_file(layer, "etc/passwd", "root:x:0:0:::\n");
    archive_add_file(layer, "var/lib/dpkg/status", "Package: a\nVersion: 1\n");
    archive_add_file(layer, "app/.env", "T=" TOKEN "\n");
    add_elf(&program, 2, 1);
    add_go_block(&program, 16 * 700);
    archive_add(layer, ENTRY(.name = "app/x", .mode = 04755, .data = program.data,
                             .data_size = program.length));
    stream_add_noise(&noise, 30000);
    archive_add_file(layer, "noise", text_data(&noise));
    archive_add_file(layer, "app/node_modules/jest/package.json", "{\"version\":\"2\"}");
    archive_add_end(layer);
}

static char *document_of(const struct scan_options *options, const struct text *layer, size_t piece)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    struct text text = {0};
    struct error err = {0};

    if (scan(options, layer, piece, &facts, &err) < 0)
        fail_msg("%s", err.text);
    AUTO_JSON struct json *json = layer_facts_to_json(facts);
    AUTO_LAYER_FACTS struct layer_facts *again = NULL;
    if (layer_facts_from_json(json, &again, &err) < 0)
        fail_msg("what the scan writes is refused: %s", err.text);
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

static void facts_do_not_depend_on_pieces(void **state)
{
    static const size_t pieces[] = {1, 13, 512, 4096, 1 << 20};
    struct scan_options options = options_of_test();
    AUTO_TEXT struct text archive = {0}, packed = {0};

    (void)state;
    fill(&archive);
    stream_add_gzip(&packed, archive.data, archive.length);
    AUTO_FREE char *wanted = document_of(&options, &packed, packed.length);
    AUTO_FREE char *plain = document_of(&options, &archive, archive.length);
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO_FREE char *got = document_of(&options, &packed, pieces[i]);
        AUTO_FREE char *got_plain = document_of(&options, &archive, pieces[i]);
        assert_string_equal(got, wanted);
        assert_string_equal(got_plain, plain);
    }
    /* the same files: only how they are packed differs */
    assert_string_equal(strstr(wanted, "\"uncompressedBytes\""),
                        strstr(plain, "\"uncompressedBytes\""));
}

static void digests_are_of_all_bytes(void **state)
{
    AUTO_TEXT struct text archive = {0}, packed = {0};
    struct digest digest, diff_id;

    (void)state;
    fill(&archive);
    text_add(&archive, "bytes behind the end");
    stream_add_zstd(&packed, archive.data, archive.length);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&packed);
    digest_compute(NULL, packed.data, packed.length, &digest);
    digest_compute(NULL, archive.data, archive.length, &diff_id);
    assert_true(digest_equal(&facts->digest, &digest));
    assert_true(digest_equal(&facts->diff_id, &diff_id));
    assert_string_equal(facts->compression, "zstd");
    assert_int_equal(facts->after_end_bytes, 20);
}

static void limits_are_kept(void **state)
{
    struct scan_options options = options_of_test();
    AUTO_TEXT struct text archive = {0}, empty = {0};
    struct layer_facts *facts = NULL;
    struct error err;

    (void)state;
    fill(&archive);
    options.limits.max_entries = 2;
    assert_int_equal(scan(&options, &archive, 999, &facts, &err), FAILURE_LIMIT);
    options.limits.max_entries = 200;
    options.limits.max_output_bytes = 1000;
    assert_int_equal(scan(&options, &archive, 999, &facts, &err), FAILURE_LIMIT);
    options.limits.max_output_bytes = 1 << 20;
    clock_set_for_test(1000, 1000);
    AUTO_SCAN struct scan *slow = scan_new(&options);
    clock_set_for_test(1000, 1001 + options.limits.max_ms);
    assert_int_equal(scan_push(slow, archive.data, 600, &err), FAILURE_LIMIT);
    clock_set_for_test(-1, -1);
    assert_non_null(strstr(err.text, "takes too long"));
    text_add(&empty, "not a layer at all");
    assert_int_equal(scan(&options, &empty, 999, &facts, &err), FAILURE_INPUT);
    scan_free(NULL);
}

/* A layer of more paths than are kept says so, and still lists those that it keeps. */
static void too_many_paths(void **state)
{
    AUTO_TEXT struct text layer = {0};
    struct scan_options options = options_of_test();
    AUTO_SCAN struct scan *scan = scan_new(&options);
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;

    (void)state;
    for (int i = 0; i < LAYER_PATHS_MAX + 5; i++) {
        AUTO_FREE char *name = text_new("f%d", i);
        text_clear(&layer);
        archive_add_file(&layer, name, "");
        assert_int_equal(scan_push(scan, layer.data, layer.length, NULL), 0);
    }
    assert_int_equal(scan_finish(scan, &facts, NULL), 0);
    assert_false(facts->paths_complete);
    assert_int_equal(facts->limits.count, 1);
    AUTO_JSON struct json *json = layer_facts_to_json(facts);
    AUTO_LAYER_FACTS struct layer_facts *again = NULL;
    assert_int_equal(layer_facts_from_json(json, &again, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setuid_by_other_names),
        cmocka_unit_test(numbers_in_passwd_are_read_as_runtimes_do),
        cmocka_unit_test(open_accounts_are_told_apart),
        cmocka_unit_test(accounts_are_read_exactly_or_not_at_all),
        cmocka_unit_test(too_many_accounts_are_not_read),
        cmocka_unit_test(accounts_are_read),
        cmocka_unit_test(what_cannot_be_read_says_so),
        cmocka_unit_test(packages_are_listed),
        cmocka_unit_test(a_list_that_comes_again_counts_once),
        cmocka_unit_test(files_of_one_signal_are_added_up),
        cmocka_unit_test(what_only_bears_the_name_is_none),
        cmocka_unit_test(hits_are_bounded),
        cmocka_unit_test(secrets_are_found_masked_and_hashed),
        cmocka_unit_test(secrets_are_found_wherever_they_stand),
        cmocka_unit_test(binaries_and_libraries_are_not_searched_for_examples),
        cmocka_unit_test(secrets_of_one_file_are_bounded),
        cmocka_unit_test(secrets_behind_marks_are_found),
        cmocka_unit_test(go_programs_tell_how_they_were_built),
        cmocka_unit_test(static_programs_are_told_from_others),
        cmocka_unit_test(facts_do_not_depend_on_pieces),
        cmocka_unit_test(digests_are_of_all_bytes),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(too_many_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
