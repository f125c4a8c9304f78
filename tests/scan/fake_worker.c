/* A worker that means no good: see fake_worker.h. With real messages as far as it keeps to them,
 * and in the real sandbox where that is what is tried. */
#include "fake_worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "regwarden/crypto.h"
#include "sandbox.h"
#include "wire.h"
#include "worker_options.h"

static enum fake what;
static struct hash *hash;
static uint64_t layer_bytes;

static void put(const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        ssize_t written = write(CHILD_SOCKET, at, size);
        if (written <= 0)
            _exit(0);
        at += written;
        size -= (size_t)written;
    }
}

static void say(enum wire_kind kind, const char *bytes)
{
    struct text head = {0};

    wire_add_head(&head, kind, strlen(bytes));
    put(head.data, head.length);
    put(bytes, strlen(bytes));
    text_release(&head);
}

/* A whole answer, with one thing wrong with it or none. */
static void say_facts(const char *paths, const char *inner_paths, uint64_t size_error)
{
    struct layer_facts facts = {.digest.algorithm = DIGEST_SHA256};
    struct text document = {0};
    char zeros[32] = "";
    char none[] = "none";

    if (what == FAKE_OTHER_DIGEST)
        digest_compute(NULL, zeros, sizeof(zeros), &facts.digest);
    else
        hash_finish(hash, facts.digest.bytes);
    facts.compression = none;
    facts.compressed_bytes = layer_bytes + size_error;
    facts.paths_complete = true;
    text_add(&facts.paths, inner_paths);
    struct json *json = layer_facts_to_json(&facts);
    json_write(json, JSON_COMPACT, &document);
    if (paths)
        say(WIRE_PATHS, paths);
    say(WIRE_FACTS, text_data(&document));
}

static void trickle(void)
{
    struct text head = {0};

    wire_add_head(&head, WIRE_PATHS, LAYER_TABLE_BYTES_MAX);
    put(head.data, head.length);
    for (;;) {
        put("a", 1);
        usleep(1000);
    }
}

static void answer(void)
{
    static const uint32_t large[] = {WIRE_PATHS, LAYER_TABLE_BYTES_MAX + 1};

    switch ((int)what) {
    case FAKE_GARBAGE:
        put("HTTP/1.1 200 OK\r\n\r\n", 19);
        break;
    case FAKE_TOO_LARGE_A_HEAD:
        put(large, sizeof(large));
        break;
    case FAKE_ENDLESS_PATHS:
        for (;;)
            say(WIRE_PATHS, "0 a\tf0\n");
    case FAKE_NO_PATHS:
        say_facts(NULL, "", 0);
        break;
    case FAKE_PATHS_OUT_OF_ORDER:
        say_facts("0 b\tf0\n0 a\tf0\n", "", 0);
        break;
    case FAKE_TWO_TABLES:
        say_facts("0 a\tf0\n", "0 a\tf0\n", 0);
        break;
    case FAKE_NO_DOCUMENT:
        say(WIRE_PATHS, "");
        say(WIRE_FACTS, "{\"version\":1");
        break;
    case FAKE_OTHER_SIZE:
        say_facts("", "", 1);
        break;
    case FAKE_SECOND_READY:
        say(WIRE_READY, "");
        break;
    case FAKE_ODD_ERROR:
        say(WIRE_ERROR, "3 \033[2J you may\nretry");
        break;
    case FAKE_TRICKLES:
        trickle();
        break;
    default: /* a good answer, but for what FAKE_OTHER_DIGEST does */
        say_facts("0 a\tf0\n", "", 0);
    }
}

/* None of these comes back; FAKE_STAYS answers as a good worker does. */
static void try_forbidden(void)
{
    char *const nothing[] = {NULL};
    struct rlimit limit = {1 << 20, 1 << 20};
    void *code = NULL;
    int failed = 0;

    switch ((int)what) {
    case FAKE_OPENS:
        failed = open("/etc/passwd", O_RDONLY);
        break;
    case FAKE_CONNECTS:
        failed = socket(AF_INET, SOCK_STREAM, 0);
        break;
    case FAKE_EXECUTES:
        failed = execve("/bin/true", nothing, nothing);
        break;
    case FAKE_FORKS:
        failed = (int)syscall(SYS_fork);
        break;
    case FAKE_KILLS:
        failed = (int)syscall(SYS_kill, getppid(), 0);
        break;
    case FAKE_TRACES:
        failed = (int)syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
        break;
    case FAKE_MAPS_CODE:
        code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        failed = code == MAP_FAILED ? -1 : 0;
        break;
    case FAKE_RAISES_LIMITS:
        failed = (int)syscall(SYS_setrlimit, RLIMIT_NOFILE, &limit);
        break;
    case FAKE_READS_OTHER_DESCRIPTORS:
        failed = (int)syscall(SYS_read, 0, &limit, 1);
        break;
    default:
        return;
    }
    say(WIRE_ERROR, failed < 0 ? "1 it was refused" : "1 it worked");
    for (;;)
        pause();
}

static void start(const struct worker_options *options)
{
    const struct sandbox_limits limits = {.memory_bytes = 64 << 20, .cpu_seconds = 60};
    struct text missing = {0};
    struct error err;

    what = (enum fake)options->memory_bytes;
    hash = hash_new(HASH_SHA256);
    json_release(json_new_object());
    if (what == FAKE_ENDS_AT_ONCE)
        _exit(7);
    while (what == FAKE_NEVER_READY)
        pause();
    if (what >= FAKE_STAYS && sandbox_enter(CHILD_SOCKET, &limits, &missing, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        _exit(8);
    }
    say(WIRE_READY, text_data(&missing));
    if (what == FAKE_ENDS_WHEN_READY)
        _exit(0);
    if (what == FAKE_HANGS_UP) {
        close(CHILD_SOCKET);
        for (;;)
            pause();
    }
}

static void take(const struct wire_part *part, struct text *message)
{
    struct worker_options options;

    switch ((int)part->kind) {
    case WIRE_OPTIONS:
        text_add_bytes(message, part->bytes, part->size);
        if (part->complete &&
            worker_options_read(message->data, message->length, &options, NULL) == 0)
            start(&options);
        break;
    case WIRE_LAYER:
        try_forbidden();
        if (what == FAKE_ANSWERS_EARLY)
            answer();
        break;
    case WIRE_BYTES:
        if (what == FAKE_SLOW)
            usleep(200);
        hash_update(hash, part->bytes, part->size);
        layer_bytes += part->size;
        break;
    case WIRE_END:
        answer();
        break;
    default:
        break;
    }
}

int main(void)
{
    static uint8_t bytes[4096];
    struct wire_reader reader = {.side = WIRE_TO_WORKER};
    struct wire_part part;
    struct text message = {0};

    for (ssize_t got; (got = read(CHILD_SOCKET, bytes, sizeof(bytes))) > 0;)
        for (const uint8_t *at = bytes; wire_next(&reader, &at, bytes + got, &part, NULL) > 0;)
            take(&part, &message);
    _exit(0);
}
