/* What layers hold, as part of the facts: examples written by hand, the round trip, what is
 * refused, and how the group is made from layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "regwarden/facts_files.h"
#include "regwarden/image_files.h"
#include "schema_check.h"

static struct json *parse(const char *text)
{
    AUTO_FREE char *json = fixture_json(text);
    struct json *ret = NULL;
    struct error err = {0};

    if (json_parse(json, strlen(json), NULL, &ret, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return ret;
}

static struct facts *document(const char *members)
{
    AUTO_FREE char *text = text_new("{`factsVersion`:%d,%s}", (int)FACTS_VERSION, members);
    AUTO_JSON struct json *json = parse(text);
    struct facts *facts = NULL;
    struct error err = {0};

    if (facts_from_json(json, &facts, &err) < 0)
        fail_msg("%s: %s", members, err.text);
    return facts;
}

/* --- documents --- */

static void nothing_said_is_nothing_found(void **state)
{
    AUTO_FACTS struct facts *facts = document("`files`:{}");

    (void)state;
    assert_int_equal(facts->status[FACT_FILES].state, FACT_PRESENT);
    assert_true(facts->files->complete);
    assert_int_equal(facts->files->passwd.there, ANSWER_NO);
    assert_int_equal(facts->files->layer_count, 0);
}

static void what_is_natural_may_be_left_out(void **state)
{
    AUTO_FACTS struct facts *facts = document(
        "`files`:{`hits`:[{`kind`:`compiler`,`path`:`usr/bin/gcc`,`bytes`:9},"
        "{`kind`:`secret`,`what`:`npm-token`,`path`:`.npmrc`,`bytes`:7,`layer`:1,`hiddenBy`:3}],"
        "`users`:[{`name`:`app`,`uid`:1000}],`probes`:[{`probe`:`x`,`path`:`etc/a`}],"
        "`packages`:[{`manager`:`npm`,`name`:`left-pad`}]}");
    const struct facts_files *files = facts->files;

    (void)state;
    assert_int_equal(files->layer_count, 4);
    assert_int_equal(files->layers[3].state, FACT_PRESENT);
    assert_string_equal(files->hits[0].what, "compiler");
    assert_int_equal(files->hits[0].files, 1);
    assert_int_equal(files->hits[0].visible_bytes, 9);
    assert_int_equal(files->hits[0].visible_files, 1);
    assert_int_equal(files->hits[0].hidden_by, -1);
    assert_int_equal(files->hits[1].visible_bytes, 0);
    assert_int_equal(files->hits[1].visible_files, 0);
    assert_int_equal(files->passwd.there, ANSWER_YES);
    assert_int_equal(files->passwd.layer, 0);
    assert_int_equal(files->group.there, ANSWER_NO);
    assert_int_equal(files->users[0].gid, 1000);
    assert_string_equal(files->packages[0].version, "");
    assert_int_equal(files->probes[0].mode, 0644);
    assert_true(text_list_has(&files->probes_asked, "x"));
}

static void layers_are_those_of_the_manifest(void **state)
{
    AUTO_FACTS struct facts *facts =
        document("`manifest`:{`layers`:[{},{},{}]},`files`:{`hits`:[]}");
    AUTO_JSON struct json *json =
        parse("{`factsVersion`:2,`manifest`:{`layers`:[{}]},`files`:{`layers`:[{},{}]}}");
    struct facts *other = NULL;

    (void)state;
    assert_int_equal(facts->files->layer_count, 3);
    assert_int_equal(facts_from_json(json, &other, NULL), FAILURE_INPUT);
}

static void what_is_not_known_makes_the_group_partial(void **state)
{
    static const struct {
        const char *files;
        enum fact_state state;
        const char *reason;
        enum answer passwd;
    } cases[] = {
        {"{`layers`:[{},{}]}", FACT_PRESENT, NULL, ANSWER_NO},
        {"{`layers`:[{},{`state`:`partial`,`reason`:`more hits`}]}", FACT_PARTIAL,
         "layer 1: more hits", ANSWER_UNKNOWN},
        {"{`layers`:[{`state`:`absent`,`reason`:`gone`},{}]}", FACT_PARTIAL, "layer 0: gone",
         ANSWER_UNKNOWN},
        {"{`layers`:[{`state`:`absent`,`reason`:`gone`}]}", FACT_ABSENT, "layer 0: gone",
         ANSWER_UNKNOWN},
        {"{`limits`:[`too much`]}", FACT_PARTIAL, "too much", ANSWER_UNKNOWN},
        {"{`complete`:false}", FACT_PARTIAL, "not all of it is known", ANSWER_UNKNOWN},
        {"{`complete`:false,`users`:[]}", FACT_PARTIAL, "not all of it is known", ANSWER_YES},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *member = text_new("`files`:%s", cases[i].files);
        AUTO_FACTS struct facts *facts = document(member);
        if (facts->status[FACT_FILES].state != cases[i].state ||
            !text_equal(facts->status[FACT_FILES].reason, cases[i].reason) ||
            facts->files->passwd.there != cases[i].passwd)
            fail_msg("%s: %d %s", cases[i].files, facts->status[FACT_FILES].state,
                     facts->status[FACT_FILES].reason);
    }
}

static const char whole[] =
    "{`complete`:false,`limits`:[`layer 1: more hits`],`layers`:[{`digest`:`sha256:"
    "00000000000000000000000000000000000000000000000000000000000000aa`,`diffId`:`sha256:"
    "00000000000000000000000000000000000000000000000000000000000000bb`,`state`:`present`,"
    "`compression`:`gzip`,`compressedBytes`:1,`uncompressedBytes`:2,`entries`:3,`fileCount`:4,"
    "`fileBytes`:5,`hiddenBytes`:6,`duplicateBytes`:7,`afterEndBytes`:8,`oddEntries`:9},"
    "{`state`:`absent`,`reason`:`too large`,`compressedBytes`:0,`uncompressedBytes`:0,"
    "`entries`:0,`fileCount`:0,`fileBytes`:0,`hiddenBytes`:0,`duplicateBytes`:0,"
    "`afterEndBytes`:0,`oddEntries`:0}],`fileCount`:1,`visibleBytes`:2,`wastedBytes`:3,"
    "`hits`:[{`kind`:`secret`,`runtime`:`node`,`what`:`npm-token`,`path`:`a`,"
    "`detail`:`npm_****(40)`,`hash`:`0123456789abcdef`,`line`:7,`files`:1,`bytes`:9,"
    "`visibleFiles`:0,`visibleBytes`:0,`layer`:0,`hiddenBy`:1}],"
    "`passwd`:{`there`:`yes`,`layer`:1},`group`:{`there`:`no`},"
    "`shadow`:{`there`:`unknown`,`reason`:`a link`},`osReleaseFile`:{`there`:`yes`,`layer`:0},"
    "`users`:[{`name`:`root`,`uid`:0,`gid`:0,`home`:`/root`,`shell`:`/bin/sh`},"
    "{`name`:`open`,`uid`:1,`gid`:1,`home`:`/`,`shell`:``,`noPassword`:true}],"
    "`groups`:[{`name`:`wheel`,`gid`:10,`members`:`a,b`}],`emptyPasswords`:[`guest`],"
    "`osRelease`:{`ID`:`debian`},`packages`:[{`manager`:`dpkg`,`name`:`libc6`,`version`:`2.36`,"
    "`path`:`var/lib/dpkg/status`,`layer`:1}],`largest`:[{`path`:`a`,`bytes`:4,`layer`:0}],"
    "`wasted`:[{`path`:`b`,`bytes`:3,`layer`:0,`hiddenBy`:1}],`probesAsked`:[`p`],"
    "`probes`:[{`probe`:`p`,`path`:`bin/su`,`kind`:`hard-link`,`mode`:`4755`,`uid`:1,`gid`:2,"
    "`bytes`:3,`sha256`:`sha256:"
    "00000000000000000000000000000000000000000000000000000000000000cc`,`content`:`no`,`layer`:1,"
    "`hiddenBy`:1}]}";

static void documents_come_back_as_they_were(void **state)
{
    AUTO_FREE char *member = text_new("`files`:%s", whole);
    AUTO_FREE char *versioned =
        text_new("{`layerFactsVersion`:%d,%s", LAYER_FACTS_VERSION, whole + 1);
    AUTO_FREE char *wanted = fixture_json(versioned);
    AUTO_FACTS struct facts *facts = document(member);
    AUTO_JSON struct json *json = facts_files_to_json(facts->files);
    AUTO_JSON struct json *schema = facts_schema();
    AUTO_JSON struct json *all = facts_to_json(facts);
    AUTO_TEXT struct text text = {0};
    char why[200] = "";

    (void)state;
    json_write(json, JSON_COMPACT, &text);
    assert_string_equal(text_data(&text), wanted);
    if (!schema_check(schema, all, why))
        fail_msg("%s", why);
}

/* One member replaced by another value. */
static const struct {
    const char *key;
    const char *value;
} faults[] = {
    {"complete", "1"},
    {"limits", "{}"},
    {"limits", "[1]"},
    {"limits", "[`a\\n`]"},
    {"layers", "{}"},
    {"layers", "[1,2]"},
    {"layers", "[{}]"}, /* the hits name layer 1 */
    {"layers", "[{`digest`:`x`},{}]"},
    {"layers", "[{`state`:`gone`},{}]"},
    {"layers", "[{`state`:1},{}]"},
    {"layers", "[{`entries`:-1},{}]"},
    {"layers", "[{`reason`:7},{}]"},
    {"fileCount", "`1`"},
    {"hits", "{}"},
    {"hits", "[1]"},
    {"hits", "[{`kind`:`sdk`}]"},
    {"hits", "[{`kind`:`x`,`path`:`a`}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a\\n`}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`\xc3\xa9`}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`layer`:2}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`layer`:-1}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`layer`:`0`}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`hiddenBy`:512}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`hiddenBy`:4294967296}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`runtime`:`cobol`}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`runtime`:7}]"},
    {"hits", "[{`kind`:`sdk`,`path`:`a`,`visibleFiles`:-1}]"},
    {"passwd", "[]"},
    {"passwd", "{`there`:`maybe`}"},
    {"passwd", "{`there`:`yes`,`layer`:2}"},
    {"users", "[{`name`:`a`}]"},
    {"users", "[{`name`:`a`,`uid`:4294967296}]"},
    {"users", "[{`name`:`a`,`uid`:1,`gid`:-1}]"},
    {"users", "[{`name`:`a`,`uid`:1,`noPassword`:1}]"},
    {"groups", "[{`gid`:1}]"},
    {"emptyPasswords", "`x`"},
    {"osRelease", "[]"},
    {"osRelease", "{`ID`:1}"},
    {"packages", "[{`manager`:`x`,`name`:`a`}]"},
    {"packages", "[{`manager`:`npm`}]"},
    {"packages", "[{`manager`:`npm`,`name`:`a`,`layer`:2}]"},
    {"largest", "[{`bytes`:1}]"},
    {"wasted", "[{`path`:`a`,`layer`:9}]"},
    {"probesAsked", "[1]"},
    {"probes", "[{`probe`:`a`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`mode`:420}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`mode`:`0899`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`mode`:`17777`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`kind`:`door`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`content`:`maybe`}]"},
    {"probes", "[{`probe`:`a`,`path`:`b`,`sha256`:`x`}]"},
};

/* Raising the one number is enough for layers to be looked into again; all else stays known. */
static void layers_looked_into_by_another_version_are_not_known(void **state)
{
    AUTO_FREE char *members = text_new(
        "`runtime`:{`name`:`go`},`groups`:{`files`:{`state`:`present`}},"
        "`files`:{`layerFactsVersion`:%d,`hits`:[{`kind`:`compiler`,`path`:`usr/bin/gcc`}]}",
        LAYER_FACTS_VERSION - 1);
    AUTO_FACTS struct facts *facts = document(members);
    AUTO_FACTS struct facts *same = document("`files`:{}");
    AUTO_JSON struct json *json = facts_to_json(same);

    (void)state;
    assert_null(facts->files);
    assert_int_equal(facts->status[FACT_FILES].state, FACT_ABSENT);
    assert_non_null(facts->status[FACT_FILES].reason);
    assert_int_equal(facts->runtime.runtime, RUNTIME_GO);
    assert_true(facts_layers_missing(facts));
    assert_int_equal(json_get_integer(json_get(json, "files"), "layerFactsVersion", 0),
                     LAYER_FACTS_VERSION);
}

static void what_is_not_as_it_ought_to_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        AUTO_JSON struct json *json = parse(whole);
        AUTO_FREE char *value = text_new("[%s]", faults[i].value);
        AUTO_JSON struct json *list = parse(value);
        struct facts_files *files = NULL;
        json_set_take(json, faults[i].key, json_retain(json_at(list, 0)));
        if (facts_files_from_json(json, 0, &files, NULL) != FAILURE_INPUT)
            fail_msg("%s: %s was accepted", faults[i].key, faults[i].value);
        assert_null(files);
    }
}

/* --- made from layers --- */

enum { LAYERS_MAX = 3 };

struct image {
    struct layer_facts *facts[LAYERS_MAX];
    struct layer_result results[LAYERS_MAX];
    struct manifest *manifest;
};

/* Layers as their tables of paths; a layer of "!reason" could not be read. */
static void image_begin(struct image *image, const char *const *tables, size_t count)
{
    static struct error errors[LAYERS_MAX];

    *image = (struct image){.manifest = fixture_image(count, "{}")};
    for (size_t i = 0; i < count; i++) {
        if (tables[i][0] == '!') {
            error_set(&errors[i], FAILURE_LATER, "%s", tables[i] + 1);
            image->results[i].error = &errors[i];
            continue;
        }
        struct layer_facts *facts = memory_new(sizeof(*facts));
        facts->compression = memory_copy_text("gzip");
        facts->paths_complete = true;
        text_add(&facts->paths, tables[i]);
        image->facts[i] = facts;
        image->results[i].facts = facts;
    }
}

static void image_end(struct image *image)
{
    for (size_t i = 0; i < LAYERS_MAX; i++)
        layer_facts_free(image->facts[i]);
    manifest_free(image->manifest);
}

static void add_hit(struct layer_facts *facts, const char *path)
{
    size_t capacity = facts->hit_count;

    facts->hits = memory_grow(facts->hits, facts->hit_count, &capacity, sizeof(*facts->hits));
    facts->hits[facts->hit_count++] = (struct layer_hit){.kind = SIGNAL_SDK,
                                                         .what = memory_copy_text("kit"),
                                                         .path = memory_copy_text(path),
                                                         .files = 1,
                                                         .bytes = 5};
}

static void add_user(struct layer_facts *facts, const char *name, uint32_t uid)
{
    size_t capacity = facts->user_count;

    facts->users = memory_grow(facts->users, facts->user_count, &capacity, sizeof(*facts->users));
    facts->users[facts->user_count++] = (struct layer_user){.name = memory_copy_text(name),
                                                            .uid = uid,
                                                            .home = memory_copy_text("/"),
                                                            .shell = memory_copy_text("")};
    facts->files[LAYER_FILE_PASSWD].state = LAYER_FILE_READ;
}

static struct facts_files *build(const struct image *image)
{
    struct facts_files *files = NULL;
    struct error err = {0};

    if (facts_files_build(image->manifest, NULL, image->results, &files, &err) < 0)
        fail_msg("%s", err.text);
    return files;
}

static void layers_are_put_on_top_of_each_other(void **state)
{
    static const char *const tables[] = {"0 etc/passwd\tf9\n0 kit\tf5\n0 own\tf5\n", "0 kit\tw0\n"};
    struct image image;

    (void)state;
    image_begin(&image, tables, 2);
    add_hit(image.facts[0], "kit");
    add_hit(image.facts[0], "own");
    add_user(image.facts[0], "app", 7);
    AUTO_FACTS_FILES struct facts_files *files = build(&image);
    assert_true(files->complete);
    assert_int_equal(files->hit_count, 2);
    assert_int_equal(files->hits[0].hidden_by, 1);
    assert_int_equal(files->hits[0].visible_files, 0);
    assert_int_equal(files->hits[1].visible_bytes, 5);
    assert_int_equal(files->layers[0].hidden_bytes, 5);
    assert_int_equal(files->wasted_bytes, 5);
    assert_int_equal(files->visible_bytes, 14);
    assert_int_equal(files->passwd.there, ANSWER_YES);
    assert_int_equal(files->user_count, 1);
    assert_string_equal(files->users[0].name, "app");
    assert_string_equal(files->largest[0].path, "etc/passwd");
    assert_string_equal(files->wasted[0].path, "kit");
    image_end(&image);
}

static void an_unread_layer_leaves_open_what_hangs_on_it(void **state)
{
    static const struct {
        const char *tables[LAYERS_MAX];
        enum answer there;
        const char *reason;
    } cases[] = {
        {{"0 etc/passwd\tf9\n", "", ""}, ANSWER_YES, NULL},
        {{"!late", "0 etc/passwd\tf9\n", ""}, ANSWER_YES, NULL},
        {{"0 etc/passwd\tf9\n", "!late", ""},
         ANSWER_UNKNOWN,
         "layer 1, which may hold or take away /etc/passwd, could not be read: late"},
        {{"!late", "", ""},
         ANSWER_UNKNOWN,
         "layer 0, which may hold or take away /etc/passwd, could not be read: late"},
        {{"", "0 etc/passwd\tw0\n", ""}, ANSWER_NO, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct image image;
        image_begin(&image, cases[i].tables, 3);
        for (size_t k = 0; k < 2; k++)
            if (image.facts[k] && strstr(cases[i].tables[k], "\tf9"))
                add_user(image.facts[k], "app", 7);
        if (image.facts[2])
            add_hit(image.facts[2], "x");
        AUTO_FACTS_FILES struct facts_files *files = build(&image);
        if (files->passwd.there != cases[i].there ||
            !text_equal(files->passwd.reason, cases[i].reason))
            fail_msg("case %zu: %d, %s", i, files->passwd.there, files->passwd.reason);
        assert_int_equal(files->complete, i == 0 || i == 4);
        assert_int_equal(files->hit_count, 1); /* those of other layers stay */
        image_end(&image);
    }
}

/* What is kept can be read back, however long the link is. */
static void accounts_behind_a_link_are_unknown(void **state)
{
    static const char *const tables[] = {"0 etc/passwd\tl0\tx\n"};
    AUTO_TEXT struct text target = {0};
    struct image image;

    (void)state;
    while (target.length < 16000)
        text_add(&target, "directory/");
    image_begin(&image, tables, 1);
    image.facts[0]->files[LAYER_FILE_PASSWD].state = LAYER_FILE_LINK;
    image.facts[0]->files[LAYER_FILE_PASSWD].detail = memory_copy_text(text_data(&target));
    AUTO_FACTS_FILES struct facts_files *files = build(&image);
    assert_int_equal(files->passwd.there, ANSWER_UNKNOWN);
    assert_non_null(strstr(files->passwd.reason, "/etc/passwd is a link to directory/"));
    assert_true(strlen(files->passwd.reason) < 400);
    image_end(&image);
}

static void too_much_is_left_out_and_said(void **state)
{
    static const char *const tables[] = {"", ""};
    AUTO_TEXT struct text path = {0};
    struct image image;

    (void)state;
    while (path.length < 4000)
        text_add(&path, "0123456789/");
    image_begin(&image, tables, 2);
    for (size_t i = 0; i < 2000; i++)
        add_hit(image.facts[i % 2], text_data(&path));
    AUTO_FACTS_FILES struct facts_files *files = build(&image);
    assert_true(files->hit_count > 900 && files->hit_count < 1100);
    assert_false(files->complete);
    assert_int_equal(files->limits.count, 1);
    image_end(&image);
}

/* containerd: "mismatched image rootfs and manifest layers"; each layer's diff_id is compared when
 * it is unpacked. */
static void layers_are_those_that_the_config_names(void **state)
{
    static const char *const tables[] = {"", ""};
    static const struct {
        const char *diff_ids;
        const char *read; /* of layer 1 */
        const char *message;
    } cases[] = {
        {"`sha256:00000000000000000000000000000000000000000000000000000000000000aa`", NULL,
         "the manifest has 2 layers, but the config's rootfs names 1"},
        {"`sha256:00000000000000000000000000000000000000000000000000000000000000aa`,"
         "`sha256:00000000000000000000000000000000000000000000000000000000000000bb`",
         NULL, NULL},
        {"`sha256:00000000000000000000000000000000000000000000000000000000000000aa`,"
         "`sha256:00000000000000000000000000000000000000000000000000000000000000bb`",
         "sha256:00000000000000000000000000000000000000000000000000000000000000bb", NULL},
        {"`sha256:00000000000000000000000000000000000000000000000000000000000000aa`,"
         "`sha512:0000000000000000000000000000000000000000000000000000000000000000"
         "00000000000000000000000000000000000000000000000000000000000000bb`",
         "sha256:00000000000000000000000000000000000000000000000000000000000000bb", NULL},
        {"`sha256:00000000000000000000000000000000000000000000000000000000000000aa`,"
         "`sha256:00000000000000000000000000000000000000000000000000000000000000bb`",
         "sha256:00000000000000000000000000000000000000000000000000000000000000cc",
         "layer 1 unpacks to "
         "sha256:00000000000000000000000000000000000000000000000000000000000000cc, but the "
         "config's rootfs names "
         "sha256:00000000000000000000000000000000000000000000000000000000000000bb"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text =
            text_new("{`rootfs`:{`type`:`layers`,`diff_ids`:[%s]}}", cases[i].diff_ids);
        AUTO_IMAGE_CONFIG struct image_config *config = fixture_config(text);
        AUTO_FACTS_FILES struct facts_files *files = NULL;
        struct image image;
        struct error err = {0};
        image_begin(&image, tables, 2);
        if (cases[i].read)
            assert_int_equal(digest_parse(cases[i].read, &image.facts[1]->diff_id, NULL), 0);
        int failure = facts_files_build(image.manifest, config, image.results, &files, &err);
        assert_int_equal(failure, cases[i].message ? FAILURE_INPUT : 0);
        if (cases[i].message)
            assert_string_equal(err.text, cases[i].message);
        image_end(&image);
    }
}

static void facts_take_the_group(void **state)
{
    static const char *const tables[] = {"", "!late"};
    AUTO_FACTS struct facts *facts = fixture_facts("{}", 2, "{}");
    struct image image;

    (void)state;
    image_begin(&image, tables, 2);
    facts_add_files_take(facts, build(&image));
    assert_int_equal(facts->status[FACT_FILES].state, FACT_PARTIAL);
    assert_string_equal(facts->status[FACT_FILES].reason, "layer 1: late");
    image_end(&image);
}

/* --- whose is a layer --- */

static void layers_belong_to_base_or_own(void **state)
{
    static const struct {
        const char *members;
        int layer;
        enum origin origin;
        int step;
    } cases[] = {
        {"`files`:{}", 0, ORIGIN_UNKNOWN, -1},
        {"`base`:{`layerCount`:2}", 1, ORIGIN_BASE, -1},
        {"`base`:{`layerCount`:2}", 2, ORIGIN_OWN, -1},
        {"`base`:{`layerCount`:0}", 0, ORIGIN_OWN, -1},
        {"`base`:{`layerCount`:2}", -1, ORIGIN_UNKNOWN, -1},
        {"`history`:{`aligned`:true,`steps`:[{`kind`:`ENV`,`empty`:true},"
         "{`kind`:`COPY`,`layer`:0,`origin`:`own`}]}",
         0, ORIGIN_OWN, 1},
        {"`history`:{`aligned`:true,`steps`:[{`kind`:`COPY`,`layer`:0,`origin`:`own`}]}", 1,
         ORIGIN_UNKNOWN, -1},
        {"`history`:{`aligned`:false,`steps`:[{`kind`:`COPY`,`layer`:0,`origin`:`own`}]}", 0,
         ORIGIN_UNKNOWN, -1},
        /* What is known of the base by its layers outranks what the history looks like. */
        {"`base`:{`layerCount`:1},`history`:{`aligned`:true,`steps`:[{`kind`:`COPY`,`layer`:0,"
         "`origin`:`own`}]}",
         0, ORIGIN_BASE, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = document(cases[i].members);
        if (facts_layer_origin(facts, cases[i].layer) != cases[i].origin ||
            facts_layer_step(facts, cases[i].layer) != cases[i].step)
            fail_msg("%s, layer %d: %d, step %d", cases[i].members, cases[i].layer,
                     facts_layer_origin(facts, cases[i].layer),
                     facts_layer_step(facts, cases[i].layer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_nothing_found),
        cmocka_unit_test(what_is_natural_may_be_left_out),
        cmocka_unit_test(layers_are_those_of_the_manifest),
        cmocka_unit_test(what_is_not_known_makes_the_group_partial),
        cmocka_unit_test(documents_come_back_as_they_were),
        cmocka_unit_test(layers_looked_into_by_another_version_are_not_known),
        cmocka_unit_test(what_is_not_as_it_ought_to_be_is_refused),
        cmocka_unit_test(layers_are_put_on_top_of_each_other),
        cmocka_unit_test(an_unread_layer_leaves_open_what_hangs_on_it),
        cmocka_unit_test(accounts_behind_a_link_are_unknown),
        cmocka_unit_test(too_much_is_left_out_and_said),
        cmocka_unit_test(layers_are_those_that_the_config_names),
        cmocka_unit_test(facts_take_the_group),
        cmocka_unit_test(layers_belong_to_base_or_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
