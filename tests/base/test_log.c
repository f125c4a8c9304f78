/* Log lines as they arrive on standard error, and the service manager's side without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/json.h"
#include "regwarden/log.h"
#include "regwarden/systemd.h"
#include "regwarden/text.h"

/* Standard error goes into a file meanwhile; what stands in it comes back. */
static int saved_stderr = -1;
static FILE *captured;

static void capture(void)
{
    saved_stderr = dup(STDERR_FILENO);
    captured = tmpfile();
    dup2(fileno(captured), STDERR_FILENO);
}

static char *captured_text(void)
{
    AUTO_TEXT struct text text = {0};
    char bytes[4096];
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    rewind(captured);
    size_t size = fread(bytes, 1, sizeof(bytes), captured);
    fclose(captured);
    text_add_bytes(&text, bytes, size);
    return text_take(&text);
}

static int set_clock(void **state)
{
    (void)state;
    clock_set_for_test(1767323045678, 0);
    return 0;
}

static int unset_clock(void **state)
{
    (void)state;
    clock_set_for_test(-1, -1);
    return 0;
}

static void text_lines_carry_fields(void **state)
{
    (void)state;
    log_setup(LOG_TEXT, LEVEL_INFO);
    capture();
    log_info(LOG_FIELDS({"review", "7"}, {"absent", NULL}, {"tag", "two words"}, {"empty", ""},
                        {"quoted", "a\"b\\c"}, {"pair", "a=b"}),
             "judged %s", "it");
    log_error(NULL, "bad");
    AUTO_FREE char *lines = captured_text();
    assert_string_equal(lines,
                        "2026-01-02T03:04:05.678Z info: judged it review=7 tag=\"two words\" "
                        "empty=\"\" quoted=\"a\\\"b\\\\c\" pair=\"a=b\"\n"
                        "2026-01-02T03:04:05.678Z error: bad\n");
}

static void hostile_bytes_stay_on_their_line(void **state)
{
    (void)state;
    log_setup(LOG_TEXT, LEVEL_INFO);
    capture();
    log_notice(LOG_FIELDS({"tag", "x\n2026 error: forged"}), "a\nb\x1b[2J");
    AUTO_FREE char *lines = captured_text();
    assert_string_equal(lines,
                        "2026-01-02T03:04:05.678Z notice: a?b?[2J tag=\"x?2026 error: forged\"\n");
}

static void json_lines_are_json(void **state)
{
    struct error err;
    AUTO_JSON struct json *json = NULL;
    (void)state;
    log_setup(LOG_JSON, LEVEL_INFO);
    capture();
    log_warning(LOG_FIELDS({"tag", "q\"\xff"}), "careful");
    AUTO_FREE char *lines = captured_text();
    assert_int_equal(json_parse(lines, strlen(lines), NULL, &json, &err), 0);
    assert_string_equal(json_get_string(json, "time"), "2026-01-02T03:04:05.678Z");
    assert_string_equal(json_get_string(json, "level"), "warning");
    assert_string_equal(json_get_string(json, "message"), "careful");
    assert_string_equal(json_get_string(json, "tag"), "q\"?");
    assert_int_equal(strcspn(lines, "\n"), strlen(lines) - 1);
}

static void the_threshold_holds_back(void **state)
{
    (void)state;
    log_setup(LOG_TEXT, LEVEL_WARNING);
    assert_int_equal(log_threshold(), LEVEL_WARNING);
    capture();
    log_notice(NULL, "n");
    log_info(NULL, "i");
    log_debug(NULL, "d");
    AUTO_FREE char *nothing = captured_text();
    assert_string_equal(nothing, "");
    log_setup(LOG_TEXT, LEVEL_DEBUG);
    capture();
    log_debug(NULL, "d");
    AUTO_FREE char *something = captured_text();
    assert_non_null(strstr(something, "debug: d"));
}

static void errno_survives_a_line(void **state)
{
    (void)state;
    log_setup(LOG_TEXT, LEVEL_INFO);
    int real = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = EXDEV;
    log_error(NULL, "nobody reads this");
    int after = errno;
    dup2(real, STDERR_FILENO);
    close(real);
    assert_int_equal(after, EXDEV);
}

static void more_fields_than_fit_are_cut(void **state)
{
    enum { TOO_MANY = 100 };
    struct log_field fields[TOO_MANY + 1] = {{NULL, NULL}};
    (void)state;
    for (size_t i = 0; i < TOO_MANY; i++)
        fields[i] = (struct log_field){"f", "v"};
    log_setup(LOG_TEXT, LEVEL_INFO);
    capture();
    log_info(fields, "many");
    AUTO_FREE char *lines = captured_text();
    assert_true(text_ends_with(lines, "f=v\n"));
}

static void levels_have_names(void **state)
{
    (void)state;
    for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++) {
        enum log_level back = LEVEL_ERROR;
        assert_int_equal(log_level_from_name(log_level_name((enum log_level)level), &back), 0);
        assert_int_equal(back, level);
    }
    enum log_level untouched = LEVEL_DEBUG;
    assert_true(log_level_from_name("loud", &untouched) < 0);
    assert_true(log_level_from_name(NULL, &untouched) < 0);
    assert_int_equal(untouched, LEVEL_DEBUG);
    assert_string_equal(log_level_name((enum log_level)42), "unknown");
}

static void the_journal_stream_is_recognised_by_its_inode(void **state)
{
    struct stat status;
    (void)state;
    unsetenv("JOURNAL_STREAM");
    assert_false(systemd_stderr_is_journal());
    setenv("JOURNAL_STREAM", "1:2", 1);
    assert_false(systemd_stderr_is_journal());
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    AUTO_FREE char *own =
        text_new("%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", own, 1);
    assert_true(systemd_stderr_is_journal());
    unsetenv("JOURNAL_STREAM");
    log_setup(LOG_AUTO, LEVEL_INFO);
    capture();
    log_info(NULL, "auto");
    AUTO_FREE char *lines = captured_text();
    assert_true(text_ends_with(lines, "info: auto\n"));
}

static void a_missing_journal_loses_no_line(void **state)
{
    (void)state;
    if (access("/run/systemd/journal/socket", F_OK) == 0)
        skip();
    log_setup(LOG_JOURNAL, LEVEL_INFO);
    capture();
    log_info(LOG_FIELDS({"tag", "v1"}), "kept");
    AUTO_FREE char *lines = captured_text();
    assert_true(text_ends_with(lines, "info: kept tag=v1\n"));
}

static void without_a_service_manager_nothing_happens(void **state)
{
    struct systemd_socket sockets[2];
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("LISTEN_FDS");
    systemd_notify("READY=1");
    assert_int_equal(systemd_watchdog_ms(), 0);
    assert_int_equal(systemd_sockets(sockets, 2), 0);
}

static void readiness_and_watchdog_reach_the_service_manager(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char message[64] = {0};
    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/regwarden-notify-%d", getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    systemd_notify("READY=1\nSTATUS=Judging");
    assert_true(recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT) > 0);
    assert_string_equal(message, "READY=1\nSTATUS=Judging");
    unsetenv("NOTIFY_SOCKET");
    unlink(address.sun_path);
    close(fd);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(systemd_watchdog_ms(), 30000);
    unsetenv("WATCHDOG_USEC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_carry_fields),
        cmocka_unit_test(hostile_bytes_stay_on_their_line),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(the_threshold_holds_back),
        cmocka_unit_test(errno_survives_a_line),
        cmocka_unit_test(more_fields_than_fit_are_cut),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(the_journal_stream_is_recognised_by_its_inode),
        cmocka_unit_test(a_missing_journal_loses_no_line),
        cmocka_unit_test(without_a_service_manager_nothing_happens),
        cmocka_unit_test(readiness_and_watchdog_reach_the_service_manager),
    };
    return cmocka_run_group_tests_name("log", tests, set_clock, unset_clock);
}
