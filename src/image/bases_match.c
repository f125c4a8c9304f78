/* Which known images does an image begin with? By the digests of its layers as they are stored, and
 * by their diff_ids, which outlive another compression. */
#include <string.h>

#include "bases_private.h"
#include "regwarden/crypto.h"

enum { LAYERS_MAX = 1024 };

void base_chain_begin(struct base_chain *chain, char kind)
{
    *chain = (struct base_chain){.key = {kind}};
}

void base_chain_add(struct base_chain *chain, const struct digest *digest)
{
    uint8_t bytes[sizeof(chain->sum) + 1 + sizeof(digest->bytes)] = {0};
    uint8_t sum[HASH_SIZE_MAX];
    if (digest->algorithm == DIGEST_OTHER || digest->algorithm == DIGEST_NONE)
        chain->key[0] = '\0';
    if (!chain->key[0])
        return;
    memcpy(bytes, chain->sum, sizeof(chain->sum));
    bytes[sizeof(chain->sum)] = (uint8_t)digest->algorithm;
    memcpy(bytes + sizeof(chain->sum) + 1, digest->bytes,
           digest->algorithm == DIGEST_SHA256 ? 32 : sizeof(digest->bytes));
    crypto_hash(HASH_SHA256, bytes, sizeof(bytes), sum);
    memcpy(chain->sum, sum, sizeof(chain->sum));
    crypto_hex(chain->sum, sizeof(chain->sum), chain->key + 1);
}

/* A running fingerprint over history entries. */
static void history_add(struct digest *sum, const struct history_entry *entry)
{
    char before[DIGEST_TEXT_SIZE];
    AUTO_FREE char *text =
        text_new("%s\n%zu %zu %zu\n%s%s%s\n%d %lld %d", digest_format(sum, before),
                 strlen(entry->created_by), strlen(entry->comment), strlen(entry->author),
                 entry->created_by, entry->comment, entry->author, (int)entry->has_created,
                 (long long)(entry->has_created ? entry->created_ms : 0), (int)entry->empty_layer);
    digest_compute(NULL, text, strlen(text), sum);
}

/* A tar of nothing, and its gzip by docker and by BuildKit. */
static const char *const empty_layers[] = {
    "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
};

static bool is_one_of_them(const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];
    digest_format(digest, text);
    for (size_t i = 0; i < ARRAY_COUNT(empty_layers); i++)
        if (text_equal(text, empty_layers[i]))
            return true;
    return false;
}

bool base_layer_is_empty(const struct digest *layer, const struct digest *diff_id)
{
    return is_one_of_them(layer) || (diff_id && is_one_of_them(diff_id));
}

/* --- one base against one image --- */

static size_t diff_ids_of(const struct facts *facts)
{
    const struct image_config *config = facts->config;
    return config && config->diff_id_count == facts->manifest->layer_count ? config->diff_id_count
                                                                           : 0;
}

bool base_is_prefix(const struct base_image *base, size_t count, const struct facts *facts)
{
    const struct manifest *manifest = facts->manifest;
    bool stored = count <= base->layer_count && count <= manifest->layer_count;
    bool content = count <= base->diff_id_count && count <= diff_ids_of(facts);
    for (size_t i = 0; i < count && (stored || content); i++) {
        stored = stored && digest_equal(&base->layers[i], &manifest->layers[i].digest);
        content = content && digest_equal(&base->diff_ids[i], &facts->config->diff_ids[i]);
    }
    return stored || content;
}

bool base_platform_fits(const struct base_image *base, const struct facts *facts)
{
    if (!facts->config || !base->platform[0])
        return true;
    AUTO_FREE char *platform = platform_format(&facts->config->platform);
    return !platform[0] || text_equal(platform, base->platform);
}

static bool history_fits(const struct base_image *base, const struct facts *facts)
{
    struct digest sum = {0};
    if (!facts->config || base->history_count == 0 ||
        base->history_count > facts->config->history_count)
        return false;
    for (size_t i = 0; i < base->history_count; i++)
        history_add(&sum, &facts->config->history[i]);
    return digest_equal(&sum, &base->history);
}

/* --- the longest --- */

struct search {
    const struct base_catalogue *catalogue;
    const struct facts *facts;
    size_t count;                                  /* layers */
    const struct base_set *stored[LAYERS_MAX + 1]; /* by number of layers */
    const struct base_set *content[LAYERS_MAX + 1];
    size_t solid; /* number of layers up to the first that is not empty: less proves nothing */
};

static void look_up(struct search *search)
{
    const struct manifest *manifest = search->facts->manifest;
    size_t diff_ids = diff_ids_of(search->facts);
    struct base_chain stored, content;
    base_chain_begin(&stored, 'm');
    base_chain_begin(&content, 'd');
    search->solid = search->count + 1;
    for (size_t i = 0; i < search->count; i++) {
        const struct digest *diff_id = diff_ids ? &search->facts->config->diff_ids[i] : NULL;
        base_chain_add(&stored, &manifest->layers[i].digest);
        if (stored.key[0])
            search->stored[i + 1] = map_get(search->catalogue->by_chain, stored.key);
        if (diff_id)
            base_chain_add(&content, diff_id);
        if (diff_id && content.key[0])
            search->content[i + 1] = map_get(search->catalogue->by_chain, content.key);
        if (search->solid > search->count &&
            !base_layer_is_empty(&manifest->layers[i].digest, diff_id))
            search->solid = i + 1;
    }
}

static bool is_current(const struct base_image *image)
{
    for (size_t i = 0; i < image->name_count; i++)
        if (!image->names[i].superseded_ms)
            return true;
    return false;
}

static bool is_better(const struct base_image *image, bool fits, const struct base_image *best,
                      bool best_fits)
{
    if (!best || fits != best_fits)
        return !best || fits;
    if (fits && image->history_count != best->history_count)
        return image->history_count > best->history_count;
    if (is_current(image) != is_current(best))
        return is_current(image);
    return image->added_ms < best->added_ms;
}

/* The best of the set for this image; NULL when none may be its base. With all layers of the image
 * it is a base only when history goes on behind it: else it is the same image in another coat. */
static const struct base_image *choose(const struct search *search, const struct base_set *set,
                                       size_t layers, bool *ret_fits)
{
    const struct facts *facts = search->facts;
    const struct base_image *best = NULL;
    for (size_t i = 0; set && i < set->count; i++) {
        const struct base_image *image = set->items[i];
        bool fits = history_fits(image, facts);
        if (digest_equal(&image->digest, &facts->manifest->digest) ||
            !base_platform_fits(image, facts))
            continue;
        if (layers == search->count &&
            (!fits || image->history_count >= facts->config->history_count))
            continue;
        if (!is_better(image, fits, best, *ret_fits))
            continue;
        best = image;
        *ret_fits = fits;
    }
    return best;
}

static const struct base_image *at_depth(const struct search *search, size_t layers, bool *ret_fits,
                                         bool *ret_content)
{
    bool fits = false;
    const struct base_image *image = choose(search, search->stored[layers], layers, &fits);
    *ret_content = false;
    if (!image) {
        image = choose(search, search->content[layers], layers, &fits);
        *ret_content = image;
    }
    *ret_fits = fits;
    return image;
}

static bool top_is_empty(const struct search *search, size_t layers)
{
    const struct facts *facts = search->facts;
    return base_layer_is_empty(&facts->manifest->layers[layers - 1].digest,
                               diff_ids_of(facts) ? &facts->config->diff_ids[layers - 1] : NULL);
}

/* Several tags differ by an empty layer only, and a child that adds one looks like the longer of
 * them: what history says decides as far down as layers are empty. Returns the number of layers, 0
 * when there is none. */
static size_t find_longest(const struct search *search, struct base_match *ret)
{
    size_t found = 0;
    for (size_t layers = search->count; layers >= search->solid && layers > 0; layers--) {
        bool fits, content;
        const struct base_image *image = at_depth(search, layers, &fits, &content);
        if (image && (!ret->image || fits)) {
            ret->image = image;
            ret->history_fits = fits;
            ret->by_diff_ids = content;
            found = layers;
        }
        if (ret->image && (ret->history_fits || !top_is_empty(search, layers)))
            break;
    }
    return found;
}

void base_match_find(const struct base_catalogue *catalogue, const struct facts *facts,
                     struct base_match *ret)
{
    *ret = (struct base_match){0};
    if (!catalogue || catalogue->count == 0 || facts->manifest->layer_count == 0 ||
        facts->manifest->layer_count > LAYERS_MAX)
        return;
    struct search *search = memory_new(sizeof(*search));
    search->catalogue = catalogue;
    search->facts = facts;
    search->count = facts->manifest->layer_count;
    look_up(search);
    size_t layers = find_longest(search, ret);
    while (layers > search->solid && ret->ancestor_count < BASE_ANCESTORS_MAX) {
        bool fits, content;
        const struct base_image *image = at_depth(search, --layers, &fits, &content);
        if (image)
            ret->ancestors[ret->ancestor_count++] = image;
    }
    free(search);
}

void base_match_choose(struct base_match *match, const struct base_image *image,
                       const struct facts *facts)
{
    if (image == match->image)
        return;
    match->image = image;
    match->history_fits = history_fits(image, facts);
}

/* --- an image as a base --- */

static int copy_layers(const struct facts *facts, struct base_image *ret, struct error *err)
{
    const struct manifest *manifest = facts->manifest;
    bool solid = false;
    ret->layer_count = manifest->layer_count;
    ret->layers = memory_new_array(ret->layer_count, sizeof(*ret->layers));
    ret->diff_id_count = diff_ids_of(facts);
    ret->diff_ids = memory_new_array(ret->diff_id_count, sizeof(*ret->diff_ids));
    for (size_t i = 0; i < ret->layer_count; i++)
        ret->layers[i] = manifest->layers[i].digest;
    for (size_t i = 0; i < ret->diff_id_count; i++)
        ret->diff_ids[i] = facts->config->diff_ids[i];
    for (size_t i = 0; i < ret->layer_count; i++)
        solid = solid || !base_layer_is_empty(&ret->layers[i],
                                              ret->diff_id_count ? &ret->diff_ids[i] : NULL);
    return solid ? 0 : error_set(err, FAILURE_INPUT, "the image has no layer to be known by");
}

int base_image_from_facts(const struct facts *facts, struct base_image **ret, struct error *err)
{
    const struct manifest *manifest = facts->manifest;
    if (!manifest || manifest->kind != MANIFEST_IMAGE || !facts->config)
        return error_set(err, FAILURE_INPUT, "it is no image");
    if (manifest->layer_count > LAYERS_MAX)
        return error_set(err, FAILURE_LIMIT, "it has more than %d layers", (int)LAYERS_MAX);
    struct base_image *image = memory_new(sizeof(*image));
    image->digest = manifest->digest;
    image->platform = platform_format(&facts->config->platform);
    image->has_created = facts->config->has_created;
    image->created_ms = facts->config->created_ms;
    image->history_count = facts->config->history_count;
    for (size_t i = 0; i < image->history_count; i++)
        history_add(&image->history, &facts->config->history[i]);
    int failure = copy_layers(facts, image, err);
    if (failure)
        base_image_free(image);
    else
        *ret = image;
    return failure;
}
