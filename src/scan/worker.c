/* The worker: options first, then the sandbox, then one layer after another. After the sandbox is
 * in force it reads bytes of strangers and can do nothing but answer. */
#include "regwarden/scan_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "regwarden/crypto.h"
#include "sandbox.h"
#include "wire.h"
#include "worker_options.h"

/* Exit statuses: nobody but whoever looks for a fault reads them. */
enum { WORKER_ENDED = 0, WORKER_UNABLE = 1, WORKER_BY_HAND = 2 };

struct worker {
    struct worker_options options;
    struct wire_reader reader;
    struct text message; /* of a kind that is kept until it is whole */
    struct scan *scan;   /* of the current layer */
    struct text out;
    uint8_t bytes[64 * 1024];
};

/* --- answers --- */

/* A pool that has gone is the end of the worker too. */
static void put(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t written = write(CHILD_SOCKET, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            _exit(WORKER_ENDED);
        at += written;
        size -= (size_t)written;
    }
}

static void send_message(struct worker *worker, enum wire_kind kind, const void *bytes, size_t size)
{
    text_clear(&worker->out);
    wire_add_head(&worker->out, kind, size);
    put(worker->out.data, worker->out.length);
    put(bytes, size);
}

/* Whatever made a layer fail may have left its mark: this worker reads no more of them. What the
 * pool still sends is taken until it hangs up, so that it gets to read the answer. */
static void __attribute__((noreturn)) fail(struct worker *worker, const struct error *error)
{
    AUTO_FREE char *text = text_new("%d %s", -(int)error->kind, error->text);

    send_message(worker, WIRE_ERROR, text, strlen(text));
    while (read(CHILD_SOCKET, worker->bytes, sizeof(worker->bytes)) > 0)
        continue;
    _exit(WORKER_ENDED);
}

/* The table goes first and is forgotten, so that it and the document are never held together. */
static void answer(struct worker *worker, struct layer_facts *facts)
{
    AUTO_TEXT struct text document = {0};
    struct error err;

    send_message(worker, WIRE_PATHS, text_data(&facts->paths), facts->paths.length);
    text_release(&facts->paths);
    layer_facts_write(facts, &document);
    if (document.length > LAYER_DOCUMENT_BYTES_MAX) {
        error_set(&err, FAILURE_LIMIT, "the facts of the layer are too large");
        fail(worker, &err);
    }
    send_message(worker, WIRE_FACTS, document.data, document.length);
}

/* --- layers --- */

static void end_layer(struct worker *worker)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    struct error err;

    if (scan_finish(worker->scan, &facts, &err) < 0)
        fail(worker, &err);
    scan_free(TAKE(worker->scan));
    answer(worker, facts);
}

/* Anything allocated or looked up on first use is there before the filter forbids it: one small
 * layer is scanned for nothing. */
static void warm_up(struct worker *worker)
{
    static const char zeros[1024];
    AUTO_TEXT struct text document = {0};
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    AUTO_SCAN struct scan *scan = scan_new(&worker->options.scan);

    if (scan_push(scan, zeros, sizeof(zeros), NULL) == 0 && scan_finish(scan, &facts, NULL) == 0)
        layer_facts_write(facts, &document);
}

static int drop_segments(struct dl_phdr_info *library, size_t size, void *page_size)
{
    uintptr_t page = *(const size_t *)page_size;

    (void)size;
    for (unsigned i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        uintptr_t start = library->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
            continue;
        start &= ~(page - 1);
        end = (end + page - 1) & ~(page - 1);
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

/* Most of the program was looked at once, when it was linked at its start, and never again: these
 * pages are given back. What is still needed of them comes again by itself. */
static void drop_program(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    dl_iterate_phdr(drop_segments, &page);
}

static int take(struct worker *worker, const struct wire_part *part, struct error *err)
{
    switch (part->kind) {
    case WIRE_LAYER:
        scan_free(TAKE(worker->scan));
        worker->options.scan.digest =
            part->size == 1 && *part->bytes == DIGEST_SHA512 ? DIGEST_SHA512 : DIGEST_SHA256;
        worker->scan = scan_new(&worker->options.scan);
        return 0;
    case WIRE_BYTES:
        if (worker->scan)
            return scan_push(worker->scan, part->bytes, part->size, err);
        return 0;
    case WIRE_END:
        if (worker->scan)
            end_layer(worker);
        return 0;
    case WIRE_CANCEL:
        scan_free(TAKE(worker->scan));
        send_message(worker, WIRE_CANCELLED, "", 0);
        return 0;
    case WIRE_OPTIONS:
    case WIRE_READY:
    case WIRE_FACTS:
    case WIRE_PATHS:
    case WIRE_ERROR:
    case WIRE_CANCELLED:
    case WIRE_KIND_COUNT:
        break;
    }
    return error_set(err, FAILURE_INPUT, "a message came out of turn");
}

/* --- start --- */

static void start(struct worker *worker, struct error *err)
{
    AUTO_TEXT struct text missing = {0};
    const struct sandbox_limits limits = {worker->options.memory_bytes,
                                          worker->options.cpu_seconds};

    if (scan_prepare(err) < 0)
        fail(worker, err);
    warm_up(worker);
    malloc_trim(0);
    drop_program();
    if (sandbox_enter(CHILD_SOCKET, &limits, &missing, err) < 0)
        fail(worker, err);
    send_message(worker, WIRE_READY, text_data(&missing), missing.length);
}

/* The first message; it comes whole before anything else is done. */
static int take_options(struct worker *worker, const struct wire_part *part, struct error *err)
{
    if (part->kind != WIRE_OPTIONS)
        return error_set(err, FAILURE_INPUT, "a message came before the options");
    text_add_bytes(&worker->message, part->bytes, part->size);
    if (!part->complete)
        return 0;
    int failure =
        worker_options_read(worker->message.data, worker->message.length, &worker->options, err);
    crypto_erase(worker->message.data, worker->message.length);
    text_release(&worker->message);
    if (failure < 0)
        return failure;
    worker->options.scan.probes = &worker->options.probes;
    start(worker, err);
    return 1;
}

static void serve(struct worker *worker)
{
    struct error err = {0};
    struct wire_part part;
    bool started = false;
    int more = 0;

    for (ssize_t got; (got = read(CHILD_SOCKET, worker->bytes, sizeof(worker->bytes))) > 0;) {
        const uint8_t *at = worker->bytes, *end = at + got;
        while ((more = wire_next(&worker->reader, &at, end, &part, &err)) > 0) {
            int state = started ? take(worker, &part, &err) : take_options(worker, &part, &err);
            if (state < 0)
                fail(worker, &err);
            started = started || state > 0;
        }
        if (more < 0)
            fail(worker, &err);
    }
}

int scan_worker_main(void)
{
    static struct worker worker = {.reader = {.side = WIRE_TO_WORKER}};

    if (fcntl(CHILD_SOCKET, F_GETFD) < 0) {
        fputs("regwarden: " SCAN_WORKER_COMMAND " is what regwarden starts for itself\n", stderr);
        return WORKER_BY_HAND;
    }
    /* Large blocks go back to the system when they are freed: what one layer took must not count
     * against the next one. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    serve(&worker);
    _exit(WORKER_ENDED); /* whatever wants to run at the end of a program may not any more */
}
