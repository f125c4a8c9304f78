/* Packing of documents: there and back, and the bounds on both ways. */
#include "document.h"

#include "fixture.h"

static struct json *long_string(size_t size)
{
    AUTO_FREE char *text = memory_new(size + 1);

    memset(text, 'x', size);
    return json_new_string(text);
}

static void documents_come_back(void **state)
{
    static const size_t sizes[] = {0, 1, 1000, 1000000, 1000};
    struct codec *codec = codec_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        AUTO_JSON struct json *json = long_string(sizes[i]);
        AUTO_JSON struct json *back = NULL;
        AUTO_TEXT struct text packed = {0};

        text_add(&packed, "what stood there before");
        assert_int_equal(document_pack(codec, json, &packed, NULL), 0);
        assert_int_equal(document_unpack(codec, packed.data, packed.length, &back, NULL), 0);
        assert_string_equal(json_string(back), json_string(json));
    }
    codec_free(codec);
}

static void too_large_ones_are_refused_both_ways(void **state)
{
    struct codec *codec = codec_new();
    AUTO_JSON struct json *json = long_string(33 * 1024 * 1024);
    AUTO_JSON struct json *small = long_string(10);
    AUTO_TEXT struct text packed = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(document_pack(codec, json, &packed, &err), FAILURE_LIMIT);
    assert_int_equal(document_pack(codec, small, &packed, &err), 0); /* the codec is as before */

    /* a frame whose header promises 2^32 bytes */
    static const unsigned char bomb[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
                                         0,    1,    0,    0,    0,    1, 0, 0};
    struct json *none = NULL;
    assert_int_equal(document_unpack(codec, bomb, sizeof(bomb), &none, &err), FAILURE_SYSTEM);
    assert_non_null(strstr(err.text, "damaged"));
    assert_null(none);
    codec_free(codec);
}

static void damage_is_noticed(void **state)
{
    struct codec *codec = codec_new();
    AUTO_JSON struct json *json = long_string(1000);
    AUTO_TEXT struct text packed = {0};

    (void)state;
    assert_int_equal(document_pack(codec, json, &packed, NULL), 0);
    for (size_t size = 0; size < packed.length; size++) {
        struct json *none = NULL;

        assert_int_equal(document_unpack(codec, packed.data, size, &none, NULL), FAILURE_SYSTEM);
        assert_null(none);
    }
    codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_back),
        cmocka_unit_test(too_large_ones_are_refused_both_ways),
        cmocka_unit_test(damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
