/* Layers of a local source: read in pieces by a thread, handed on by the loop, one piece at a time,
 * so that neither the disk nor whoever takes the bytes can hold up the loop. */
#include "regwarden/memory.h"

#include "local_source.h"

enum { PIECE_BYTES = 256 * 1024, READERS = 1 };

struct local_stream {
    TAILQ_ENTRY(local_stream) link;
    struct local_source *local;
    uint64_t id;
    char *shown; /* the file, for messages */
    struct local_file file;
    uint64_t at; /* bytes handed on */
    size_t size; /* of the piece that is read */
    char *piece;
    struct blob_stream to;
    registry_done_f *done;
    void *argument;
    struct error error;
    bool reading; /* the thread has it, or a callback */
    bool paused;
    bool cancelled; /* nobody waits; freed when it is not being read any more */
};

static void stream_free(struct local_stream *stream)
{
    local_file_close(&stream->file);
    free(stream->piece);
    free(stream->shown);
    free(stream);
}

/* It is in no list any more. */
static void tell(struct local_stream *stream)
{
    struct registry_answer told = {.media_type = ""};

    if (stream->error.kind != FAILURE_NONE)
        told.error = &stream->error;
    stream->done(stream->argument, &told);
    stream_free(stream);
}

static void finish(struct local_stream *stream)
{
    TAILQ_REMOVE(&stream->local->streams, stream, link);
    tell(stream);
}

/* Worker thread: touches the piece, the file and the error. */
static void read_piece(void *argument)
{
    struct local_stream *stream = argument;
    uint64_t left;

    if (stream->error.kind != FAILURE_NONE)
        return;
    left = stream->file.size - stream->at;
    stream->size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    if (local_file_read(&stream->file, stream->at, stream->piece, stream->size, &stream->error) < 0)
        (void)error_wrap(&stream->error, "%s", stream->shown);
}

static void on_piece(void *argument, bool dropped);

static void read_on(struct local_stream *stream)
{
    stream->reading = true;
    job_submit(stream->local->readers, read_piece, on_piece, stream);
}

/* Returns as blob_stream.write does; the stream may have been cancelled from within. */
static int hand_on(struct local_stream *stream)
{
    if (stream->size == 0)
        return 0;
    stream->at += stream->size;
    return stream->to.write(stream->to.argument, stream->piece, stream->size, &stream->error);
}

static void on_piece(void *argument, bool dropped)
{
    struct local_stream *stream = argument;
    int rc = 0;

    if (!stream->cancelled && (dropped || stream->local->closing))
        (void)error_set(&stream->error, FAILURE_LATER, "%s: the source is closing", stream->shown);
    if (!stream->cancelled && stream->error.kind == FAILURE_NONE)
        rc = hand_on(stream);
    stream->reading = false;
    if (stream->cancelled) {
        stream_free(stream);
        return;
    }
    stream->paused = rc == 1;
    if (stream->error.kind != FAILURE_NONE || stream->at == stream->file.size)
        finish(stream);
    else if (!stream->paused)
        read_on(stream);
}

/* The descriptor and the file must agree about how many bytes there are. */
static int open_layer(struct local_stream *stream, const struct descriptor *blob, struct error *err)
{
    const struct local_source *local = stream->local;
    AUTO_FREE char *name = catalog_blob_name(&local->catalog, &blob->digest);
    int rc;

    stream->shown = local_files_describe(local->files, name);
    if (blob->digest.algorithm != DIGEST_SHA256 && blob->digest.algorithm != DIGEST_SHA512)
        return error_set(err, FAILURE_INPUT, "a digest that cannot be verified");
    rc = local_file_open(local->files, name, &stream->file, err);
    if (rc == 0 && stream->file.size != blob->size)
        return error_set(err, FAILURE_INPUT, "%s has %llu bytes, its descriptor says %llu",
                         stream->shown, (unsigned long long)stream->file.size,
                         (unsigned long long)blob->size);
    return rc;
}

uint64_t local_stream_blob(void *self, const char *repository, const struct descriptor *blob,
                           const struct blob_stream *to, registry_done_f *done, void *argument)
{
    struct local_source *local = self;
    struct local_stream *stream = memory_new(sizeof(*stream));

    (void)repository;
    stream->local = local;
    stream->id = ++local->last_id;
    stream->file.fd = -1;
    stream->to = *to;
    stream->done = done;
    stream->argument = argument;
    stream->piece = memory_new(PIECE_BYTES);
    (void)open_layer(stream, blob, &stream->error);
    TAILQ_INSERT_TAIL(&local->streams, stream, link);
    if (!local->readers)
        local->readers = job_pool_new(local->loop, "layers", READERS);
    read_on(stream);
    return stream->id;
}

static struct local_stream *find(const struct local_source *local, uint64_t id)
{
    struct local_stream *stream = TAILQ_FIRST(&local->streams);

    while (stream && stream->id != id)
        stream = TAILQ_NEXT(stream, link);
    return stream;
}

void local_stream_resume(void *self, uint64_t id)
{
    struct local_stream *stream = find(self, id);

    if (!stream || !stream->paused)
        return;
    stream->paused = false;
    read_on(stream);
}

bool local_stream_cancel(struct local_source *local, uint64_t id)
{
    struct local_stream *stream = find(local, id);

    if (!stream)
        return false;
    TAILQ_REMOVE(&local->streams, stream, link);
    stream->cancelled = true;
    if (!stream->reading)
        stream_free(stream);
    return true;
}

void local_streams_close(struct local_source *local)
{
    struct local_stream *stream;

    local->closing = true;
    job_pool_free(local->readers); /* those that were being read end here */
    local->readers = NULL;
    while ((stream = TAILQ_FIRST(&local->streams))) {
        TAILQ_REMOVE(&local->streams, stream, link);
        (void)error_set(&stream->error, FAILURE_LATER, "%s: the source is closing", stream->shown);
        tell(stream);
    }
}
