/* Starting, asking and ending stub_registry.py and its likes. */
#include "stub_process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/file.h"

extern char **environ;

static void spawn(struct stub *stub, char *const *arguments, int output[2], int input[2])
{
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    assert_int_equal(posix_spawnp(&stub->pid, arguments[0], &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
}

static void take_line(struct stub *stub, char *line)
{
    char *blank;

    line[strcspn(line, "\n")] = '\0';
    blank = strchr(line, ' ');
    if (!stub->url) {
        stub->url = text_new("http://127.0.0.1:%s", line);
    } else if (blank) {
        *blank = '\0';
        text_pairs_add(&stub->values, line, blank + 1);
    }
}

/* False: something is missing. */
static bool read_greeting(struct stub *stub, FILE *output)
{
    char line[512];

    while (fgets(line, sizeof(line), output)) {
        if (text_equal(line, "ready\n"))
            return true;
        if (text_starts_with(line, "missing ")) {
            line[strcspn(line, "\n")] = '\0';
            print_message("skipped: %s is not installed\n", line + strlen("missing "));
            return false;
        }
        take_line(stub, line);
    }
    fail_msg("the registry did not start");
    return false;
}

bool stub_start_script(struct stub *stub, const char *script, const char *scenario)
{
    char template[] = "/tmp/regwarden-stub-XXXXXX";
    AUTO_FREE char *path = text_new("%s/tests/support/%s", TEST_SOURCE_DIR, script);
    AUTO_FREE char *name = memory_copy_text(scenario);
    char python[] = "python3";
    char no_cache[] = "-B";
    char option[] = "--record";
    int output[2];
    int input[2];
    FILE *stream;
    bool ready;

    *stub = (struct stub){0};
    assert_non_null(mkdtemp(template));
    stub->directory = memory_copy_text(template);
    stub->record = text_new("%s/record", template);
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    spawn(stub, (char *[]){python, no_cache, path, name, option, stub->record, NULL}, output,
          input);
    close(output[1]);
    close(input[0]);
    stub->input = input[1];
    stream = fdopen(output[0], "r");
    assert_non_null(stream);
    ready = read_greeting(stub, stream);
    fclose(stream);
    if (!ready)
        stub_stop(stub);
    return ready;
}

void stub_start(struct stub *stub, const char *scenario)
{
    assert_true(stub_start_script(stub, "stub_registry.py", scenario));
}

void stub_stop(struct stub *stub)
{
    AUTO_FREE char *up = NULL;

    if (stub->pid <= 0)
        return;
    up = text_new("%s.up", stub->record);
    close(stub->input);
    (void)waitpid(stub->pid, NULL, 0);
    (void)unlink(up);
    (void)unlink(stub->record);
    (void)rmdir(stub->directory);
    free(stub->url);
    free(stub->record);
    free(stub->directory);
    text_pairs_release(&stub->values);
    *stub = (struct stub){0};
}

const char *stub_value(const struct stub *stub, const char *name)
{
    const char *value = text_pairs_get(&stub->values, name);

    assert_non_null(value);
    return value;
}

size_t stub_count(const struct stub *stub, const char *a, const char *b)
{
    AUTO_TEXT struct text record = {0};
    size_t count = 0;
    char *line;
    char *end;

    assert_int_equal(file_read(stub->record, 64 * 1024 * 1024, &record, NULL), 0);
    if (record.length == 0)
        return 0;
    for (line = record.data; *line; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        count += strstr(line, a) && (!b || strstr(line, b));
    }
    return count;
}
