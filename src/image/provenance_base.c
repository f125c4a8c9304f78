/* What a BuildKit statement says of the base: from the Dockerfile's text, from the build graph, and
 * from the materials, best first; and which part each material has in the build. */
#include <string.h>

#include "provenance_read.h"
#include "regwarden/crypto.h"
#include "regwarden/dockerfile.h"
#include "regwarden/secret_text.h"

struct search {
    const struct predicate *predicate;
    const struct manifest *manifest;
    struct provenance *statement;
    struct dockerfile *dockerfile; /* NULL when its text is not there */
    const struct dockerfile_stage *root;
    struct graph_base graph;
};

static const struct json *arguments(const struct search *search)
{
    return json_get(search->predicate->request, "args");
}

/* "build-arg:X" and "context:X" of the frontend's arguments. They may hold secrets: nothing of them
 * is kept. */
static void take_arguments(const struct search *search, const char *prefix, struct text_pairs *to)
{
    const struct json *args = arguments(search);

    for (void *i = json_iterate(args); i; i = json_next(args, i)) {
        const char *key = json_iterator_key(i);
        const char *value = json_string(json_iterator_value(i));

        if (value && text_starts_with(key, prefix))
            text_pairs_add(to, key + strlen(prefix), value);
    }
}

/* The source file that is a Dockerfile. Several are there when one includes others: the first is
 * the one that was built. */
static const struct json *find_text(const struct search *search)
{
    const struct json *infos = json_get(json_get(search->predicate->metadata, "source"), "infos");

    for (size_t i = 0; i < json_count(infos); i++) {
        const struct json *info = json_at(infos, i);
        const char *language = json_get_string(info, "language");

        if (json_get_string(info, "data") && (!language || text_equal(language, "Dockerfile")))
            return info;
    }
    return NULL;
}

static void keep_text(struct search *search, const struct json *info, const struct text *text)
{
    AUTO_FREE char *masked = NULL;

    if (text->length > PROVENANCE_DOCKERFILE_MAX)
        return;
    masked = secret_text_redact(text_data(text));
    search->statement->dockerfile_name = provenance_text(json_get_string(info, "filename"));
    search->statement->dockerfile = TAKE(masked);
}

static void read_text(struct search *search)
{
    const struct json *info = find_text(search);
    struct text_pairs build_arguments = {0};
    struct text_pairs contexts = {0};
    const struct dockerfile_call call = {.arguments = &build_arguments, .contexts = &contexts};
    AUTO_TEXT struct text text = {0};

    if (!info || crypto_from_base64(json_get_string(info, "data"), &text, NULL) || !text.length)
        return;
    take_arguments(search, "build-arg:", &build_arguments);
    take_arguments(search, "context:", &contexts);
    if (dockerfile_parse(text.data, text.length, &call, &search->dockerfile, NULL) == 0) {
        int target =
            dockerfile_target(search->dockerfile, json_get_string(arguments(search), "target"));

        search->root = target >= 0 ? dockerfile_root(search->dockerfile, target) : NULL;
        keep_text(search, info, &text);
    }
    text_pairs_release(&build_arguments);
    text_pairs_release(&contexts);
}

/* Gives the materials that are this image a role, unless they have one. */
static void give_role(struct search *search, const char *image, enum material_role role)
{
    struct image_name name;

    image_name_split(image, &name);
    for (size_t i = 0; i < search->statement->material_count; i++) {
        struct material *material = &search->statement->materials[i];

        if (material->role == MATERIAL_OTHER && material_is_image(material) &&
            image_name_fits(&name, material))
            material->role = role;
    }
    image_name_release(&name);
}

/* "generator=image,…", the scanner that was asked for. */
static void find_scanner(struct search *search)
{
    static const char usual[] = "buildkit-syft-scanner";
    const char *asked = json_get_string(arguments(search), "attest:sbom");
    const char *generator = asked ? strstr(asked, "generator=") : NULL;

    for (size_t i = 0; i < search->statement->material_count; i++) {
        struct material *material = &search->statement->materials[i];

        if (material->name && text_ends_with(material->name, usual))
            material->role = MATERIAL_SCANNER;
    }
    if (generator) {
        AUTO_TEXT struct text image = {0};

        generator += strlen("generator=");
        text_add_bytes(&image, generator, strcspn(generator, ",\""));
        give_role(search, text_data(&image), MATERIAL_SCANNER);
    }
}

static void find_helpers(struct search *search)
{
    const char *frontend = json_get_string(arguments(search), "source");

    if (frontend)
        give_role(search, frontend, MATERIAL_FRONTEND);
    if (search->dockerfile && search->dockerfile->syntax)
        give_role(search, search->dockerfile->syntax, MATERIAL_FRONTEND);
    find_scanner(search);
}

static bool is_candidate(const struct material *material)
{
    return material_is_image(material) || material->layout;
}

static struct material *material_of_digest(struct search *search, const struct digest *digest,
                                           const char *name)
{
    for (size_t i = 0; i < search->statement->material_count; i++) {
        struct material *material = &search->statement->materials[i];

        if (material_is_image(material) && digest_is_set(digest) &&
            digest_equal(&material->digest, digest) && text_equal(material->name, name))
            return material;
    }
    return NULL;
}

static struct material *material_of_name(struct search *search, const struct image_name *name)
{
    for (size_t i = 0; i < search->statement->material_count; i++) {
        struct material *material = &search->statement->materials[i];

        if (material_is_image(material) && image_name_fits(name, material))
            return material;
    }
    return NULL;
}

static void set_scratch(struct provenance_base *base, enum provenance_base_how how)
{
    base->name = memory_copy_text("scratch");
    base->pinned = ANSWER_YES;
    base->layer_count = 0;
    base->how = how;
}

static void set_name(struct provenance_base *base, const struct image_name *name)
{
    free(base->name);
    free(base->tag);
    base->name = provenance_text(name->name);
    base->tag = provenance_text(name->tag);
    base->digest = name->digest;
}

/* BuildKit drops an entry with a digest beside one of the same name and tag without. */
static bool was_dropped(const struct search *search, const struct image_name *name)
{
    struct image_name unpinned = {.name = name->name, .tag = name->tag};

    for (size_t i = 0; i < search->statement->material_count; i++)
        if (material_is_image(&search->statement->materials[i]) &&
            image_name_fits(&unpinned, &search->statement->materials[i]))
            return true;
    return false;
}

/* The graph names every image by digest, pinned or not: whether it was pinned is told by the
 * material of this digest. */
static void base_from_graph(struct search *search)
{
    struct provenance_base *base = &search->statement->base;
    struct image_name name;
    struct material *material;

    if (search->graph.scratch) {
        set_scratch(base, BASE_HOW_GRAPH);
        return;
    }
    if (!search->graph.image)
        return;
    image_name_split(search->graph.image, &name);
    set_name(base, &name);
    base->how = BASE_HOW_GRAPH;
    material = material_of_digest(search, &name.digest, name.name);
    if (material) {
        base->pinned = material->pinned;
        material->role = MATERIAL_BASE;
    } else if (was_dropped(search, &name)) {
        base->pinned = ANSWER_YES;
    }
    image_name_release(&name);
}

/* The text counts more than the materials, and names the image as its author did. */
static void base_from_text(struct search *search, const struct image_name *name)
{
    struct provenance_base *base = &search->statement->base;
    struct digest resolved = base->digest;
    struct material *material;

    set_name(base, name);
    base->pinned = search->root->pinned;
    base->how = BASE_HOW_DOCKERFILE;
    material = material_of_name(search, name);
    if (material)
        material->role = MATERIAL_BASE;
    if (!digest_is_set(&base->digest))
        base->digest = digest_is_set(&resolved) || !material ? resolved : material->digest;
}

static void take_text_root(struct search *search)
{
    struct provenance_base *base = &search->statement->base;
    struct image_name name;

    if (!search->root)
        return;
    if (!search->root->image) {
        /* Its name depends on the builder. A digest that is written is written. */
        if (search->root->pinned == ANSWER_YES)
            base->pinned = ANSWER_YES;
        return;
    }
    if (text_equal(search->root->image, "scratch")) {
        if (base->how == BASE_HOW_UNKNOWN)
            set_scratch(base, BASE_HOW_DOCKERFILE);
        else if (!search->graph.scratch)
            base->pinned = ANSWER_UNKNOWN; /* text and graph tell different builds */
        else
            base->how = BASE_HOW_DOCKERFILE;
        return;
    }
    image_name_split(search->root->image, &name);
    if (base->name && !text_equal(base->name, name.name))
        base->pinned = ANSWER_UNKNOWN;
    else
        base_from_text(search, &name);
    image_name_release(&name);
}

/* What the other stages start from, and what files are copied from. */
static void give_stages(struct search *search)
{
    const struct dockerfile *file = search->dockerfile;

    for (size_t i = 0; file && i < file->stage_count; i++)
        if (file->stages[i].image)
            give_role(search, file->stages[i].image, MATERIAL_STAGE);
    for (size_t i = 0; file && i < file->images.count; i++)
        give_role(search, file->images.items[i], MATERIAL_STAGE);
    for (size_t i = 0; i < search->statement->material_count; i++) {
        struct material *material = &search->statement->materials[i];

        /* Whatever is no base, frontend or scanner is a stage once the base is known. */
        if (search->statement->base.name && material->role == MATERIAL_OTHER &&
            is_candidate(material))
            material->role = MATERIAL_STAGE;
    }
}

/* When all that it could be were pinned, it was: an entry is dropped only beside one that is not.
 */
static void pinned_by_all(struct search *search)
{
    struct provenance_base *base = &search->statement->base;
    size_t candidates = 0;
    size_t pinned = 0;

    for (size_t i = 0; i < search->statement->material_count; i++) {
        const struct material *material = &search->statement->materials[i];

        if (!is_candidate(material) || material->role == MATERIAL_FRONTEND ||
            material->role == MATERIAL_SCANNER)
            continue;
        candidates++;
        pinned += material->pinned == ANSWER_YES;
    }
    if (base->how == BASE_HOW_UNKNOWN && base->pinned == ANSWER_UNKNOWN && candidates > 0 &&
        candidates == pinned && search->statement->materials_left_out == 0)
        base->pinned = ANSWER_YES;
}

/* The digests of the base's layers stand in the statement. They count when the image begins with
 * them; a base whose layers were packed anew does not tell how many there are. */
static void count_layers(struct search *search)
{
    const struct manifest *manifest = search->manifest;
    const struct json *layers;
    AUTO_FREE char *key = NULL;
    size_t count;

    if (!search->graph.step || !manifest)
        return;
    key = text_new("%s:0", search->graph.step);
    layers = json_at(json_get(json_get(search->predicate->metadata, "layers"), key), 0);
    count = json_count(layers);
    if (count == 0 || count > manifest->layer_count)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_get_string(json_at(layers, i), "digest");
        struct digest digest;

        if (!text || digest_parse(text, &digest, NULL) ||
            !digest_equal(&digest, &manifest->layers[i].digest))
            return;
    }
    search->statement->base.layer_count = (int)count;
}

void provenance_find_base(const struct predicate *predicate, const struct manifest *manifest,
                          struct provenance *statement)
{
    struct search search = {.predicate = predicate, .manifest = manifest, .statement = statement};

    read_text(&search);
    graph_find_base(predicate->build_config, &search.graph);
    find_helpers(&search);
    base_from_graph(&search);
    take_text_root(&search);
    give_stages(&search);
    pinned_by_all(&search);
    count_layers(&search);
    dockerfile_auto_free(&search.dockerfile);
    graph_base_release(&search.graph);
}
