/* Gathering: from a reference to facts. Fetches the manifest, the children of an index, and the
 * configs that are not known yet.
 *
 * Works over any image_source: a registry, or local files. What is illegal (confused manifests,
 * wrong digests) comes back as an error of kind FAILURE_INPUT; a child that cannot be had makes
 * that child's facts absent with a reason, not the whole thing. Attestations and other artifacts
 * are recognised and not judged. A layer that is gone, too large or unreadable leaves FACT_FILES
 * partial with the reason; one that is no legal layer, or not the bytes that the manifest names,
 * makes the image illegal (FAILURE_INPUT); one that may be had later fails the image with that
 * error. Layers that are named by `urls` only are not followed. An index inside an index is refused
 * as that child: no builder makes them, and a refused child is never a pass. Loop thread. */
#ifndef REGWARDEN_GATHER_H
#define REGWARDEN_GATHER_H

#include "regwarden/facts.h"
#include "regwarden/reference.h"
#include "regwarden/registry.h"

struct loop;

/* Where bytes come from. Calls end with one registry_done_f, never from within. */
struct image_source {
    uint64_t (*fetch_manifest)(void *self, const char *repository, const char *reference,
                               registry_done_f *done, void *argument);
    uint64_t (*fetch_blob)(void *self, const char *repository, const struct digest *digest,
                           uint64_t size, registry_done_f *done, void *argument);
    /* A layer, of any size; `done` comes after the last byte, with error or without. The
     * descriptor's digest is compared by whoever gets the bytes. */
    uint64_t (*stream_blob)(void *self, const char *repository, const struct descriptor *blob,
                            const struct blob_stream *stream, registry_done_f *done,
                            void *argument);
    void (*resume)(void *self, uint64_t id);
    /* The index of what refers to this digest, as registry_fetch_referrers() gives it; NULL where
     * there is no such thing. */
    uint64_t (*fetch_referrers)(void *self, const char *repository, const struct digest *digest,
                                registry_done_f *done, void *argument);
    /* As registry_fetch_scan_report(); NULL where nobody scans. */
    uint64_t (*fetch_scan_report)(void *self, const char *repository, const struct digest *digest,
                                  registry_done_f *done, void *argument);
    void (*cancel)(void *self, uint64_t id);
    void *self;
    struct loop *loop; /* to tell later what is known already; NULL: known digests are fetched once
                          more */
};
struct image_source registry_image_source(struct registry *registry);

/* A local image as source: an OCI layout in a directory or in a tar, or what `docker save` wrote.
 * reference: name of index.json or manifest.json, digest (also the image id of a docker-archive),
 * or "" for the only one. Archives are read in place; nothing is unpacked. Small documents are read
 * on the calling thread, bounded; layers by a thread of the source. The digest of an image in a
 * docker-archive that holds no manifest is that of a manifest which is written for it from its
 * config and layers: it names the image here and in no registry. FAILURE_ABSENT, FAILURE_INPUT,
 * FAILURE_LIMIT, FAILURE_SYSTEM. */
struct local_source; /* opaque */
int local_source_new(struct loop *loop, enum reference_transport transport, const char *path,
                     struct local_source **ret, struct error *err);
void local_source_free(struct local_source *local); /* what is asked for ends with FAILURE_LATER */
struct image_source local_image_source(struct local_source *local);

enum {
    GATHER_CHILDREN_MAX = 64,           /* runnable children of an index that are judged; more is
                                           FAILURE_LIMIT */
    GATHER_BYTES_MAX = 16 * 1024 * 1024 /* manifests and configs of one index together; what is
                                           over it is FAILURE_LIMIT, child by child */
};

/* Who can tell what is in layers: layers.h. Callbacks never come from within the calls. */
typedef void layer_done_f(void *argument, const struct error *error); /* NULL: it is known now */
typedef void layers_merged_f(void *argument, const struct error *error, struct facts **facts);
struct layer_reader {
    /* Makes one layer known: looks into it unless that was done before. FAILURE_INPUT: no legal
     * layer, or not the bytes of its digest. FAILURE_LIMIT, FAILURE_SYSTEM: it cannot be read, and
     * will not be the next time. Else as the source says. */
    uint64_t (*read)(void *self, const struct image_source *source, const char *repository,
                     const struct descriptor *layer, layer_done_f *done, void *argument);
    /* Takes the facts and adds FACT_FILES from the image's layers, all of which were read but for
     * those with a reason in `missing` (one per layer, NULL: read; copied). The callback gets the
     * facts back, with error or without, and may TAKE them. */
    uint64_t (*merge_take)(void *self, struct facts *facts, const char *const *missing,
                           layers_merged_f *done, void *argument);
    /* Was all that would be asked of the layers today asked already, and answered? */
    bool (*covers)(void *self, const struct facts_files *files);
    void (*cancel)(void *self, uint64_t id);
    void *self;
};

struct gathered_image {
    struct digest digest;
    char *platform; /* "linux/amd64", "" when the index does not say and the config is missing */
    struct facts *facts; /* owned by the result until taken; NULL when `error` is set */
    struct error error;  /* kind NONE when facts are there */
    bool known;          /* facts came from `lookup`, nothing was fetched */
};

struct gathered {
    struct error error;   /* kind NONE, or why nothing could be had: then all below is empty */
    struct digest digest; /* what the reference resolved to */
    char *media_type;
    enum manifest_kind kind; /* artifacts and attestations: no images, no error */
    struct digest subject;   /* what it says that it refers to; DIGEST_NONE: nothing */
    struct facts
        *index; /* facts of the index itself (manifest group only), NULL for a single image */
    struct gathered_image *images; /* one for a single image; the runnable children of an index */
    size_t image_count;
};
void gathered_release(struct gathered *gathered);

struct gather_options {
    unsigned needs; /* FACT_BITs that the policies want */
    /* Which of them this image is worth, of which all but its layers is known: asked before those
     * are read. NULL: all. See policy_set_needs_of(). */
    unsigned (*needs_of)(void *argument, const struct facts *facts);
    void *needs_of_argument;
    const unsigned char *salt; /* of secret hashes, 32 bytes; NULL: none */
    /* Facts that are known already (store, cache). Returns new or NULL; asked at most once per
     * digest. May be NULL. */
    struct facts *(*lookup)(void *argument, const struct digest *digest);
    void *lookup_argument;
    /* Known facts never change, but for what others say of the image: signatures and attestations
     * come later, too. With this they are looked for once more. Reports of vulnerability scanners
     * always are; when no new one of the registry's scanner can be had, the known one is kept, and
     * said to be old. */
    bool evidence_anew;
    /* Each image of an index whose layers were read, when all is known of it that will be: an
     * index may name so many that nobody can hold the files of all at once. It may take them out of
     * the facts. Not from within gather_start(). May be NULL. */
    void (*child_done)(void *argument, struct gathered_image *image);
    void *child_done_argument;
    const struct layer_reader *layers; /* for FACT_FILES; NULL: that group stays absent. Borrowed */
    const char *tag; /* that the digest of the reference stands under, or that is the reference;
                        NULL: none. Borrowed until the end */
};

/* The result belongs to the callback, which may take parts out of it (TAKE) before it returns; the
 * rest is released. */
typedef void gather_done_f(void *argument, struct gathered *gathered);
uint64_t gather_start(const struct image_source *source, const char *repository,
                      const char *reference, const struct gather_options *options,
                      gather_done_f *done, void *argument);
void gather_cancel(uint64_t id); /* no callback any more */

#endif
