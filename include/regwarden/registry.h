/* Client of one registry: OCI distribution-spec 1.1 plus what real registries add or lack.
 *
 * Every byte that comes back is verified (digest and size) before the caller sees it, but for those
 * of streams. Credentials
 * go only to the registry's own origin and to token realms that are its own host or allow-listed.
 * Requests are limited in number, retried with backoff and jitter where that is safe, and stopped
 * by a circuit breaker while the registry is down (FAILURE_LATER with retry_after_ms). Names that
 * reach this room were checked by the grammar; it checks again and refuses (FAILURE_INPUT).
 * All operations end with exactly one callback on the loop, never from within the call; also when
 * the registry is freed, which must not be done from within one of its callbacks. Loop thread. */
#ifndef REGWARDEN_REGISTRY_H
#define REGWARDEN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/config.h"
#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/text.h"

struct loop;
struct registry; /* opaque */

/* Reads the credentials that the settings name. FAILURE_INPUT, FAILURE_ABSENT. The settings must
 * outlive the registry. */
int registry_new(struct loop *loop, const struct config_registry *settings, struct registry **ret,
                 struct error *err);
void registry_free(struct registry *registry);
const char *registry_get_name(const struct registry *registry);

/* What the registry was seen to be able to do; unknown until it was tried. */
struct registry_abilities {
    enum answer tag_delete, manifest_delete, referrers_api, mount, catalog;
    enum answer labels;         /* on single images: registry_add_label() */
    enum answer archive;        /* registry_archive() */
    enum answer scan_reports;   /* registry_fetch_scan_report() */
    enum answer keeps_untagged; /* registry_delete_tag() takes no image along: it stays without
                                   tags, or the last tag is not removed */
};
void registry_abilities(const struct registry *registry, struct registry_abilities *ret);
/* The type in the settings, or what was found out; REGISTRY_TYPE_AUTO until it is known. */
enum registry_type registry_get_type(const struct registry *registry);

struct registry_counters {
    uint64_t requests, retries, failures, throttled, bytes_received, token_requests;
    bool breaker_open;
    size_t active, waiting;
};
void registry_counters(const struct registry *registry, struct registry_counters *ret);

struct registry_answer {       /* everything borrowed until the callback returns */
    const struct error *error; /* NULL on success */
    const char *bytes;         /* manifest or blob */
    size_t size;
    const char *media_type; /* of a manifest: the Content-Type without parameters, "" when there was
                               none */
    struct digest digest;   /* of a manifest (computed; or of a HEAD: as told), or blob */
    const struct text_list *names; /* tags or repositories of one page */
    bool more;    /* further pages follow (further callbacks); set on every page but the last */
    bool mounted; /* of a blob copy: no bytes were moved */
};
typedef void registry_done_f(void *argument, const struct registry_answer *answer);

/* reference: a tag or a digest text. By digest: the bytes must have that digest. */
uint64_t registry_fetch_manifest(struct registry *registry, const char *repository,
                                 const char *reference, registry_done_f *done, void *argument);
/* HEAD, or GET where HEAD does not tell: digest and media type only. FAILURE_ABSENT when the tag is
 * not there. */
uint64_t registry_resolve(struct registry *registry, const char *repository, const char *reference,
                          registry_done_f *done, void *argument);
/* Collects a small blob (config). `size` as the descriptor says: another length is refused. */
uint64_t registry_fetch_blob(struct registry *registry, const char *repository,
                             const struct digest *digest, uint64_t size, registry_done_f *done,
                             void *argument);
/* Bytes of a blob as they come, not verified yet. Returns 0 to go on, 1 to pause after these bytes
 * until the stream is resumed, or a negative failure that ends it with that failure. Does not
 * cancel the stream itself. */
struct blob_stream {
    int (*write)(void *argument, const void *bytes, size_t size, struct error *err);
    void *argument;
};

/* A layer, of any size: bytes come as they arrive, and one answer without bytes when exactly as
 * many came as the descriptor says. They are not hashed here: whoever takes them compares the
 * digest. A stream that breaks goes on where it broke, as long as it gets ahead. There is no time
 * for the whole, only for silence; of the registry's places, streams take at most half. The
 * descriptor's `urls` are never followed. FAILURE_INPUT for fewer or more bytes. */
uint64_t registry_stream_blob(struct registry *registry, const char *repository,
                              const struct descriptor *blob, const struct blob_stream *stream,
                              registry_done_f *done, void *argument);
void registry_resume(struct registry *registry, uint64_t id); /* after a pause */
uint64_t registry_ping(struct registry *registry, registry_done_f *done, void *argument);

/* Pages of tags or repositories; the callback comes once per page. Loops and foreign hosts in Link
 * are refused. */
uint64_t registry_list_tags(struct registry *registry, const char *repository,
                            registry_done_f *done, void *argument);
uint64_t registry_list_repositories(struct registry *registry, registry_done_f *done,
                                    void *argument);
/* Referrers API, else the fallback tag; `bytes` is an index (empty one when there are none). */
uint64_t registry_fetch_referrers(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument);

/* Writes. A lost answer is FAILURE_UNCERTAIN: look before you repeat. */
struct registry_manifest_put {
    const char *repository;
    const char *reference; /* tag or digest */
    const char *media_type;
    const char *bytes;
    size_t size;
};
uint64_t registry_put_manifest(struct registry *registry, const struct registry_manifest_put *put,
                               registry_done_f *done, void *argument);
/* Removes the manifest AND every tag that points at it: the caller has made sure that nobody needs
 * them. */
uint64_t registry_delete_manifest(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument);
/* Removes one tag only. FAILURE_DENIED with abilities.tag_delete = no where the registry cannot.
 * FAILURE_LIMIT where it is the image's last tag and the registry would remove the image with it
 * (Amazon ECR): nothing was done, and registry_delete_manifest() is the way once nobody needs the
 * image. FAILURE_ABSENT also when the tag was moved in the meantime. */
uint64_t registry_delete_tag(struct registry *registry, const char *repository, const char *tag,
                             registry_done_f *done, void *argument);
/* Makes the blob of `from` present in `to`: nothing when it is there, else mount, else streamed
 * through with bounded memory. */
struct registry_blob_copy {
    const char *from;
    const char *to;
    struct digest digest;
    uint64_t size;
};
uint64_t registry_copy_blob(struct registry *registry, const struct registry_blob_copy *copy,
                            registry_done_f *done, void *argument);

/* --- what only some kinds of registries have --- */

/* Labels on single images (Harbor). The label is made when it is not there; having it already, or
 * not having it when it is taken off, is success. FAILURE_DENIED with abilities.labels = no where
 * images have no labels. */
struct registry_label {
    const char *repository;
    struct digest digest;
    const char *name;        /* exact */
    const char *description; /* for a label that is made; may be NULL */
};
uint64_t registry_add_label(struct registry *registry, const struct registry_label *label,
                            registry_done_f *done, void *argument);
uint64_t registry_remove_label(struct registry *registry, const struct registry_label *label,
                               registry_done_f *done, void *argument);

/* Makes the image, under all of its tags, impossible to pull until it is restored (ECR: storage
 * class ARCHIVE). FAILURE_DENIED with abilities.archive = no elsewhere. */
uint64_t registry_archive(struct registry *registry, const char *repository,
                          const struct digest *digest, registry_done_f *done, void *argument);
uint64_t registry_restore(struct registry *registry, const char *repository,
                          const struct digest *digest, registry_done_f *done, void *argument);

/* The newest report of the registry's own scanner: `bytes`, and in `media_type` its form (see
 * vulnerabilities.h). FAILURE_ABSENT: the image was not scanned; FAILURE_LATER: the scan goes on;
 * FAILURE_DENIED with abilities.scan_reports = no: there is no scanner. */
uint64_t registry_fetch_scan_report(struct registry *registry, const char *repository,
                                    const struct digest *digest, registry_done_f *done,
                                    void *argument);

/* --- walking, a page per call ---
 * The caller asks for the next page when it wants it, so that it sets the pace and can go on after
 * a restart: the cursor is printable text of the registry's kind, at most 1024 bytes; NULL or "":
 * from the start. A cursor that the registry does not take any more (what it named is gone) is
 * FAILURE_ABSENT: start over. Whatever the registry answers, memory holds one page. */
struct registry_row {     /* of a page of images; borrowed */
    const char *tag;      /* NULL: untagged */
    struct digest digest; /* DIGEST_NONE: the listing does not say, see registry_resolve() */
    const struct text_list *labels; /* NULL: the listing does not say */
    int64_t pushed_ms;              /* 0: does not say */
};
struct registry_page {               /* borrowed until the callback returns */
    const struct error *error;       /* NULL on success */
    const struct registry_row *rows; /* of images */
    size_t row_count;
    const struct text_list *repositories; /* of repositories; else NULL */
    const char *cursor;                   /* for the next page; NULL: this was the last one */
};
typedef void registry_page_f(void *argument, const struct registry_page *page);
uint64_t registry_page_of_repositories(struct registry *registry, const char *cursor,
                                       registry_page_f *done, void *argument);
uint64_t registry_page_of_images(struct registry *registry, const char *repository,
                                 const char *cursor, registry_page_f *done, void *argument);

/* The callback is not called any more; a write may still happen. Unknown ids are ignored. */
void registry_cancel(struct registry *registry, uint64_t id);

#endif
