/* The headers of a message: read without doubt, and kept without what proves the sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message.h"

static void a_doubled_header_is_none(void **state)
{
    (void)state;
    AUTO_PAIRS struct text_pairs headers = {0};
    struct hook_message message = {.headers = &headers};
    text_pairs_add(&headers, "x-once", "1");
    text_pairs_add(&headers, "x-twice", "1");
    text_pairs_add(&headers, "x-twice", "1");
    assert_string_equal(hook_message_header(&message, "x-once"), "1");
    assert_null(hook_message_header(&message, "x-twice"));
    assert_null(hook_message_header(&message, "x-never"));
    message.headers = NULL;
    assert_null(hook_message_header(&message, "x-once"));
}

static void secrets_and_signatures_are_not_kept(void **state)
{
    (void)state;
    static const char *const names[] = {
        "x-event",        "authorization",       "cookie", "x-hub-signature-256",
        "x-my-key",       "x-jfrog-event-auth",  "x-long", "x-twice",
        "x-gitlab-token", "proxy-authorization", NULL,
    };
    static char secret_header[] = "X-My-Key";
    const struct decoder decoder = {.headers = names};
    const struct config_registry registry = {.hook_secret_header = secret_header};
    AUTO_PAIRS struct text_pairs headers = {0};
    AUTO_PAIRS struct text_pairs kept = {0};
    AUTO_FREE char *large = memory_new(1026);
    memset(large, 'x', 1025);
    for (size_t i = 0; names[i] != NULL; i++)
        text_pairs_add(&headers, names[i], text_equal(names[i], "x-long") ? large : "value");
    text_pairs_add(&headers, "x-twice", "value");
    text_pairs_add(&headers, "x-other", "value");
    text_pairs_add(&headers, "content-type", "application/json");
    struct hook_message message = {.headers = &headers};
    message_keep_headers(&message, &decoder, &registry, &kept);
    assert_int_equal(kept.count, 2);
    assert_string_equal(text_pairs_get(&kept, "x-event"), "value");
    assert_string_equal(text_pairs_get(&kept, "content-type"), "application/json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubled_header_is_none),
        cmocka_unit_test(secrets_and_signatures_are_not_kept),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
