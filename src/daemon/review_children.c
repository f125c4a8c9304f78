/* The images of an index, one after the other: each is judged as soon as all is known of it, and
 * then its files are let go. What all of them together hold has no bound that memory could keep. */
#include "review.h"

#include "regwarden/facts_files.h"

/* Of the files that known children may bring along, where they cannot be judged at once. */
enum { KNOWN_BYTES_MAX = 512 * 1024, HELD_BYTES_MAX = 8 * 1024 * 1024 };

bool review_has_judged(const struct review *review, const struct digest *digest)
{
    char key[DIGEST_TEXT_SIZE];

    return map_get(review->judged, digest_format(digest, key)) != NULL;
}

bool review_take_judged(struct review *review, const struct digest *digest, struct verdict *ret)
{
    char key[DIGEST_TEXT_SIZE];
    struct verdict *verdict = map_remove(review->judged, digest_format(digest, key));

    if (!verdict)
        return false;
    *ret = *verdict;
    free(verdict);
    return true;
}

void review_forget_judged(struct review *review)
{
    size_t position = 0;
    void *value;

    while (map_each(review->judged, &position, NULL, &value)) {
        verdict_release(value);
        free(value);
    }
    map_free(review->judged);
    review->judged = map_new();
}

/* The first platform that names a digest is the one it is judged for, as it is gathered. */
static void judge(struct review *review, const struct gathered_image *image)
{
    char key[DIGEST_TEXT_SIZE];
    struct verdict *verdict;

    if (review_has_judged(review, &image->digest))
        return;
    verdict = memory_new(sizeof *verdict);
    review_judge_image(review, image, verdict);
    map_set(review->judged, digest_format(&image->digest, key), verdict);
}

void review_child_done(void *argument, struct gathered_image *image)
{
    struct review *review = argument;

    judge(review, image);
    store_keep_facts(review->daemon->store, &image->digest, image->facts);
    image->known = true;
    facts_drop_files(image->facts);
}

/* Will nothing be asked about it that could change what is known? */
static bool is_final(struct review *review, const struct facts *facts)
{
    const unsigned evidence = FACT_BIT(FACT_PROVENANCE) | FACT_BIT(FACT_REFERRERS);

    return (review->event.cause == EVENT_CAUSE_POLICY || !(review_needs(review) & evidence)) &&
           review_has_files(review, facts);
}

static void judge_known(struct review *review, const struct descriptor *child, struct facts *facts)
{
    struct gathered_image image = {
        .digest = child->digest, .platform = platform_format(&child->platform), .facts = facts};

    if (!*image.platform && facts->config) {
        free(image.platform);
        image.platform = platform_format(&facts->config->platform);
    }
    judge(review, &image);
    free(image.platform);
    facts_drop_files(facts);
}

/* What has no place is put together anew from what is known of the layers. */
void review_take_known_take(struct review *review, const struct descriptor *child,
                            struct facts *facts)
{
    char key[DIGEST_TEXT_SIZE];
    size_t bytes = facts_files_bytes(facts->files);

    if (facts->files && is_final(review, facts))
        judge_known(review, child, facts);
    else if (bytes > KNOWN_BYTES_MAX / GATHER_CHILDREN_MAX)
        facts_drop_files(facts);
    facts_free(map_set(review->known, digest_format(&child->digest, key), facts));
}

static bool wants_layers(struct review *review)
{
    const struct gathered *gathered = &review->gathered;

    for (size_t i = 0; i < gathered->image_count; i++)
        if (gathered->images[i].facts && !review_has_files(review, gathered->images[i].facts))
            return true;
    return false;
}

bool review_keeps_for_layers(struct review *review)
{
    struct gathered *gathered = &review->gathered;
    char key[DIGEST_TEXT_SIZE];

    if (!wants_layers(review))
        return false;
    for (size_t i = 0; gathered->index && i < gathered->image_count; i++)
        if (gathered->images[i].facts)
            facts_free(map_set(review->known, digest_format(&gathered->images[i].digest, key),
                               TAKE(gathered->images[i].facts)));
    review->context.facts =
        gathered->index ? TAKE(gathered->index) : TAKE(gathered->images[0].facts);
    gathered_release(gathered);
    review->has_gathered = true;
    return true;
}

void review_hold(struct review *review)
{
    struct daemon *daemon = review->daemon;
    size_t bytes = 0;

    for (size_t i = 0; i < review->gathered.image_count; i++)
        if (review->gathered.images[i].facts)
            bytes += facts_files_bytes(review->gathered.images[i].facts->files);
    daemon->held_bytes = daemon->held_bytes - review->held_bytes + bytes;
    review->held_bytes = bytes;
    if (daemon->layers)
        layers_set_paused(daemon->layers, daemon->held_bytes > HELD_BYTES_MAX);
}
