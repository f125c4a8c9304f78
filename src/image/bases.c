/* The catalogue of known bases: images, the names under which they were seen, and the indexes to
 * find them by. What is done with it stands in bases_match.c and bases_apply.c. */
#include <assert.h>
#include <string.h>

#include "bases_private.h"
#include "regwarden/crypto.h"

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

void base_image_free(struct base_image *image)
{
    if (!image)
        return;
    for (size_t i = 0; i < image->name_count; i++)
        free(image->names[i].name);
    free(image->names);
    free(image->platform);
    free(image->layers);
    free(image->diff_ids);
    free(image);
}

static void clear_sets(struct map *map)
{
    size_t position = 0;
    const char *key;
    void *value;
    while (map_each(map, &position, &key, &value)) {
        struct base_set *set = value;
        map_remove(map, key);
        free(set->items);
        free(set);
    }
}

struct base_catalogue *base_catalogue_new(void)
{
    struct base_catalogue *catalogue = memory_new(sizeof(*catalogue));
    catalogue->by_digest = map_new();
    catalogue->by_index = map_new();
    catalogue->by_repository = map_new();
    catalogue->by_chain = map_new();
    return catalogue;
}

void base_catalogue_free(struct base_catalogue *catalogue)
{
    if (!catalogue)
        return;
    clear_sets(catalogue->by_index);
    clear_sets(catalogue->by_repository);
    clear_sets(catalogue->by_chain);
    map_free(catalogue->by_digest);
    map_free(catalogue->by_index);
    map_free(catalogue->by_repository);
    map_free(catalogue->by_chain);
    for (size_t i = 0; i < catalogue->count; i++)
        base_image_free(catalogue->images[i]);
    free(catalogue->images);
    free(catalogue);
}

void base_catalogue_auto_free(struct base_catalogue **catalogue)
{
    base_catalogue_free(*catalogue);
    *catalogue = NULL;
}

size_t base_catalogue_count(const struct base_catalogue *catalogue)
{
    return catalogue->count;
}

const struct base_image *base_catalogue_at(const struct base_catalogue *catalogue, size_t index)
{
    assert(index < catalogue->count);
    return catalogue->images[index];
}

static struct base_image *find(const struct base_catalogue *catalogue, const struct digest *digest)
{
    char key[DIGEST_TEXT_SIZE];
    return digest_is_set(digest) ? map_get(catalogue->by_digest, digest_format(digest, key)) : NULL;
}

const struct base_image *base_catalogue_find(const struct base_catalogue *catalogue,
                                             const struct digest *digest)
{
    return find(catalogue, digest);
}

/* --- indexes --- */

static void set_add(struct map *map, const char *key, struct base_image *image)
{
    struct base_set *set = map_get(map, key);
    if (!set) {
        set = memory_new(sizeof(*set));
        map_set(map, key, set);
    }
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == image)
            return;
    set->items = memory_grow(set->items, set->count, &set->capacity, sizeof(struct base_image *));
    set->items[set->count++] = image;
}

const struct base_set *base_set_of_digest(const struct map *map, const struct digest *digest)
{
    char key[DIGEST_TEXT_SIZE];
    return digest_is_set(digest) ? map_get(map, digest_format(digest, key)) : NULL;
}

/* Returns new. */
static char *repository_of(const char *full)
{
    const char *slash = strrchr(full, '/');
    const char *colon = strchr(slash ? slash : full, ':');
    return colon ? memory_copy_bytes(full, (size_t)(colon - full)) : memory_copy_text(full);
}

const struct base_set *base_set_of_repository(const struct base_catalogue *catalogue,
                                              const char *full)
{
    AUTO_FREE char *repository = repository_of(full);
    return map_get(catalogue->by_repository, repository);
}

static void index_name(struct base_catalogue *catalogue, struct base_image *image,
                       const struct base_name *name)
{
    AUTO_FREE char *repository = repository_of(name->name);
    char key[DIGEST_TEXT_SIZE];
    set_add(catalogue->by_repository, repository, image);
    if (digest_is_set(&name->index))
        set_add(catalogue->by_index, digest_format(&name->index, key), image);
}

static void index_chain(struct base_catalogue *catalogue, struct base_image *image, char kind,
                        const struct digest *digests, size_t count)
{
    struct base_chain chain;
    base_chain_begin(&chain, kind);
    for (size_t i = 0; i < count; i++)
        base_chain_add(&chain, &digests[i]);
    if (count > 0 && chain.key[0])
        set_add(catalogue->by_chain, chain.key, image);
}

static void index_image(struct base_catalogue *catalogue, struct base_image *image)
{
    char key[DIGEST_TEXT_SIZE];
    map_set(catalogue->by_digest, digest_format(&image->digest, key), image);
    index_chain(catalogue, image, 'm', image->layers, image->layer_count);
    index_chain(catalogue, image, 'd', image->diff_ids, image->diff_id_count);
    for (size_t i = 0; i < image->name_count; i++)
        index_name(catalogue, image, &image->names[i]);
}

int base_catalogue_insert_take(struct base_catalogue *catalogue, struct base_image *image,
                               struct error *err)
{
    if (catalogue->count >= BASES_MAX || find(catalogue, &image->digest)) {
        bool full = catalogue->count >= BASES_MAX;
        base_image_free(image);
        return full ? error_set(err, FAILURE_LIMIT, "more than %d bases", (int)BASES_MAX)
                    : error_set(err, FAILURE_INPUT, "a base is listed twice");
    }
    catalogue->images = memory_grow(catalogue->images, catalogue->count, &catalogue->capacity,
                                    sizeof(struct base_image *));
    catalogue->images[catalogue->count++] = image;
    catalogue->revision_is_known = false;
    index_image(catalogue, image);
    return 0;
}

/* --- sightings --- */

static const struct digest *resolved_to(const struct base_image *image,
                                        const struct base_sighting *sighting)
{
    return sighting->index && digest_is_set(sighting->index) ? sighting->index : &image->digest;
}

/* The row of this name and index; NULL when there is none. */
static struct base_name *find_name(struct base_image *image, const char *full,
                                   const struct digest *index)
{
    for (size_t i = 0; i < image->name_count; i++) {
        struct base_name *name = &image->names[i];
        bool same = index ? digest_equal(&name->index, index) : !digest_is_set(&name->index);
        if (same && text_equal(name->name, full))
            return name;
    }
    return NULL;
}

static int add_name(struct base_catalogue *catalogue, struct base_image *image, const char *full,
                    const struct base_sighting *sighting, struct error *err)
{
    if (image->name_count >= BASE_NAMES_MAX)
        return error_set(err, FAILURE_LIMIT, "a base has more than %d names", (int)BASE_NAMES_MAX);
    struct base_name name = {
        .name = memory_copy_text(full), .since_ms = sighting->at_ms, .seen_ms = sighting->at_ms};
    if (sighting->index)
        name.index = *sighting->index;
    struct base_name *names = memory_new_array(image->name_count + 1, sizeof(*image->names));
    if (image->name_count > 0)
        memcpy(names, image->names, image->name_count * sizeof(*names));
    free(image->names);
    image->names = names;
    image->names[image->name_count++] = name;
    image->changed = true;
    catalogue->revision_is_known = false;
    index_name(catalogue, image, &name);
    return 0;
}

/* Other images, and this one under another index, are no longer what the name names. */
static void supersede(struct base_catalogue *catalogue, const struct base_image *image,
                      const char *full, const struct base_sighting *sighting)
{
    const struct base_set *set = base_set_of_repository(catalogue, full);
    const struct digest *successor = resolved_to(image, sighting);
    for (size_t i = 0; set && i < set->count; i++) {
        struct base_image *other = set->items[i];
        for (size_t k = 0; k < other->name_count; k++) {
            struct base_name *name = &other->names[k];
            const struct digest *names =
                digest_is_set(&name->index) ? &name->index : &other->digest;
            if (name->superseded_ms || !text_equal(name->name, full) ||
                !text_equal(other->platform, image->platform) || digest_equal(names, successor))
                continue;
            name->superseded_ms = sighting->at_ms;
            name->successor = *successor;
            other->changed = true;
            catalogue->revision_is_known = false;
        }
    }
}

static void see_again(struct base_catalogue *catalogue, struct base_image *image,
                      struct base_name *name, int64_t at_ms)
{
    if (name->superseded_ms) {
        name->superseded_ms = 0; /* the tag was put back */
        name->successor = (struct digest){0};
        image->changed = true;
        catalogue->revision_is_known = false;
    }
    if (at_ms - name->seen_ms < day_ms)
        return; /* not worth a write */
    name->seen_ms = at_ms;
    image->changed = true;
}

int base_catalogue_see_take(struct base_catalogue *catalogue, struct base_image *image,
                            const struct base_sighting *sighting, struct error *err)
{
    AUTO_FREE char *full = base_name_full(sighting->name);
    struct base_image *known = find(catalogue, &image->digest);
    int failure = 0;
    if (!full) {
        base_image_free(image);
        return error_set(err, FAILURE_INPUT, "that is no name of a base");
    }
    if (known) {
        base_image_free(image);
    } else {
        const struct digest digest = image->digest;
        image->added_ms = sighting->at_ms;
        image->changed = true;
        failure = base_catalogue_insert_take(catalogue, image, err);
        known = find(catalogue, &digest);
    }
    if (!known)
        return failure;
    const struct digest *index =
        sighting->index && digest_is_set(sighting->index) ? sighting->index : NULL;
    struct base_name *name = find_name(known, full, index);
    if (name)
        see_again(catalogue, known, name, sighting->at_ms);
    else
        failure = add_name(catalogue, known, full, sighting, err);
    if (!failure)
        supersede(catalogue, known, full, sighting);
    return failure;
}

bool base_catalogue_sees_again(struct base_catalogue *catalogue, const char *name,
                               const struct digest *resolved, int64_t at_ms)
{
    AUTO_FREE char *full = base_name_full(name);
    const struct base_set *set = full ? base_set_of_repository(catalogue, full) : NULL;
    bool known = false;
    for (size_t i = 0; set && i < set->count; i++) {
        struct base_image *image = set->items[i];
        for (size_t k = 0; k < image->name_count; k++) {
            struct base_name *row = &image->names[k];
            if (row->superseded_ms || !text_equal(row->name, full) ||
                !digest_equal(base_name_digest(image, row), resolved))
                continue;
            see_again(catalogue, image, row, at_ms);
            known = true;
        }
    }
    return known;
}

/* --- forgetting --- */

static size_t forget_names(struct base_image *image, const char *glob)
{
    size_t kept = 0;
    size_t count = image->name_count;
    for (size_t i = 0; i < count; i++) {
        if (text_glob_match(glob, image->names[i].name))
            free(image->names[i].name);
        else
            image->names[kept++] = image->names[i];
    }
    image->name_count = kept;
    image->changed |= kept < count;
    return count - kept;
}

static void index_all(struct base_catalogue *catalogue)
{
    clear_sets(catalogue->by_index);
    clear_sets(catalogue->by_repository);
    clear_sets(catalogue->by_chain);
    map_free(catalogue->by_digest);
    catalogue->by_digest = map_new();
    for (size_t i = 0; i < catalogue->count; i++)
        index_image(catalogue, catalogue->images[i]);
}

size_t base_catalogue_forget(struct base_catalogue *catalogue, const char *glob,
                             struct digest *ret_gone, size_t *ret_gone_count)
{
    size_t names = 0;
    size_t kept = 0;
    *ret_gone_count = 0;
    for (size_t i = 0; i < catalogue->count; i++) {
        struct base_image *image = catalogue->images[i];
        size_t forgotten = forget_names(image, glob);
        names += forgotten;
        if (forgotten == 0 || image->name_count > 0) {
            catalogue->images[kept++] = image;
            continue;
        }
        ret_gone[(*ret_gone_count)++] = image->digest;
        base_image_free(image);
    }
    catalogue->count = kept;
    catalogue->revision_is_known = false;
    index_all(catalogue);
    return names;
}

const struct base_image *base_catalogue_next_changed(struct base_catalogue *catalogue,
                                                     size_t *position)
{
    while (*position < catalogue->count) {
        struct base_image *image = catalogue->images[(*position)++];
        if (!image->changed)
            continue;
        image->changed = false;
        return image;
    }
    return NULL;
}

/* --- revision --- */

static void join(uint8_t sum[static 32], const struct base_image *image,
                 const struct base_name *name)
{
    char digests[3][DIGEST_TEXT_SIZE];
    uint8_t own[HASH_SIZE_MAX];
    AUTO_FREE char *text =
        text_new("%s %s %s %s %s %lld", digest_format(&image->digest, digests[0]), image->platform,
                 name->name, digest_format(&name->index, digests[1]),
                 digest_format(&name->successor, digests[2]), (long long)name->superseded_ms);
    crypto_hash(HASH_SHA256, text, strlen(text), own);
    for (size_t i = 0; i < 32; i++)
        sum[i] ^= own[i]; /* in whatever order they were read */
}

const char *base_catalogue_revision(struct base_catalogue *catalogue)
{
    uint8_t sum[32] = {0};
    if (catalogue->revision_is_known)
        return catalogue->revision;
    for (size_t i = 0; i < catalogue->count; i++)
        for (size_t k = 0; k < catalogue->images[i]->name_count; k++)
            join(sum, catalogue->images[i], &catalogue->images[i]->names[k]);
    crypto_hex(sum, sizeof(sum), catalogue->revision);
    catalogue->revision_is_known = true;
    return catalogue->revision;
}
