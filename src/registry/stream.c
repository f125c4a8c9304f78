/* A layer as a stream: bytes are handed on as they come, at the pace of whoever takes them. A
 * stream that breaks is asked for again from where it broke; from a registry that starts at the
 * first byte all the same, what was had already is skipped. Nothing is kept and nothing is hashed
 * here. */
#include "regwarden/memory.h"

#include "internal.h"

/* So many bytes further, and what broke before is forgotten. */
enum { PROGRESS_BYTES = 1024 * 1024 };

struct stream_operation {
    struct operation operation; /* first */
    struct blob_stream stream;
    char *path, *scope;
    uint64_t size;
    uint64_t received;
    uint64_t skip;   /* bytes to come that were handed on before */
    uint64_t before; /* received when the running exchange began */
    uint64_t mark;   /* received when `breaks` was last zero */
    unsigned breaks;
    bool paused;
    bool untaken; /* whoever takes the bytes has ended it */
};

static void release(struct operation *operation)
{
    struct stream_operation *stream = (struct stream_operation *)operation;

    free(stream->path);
    free(stream->scope);
}

/* "bytes 100-299/300", or with "*" for the length of the whole. */
static bool is_rest(const struct stream_operation *stream, const char *value)
{
    AUTO_FREE char *known =
        text_new("bytes %llu-%llu/%llu", (unsigned long long)stream->received,
                 (unsigned long long)stream->size - 1, (unsigned long long)stream->size);
    AUTO_FREE char *unknown = text_new("bytes %llu-%llu/*", (unsigned long long)stream->received,
                                       (unsigned long long)stream->size - 1);

    return value && (text_equal_nocase(value, known) || text_equal_nocase(value, unknown));
}

static int on_begin(void *argument, const struct http_response *response, struct error *err)
{
    struct stream_operation *stream = argument;

    stream->skip = 0;
    if (response->status != 206) {
        stream->skip = stream->received;
        return 0;
    }
    if (!is_rest(stream, http_response_header(response, "content-range")))
        return error_set(err, FAILURE_LATER, "answers with another part than was asked for");
    return 0;
}

static int too_many(const struct stream_operation *stream, struct error *err)
{
    return error_set(err, FAILURE_INPUT, "has more bytes than the %llu of its descriptor",
                     (unsigned long long)stream->size);
}

static int on_piece(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct stream_operation *stream = argument;
    size_t known = stream->skip < size ? (size_t)stream->skip : size;
    int rc;

    stream->skip -= known;
    size -= known;
    if (size == 0)
        return 0;
    if (size > stream->size - stream->received)
        return too_many(stream, err);
    stream->received += size;
    rc = stream->stream.write(stream->stream.argument, (const char *)bytes + known, size, err);
    stream->untaken = rc < 0;
    if (rc > 0) {
        stream->paused = true;
        exchange_pause(stream->operation.exchange);
    }
    return rc < 0 ? rc : 0;
}

static bool may_go_on(struct stream_operation *stream, const struct error *error)
{
    const struct registry_tuning *tuning = &stream->operation.registry->tuning;

    /* Without a new byte the exchange has tried often enough itself. */
    if (error->kind != FAILURE_LATER || stream->untaken || stream->received == stream->before ||
        error->retry_after_ms > tuning->hold_max_ms)
        return false;
    if (stream->received - stream->mark >= PROGRESS_BYTES) {
        stream->mark = stream->received;
        stream->breaks = 0;
    }
    return ++stream->breaks < tuning->attempts;
}

static void ask(struct stream_operation *stream);

static void end_with(struct stream_operation *stream, const struct exchange_answer *answer)
{
    struct error error = *answer->error;

    if (error.kind == FAILURE_LIMIT && !answer->response && !stream->untaken)
        (void)too_many(stream, &error);
    if (stream->received > 0 && !stream->untaken)
        (void)error_wrap(&error, "after %llu of %llu bytes", (unsigned long long)stream->received,
                         (unsigned long long)stream->size);
    operation_fail(&stream->operation, &error);
}

static void on_end(void *argument, const struct exchange_answer *answer)
{
    struct stream_operation *stream = argument;
    struct registry_answer told = {.media_type = ""};
    struct error error = {0};
    /* The end of the answer may be lost when all bytes are here. */
    bool is_whole = stream->received == stream->size && stream->size > 0;

    stream->operation.exchange = NULL;
    if (answer->error && !(is_whole && answer->error->kind == FAILURE_LATER && !stream->untaken)) {
        if (may_go_on(stream, answer->error)) {
            stream->operation.registry->counters.retries++;
            ask(stream);
        } else {
            end_with(stream, answer);
        }
        return;
    }
    if (stream->received != stream->size) {
        (void)error_set(&error, FAILURE_INPUT, "has %llu bytes, its descriptor says %llu",
                        (unsigned long long)stream->received, (unsigned long long)stream->size);
        operation_fail(&stream->operation, &error);
        return;
    }
    operation_finish(&stream->operation, &told);
}

static void ask(struct stream_operation *stream)
{
    const struct registry_tuning *tuning = &stream->operation.registry->tuning;
    struct exchange_request request = {
        .method = "GET",
        .target = stream->path,
        .scope = stream->scope,
        /* 0 would stand for the client's usual bound. */
        .max_body_bytes = stream->size > 0 ? stream->size : 1,
        .bulk = true,
        .from = stream->received,
        .delay_ms = stream->breaks * tuning->backoff_first_ms,
        .begin = on_begin,
        .write = on_piece,
        .stream = stream,
    };

    stream->before = stream->received;
    operation_send(&stream->operation, &request, on_end);
    if (stream->paused)
        exchange_pause(stream->operation.exchange);
}

uint64_t registry_stream_blob(struct registry *registry, const char *repository,
                              const struct descriptor *blob, const struct blob_stream *taker,
                              registry_done_f *done, void *argument)
{
    struct stream_operation *stream =
        operation_new(registry, sizeof(*stream), done, argument,
                      operation_name("layer", repository, &blob->digest));

    stream->operation.release = release;
    stream->stream = *taker;
    stream->size = blob->size;
    if (path_of_digest(repository, "blobs", &blob->digest, &stream->path,
                       &stream->operation.error) < 0)
        return operation_refuse(&stream->operation);
    stream->scope = scope_of_repository(repository, "pull");
    ask(stream);
    return stream->operation.id;
}

void registry_resume(struct registry *registry, uint64_t id)
{
    struct operation *operation = operation_find(registry, id);
    struct stream_operation *stream = (struct stream_operation *)operation;

    if (!operation || operation->release != release || !stream->paused)
        return;
    stream->paused = false;
    if (operation->exchange)
        exchange_resume(operation->exchange);
}
