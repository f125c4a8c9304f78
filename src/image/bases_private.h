/* Inside the catalogue of bases. Private to the room. */
#ifndef IMAGE_BASES_PRIVATE_H
#define IMAGE_BASES_PRIVATE_H

#include "regwarden/bases.h"
#include "regwarden/map.h"

struct base_set { /* of images that share something; borrowed from the catalogue */
    struct base_image **items;
    size_t count;
    size_t capacity;
};

struct base_catalogue {
    struct base_image **images;
    size_t count;
    size_t capacity;
    struct map *by_digest;     /* of the manifest: one image */
    struct map *by_index;      /* of the index: a set */
    struct map *by_repository; /* full name without tag: a set */
    struct map *by_chain;      /* key of the whole chain, see base_chain: a set */
    char revision[65];
    bool revision_is_known;
};

const struct base_set *base_set_of_digest(const struct map *map, const struct digest *digest);
/* Images that were ever seen under a name in this repository. `full` is a full name. */
const struct base_set *base_set_of_repository(const struct base_catalogue *catalogue,
                                              const char *full);
/* Takes the image; no other of its digest may be there. */
int base_catalogue_insert_take(struct base_catalogue *catalogue, struct base_image *image,
                               struct error *err);

/* A running hash over digests, bottom first: equal keys mean equal layers up to there. */
struct base_chain {
    uint8_t sum[32];
    char key[66]; /* 'm' for layers of manifests, 'd' for diff_ids, then hex; "" when a digest is of
                     a kind that equals nothing */
};
void base_chain_begin(struct base_chain *chain, char kind);
void base_chain_add(struct base_chain *chain, const struct digest *digest);

/* A layer without any file, as builders make them for metadata: many images share it. */
bool base_layer_is_empty(const struct digest *layer, const struct digest *diff_id);
/* Does the image begin with the first `count` layers of the base, as stored or by content? */
bool base_is_prefix(const struct base_image *base, size_t count, const struct facts *facts);
bool base_platform_fits(const struct base_image *base, const struct facts *facts);

/* What the layers show. */
struct base_match {
    const struct base_image *image; /* NULL: the image begins with no known one */
    bool history_fits;              /* its history is the beginning of the image's */
    bool by_diff_ids;
    const struct base_image *ancestors[BASE_ANCESTORS_MAX]; /* nearest first */
    size_t ancestor_count;
};
void base_match_find(const struct base_catalogue *catalogue, const struct facts *facts,
                     struct base_match *ret);
/* The claims say which of several it is: tells anew what history says of it. */
void base_match_choose(struct base_match *match, const struct base_image *image,
                       const struct facts *facts);

/* What the name resolves to: the index, or the image itself. */
const struct digest *base_name_digest(const struct base_image *image, const struct base_name *name);
/* `full` is the claim's name in full; both NULL when no claim names the image. */
void base_set_known(struct facts_base *base, const struct base_image *image,
                    const struct base_claim *claim, const char *full);
void base_add_ancestor(struct facts_base *base, const struct base_image *image);

#endif
