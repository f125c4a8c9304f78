/* Starts the Python programs that the tests talk to. */
#include "stub.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE_MAX_BYTES = 1 << 20 };

void stub_start(struct stub *stub, const char *script)
{
    AUTO_FREE char *path = text_new("%s/tests/action/%s", TEST_SOURCE_DIR, script);
    int to[2], from[2];
    char line[32];
    uint64_t port;
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    stub->pid = fork();
    assert_true(stub->pid >= 0);
    if (stub->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]);
        close(from[0]);
        execlp("python3", "python3", path, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    stub->to = fdopen(to[1], "w");
    stub->from = fdopen(from[0], "r");
    assert_non_null(fgets(line, sizeof(line), stub->from));
    line[strcspn(line, "\n")] = '\0';
    assert_int_equal(text_parse_uint(line, 65535, &port, NULL), 0);
    stub->port = (int)port;
}

void stub_stop(struct stub *stub)
{
    fclose(stub->to);
    fclose(stub->from);
    kill(stub->pid, SIGTERM);
    waitpid(stub->pid, NULL, 0);
}

static struct json *ask(struct stub *stub, char *command)
{
    static char line[LINE_MAX_BYTES];
    struct json *answer = NULL;
    for (char *c = command; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    fprintf(stub->to, "%s\n", command);
    fflush(stub->to);
    if (fgets(line, sizeof(line), stub->from) == NULL)
        fail_msg("the stub gave no answer to %s", command);
    assert_int_equal(json_parse(line, strlen(line), NULL, &answer, NULL), 0);
    return answer;
}

struct json *stub_ask(struct stub *stub, const char *format, ...)
{
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    return ask(stub, command);
}

void stub_tell(struct stub *stub, const char *format, ...)
{
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    json_release(ask(stub, command));
}
