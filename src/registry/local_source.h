/* What the files of the local source share. Private to the room. */
#ifndef REGISTRY_LOCAL_SOURCE_H
#define REGISTRY_LOCAL_SOURCE_H

#include <sys/queue.h>

#include "regwarden/gather.h"
#include "regwarden/loop.h"

#include "catalog.h"

struct local_request {
    TAILQ_ENTRY(local_request) link;
    uint64_t id;
    struct digest digest;
    uint64_t size;    /* as the descriptor says; of a manifest that nobody described: UINT64_MAX */
    char *media_type; /* as the index says, or "" */
    char *document;   /* bytes made here, that are told instead of a blob; NULL: read the blob */
    struct error error; /* of asking; kind NONE: read the blob */
    registry_done_f *done;
    void *argument;
};
TAILQ_HEAD(local_request_list, local_request);
TAILQ_HEAD(local_stream_list, local_stream);

struct local_source {
    struct loop *loop;
    struct local_files *files;
    struct catalog catalog;
    enum reference_transport transport;
    struct timer *soon;
    struct local_request_list requests;
    struct local_stream_list streams;
    struct job_pool *readers; /* of layers; NULL until the first is asked for */
    bool closing;
    uint64_t last_id;
};

/* A manifest, config or other small blob, verified. */
int local_read_blob(const struct local_source *local, const struct digest *digest, uint64_t size,
                    struct text *to, struct error *err);
struct local_request *local_request_new(struct local_source *local, registry_done_f *done,
                                        void *argument);

/* The calls of image_source. */
uint64_t local_fetch_referrers(void *self, const char *repository, const struct digest *digest,
                               registry_done_f *done, void *argument);
uint64_t local_stream_blob(void *self, const char *repository, const struct descriptor *blob,
                           const struct blob_stream *stream, registry_done_f *done, void *argument);
void local_stream_resume(void *self, uint64_t id);
/* False when there is no such stream. */
bool local_stream_cancel(struct local_source *local, uint64_t id);
void local_streams_close(struct local_source *local); /* tells all: FAILURE_LATER */

#endif
