/* Rule size-growth: a ratchet. The image is compared with the one that its tag pointed at before.
 */
#include "rules.h"

#include <inttypes.h>

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { PERCENT = 100 };

struct settings {
    int64_t max_percent;
    uint64_t max_bytes;
    uint64_t ignore_below;
};

static const struct param params[] = {
    {.name = "max-percent",
     .type = PARAM_INTEGER,
     .offset = offsetof(struct settings, max_percent),
     .min = 1,
     .max = 10000,
     .unit = "percent",
     .help = "How much greater an image may be than its predecessor."},
    {.name = "max-bytes",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, max_bytes),
     .unit = "bytes",
     .help = "How many bytes greater it may be."},
    {.name = "ignore-below",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, ignore_below),
     .fallback = "1MB",
     .unit = "bytes",
     .help = "Growth by less than this passes, whatever its share is."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    const struct settings *settings = block;

    *ret_param = NULL;
    if (settings->max_percent == 0 && settings->max_bytes == 0)
        return error_set(err, FAILURE_INPUT,
                         "size-growth without a limit allows everything: set max-percent or "
                         "max-bytes");
    return 0;
}

/* The own layer with the most bytes; -1 when it is not known which layers are own. */
static int largest_own_layer(const struct facts *facts)
{
    int largest = -1;

    for (size_t i = 0; i < facts->manifest->layer_count; i++) {
        if (facts_layer_origin(facts, (int)i) == ORIGIN_OWN &&
            (largest < 0 ||
             facts->manifest->layers[i].size > facts->manifest->layers[largest].size))
            largest = (int)i;
    }
    return largest;
}

static bool breaks(const struct settings *settings, uint64_t before, uint64_t growth)
{
    if (settings->max_bytes && growth > settings->max_bytes)
        return true;
    return settings->max_percent && growth >= settings->ignore_below &&
           (double)growth * PERCENT > (double)before * (double)settings->max_percent;
}

static void report_growth(const struct settings *settings, const struct facts *facts,
                          struct rule_report *report, uint64_t before)
{
    uint64_t size = manifest_layer_bytes(facts->manifest);
    int layer = largest_own_layer(facts);
    AUTO_TEXT struct text text = {0};
    char a[TEXT_NUMBER_SIZE];
    char b[TEXT_NUMBER_SIZE];
    struct finding *finding;

    text_format(&text, "the image is %s compressed, its predecessor was %s: %.1f percent more",
                text_format_bytes(size, a), text_format_bytes(before, b),
                (double)(size - before) * PERCENT / (double)before);
    if (settings->max_percent)
        text_format(&text, ", %" PRId64 " are allowed", settings->max_percent);
    if (settings->max_bytes)
        text_format(&text, ", %s are allowed", text_format_bytes(settings->max_bytes, a));
    if (layer >= 0) {
        text_add(&text, "; the largest own layer is of ");
        layer_describe(facts, layer, &text);
        text_format(&text, " (%s)", text_format_bytes(facts->manifest->layers[layer].size, a));
    }
    finding = rule_fail(report, "growth", "%s", text_data(&text));
    finding->bytes = size - before;
    free(finding->evidence);
    finding->evidence = memory_copy_text("manifest");
    finding_set_layer(finding, facts, layer);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct placement *placement = input->placement;
    uint64_t before = placement->previous_size_bytes;
    uint64_t size = manifest_layer_bytes(input->facts->manifest);

    /* The first image of a tag, and one without a tag, have no predecessor. */
    if (!placement->tag || placement->has_no_record ||
        (placement->previous_is_known && !digest_is_set(&placement->previous)))
        return rule_judgement(report);
    if (!placement->previous_is_known || before == 0) {
        rule_unknown(report, "growth", "nothing tells how large the tag's previous image was");
        report->later = true;
    } else if (size > before && breaks(settings, before, size - before)) {
        report_growth(settings, input->facts, report, before);
    }
    return rule_judgement(report);
}

const struct rule_type rule_size_growth = {
    .name = "size-growth",
    .summary = "the image is not much greater than the one before it",
    .description =
        "Compares the compressed size with that of the image that the tag pointed at before, in "
        "percent and in bytes: a budget that tightens by itself, because what was reached is what "
        "the next image is measured by. A step too small for the limit passes each time; "
        "image-size "
        "holds the absolute budget.\n\n"
        "The first image of a tag passes. While the predecessor's size is not known the answer is "
        "unknown. `regwarden check` keeps no record of tags, so there the rule has nothing to say; "
        "several images in one call are compared at the end of the table.",
    .remedy = "Look at what the last changes added: a dependency, a copied directory, another base "
              "image.",
    .example = "rule: size-growth\nwith:\n  max-percent: 10\n  max-bytes: 50MB\n",
    .needs = FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_PLACEMENT),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .judge = judge,
};
