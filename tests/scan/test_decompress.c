/* Decompression: every format at every piece size, all members and frames, both digests, and what
 * is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/crypto.h"
#include "streams.h"

static const size_t pieces[] = {1, 2, 3, 7, 64, 511, 4096, 1 << 20};

static void add_none(struct text *to, const void *bytes, size_t size)
{
    text_add_bytes(to, bytes, size);
}

static void expect_digest(const struct digest *digest, const struct text *bytes)
{
    struct digest wanted;

    digest_compute(NULL, bytes->length > 0 ? bytes->data : "", bytes->length, &wanted);
    assert_true(digest_equal(digest, &wanted));
}

/* The stream unpacks to `content`, however it is cut. */
static void expect_content(const struct text *stream, const struct text *content,
                           enum compression compression)
{
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO_TEXT struct text out = {0};
        struct decompress_result result;
        struct error err = {0};
        if (stream_unpack(&stream_limits, stream, pieces[i], &out, &result, &err) < 0)
            fail_msg("pieces of %zu: %s", pieces[i], err.text);
        assert_int_equal(result.compression, compression);
        assert_int_equal(out.length, content->length);
        assert_memory_equal(text_data(&out), text_data(content), content->length);
        assert_int_equal(result.input_bytes, stream->length);
        assert_int_equal(result.output_bytes, content->length);
        expect_digest(&result.input_digest, stream);
        expect_digest(&result.output_digest, content);
    }
}

static void expect_refused(const struct decompress_limits *limits, const struct text *stream,
                           int failure, const char *what)
{
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO_TEXT struct text out = {0};
        struct decompress_result result;
        struct error err = {0};
        int got = stream_unpack(limits, stream, pieces[i], &out, &result, &err);
        if (got != failure || !strstr(err.text, what))
            fail_msg("pieces of %zu: %d, '%s', not '%s'", pieces[i], got, err.text, what);
    }
}

static const struct {
    const char *name;
    enum compression compression;
    void (*add)(struct text *to, const void *bytes, size_t size);
} formats[] = {
    {"plain", COMPRESSION_PLAIN, add_none},
    {"gzip", COMPRESSION_GZIP, stream_add_gzip},
    {"zstd", COMPRESSION_ZSTD, stream_add_zstd},
};

static void every_format_at_every_piece_size(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 512, 10240, 300000};

    (void)state;
    for (size_t f = 0; f < ARRAY_COUNT(formats); f++) {
        for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
            AUTO_TEXT struct text content = {0}, stream = {0};
            stream_add_noise(&content, sizes[i]);
            formats[f].add(&stream, text_data(&content), content.length);
            expect_content(&stream, &content, formats[f].compression);
        }
        assert_string_equal(compression_name(formats[f].compression),
                            f == 0 ? "none" : formats[f].name);
    }
}

/* As of a layer with a table of contents: small members, an empty one last. */
static void all_members_and_frames_count(void **state)
{
    (void)state;
    for (size_t f = 1; f < ARRAY_COUNT(formats); f++) {
        AUTO_TEXT struct text content = {0}, stream = {0};
        static const size_t sizes[] = {512, 12288, 2048, 1, 0, 100, 0};
        for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
            size_t from = content.length;
            stream_add_noise(&content, sizes[i]);
            formats[f].add(&stream, text_data(&content) + from, sizes[i]);
        }
        expect_content(&stream, &content, formats[f].compression);
    }
}

static void skippable_frames_are_skipped(void **state)
{
    AUTO_TEXT struct text content = {0}, stream = {0}, table = {0}, empty = {0}, only = {0};

    (void)state;
    stream_add_noise(&table, 5000);
    stream_add_noise(&content, 20000);
    stream_add_skippable(&stream, table.data, table.length);
    stream_add_zstd(&stream, content.data, 12000);
    stream_add_skippable(&stream, table.data, 0);
    stream_add_zstd(&stream, content.data + 12000, 8000);
    stream_add_skippable(&stream, table.data, 100);
    expect_content(&stream, &content, COMPRESSION_ZSTD);
    stream_add_skippable(&only, table.data, 10);
    expect_content(&only, &empty, COMPRESSION_ZSTD);
}

/* The format is told by content: nearly magic is plain. */
static void nearly_magic_is_plain(void **state)
{
    static const char *const streams[] = {
        "\x1f\x8b",         "\x1f\x8b\x07\x00\x00", "\x28\xb5\x2f", "\x28\xb5\x2f\xfe",
        "\x4f\x2a\x4d\x18", "\x60\x2a\x4d\x18",     "P*M"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(streams); i++) {
        AUTO_TEXT struct text stream = {0};
        text_add(&stream, streams[i]);
        expect_content(&stream, &stream, COMPRESSION_PLAIN);
    }
}

static void padding_of_zeros_is_nothing(void **state)
{
    AUTO_TEXT struct text content = {0}, stream = {0}, zeros = {0};

    (void)state;
    stream_add_noise(&content, 3000);
    stream_add_gzip(&stream, content.data, content.length);
    for (size_t i = 0; i < 1000; i++)
        text_add_char(&zeros, 0);
    text_add_bytes(&stream, zeros.data, zeros.length);
    expect_content(&stream, &content, COMPRESSION_GZIP);
}

static void what_follows_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *what;
    } tails[] = {
        {"garbage", 7, "no gzip member"},
        {"\x1f\x8c\x08 and a header's length", 25, "no gzip member"},
        {"\0\0\0x", 4, "follows the padding"},
        {"\0\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 21, "follows the padding"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(tails); i++) {
        AUTO_TEXT struct text stream = {0};
        stream_add_gzip(&stream, "content", 7);
        text_add_bytes(&stream, tails[i].bytes, tails[i].size);
        expect_refused(&stream_limits, &stream, FAILURE_INPUT, tails[i].what);
    }
    AUTO_TEXT struct text stream = {0};
    stream_add_zstd(&stream, "content", 7);
    text_add(&stream, "garbage");
    expect_refused(&stream_limits, &stream, FAILURE_INPUT, "zstd: ");
}

/* Cut at every byte: an error, never a shorter layer. A cut between members cannot be told. */
static void every_cut_is_an_error(void **state)
{
    (void)state;
    for (size_t f = 1; f < ARRAY_COUNT(formats); f++) {
        AUTO_TEXT struct text content = {0}, stream = {0};
        stream_add_noise(&content, 700);
        formats[f].add(&stream, content.data, content.length);
        for (size_t size = 4; size < stream.length; size++) {
            struct text cut = {.data = stream.data, .length = size};
            expect_refused(&stream_limits, &cut, FAILURE_INPUT, "cut off");
        }
    }
}

static void damage_is_found(void **state)
{
    AUTO_TEXT struct text content = {0}, stream = {0};

    (void)state;
    stream_add_noise(&content, 5000);
    stream_add_gzip(&stream, content.data, content.length);
    stream.data[stream.length - 6] ^= 1; /* of the checksum */
    expect_refused(&stream_limits, &stream, FAILURE_INPUT, "checksum");
    stream.data[stream.length - 6] ^= 1;
    stream.data[stream.length - 2] ^= 1; /* of the length */
    expect_refused(&stream_limits, &stream, FAILURE_INPUT, "checksum or length");
}

static void output_is_bounded(void **state)
{
    struct decompress_limits limits = stream_limits;

    (void)state;
    limits.max_output_bytes = 4999;
    for (size_t f = 0; f < ARRAY_COUNT(formats); f++) {
        AUTO_TEXT struct text content = {0}, stream = {0};
        stream_add_noise(&content, 5000);
        formats[f].add(&stream, content.data, content.length);
        expect_refused(&limits, &stream, FAILURE_LIMIT, "more than 4999 bytes");
    }
}

static void ratio_is_bounded(void **state)
{
    struct decompress_limits limits = stream_limits;
    AUTO_FREE char *zeros = memory_new(4 << 20);

    (void)state;
    limits.max_ratio = 100;
    limits.ratio_from_bytes = 1 << 20;
    for (size_t f = 1; f < ARRAY_COUNT(formats); f++) {
        AUTO_TEXT struct text stream = {0}, small = {0}, out = {0};
        struct decompress_result result;
        formats[f].add(&stream, zeros, 4 << 20);
        expect_refused(&limits, &stream, FAILURE_LIMIT, "times its size");
        formats[f].add(&small, zeros, 1 << 20);
        assert_int_equal(stream_unpack(&limits, &small, 4096, &out, &result, NULL), 0);
    }
}

/* A frame that asks for a window of 128 MiB. */
static void zstd_window_is_bounded(void **state)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00";
    AUTO_TEXT struct text stream = {0};

    (void)state;
    text_add_bytes(&stream, frame, sizeof(frame) - 1);
    expect_refused(&stream_limits, &stream, FAILURE_LIMIT, "window");
}

/* A header with all that it may have: flags 2 checksum, 4 extra, 8 name, 16 comment. */
static void add_member(struct text *stream, const char *head, size_t size, size_t name)
{
    AUTO_TEXT struct text member = {0};

    stream_add_gzip(&member, "content", 7);
    text_add_bytes(stream, head, size);
    for (size_t i = 0; i < name; i++)
        text_add_char(stream, 'n');
    if (name > 0)
        text_add_char(stream, 0);
    text_add_bytes(stream, member.data + 10, member.length - 10);
}

static void gzip_headers(void **state)
{
    static const struct {
        const char *head;
        size_t size;
        size_t name;
        const char *what; /* NULL: accepted */
    } rows[] = {
        {"\x1f\x8b\x08\x01\1\2\3\4\5\6", 10, 0, NULL},
        {"\x1f\x8b\x08\x04\0\0\0\0\0\3\3\0abc", 15, 0, NULL},
        {"\x1f\x8b\x08\x04\0\0\0\0\0\3\0\0", 12, 0, NULL},
        {"\x1f\x8b\x08\x18\0\0\0\0\0\3name\0comment\0", 23, 0, NULL},
        {"\x1f\x8b\x08\x08\0\0\0\0\0\3", 10, 511, NULL},
        {"\x1f\x8b\x08\x08\0\0\0\0\0\3", 10, 512, "more than 511 bytes"},
        {"\x1f\x8b\x08\x10\0\0\0\0\0\3", 10, 512, "more than 511 bytes"},
        {"\x1f\x8b\x08\x02\0\0\0\0\0\3\xa7\x77", 12, 0, NULL},
        {"\x1f\x8b\x08\x02\0\0\0\0\0\3\xa7\x78", 12, 0, "checksum of a member's header"},
        {"\x1f\x8b\x08\x20\0\0\0\0\0\3", 10, 0, "flags"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text stream = {0}, content = {0};
        text_add(&content, "content");
        add_member(&stream, rows[i].head, rows[i].size, rows[i].name);
        if (rows[i].what)
            expect_refused(&stream_limits, &stream, FAILURE_INPUT, rows[i].what);
        else
            expect_content(&stream, &content, COMPRESSION_GZIP);
    }
}

/* A frame whose header's tail looks like a skippable frame: cut behind the magic number, some
 * versions of libzstd would skip what they ought to unpack. */
static void zstd_header_in_pieces_is_one_header(void **state)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x50\x2a\x4d\x18\x02\x00\x00\x00\x09\x83";
    AUTO_TEXT struct text stream = {0};

    (void)state;
    text_add_bytes(&stream, frame, sizeof(frame) - 1);
    expect_refused(&stream_limits, &stream, FAILURE_INPUT, "cut off");
}

static int refuse_all(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)argument;
    (void)bytes;
    (void)size;
    return error_set(err, FAILURE_LATER, "the sink says no");
}

static void failure_of_the_sink_is_handed_on(void **state)
{
    (void)state;
    for (size_t f = 0; f < ARRAY_COUNT(formats); f++) {
        AUTO_TEXT struct text stream = {0};
        struct error err = {0};
        AUTO_DECOMPRESS struct decompress *decompress = decompress_new(
            &(struct decompress_options){.limits = stream_limits, .sink = refuse_all});
        formats[f].add(&stream, "some content", 12);
        assert_int_equal(decompress_push(decompress, stream.data, stream.length, &err),
                         FAILURE_LATER);
        assert_string_equal(err.text, "the sink says no");
    }
}

static void output_digest_can_be_left_out(void **state)
{
    struct decompress_result result;
    AUTO_DECOMPRESS struct decompress *decompress =
        decompress_new(&(struct decompress_options){.limits = stream_limits, .sink = refuse_all});

    (void)state;
    assert_int_equal(decompress_finish(decompress, &result, NULL), 0);
    assert_true(digest_is_set(&result.input_digest));
    assert_false(digest_is_set(&result.output_digest));
    decompress_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_at_every_piece_size),
        cmocka_unit_test(all_members_and_frames_count),
        cmocka_unit_test(skippable_frames_are_skipped),
        cmocka_unit_test(nearly_magic_is_plain),
        cmocka_unit_test(padding_of_zeros_is_nothing),
        cmocka_unit_test(what_follows_is_refused),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(ratio_is_bounded),
        cmocka_unit_test(zstd_window_is_bounded),
        cmocka_unit_test(gzip_headers),
        cmocka_unit_test(zstd_header_in_pieces_is_one_header),
        cmocka_unit_test(failure_of_the_sink_is_handed_on),
        cmocka_unit_test(output_digest_can_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
