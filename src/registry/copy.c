/* Making a blob of one repository present in another: look, mount, else stream it through.
 *
 * The stream goes through a small ring: the download is paused while the ring is nearly full, the
 * upload waits while it is empty. The last bytes are handed over only when the digest of all of
 * them is right, so that a wrong blob never completes its upload. */
#include <assert.h>

#include "regwarden/crypto.h"
#include "regwarden/memory.h"

#include "ecr.h"
#include "errors.h"
#include "internal.h"
#include "location.h"

enum { RING_SIZE = 512 * 1024, RING_HIGH = 256 * 1024, RING_LOW = 192 * 1024 };

struct copy_operation {
    struct operation operation; /* first; its exchange looks, mounts, uploads */
    char *from, *to;
    struct digest digest;
    uint64_t size;
    char *upload;      /* path of the upload session on the registry */
    uint64_t creation; /* of the repository that it goes to: operation under way, or 0 */
    bool created;
    struct exchange *download;
    struct timer *nudge; /* resumes what waits, outside of any stream's callback */
    struct hash *hash;
    char *ring;
    size_t start, used; /* of the ring */
    uint64_t received, handed;
    bool verified;
    bool download_paused;
    bool upload_waits;
};

static void release(struct operation *operation)
{
    struct copy_operation *copy = (struct copy_operation *)operation;

    registry_cancel(operation->registry, copy->creation);
    exchange_cancel(copy->download);
    timer_free(copy->nudge);
    hash_free(copy->hash);
    free(copy->ring);
    free(copy->upload);
    free(copy->from);
    free(copy->to);
}

static void finish(struct copy_operation *copy, bool mounted)
{
    struct registry_answer told = {
        .media_type = "", .digest = copy->digest, .size = 0, .mounted = mounted};

    operation_finish(&copy->operation, &told);
}

static void nudge(void *argument)
{
    struct copy_operation *copy = argument;

    if (copy->download_paused && copy->download && copy->used <= RING_LOW) {
        copy->download_paused = false;
        exchange_resume(copy->download);
    }
    if (copy->upload_waits && copy->operation.exchange) {
        copy->upload_waits = false;
        exchange_resume(copy->operation.exchange);
    }
}

static void ring_put(struct copy_operation *copy, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t end = (copy->start + copy->used) % RING_SIZE;
        size_t room = RING_SIZE - end;
        size_t now = size < room ? size : room;

        memcpy(copy->ring + end, bytes, now);
        copy->used += now;
        bytes += now;
        size -= now;
    }
}

static size_t ring_take(struct copy_operation *copy, char *to, size_t size)
{
    size_t taken = 0;

    while (taken < size && copy->used > 0) {
        size_t run = RING_SIZE - copy->start;
        size_t now = size - taken < run ? size - taken : run;

        if (now > copy->used)
            now = copy->used;
        memcpy(to + taken, copy->ring + copy->start, now);
        copy->start = (copy->start + now) % RING_SIZE;
        copy->used -= now;
        taken += now;
    }
    return taken;
}

static void start_upload(struct copy_operation *copy);

static int on_piece(void *stream, const void *bytes, size_t size, struct error *err)
{
    struct copy_operation *copy = stream;

    if (size > RING_SIZE - copy->used)
        return error_set(err, FAILURE_SYSTEM, "arrives faster than it can be passed on");
    hash_update(copy->hash, bytes, size);
    ring_put(copy, bytes, size);
    copy->received += size;
    if (!copy->operation.exchange)
        start_upload(copy);
    if (copy->used >= RING_HIGH) {
        copy->download_paused = true;
        exchange_pause(copy->download);
    }
    if (copy->upload_waits)
        timer_arm(copy->nudge, 0);
    return 0;
}

static int64_t on_room(void *stream, void *buffer, size_t size)
{
    struct copy_operation *copy = stream;
    size_t ready = copy->used;

    /* One byte stays back until the whole is known to be right. */
    if (!copy->verified && copy->handed + ready >= copy->size && ready > 0)
        ready--;
    if (copy->handed == copy->size)
        return 0;
    if (ready == 0) {
        copy->upload_waits = true;
        return HTTP_CLIENT_WAIT;
    }
    ready = ring_take(copy, buffer, ready < size ? ready : size);
    copy->handed += ready;
    if (copy->download_paused && copy->used <= RING_LOW)
        timer_arm(copy->nudge, 0);
    return (int64_t)ready;
}

static int verify(struct copy_operation *copy, struct error *err)
{
    char wanted[DIGEST_TEXT_SIZE];
    struct digest digest = {.algorithm = copy->digest.algorithm};

    if (copy->received != copy->size)
        return error_set(err, FAILURE_INPUT, "has %llu bytes, its descriptor says %llu",
                         (unsigned long long)copy->received, (unsigned long long)copy->size);
    hash_finish(copy->hash, digest.bytes);
    if (!digest_equal(&digest, &copy->digest))
        return error_set(err, FAILURE_INPUT, "its bytes do not have the digest %s",
                         digest_format(&copy->digest, wanted));
    return 0;
}

static void on_downloaded(void *argument, const struct exchange_answer *answer)
{
    struct copy_operation *copy = argument;
    struct error error = {0};

    copy->download = NULL;
    if (answer->error) {
        error = *answer->error;
        if (error.kind == FAILURE_LIMIT && !answer->response)
            (void)error_set(&error, FAILURE_INPUT, "has more bytes than the %llu of its descriptor",
                            (unsigned long long)copy->size);
        (void)error_wrap(&error, "reading");
        operation_fail(&copy->operation, &error);
        return;
    }
    if (verify(copy, &error) < 0) {
        operation_fail(&copy->operation, &error);
        return;
    }
    copy->verified = true;
    if (!copy->operation.exchange)
        start_upload(copy);
    timer_arm(copy->nudge, 0);
}

static void on_uploaded(void *argument, const struct exchange_answer *answer)
{
    struct copy_operation *copy = argument;
    struct error error = {0};

    copy->operation.exchange = NULL;
    if (answer->error) {
        error = *answer->error;
        (void)error_wrap(&error, "writing");
        operation_fail(&copy->operation, &error);
        return;
    }
    if (!copy->verified) {
        (void)error_set(&error, FAILURE_INPUT,
                        "the registry accepted an upload that was not complete");
        operation_fail(&copy->operation, &error);
        return;
    }
    finish(copy, false);
}

static char *scope_of_copy(const struct copy_operation *copy)
{
    return text_new("repository:%s:pull,push repository:%s:pull", copy->to, copy->from);
}

static void start_upload(struct copy_operation *copy)
{
    AUTO_FREE char *scope = scope_of_copy(copy);
    struct exchange_request request = {.method = "PUT",
                                       .target = copy->upload,
                                       .scope = scope,
                                       .content_type = "application/octet-stream",
                                       .body_size = copy->size,
                                       .effect = EFFECT_REPEATABLE,
                                       .companion = true,
                                       .read = on_room,
                                       .stream = copy};

    operation_send(&copy->operation, &request, on_uploaded);
}

static void start_download(struct copy_operation *copy)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *scope = scope_of_copy(copy);
    struct exchange_request request = {.method = "GET",
                                       .scope = scope,
                                       .max_body_bytes = copy->size > 0 ? copy->size : 1,
                                       .write = on_piece,
                                       .stream = copy};
    struct error error = {0};

    if (path_of_digest(copy->from, "blobs", &copy->digest, &path, &error) < 0) {
        operation_fail(&copy->operation, &error);
        return;
    }
    copy->ring = memory_new(RING_SIZE);
    copy->hash = hash_new(copy->digest.algorithm == DIGEST_SHA512 ? HASH_SHA512 : HASH_SHA256);
    request.target = path;
    copy->download = exchange_start(copy->operation.registry, &request, on_downloaded, copy);
}

/* The session's address with the digest behind it. It must be the registry's own: the blob and our
 * credentials go there. */
static int read_session(struct copy_operation *copy, const struct exchange_answer *answer,
                        struct error *err)
{
    const char *target = http_response_header(answer->response, "location");
    char digest[DIGEST_TEXT_SIZE];
    AUTO_TEXT struct text path = {0};
    struct url url = {0};
    int rc;

    if (!target)
        return error_set(err, FAILURE_INPUT,
                         "the registry opened an upload and does not say where");
    rc = location_resolve(answer->url, target, &url, err);
    if (rc < 0)
        return error_wrap(err, "the upload's address");
    if (!url_same_origin(&copy->operation.registry->url, &url)) {
        rc = error_set(err, FAILURE_INPUT, "the upload's address is on another host, %s",
                       url.host_port);
    } else {
        text_format(&path, "%s%cdigest=", url.path, strchr(url.path, '?') ? '&' : '?');
        url_encode(&path, digest_format(&copy->digest, digest));
        copy->upload = text_take(&path);
    }
    url_release(&url);
    return rc;
}

static void send_mount(struct copy_operation *copy);

static void on_created(void *argument, const struct registry_answer *answer)
{
    struct copy_operation *copy = argument;

    copy->creation = 0;
    if (answer->error)
        operation_fail(&copy->operation, answer->error);
    else
        send_mount(copy);
}

/* There are registries where somebody has to make a repository before it can be pushed to. */
static bool lacks_repository(const struct copy_operation *copy,
                             const struct exchange_answer *answer)
{
    return !copy->created && exchange_status(answer) == 404 &&
           errors_has_code(answer->response, "NAME_UNKNOWN") &&
           ecr_may_create(copy->operation.registry, copy->to);
}

static void on_mount(void *argument, const struct exchange_answer *answer)
{
    struct copy_operation *copy = argument;
    struct registry *registry = copy->operation.registry;
    struct error error = {0};

    copy->operation.exchange = NULL;
    if (lacks_repository(copy, answer)) {
        copy->created = true;
        copy->creation = ecr_create_repository(registry, copy->to, on_created, copy);
        return;
    }
    if (answer->error) {
        error = *answer->error;
        if (registry->ecr && error.kind == FAILURE_ABSENT)
            (void)error_hint(&error, "make this repository in Amazon ECR, or set quarantine-means: "
                                     "copy to have it made below quarantine-prefix");
        operation_fail(&copy->operation, &error);
        return;
    }
    if (exchange_status(answer) == 201) {
        registry->abilities.mount = ANSWER_YES;
        finish(copy, true);
        return;
    }
    if (registry->abilities.mount == ANSWER_UNKNOWN)
        registry->abilities.mount = ANSWER_NO;
    if (read_session(copy, answer, &error) < 0)
        operation_fail(&copy->operation, &error);
    else
        start_download(copy);
}

static void send_mount(struct copy_operation *copy)
{
    char digest[DIGEST_TEXT_SIZE];
    AUTO_FREE char *scope = scope_of_copy(copy);
    AUTO_TEXT struct text path = {0};
    struct exchange_request request = {
        .method = "POST", .scope = scope, .body = "", .effect = EFFECT_REPEATABLE};

    text_format(&path, "/v2/%s/blobs/uploads/?mount=", copy->to);
    url_encode(&path, digest_format(&copy->digest, digest));
    text_add(&path, "&from=");
    url_encode(&path, copy->from);
    request.target = text_data(&path);
    operation_send(&copy->operation, &request, on_mount);
}

static void on_look(void *argument, const struct exchange_answer *answer)
{
    struct copy_operation *copy = argument;
    int status = exchange_status(answer);

    copy->operation.exchange = NULL;
    if (!answer->error) {
        finish(copy, true);
        return;
    }
    /* Not there, or HEAD is not answered here: the mount finds out. */
    if (status == 404 || status == 405 || status == 501 || status == 400)
        send_mount(copy);
    else
        operation_fail(&copy->operation, answer->error);
}

static int prepare(const struct registry_blob_copy *wanted, char **ret_path, struct error *err)
{
    AUTO_FREE char *from = NULL;
    int rc = path_of_digest(wanted->from, "blobs", &wanted->digest, &from, err);

    if (rc == 0)
        rc = path_of_digest(wanted->to, "blobs", &wanted->digest, ret_path, err);
    return rc;
}

uint64_t registry_copy_blob(struct registry *registry, const struct registry_blob_copy *wanted,
                            registry_done_f *done, void *argument)
{
    char digest[DIGEST_TEXT_SIZE];
    AUTO_FREE char *from = text_printable(wanted->from ? wanted->from : "", 255);
    AUTO_FREE char *to = text_printable(wanted->to ? wanted->to : "", 255);
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *scope = NULL;
    struct exchange_request request = {.method = "HEAD"};
    struct copy_operation *copy =
        operation_new(registry, sizeof(*copy), done, argument,
                      text_new("copy of blob %s from %s to %s",
                               digest_format(&wanted->digest, digest), from, to));

    copy->operation.release = release;
    if (prepare(wanted, &path, &copy->operation.error) < 0)
        return operation_refuse(&copy->operation);
    copy->from = memory_copy_text(wanted->from);
    copy->to = memory_copy_text(wanted->to);
    copy->digest = wanted->digest;
    copy->size = wanted->size;
    copy->nudge = timer_new(registry->loop, nudge, copy);
    scope = scope_of_copy(copy);
    request.target = path;
    request.scope = scope;
    operation_send(&copy->operation, &request, on_look);
    return copy->operation.id;
}
