/* The catalogue of known bases, and what an image was built from by the best evidence there is.
 *
 * Builders hardly ever write down what FROM named, labels are inherited by child images, and some
 * annotations are wrong. What cannot be made up is that an image begins with the very layers of a
 * known image. So the catalogue holds the layers of bases, and bases_apply() compares.
 *
 * Facts by digest never change, the catalogue does: facts keep the raw claims, and whoever judges
 * derives the base anew with the catalogue of that moment. Pure; one thread at a time. */
#ifndef REGWARDEN_BASES_H
#define REGWARDEN_BASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"

enum {
    BASES_MAX = 32768,    /* images in a catalogue */
    BASE_NAMES_MAX = 256, /* of one image */
    BASE_NAME_MAX = 512,  /* bytes */
    BASES_VERSION = 1,    /* of the published form */
};

/* One name under which the image was seen. Several tags may name one image, and a tag moves on. */
struct base_name {
    char *name;          /* in full, "docker.io/library/alpine:3.22" */
    struct digest index; /* that the name resolved to, when that was an index; DIGEST_NONE */
    int64_t since_ms;    /* first seen under this name */
    int64_t seen_ms;     /* last seen */
    int64_t
        superseded_ms; /* when the name was first seen to name another image; 0: it is current */
    struct digest successor; /* what it names instead (index or manifest); DIGEST_NONE */
};

struct base_image {
    struct digest digest;  /* of the manifest */
    char *platform;        /* "linux/amd64"; "" when unknown */
    struct digest *layers; /* as the manifest names them, bottom first */
    size_t layer_count;
    struct digest *diff_ids; /* as many as layers, or none */
    size_t diff_id_count;
    struct digest history; /* fingerprint of all history entries */
    size_t history_count;  /* 0: history is not known */
    bool has_created;
    int64_t created_ms; /* as the image says; may be made up: 0001, 1970, 1980 are common */
    int64_t added_ms;   /* to the catalogue */
    struct base_name *names;
    size_t name_count;
    bool changed; /* since it was saved */
};
void base_image_free(struct base_image *image);
/* What the catalogue wants to know of an image. FAILURE_INPUT: it is no image, or has no layers
 * that could be recognised. Returns new, without a name. */
int base_image_from_facts(const struct facts *facts, struct base_image **ret, struct error *err);

struct base_catalogue; /* opaque */
struct base_catalogue *base_catalogue_new(void);
void base_catalogue_free(struct base_catalogue *catalogue);
void base_catalogue_auto_free(struct base_catalogue **catalogue);
#define AUTO_BASE_CATALOGUE AUTO(base_catalogue_auto_free)
size_t base_catalogue_count(const struct base_catalogue *catalogue);
const struct base_image *base_catalogue_at(const struct base_catalogue *catalogue, size_t index);
const struct base_image *base_catalogue_find(const struct base_catalogue *catalogue,
                                             const struct digest *digest);
/* Hex digits that differ when an image could be judged otherwise; times of sighting are not in
 * it. */
const char *base_catalogue_revision(struct base_catalogue *catalogue); /* borrowed */

struct base_sighting {
    const char *name;           /* as in FROM; made full */
    const struct digest *index; /* the index that the name resolved to; NULL: the image itself */
    int64_t at_ms;
};
/* The name was seen to name this image (taken): other images of that name and platform are
 * superseded from now on. FAILURE_INPUT, FAILURE_LIMIT. */
int base_catalogue_see_take(struct base_catalogue *catalogue, struct base_image *image,
                            const struct base_sighting *sighting, struct error *err);
/* Is it known already that the name names this (an index, or an image), and with it no other? Then
 * this counts as a sighting. */
bool base_catalogue_sees_again(struct base_catalogue *catalogue, const char *name,
                               const struct digest *resolved, int64_t at_ms);
/* Forgets every name that the glob matches ("host/repository:tag"), and images that are left
 * without a name: their digests go to `ret_gone` (array of at least base_catalogue_count()).
 * Returns the number of names forgotten. */
size_t base_catalogue_forget(struct base_catalogue *catalogue, const char *glob,
                             struct digest *ret_gone, size_t *ret_gone_count);
/* The images that were changed since they were given here, one at each call; NULL at the end. */
const struct base_image *base_catalogue_next_changed(struct base_catalogue *catalogue,
                                                     size_t *position);

/* The published form, what `regwarden base list --json` writes: {"basesVersion": 1, "bases": […]}.
 * Returns new. */
struct json *base_catalogue_to_json(const struct base_catalogue *catalogue);
int base_catalogue_from_json(const struct json *json, struct base_catalogue **ret,
                             struct error *err);
/* One of its bases. Returns new. */
struct json *base_image_to_json(const struct base_image *image);
int base_catalogue_add_json(struct base_catalogue *catalogue, const struct json *image,
                            struct error *err);

/* Names in full: Docker's short names get their registry ("alpine" is
 * "docker.io/library/alpine:latest"), a digest behind them is taken off, and with it no tag is
 * added. Returns new; NULL when it is no name of an image. */
char *base_name_full(const char *name);
/* Do two full names name the same? Without a tag any will do. */
bool base_name_matches(const char *a, const char *b);

/* Derives facts->base from its claims, the history and the catalogue (NULL: none is known), and the
 * origin of each history step. May be done any number of times; the last catalogue counts. */
void bases_apply(const struct base_catalogue *catalogue, struct facts *facts);

#endif
