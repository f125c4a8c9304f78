/* What a worker gives up before it reads anything of strangers. Each of these holds for itself; the
 * filter of system calls alone would do. */
#include "sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Sanitizers keep the world's state in memory of their own, at fixed places, ask the system about
 * themselves, and report on standard error: they get the wider filter, and no bound on memory.
 * Everything that differs in such a build is here. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif
static const int of_sanitizers[] = {
    SCMP_SYS(mprotect),        SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),     SCMP_SYS(sched_yield),
    SCMP_SYS(prctl),           SCMP_SYS(getpid),
    SCMP_SYS(gettid),          SCMP_SYS(tgkill),
    SCMP_SYS(write),           SCMP_SYS(mmap),
    SCMP_SYS(getrlimit),       SCMP_SYS(prlimit64),
    SCMP_SYS(getuid),          SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(sched_getaffinity),
};

/* Memory, time and waiting; none of them reaches anything outside the process. */
static const int allowed[] = {
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(getrandom),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(exit),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(restart_syscall),
};

static int add_rules(scmp_filter_ctx filter, int fd)
{
    const struct scmp_arg_cmp of_socket = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0);
    /* closed by then: a last word is lost, and the process ends by its own hand */
    const struct scmp_arg_cmp of_stderr = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0);
    const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp no_file = SCMP_A4(SCMP_CMP_MASKED_EQ, 0xffffffffu, 0xffffffffu);
    const struct scmp_arg_cmp itself = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
    int failed = 0;

    for (size_t i = 0; i < ARRAY_COUNT(allowed); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; sanitized && i < ARRAY_COUNT(of_sanitizers); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, of_sanitizers[i], 0);
    /* qsort() asks how much memory there is, and sorts without the answer */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(sysinfo), 0);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(read), 1, &of_socket);
    if (sanitized)
        return failed;
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, &of_socket);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, &of_stderr);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_code);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                                     (struct scmp_arg_cmp[]){no_code, no_file});
    return failed;
}

/* From here on every other system call ends the process. */
static int load_filter(int fd, struct error *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (!filter)
        return error_set(err, FAILURE_SYSTEM, "cannot make a filter of system calls");
    int number = add_rules(filter, fd) ? -EINVAL : seccomp_load(filter);
    seccomp_release(filter);
    if (number < 0)
        return error_set_errno(err, FAILURE_SYSTEM, -number,
                               "cannot put the filter of system calls in force");
    return 0;
}

/* Of the user first: it gives the right to make the others. */
static void leave_namespaces(struct text *missing)
{
    static const struct {
        int flag;
        const char *name;
    } namespaces[] = {
        {CLONE_NEWUSER, "user"}, {CLONE_NEWNET, "network"}, {CLONE_NEWNS, "mount"},
        {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(namespaces); i++)
        if (unshare(namespaces[i].flag) < 0)
            text_format(missing, "no %s namespace of its own\n", namespaces[i].name);
}

/* Bytes mapped now: libraries take much more room than memory. */
static uint64_t mapped_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file && fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int set_limits(const struct sandbox_limits *limits, struct error *err)
{
    uint64_t mapped = mapped_bytes();
    uint64_t memory = limits->memory_bytes > 0 && mapped > 0 && !sanitized
                          ? mapped + limits->memory_bytes
                          : RLIM_INFINITY;
    const struct {
        __rlimit_resource_t resource;
        rlim_t value;
    } rows[] = {
        {RLIMIT_AS, memory}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, 0},
        {RLIMIT_NPROC, 0},   {RLIMIT_CORE, 0},  {RLIMIT_CPU, limits->cpu_seconds},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct rlimit limit = {rows[i].value, rows[i].value};
        if (rows[i].value != RLIM_INFINITY && setrlimit(rows[i].resource, &limit) < 0)
            return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot limit itself");
    }
    return 0;
}

static void close_others(int fd)
{
    for (int i = 0; i < fd; i++)
        if (i != STDERR_FILENO || !sanitized)
            close(i);
    close_range((unsigned)fd + 1, ~0U, 0);
}

int sandbox_enter(int fd, const struct sandbox_limits *limits, struct text *missing,
                  struct error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot give up privileges");
    leave_namespaces(missing);
    if (set_limits(limits, err) < 0)
        return FAILURE_SYSTEM;
    close_others(fd);
    return load_filter(fd, err);
}
