/* What the doors promise for any thread, asked of several threads at once from the very first call.
 * Means most under the thread sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/json.h"
#include "regwarden/log.h"
#include "regwarden/map.h"

enum { THREADS = 4, ROUNDS = 200 };

static struct json *shared;

static bool use_everything(int round)
{
    uint8_t hash[HASH_SIZE_MAX], expected_start[] = {0xba, 0x78, 0x16, 0xbf};
    AUTO_MAP struct map *map = map_new();
    struct json *inner = json_retain(json_get(shared, "list"));
    char now[CLOCK_TEXT_SIZE];
    crypto_hash(HASH_SHA256, "abc", 3, hash);
    map_set(map, "key", hash);
    log_setup(round % 2 ? LOG_TEXT : LOG_JSON, LEVEL_INFO);
    log_info(LOG_FIELDS({"time", clock_format_rfc3339(clock_wall_ms(), now)}), "round %d", round);
    bool good = map_get(map, "key") == hash && memcmp(hash, expected_start, 4) == 0 &&
                json_integer(json_at(inner, 1), 0) == 2;
    json_release(inner);
    return good;
}

static void *work(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        if (!use_everything(i))
            return &shared;
    }
    return NULL;
}

static void any_thread_may_call(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    int saved = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDERR_FILENO);
    assert_int_equal(json_parse("{\"list\":[1,2]}", 14, NULL, &shared, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *fault = NULL;
        pthread_join(threads[i], &fault);
        assert_null(fault);
    }
    json_release(shared);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_thread_may_call)};
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
