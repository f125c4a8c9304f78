/* The tar walk: every format, canonical paths, whiteouts, sparse files, and what is refused, at
 * every piece size. What is walked is written down as text and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archives.h"
#include "regwarden/tar.h"
#include "tar_header.h"

static const size_t pieces[] = {1, 7, 511, 512, 513, 4096, 1 << 20};

static const struct tar_limits limits = {
    .max_entries = 1000, .max_path_bytes = 4096, .max_meta_bytes = 1 << 20};

static int note_entry(void *argument, const struct tar_entry *entry, struct error *err)
{
    static const char *const kinds[] = {"file",   "hard", "symlink", "directory",
                                        "device", "fifo", "other"};
    static const char *const marks[] = {"", " whiteout", " opaque", " meta", " invalid"};
    struct text *to = argument;

    (void)err;
    text_format(to, "%s%s %.40s%s size=%llu", kinds[entry->kind], marks[entry->whiteout],
                entry->path, entry->path_size > 40 ? "~" : "", (unsigned long long)entry->size);
    if (entry->mode || entry->uid || entry->gid)
        text_format(to, " mode=%o owner=%lld:%lld", entry->mode, (long long)entry->uid,
                    (long long)entry->gid);
    text_format(to, "%s%s%s%s%s%s", *entry->link ? " -> " : "", entry->link,
                entry->sparse ? " sparse" : "", entry->capability ? " capability" : "",
                entry->escapes ? " escapes" : "", entry->overlong ? " overlong" : "");
    assert_int_equal(entry->path_size, strlen(entry->path));
    text_add(to, " [");
    return 0;
}

static int note_data(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)err;
    text_add_bytes(argument, bytes, size);
    return 0;
}

static int note_end(void *argument, struct error *err)
{
    (void)err;
    text_add(argument, "]\n");
    return 0;
}

static int walk(const struct tar_limits *bounds, const struct text *archive, size_t piece,
                struct text *notes, struct tar_end *ret, struct error *err)
{
    struct tar_events events = {note_entry, note_data, note_end, notes};
    AUTO_TAR struct tar *tar = tar_new(bounds, &events);

    for (size_t at = 0; at < archive->length; at += piece) {
        size_t size = archive->length - at < piece ? archive->length - at : piece;
        int failure = tar_push(tar, (const uint8_t *)archive->data + at, size, err);
        if (failure < 0)
            return failure;
    }
    return tar_finish(tar, ret, err);
}

static void expect_notes(const struct text *archive, const char *notes)
{
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO_TEXT struct text got = {0};
        struct error err = {0};
        struct tar_end end;
        if (walk(&limits, archive, pieces[i], &got, &end, &err) < 0)
            fail_msg("pieces of %zu: %s", pieces[i], err.text);
        assert_string_equal(text_data(&got), notes);
    }
}

static void expect_refused_under(const struct tar_limits *bounds, const struct text *archive,
                                 int failure, const char *what)
{
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO_TEXT struct text got = {0};
        struct error err = {0};
        struct tar_end end;
        int answer = walk(bounds, archive, pieces[i], &got, &end, &err);
        if (answer != failure || !strstr(err.text, what))
            fail_msg("pieces of %zu: %d '%s', not '%s'; %s", pieces[i], answer, err.text, what,
                     text_data(&got));
    }
}

static void expect_refused(const struct text *archive, const char *what)
{
    expect_refused_under(&limits, archive, FAILURE_INPUT, what);
}

/* A reader that has the archive at hand jumps over the data and sees the same entries. */
static void data_may_be_left_out(void **state)
{
    AUTO_TEXT struct text archive = {0};
    AUTO_TEXT struct text got = {0};
    struct tar_events events = {note_entry, note_data, note_end, &got};
    AUTO_TAR struct tar *tar = tar_new(&limits, &events);
    struct tar_end end;

    (void)state;
    archive_add_file(&archive, "a", "twelve bytes");
    archive_add(&archive, &(struct archive_entry){.name = "empty"});
    archive_add_file(&archive, "b", "x");
    archive_add_end(&archive);
    for (size_t at = 0; at < archive.length;) {
        uint64_t unread = tar_unread(tar);

        assert_int_equal(tar_skip(tar, unread, NULL), 0);
        at += unread;
        if (unread == 0) {
            assert_int_equal(tar_push(tar, (const uint8_t *)archive.data + at, 1, NULL), 0);
            at++;
        }
    }
    assert_int_equal(tar_finish(tar, &end, NULL), 0);
    assert_string_equal(text_data(&got), "file a size=12 mode=644 owner=0:0 []\n"
                                         "file empty size=0 []\n"
                                         "file b size=1 mode=644 owner=0:0 []\n");
}

#define ENTRY(...) (&(struct archive_entry){__VA_ARGS__})

static void single_entries(void **state)
{
    static const struct {
        struct archive_entry entry;
        const char *notes;
    } rows[] = {
        {{.name = "a", .data = "x", .mode = 0644}, "file a size=1 mode=644 owner=0:0 [x]\n"},
        {{.name = "a", .data = "x", .mode = 0104755, .uid = 7, .gid = 8},
         "file a size=1 mode=4755 owner=7:8 [x]\n"},
        {{.name = "a", .prefix = "d/e", .data = "x"}, "file d/e/a size=1 [x]\n"},
        {{.name = "a", .prefix = "d/e", .data = "x", .magic = MAGIC_NONE}, "file a size=1 [x]\n"},
        {{.name = "a", .prefix = "d/e", .data = "x", .magic = MAGIC_GNU},
         "file d/e/a size=1 [x]\n"},
        {{.name = "a", .prefix = "14772340000", .magic = MAGIC_GNU}, "file a size=0 []\n"},
        {{.name = "a", .prefix = "d", .raw = "tar", .raw_at = 508, .raw_size = 3},
         "file d/a size=0 []\n"},
        {{.name = "old/", .type = 'v'}, "directory old size=0 []\n"},
        {{.name = "old", .type = 'v', .data = "y"}, "file old size=1 [y]\n"},
        {{.name = "d/", .type = '5'}, "directory d size=0 []\n"},
        {{.name = "l", .type = '2', .link = "../x"}, "symlink l size=0 -> ../x []\n"},
        {{.name = "l", .type = '1', .link = "/./x//y"}, "hard l size=0 -> x/y []\n"},
        {{.name = "l", .type = '1', .link = "x", .size_field = "00000001000"},
         "hard l size=0 -> x []\n"},
        {{.name = "d", .type = '5', .size_field = "00000001000"}, "directory d size=0 []\n"},
        {{.name = "c", .type = '3'}, "device c size=0 []\n"},
        {{.name = "b", .type = '4'}, "device b size=0 []\n"},
        {{.name = "p", .type = '6'}, "fifo p size=0 []\n"},
        {{.name = "f", .type = '7', .data = "z"}, "file f size=1 [z]\n"},
        {{.name = "v", .type = 'V', .data = "z"}, "other v size=1 [z]\n"},
        {{.name = "n", .data = "z", .size_field = "\x80\0\0\0\0\0\0\0\0\0\0\1"},
         "file n size=1 [z]\n"},
        {{.name = "n", .data = "z", .size_field = "         1 "}, "file n size=1 [z]\n"},
        {{.name = "u", .raw = "\xff\xff\xff\xff\xff\xff\xff\xfe", .raw_at = 108, .raw_size = 8},
         "file u size=0 mode=0 owner=-2:0 []\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0};
        archive_add(&archive, &rows[i].entry);
        archive_add_end(&archive);
        expect_notes(&archive, rows[i].notes);
    }
}

static void paths_are_canonical(void **state)
{
    static const struct {
        const char *name;
        const char *notes;
    } rows[] = {
        {"./a", "file a"},
        {"/a", "file a"},
        {"a//b/./c", "file a/b/c"},
        {"a/b/../c", "file a/c"},
        {"a/", "file a"},
        {".", "file "},
        {"/", "file "},
        {"", "file "},
        {"../a", "file a"},
        {"a/../../b", "file b"},
        {"...", "file ..."},
        {"a/..b", "file a/..b"},
        {".wh.a", "file whiteout a"},
        {"d/.wh.a/", "file whiteout d/a"},
        {"d/.wh..wh..opq", "file opaque d"},
        {".wh..wh..opq", "file opaque "},
        {"d/.wh..wh.plnk", "file meta d/.wh..wh.plnk"},
        {"d/.wh.", "file invalid d/.wh."},
        {"d/.wh..", "file invalid d/.wh.."},
        {"d/.wh...", "file invalid d/.wh..."},
        {"d/.wh....", "file whiteout d/..."},
        {".wh.d/a", "file .wh.d/a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0};
        bool escapes = strcmp(rows[i].name, "../a") == 0 || strcmp(rows[i].name, "a/../../b") == 0;
        AUTO_FREE char *notes =
            text_new("%s size=0%s []\n", rows[i].notes, escapes ? " escapes" : "");
        archive_add(&archive, ENTRY(.name = rows[i].name));
        archive_add_end(&archive);
        expect_notes(&archive, notes);
    }
}

static void add_long(struct text *archive, char type, const char *name)
{
    archive_add(archive, ENTRY(.name = "././@LongLink", .type = type, .magic = MAGIC_GNU,
                               .data = name, .data_size = strlen(name) + 1));
}

static void long_names(void **state)
{
    AUTO_TEXT struct text archive = {0};

    (void)state;
    add_long(&archive, 'K', "link/target");
    add_long(&archive, 'L', "long/name");
    archive_add(&archive, ENTRY(.name = "cut", .type = '2', .link = "cut", .magic = MAGIC_GNU));
    archive_add_pax(&archive, 'x',
                    (const char *const[]){"path=pax/name", "linkpath=pax/target", NULL});
    archive_add(&archive, ENTRY(.name = "cut", .type = '2', .link = "cut"));
    archive_add_pax(&archive, 'x', (const char *const[]){"path=same", NULL});
    add_long(&archive, 'L', "same");
    archive_add(&archive, ENTRY(.name = "cut"));
    archive_add_pax(&archive, 'x', (const char *const[]){"path=first", "path=", "comment=x", NULL});
    archive_add(&archive, ENTRY(.name = "header", .data = "h"));
    archive_add(&archive, ENTRY(.name = "plain"));
    expect_notes(&archive, "symlink long/name size=0 -> link/target []\n"
                           "symlink pax/name size=0 -> pax/target []\n"
                           "file same size=0 []\n"
                           "file header size=1 [h]\n"
                           "file plain size=0 []\n");
}

static void pax_size_and_capability(void **state)
{
    AUTO_TEXT struct text archive = {0};

    (void)state;
    archive_add_pax(&archive, 'g', (const char *const[]){"comment=of all", NULL});
    archive_add_pax(
        &archive, 'x',
        (const char *const[]){"size=3", "SCHILY.xattr.security.capability=\1x", "mtime=1.5", NULL});
    archive_add(&archive, ENTRY(.name = "a", .data = "abc", .size_field = "00000000000"));
    archive_add(&archive, ENTRY(.name = "b", .data = "d"));
    archive_add_end(&archive);
    expect_notes(&archive, "file a size=3 capability [abc]\nfile b size=1 [d]\n");
}

static void sparse_in_pax(void **state)
{
    static const struct {
        const char *records[8];
        const char *data;
        size_t data_size;
        const char *notes;
    } rows[] = {
        {{"GNU.sparse.size=100", "GNU.sparse.numblocks=2", "GNU.sparse.offset=0",
          "GNU.sparse.numbytes=2", "GNU.sparse.offset=50", "GNU.sparse.numbytes=1"},
         "abc",
         3,
         "file s size=100 sparse [abc]\n"},
        {{"GNU.sparse.map=1,2,50,1", "GNU.sparse.size=51", "GNU.sparse.name=real",
          "path=GNUSparseFile.1/s"},
         "abc",
         3,
         "file real size=51 sparse [abc]\n"},
        {{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=real",
          "GNU.sparse.realsize=1000"},
         "2\n0\n2\n900\n1\n",
         515,
         "file real size=1000 sparse [abc]\n"},
        {{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=1000"},
         "0\n",
         512,
         "file s size=1000 sparse []\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0}, data = {0};
        text_add(&data, rows[i].data);
        if (rows[i].data_size > 500) {
            archive_pad(&data);
            text_add_bytes(&data, "abc", rows[i].data_size - 512);
        }
        archive_add_pax(&archive, 'x', rows[i].records);
        archive_add(&archive, ENTRY(.name = "s", .data = data.data, .data_size = data.length));
        archive_add_end(&archive);
        expect_notes(&archive, rows[i].notes);
    }
}

/* 24 fragments of one byte: four in the header, twenty in a block behind it. */
static void add_gnu_sparse(struct text *archive, const char *real_size, size_t last_offset)
{
    char raw[109 + 1] = {0};
    char block[512] = {0};

    for (size_t i = 0; i < 4; i++)
        snprintf(raw + 24 * i, 25, "%011zo%c%011o", 10 * i, ' ', 1);
    raw[96] = 1; /* more follows */
    memcpy(raw + 97, real_size, 12);
    archive_add(archive, ENTRY(.name = "s", .type = 'S', .magic = MAGIC_GNU, .raw = raw,
                               .raw_at = 386, .raw_size = 109, .size_field = "00000000030"));
    for (size_t i = 4; i < 24; i++)
        snprintf(block + 24 * (i - 4), 25, "%011zo%c%011o", i == 23 ? last_offset : 10 * i, ' ', 1);
    text_add_bytes(archive, block, sizeof(block));
    text_add(archive, "abcdefghijklmnopqrstuvwx");
    archive_pad(archive);
}

static void sparse_in_gnu(void **state)
{
    AUTO_TEXT struct text archive = {0}, disorder = {0}, behind = {0};

    (void)state;
    add_gnu_sparse(&archive, "00000001000", 230);
    archive_add(&archive, ENTRY(.name = "next"));
    archive_add_end(&archive);
    expect_notes(&archive,
                 "file s size=512 sparse [abcdefghijklmnopqrstuvwx]\nfile next size=0 []\n");
    add_gnu_sparse(&disorder, "00000001000", 200);
    expect_refused(&disorder, "out of order");
    add_gnu_sparse(&behind, "00000000100", 230);
    expect_refused(&behind, "behind the end");
}

static void damaged_sparse_is_refused(void **state)
{
    static const struct {
        const char *records[8];
        const char *data;
        const char *what;
    } rows[] = {
        {{"GNU.sparse.map=0,2"}, "ab", "without a size"},
        {{"GNU.sparse.map=0,2", "GNU.sparse.size=9"}, "a", "does not fit"},
        {{"GNU.sparse.map=0,2,5", "GNU.sparse.size=9"}, "ab", "without a length"},
        {{"GNU.sparse.map=0,x", "GNU.sparse.size=9"}, "ab", "number"},
        {{"GNU.sparse.map=,", "GNU.sparse.size=9"}, "ab", "number"},
        {{"GNU.sparse.map=5,1,3,1", "GNU.sparse.size=9"}, "ab", "out of order"},
        {{"GNU.sparse.map=0,10", "GNU.sparse.size=9"}, "ab", "behind the end"},
        {{"GNU.sparse.offset=0", "GNU.sparse.offset=2"}, "ab", "without a length"},
        {{"GNU.sparse.numbytes=0"}, "ab", "without an offset"},
        {{"GNU.sparse.major=2", "GNU.sparse.minor=0"}, "ab", "not known"},
        {{"GNU.sparse.major=1", "GNU.sparse.minor=1"}, "ab", "not known"},
        {{"GNU.sparse.major=1", "GNU.sparse.minor=0"}, "ab", "without a size"},
        {{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=9"}, "0\n", "cut off"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0};
        archive_add_pax(&archive, 'x', rows[i].records);
        archive_add(&archive, ENTRY(.name = "s", .data = rows[i].data));
        archive_add_end(&archive);
        expect_refused(&archive, rows[i].what);
    }
}

static void damaged_maps_are_refused(void **state)
{
    static const struct {
        const char *map;
        int failure;
        const char *what;
    } rows[] = {
        {"x\n", FAILURE_INPUT, "number"},
        {"\n", FAILURE_INPUT, "without a number"},
        {"1\n5\n", FAILURE_INPUT, "number"}, /* then NULs */
        {"1000000000000000000000\n", FAILURE_INPUT, "number"},
        {"2000000\n", FAILURE_LIMIT, "fragments"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0}, data = {0};
        text_add(&data, rows[i].map);
        archive_pad(&data);
        archive_add_pax(&archive, 'x',
                        (const char *const[]){"GNU.sparse.major=1", "GNU.sparse.minor=0",
                                              "GNU.sparse.realsize=9", NULL});
        archive_add(&archive, ENTRY(.name = "s", .data = data.data, .data_size = data.length));
        expect_refused_under(&limits, &archive, rows[i].failure, rows[i].what);
    }
}

static void damaged_headers_are_refused(void **state)
{
    static const struct {
        struct archive_entry entry;
        const char *what;
    } rows[] = {
        {{.name = "a", .bad_checksum = true}, "checksum"},
        {{.name = "a", .raw = "gg", .raw_at = 100, .raw_size = 2}, "mode: a number is not octal"},
        {{.name = "a", .size_field = "0000000000x"}, "size: a number is not octal"},
        {{.name = "a", .size_field = "\0000000000001"}, "size: a number begins with NUL"},
        {{.name = "a",
          .size_field = " \0"
                        "0000001000"},
         "size: a number begins with NUL"},
        {{.name = "a",
          .size_field = "12 \0"
                        "34\0\0\0\0\0\0"},
         "size: a number is not octal"},
        {{.name = "a", .size_field = "-0000000001"}, "size: a number is not octal"},
        {{.name = "a", .size_field = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
         "size: negative"},
        {{.name = "a", .size_field = "\x80\1\0\0\0\0\0\0\0\0\0\1"}, "out of range"},
        {{.name = "a", .size_field = "\x80\0\0\0\x80\0\0\0\0\0\0\1"}, "out of range"},
        {{.name = "a", .type = 'X'}, "old kind of PAX"},
        {{.name = "a", .type = 'S'}, "not in GNU format"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0};
        archive_add_file(&archive, "first", "x");
        archive_add(&archive, &rows[i].entry);
        archive_add_end(&archive);
        expect_refused(&archive, rows[i].what);
        expect_refused(&archive, "tar, at byte 1");
    }
}

static void damaged_records_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"5 a=b\n", "damaged"},
        {"07 a=b\nx", "damaged"},
        {"x a=b\n", "damaged"},
        {"6 a=b", "damaged"},
        {"9999 a=b\n", "damaged"},
        {"6 abc\n", "no key"},
        {"6 =bc\n", "no key"},
        {"a", "damaged"},
        {"4 =\n", "damaged"},
        {"10 size=x\n", "number"},
        {"3 \n", "damaged"},
        {"11 size=-1\n", "number"},
        {"29 size=99999999999999999999\n", "number"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0};
        archive_add(&archive, ENTRY(.name = "x", .type = 'x', .data = rows[i][0]));
        archive_add_file(&archive, "a", "b");
        expect_refused(&archive, rows[i][1]);
    }
    AUTO_TEXT struct text archive = {0};
    archive_add(&archive,
                ENTRY(.name = "x", .type = 'x', .data = "12 path=a\0b\n", .data_size = 12));
    expect_refused(&archive, "a NUL in a path");
}

/* Where one reader sees another archive than the next. */
static void what_readers_disagree_about_is_refused(void **state)
{
    static const char *const global[] = {"path=a", "size=3", "linkpath=a", "GNU.sparse.size=3"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(global); i++) {
        AUTO_TEXT struct text archive = {0};
        archive_add_pax(&archive, 'g', (const char *const[]){global[i], NULL});
        expect_refused(&archive, "readers disagree");
    }
    static const char twice[] = "LKx";
    for (size_t i = 0; twice[i]; i++) {
        AUTO_TEXT struct text archive = {0};
        for (int k = 0; k < 2; k++)
            archive_add(&archive, ENTRY(.name = "x", .type = twice[i], .magic = MAGIC_GNU,
                                        .data = "9 path=a\n"));
        expect_refused(&archive, "given twice");
    }
    AUTO_TEXT struct text names = {0}, zero = {0};
    add_long(&names, 'L', "one");
    archive_add_pax(&names, 'x', (const char *const[]){"path=two", NULL});
    archive_add_file(&names, "three", "");
    expect_refused(&names, "two long names");
    archive_add_file(&zero, "a", "b");
    text_add_bytes(&zero, (const char[512]){0}, 512);
    archive_add_file(&zero, "c", "d");
    expect_refused(&zero, "single zero block");
}

/* Names in which Go's reader, which container runtimes use, and others differ: with each of these a
 * file could be had past whoever looks. */
static void names_that_readers_disagree_about_are_refused(void **state)
{
    static const struct {
        struct archive_entry before; /* in front of … */
        const char *records[3];
        struct archive_entry entry;
    } rows[] = {
        /* an empty long name: the short one counts, or none */
        {{.name = "x", .type = 'L', .data = "\0", .data_size = 1}, {NULL}, {.name = "etc/passwd"}},
        {{.name = "x", .type = 'K', .data = ""}, {NULL}, {.name = "l", .type = '2', .link = "etc"}},
        /* the oldest format: has this entry data? */
        {{0}, {"path=etc/passwd"}, {.name = "directory/", .type = 'v', .data = "data"}},
        {{0}, {"path=directory/"}, {.name = "file", .type = 'v', .data = "data"}},
        {{.name = "x", .type = 'L', .data = "file"}, {NULL}, {.name = "directory/", .type = 'v'}},
        /* a sparse file's name, for a file that is none, or of a version that is none */
        {{0}, {"GNU.sparse.name=harmless", "path=etc/passwd"}, {.name = "x"}},
        {{0}, {"GNU.sparse.name=harmless", "GNU.sparse.major=0"}, {.name = "etc/passwd"}},
        {{0}, {"GNU.sparse.name=harmless", "GNU.sparse.minor=1"}, {.name = "etc/passwd"}},
        /* what stands at the name of a global header is taken away */
        {{.name = "etc/passwd", .type = 'g', .data = "14 comment=x\n"}, {NULL}, {.name = "x"}},
        /* … and it makes some forget what was said before */
        {{.name = "x", .type = 'L', .data = "harmless"},
         {NULL},
         {.name = "pax_global_header", .type = 'g', .data = "14 comment=x\n"}},
        {{.name = "etc/.wh.passwd", .type = 'g', .data = "14 comment=x\n"}, {NULL}, {.name = "x"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text archive = {0};

        archive_add_file(&archive, "first", "x");
        if (rows[i].before.name)
            archive_add(&archive, &rows[i].before);
        if (rows[i].records[0])
            archive_add_pax(&archive, 'x', rows[i].records);
        archive_add(&archive, &rows[i].entry);
        archive_add_end(&archive);
        expect_refused(&archive, i == 6 || i == 7 ? "half a version" : "readers disagree");
    }
}

/* A time that begins with NUL is none, and no sign of a prefix in its place. */
static void a_time_left_out_is_no_prefix(void **state)
{
    AUTO_TEXT struct text archive = {0};

    (void)state;
    archive_add(&archive, ENTRY(.name = "etc/passwd", .magic = MAGIC_GNU, .raw_at = 345,
                                .raw = "00000000001\0\0junk", .raw_size = 17));
    archive_add_end(&archive);
    expect_notes(&archive, "file etc/passwd size=0 []\n");
}

static void ends_of_archives(void **state)
{
    AUTO_TEXT struct text archive = {0}, got = {0};
    struct tar_end end;

    (void)state;
    archive_add_file(&archive, "a", "b");
    expect_notes(&archive, "file a size=1 mode=644 owner=0:0 [b]\n"); /* without a mark */
    for (size_t cut = 1; cut < archive.length; cut += 97) {
        struct text part = {.data = archive.data, .length = cut};
        expect_refused(&part, "cut off");
    }
    archive_add_end(&archive);
    archive_add_file(&archive, "behind", "c");
    assert_int_equal(walk(&limits, &archive, 100, &got, &end, NULL), 0);
    assert_string_equal(text_data(&got), "file a size=1 mode=644 owner=0:0 [b]\n");
    assert_int_equal(end.entry_count, 1);
    assert_true(end.after_end_bytes > 20 && end.after_end_bytes < 100);
    AUTO_TEXT struct text dangling = {0};
    add_long(&dangling, 'L', "name");
    expect_refused(&dangling, "cut off");
}

static void bounds(void **state)
{
    struct tar_limits few = {.max_entries = 2, .max_path_bytes = 10, .max_meta_bytes = 600};
    AUTO_TEXT struct text archive = {0}, got = {0}, longer = {0}, name = {0};
    struct tar_end end;

    (void)state;
    for (int i = 0; i < 2; i++)
        archive_add(&archive, ENTRY(.name = "123/567/901/3"));
    assert_int_equal(walk(&few, &archive, 99, &got, &end, NULL), 0);
    assert_string_equal(text_data(&got), "file 123/567 size=0 overlong []\n"
                                         "file 123/567 size=0 overlong []\n");
    archive_add(&archive, ENTRY(.name = "x"));
    expect_refused_under(&few, &archive, FAILURE_LIMIT, "more than 2 entries");
    for (int i = 0; i < 700; i++)
        text_add_char(&name, 'n');
    add_long(&longer, 'L', text_data(&name));
    expect_refused_under(&few, &longer, FAILURE_LIMIT, "701 bytes");
}

/* A name of 1 MiB less one, in both ways, is cut at the path bound; one byte more is refused. */
static void giant_names(void **state)
{
    AUTO_TEXT struct text archive = {0}, name = {0}, got = {0}, over = {0};
    struct tar_end end;

    (void)state;
    while (name.length < (1 << 20) - 30)
        text_add(&name, "directory/");
    add_long(&archive, 'L', text_data(&name));
    archive_add_file(&archive, "cut", "x");
    AUTO_FREE char *record = text_new("path=%s", text_data(&name));
    AUTO_FREE char *records = text_new("%zu %s\n", strlen(record) + 9, record);
    archive_add(&archive, ENTRY(.name = "x", .type = 'x', .data = records));
    archive_add_file(&archive, "cut", "y");
    assert_int_equal(walk(&limits, &archive, 4096, &got, &end, NULL), 0);
    assert_non_null(strstr(text_data(&got), "~ size=1 mode=644 owner=0:0 overlong [x]\nfile"));
    assert_non_null(strstr(text_data(&got), "~ size=1 mode=644 owner=0:0 overlong [y]\n"));
    text_add(&name, "directory/directory/directory/");
    add_long(&over, 'L', text_data(&name));
    expect_refused_under(&limits, &over, FAILURE_LIMIT, "a name or PAX records of");
}

static int refuse_entry(void *argument, const struct tar_entry *entry, struct error *err)
{
    (void)argument;
    (void)entry;
    return error_set(err, FAILURE_LATER, "no");
}

static void failing_events_stop_the_walk(void **state)
{
    struct tar_events events = {refuse_entry, note_data, note_end, NULL};
    AUTO_TAR struct tar *tar = tar_new(&limits, &events);
    AUTO_TEXT struct text archive = {0};
    struct error err = {0};

    (void)state;
    archive_add_file(&archive, "a", "b");
    assert_int_equal(tar_push(tar, (const uint8_t *)archive.data, archive.length, &err),
                     FAILURE_LATER);
    assert_string_equal(err.text, "tar, at byte 0: no");
    tar_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_may_be_left_out),
        cmocka_unit_test(single_entries),
        cmocka_unit_test(paths_are_canonical),
        cmocka_unit_test(long_names),
        cmocka_unit_test(pax_size_and_capability),
        cmocka_unit_test(sparse_in_pax),
        cmocka_unit_test(sparse_in_gnu),
        cmocka_unit_test(damaged_sparse_is_refused),
        cmocka_unit_test(damaged_maps_are_refused),
        cmocka_unit_test(damaged_headers_are_refused),
        cmocka_unit_test(damaged_records_are_refused),
        cmocka_unit_test(what_readers_disagree_about_is_refused),
        cmocka_unit_test(names_that_readers_disagree_about_are_refused),
        cmocka_unit_test(a_time_left_out_is_no_prefix),
        cmocka_unit_test(ends_of_archives),
        cmocka_unit_test(bounds),
        cmocka_unit_test(giant_names),
        cmocka_unit_test(failing_events_stop_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
