/* One image of a gathering, from its manifest to its facts: the config, or the reason why there is
 * none. What others say of it is read in gather_attestations.c, what the layers tell in
 * gather_layers.c. */
#include "gathering.h"

#include "regwarden/memory.h"

/* What can be learned from a config. */
#define NEEDS_CONFIG                                                        \
    (FACT_BIT(FACT_CONFIG) | FACT_BIT(FACT_HISTORY) | FACT_BIT(FACT_BASE) | \
     FACT_BIT(FACT_RUNTIME) | FACT_BIT(FACT_FILES) | FACT_BIT(FACT_PROVENANCE))

void pending_settle(struct pending *pending)
{
    struct gather *gather = pending->gather;

    if (pending->image->error.kind != FAILURE_NONE && *pending->image->platform) {
        AUTO_FREE char *shown = text_printable(pending->image->platform, 64);

        (void)error_wrap(&pending->image->error, "image for %s", shown);
    }
    gather->open--;
}

/* The image's platform as the index says it, else as its own config does. */
static void name_platform(struct gathered_image *image)
{
    if (*image->platform || !image->facts->config)
        return;
    free(image->platform);
    image->platform = platform_format(&image->facts->config->platform);
}

void pending_go_on(struct pending *pending)
{
    if (pending_wants_layers(pending))
        pending_read_layers(pending);
    else
        pending_settle(pending);
}

void pending_take_facts(struct pending *pending, struct facts *facts, bool known)
{
    pending->image->facts = facts;
    pending->image->known = known;
    name_platform(pending->image);
    if (pending->dropped)
        pending_settle(pending);
    else if (pending_wants_evidence(pending))
        pending_read_evidence(pending);
    else
        pending_go_on(pending);
}

bool gather_wants_config(const struct gather *gather)
{
    return (gather->options.needs & NEEDS_CONFIG) != 0;
}

/* An image without its config: what the manifest gives. */
static void build_without_config(struct pending *pending, const char *reason)
{
    pending_take_facts(
        pending,
        facts_build_take(TAKE(pending->manifest), NULL, reason, pending->gather->options.salt),
        false);
}

/* What is illegal, beyond all bounds, or may be there the next time, is an error; what is gone is a
 * gap. */
static void take_config_failure(struct pending *pending, const struct error *error)
{
    if (error->kind == FAILURE_ABSENT) {
        build_without_config(pending, error->text);
        return;
    }
    pending->image->error = *error;
    manifest_free(TAKE(pending->manifest));
    pending_settle(pending);
}

static void on_config(void *argument, const struct registry_answer *answer)
{
    struct pending *pending = argument;
    struct gather *gather = pending->gather;
    struct image_config *config = NULL;
    struct error error = {0};

    pending->request = 0;
    if (answer->error)
        error = *answer->error;
    else if (image_config_parse(answer->bytes, answer->size, &config, &error) < 0)
        (void)error_wrap(&error, "config");
    if (error.kind != FAILURE_NONE)
        take_config_failure(pending, &error);
    else
        pending_take_facts(
            pending, facts_build_take(TAKE(pending->manifest), config, NULL, gather->options.salt),
            false);
    gather_proceed(gather);
}

int gather_take_budget(struct gather *gather, uint64_t bytes, struct error *err)
{
    if (bytes > GATHER_BYTES_MAX - gather->bytes)
        return error_set(err, FAILURE_LIMIT, "manifests and configs have more than %d MiB in all",
                         GATHER_BYTES_MAX / (1024 * 1024));
    gather->bytes += bytes;
    return 0;
}

void pending_fetch_config(struct pending *pending)
{
    struct gather *gather = pending->gather;
    const struct descriptor *config = &pending->manifest->config;
    struct error error = {0};

    if (!gather_wants_config(gather)) {
        build_without_config(pending, "no policy asks for it");
        return;
    }
    if (config->size > image_config_limits.max_bytes)
        (void)error_set(&error, FAILURE_LIMIT, "the config is larger than %zu MiB",
                        image_config_limits.max_bytes / ((size_t)1024 * 1024));
    else
        (void)gather_take_budget(gather, config->size, &error);
    if (error.kind != FAILURE_NONE) {
        take_config_failure(pending, &error);
        return;
    }
    pending->request = gather->source.fetch_blob(gather->source.self, gather->repository,
                                                 &config->digest, config->size, on_config, pending);
}
