/* Starting, ending and burying a child process. By pidfd: other children of the process, and
 * whoever waits for them, are not disturbed. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "regwarden/memory.h"

/* Beyond glibc's header of Debian 12. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int spawn(const char *program, const char *command, int fd, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char name[] = "regwarden";
    AUTO_FREE char *word = memory_copy_text(command);
    char *const arguments[] = {name, word, NULL};
    char mark[] = CHILD_MARK "=1";
    char *const environment[] = {mark, NULL};

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, CHILD_SOCKET);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_SOCKET + 1);
    int number = posix_spawn(ret, program ? program : "/proc/self/exe", &actions, &attributes,
                             arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return number;
}

int child_start(const char *program, const char *command, struct child *ret, struct error *err)
{
    struct child child = {.pidfd = -1, .fd = -1};
    char end[CHILD_END_SIZE];
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot open a socket to a worker");
    child.fd = pair[0];
    int number = spawn(program, command, pair[1], &child.pid);
    close(pair[1]);
    if (number != 0) {
        close(child.fd);
        return error_set_errno(err, FAILURE_SYSTEM, number, "cannot start a worker");
    }
    child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
    if (child.pidfd < 0 || fcntl(child.fd, F_SETFL, O_NONBLOCK) < 0) {
        error_set_errno(err, FAILURE_SYSTEM, errno, "cannot watch a worker");
        child_kill(&child);
        child_close(&child);
        child_reap(&child, /* wait= */ true, end);
        return FAILURE_SYSTEM;
    }
    *ret = child;
    return 0;
}

void child_kill(const struct child *child)
{
    kill(child->pid, SIGKILL); /* the pid is ours until it is reaped */
}

void child_close(struct child *child)
{
    if (child->fd >= 0)
        close(child->fd);
    child->fd = -1;
}

static void describe(const siginfo_t *info, char ret[static CHILD_END_SIZE])
{
    if (info->si_code == CLD_EXITED)
        snprintf(ret, CHILD_END_SIZE, "ended with status %d", info->si_status);
    else if (info->si_status == SIGSYS)
        snprintf(ret, CHILD_END_SIZE, "was killed because it tried what it may not");
    else if (info->si_status == SIGABRT)
        snprintf(ret, CHILD_END_SIZE, "gave up: it had no memory left, or found a fault in itself");
    else if (info->si_status == SIGXCPU)
        snprintf(ret, CHILD_END_SIZE, "was killed because it used too much processor time");
    else
        snprintf(ret, CHILD_END_SIZE, "was killed by signal %d (%s)", info->si_status,
                 strsignal(info->si_status));
}

bool child_reap(struct child *child, bool wait, char ret_end[static CHILD_END_SIZE])
{
    siginfo_t info = {0};
    idtype_t type = child->pidfd >= 0 ? (idtype_t)P_PIDFD : P_PID;
    id_t id = (id_t)(child->pidfd >= 0 ? child->pidfd : child->pid);
    int failed;

    do
        failed = waitid(type, id, &info, WEXITED | (wait ? 0 : WNOHANG));
    while (failed < 0 && errno == EINTR);
    if (failed == 0 && info.si_pid == 0)
        return false;
    if (failed == 0)
        describe(&info, ret_end);
    else /* somebody waits for all children: it has ended, and nobody knows how */
        snprintf(ret_end, CHILD_END_SIZE, "has ended");
    if (child->pidfd >= 0)
        close(child->pidfd);
    child->pidfd = -1;
    return true;
}
