/* Rule image-size: budgets for bytes and layers, by runtime. Counts what a registry stores and a
 * pull moves: compressed layers. */
#include "rules.h"

#include <inttypes.h>

#include "hits.h"

#include "run_step.h"

#include "regwarden/facts_files.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { RUNTIME_LIMITS = RUNTIME_STATIC + 1, STEP_TEXT_SHOWN = 60 };

struct settings {
    uint64_t compressed;
    struct text_pairs by_runtime;
    int64_t max_layers;
    uint64_t runtime_limits[RUNTIME_LIMITS]; /* 0: the general limit holds */
};

static const struct param params[] = {
    {.name = "compressed",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, compressed),
     .unit = "bytes",
     .help = "Budget for the sum of all compressed layers, such as 250MB."},
    {.name = "by-runtime",
     .type = PARAM_BYTES_BY_NAME,
     .offset = offsetof(struct settings, by_runtime),
     .choices = runtime_names,
     .unit = "bytes",
     .help = "Budgets by what the image runs. A runtime that is not listed or not known has the "
             "general budget."},
    {.name = "max-layers",
     .type = PARAM_INTEGER,
     .offset = offsetof(struct settings, max_layers),
     .min = 1,
     .max = 1024,
     .help = "Most layers that an image may have."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = NULL;
    if (settings->compressed == 0 && settings->by_runtime.count == 0 && settings->max_layers == 0)
        return error_set(err, FAILURE_INPUT,
                         "image-size without a budget allows everything: set "
                         "compressed, by-runtime or max-layers");
    for (size_t i = 0; i < settings->by_runtime.count; i++) {
        enum runtime runtime = RUNTIME_UNKNOWN;
        int rc;

        *ret_param = "by-runtime";
        if (runtime_from_name(settings->by_runtime.items[i].key, &runtime) < 0)
            return error_set(err, FAILURE_INPUT, "by-runtime names something that is no runtime");
        rc = text_parse_bytes(settings->by_runtime.items[i].value,
                              &settings->runtime_limits[runtime], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The layer with the most bytes of [from, to); -1 when there is none. */
static int largest_layer(const struct facts *facts, size_t from, size_t to)
{
    int largest = -1;

    for (size_t i = from; i < to && i < facts->manifest->layer_count; i++) {
        if (largest < 0 || facts->manifest->layers[i].size > facts->manifest->layers[largest].size)
            largest = (int)i;
    }
    return largest;
}

static uint64_t base_bytes(const struct facts *facts)
{
    uint64_t sum = 0;

    for (size_t i = 0; (int)i < facts->base.layer_count && i < facts->manifest->layer_count; i++)
        sum += facts->manifest->layers[i].size;
    return sum;
}

static void add_step(struct text *text, const struct facts *facts, int layer)
{
    int step = facts_layer_step(facts, layer);
    char size[TEXT_NUMBER_SIZE];

    if (step < 0 || !facts->history.steps[step].text)
        return;
    AUTO_FREE char *shown = finding_step_text(facts->history.steps[step].text, STEP_TEXT_SHOWN);
    text_format(text, ", most of it (%s) from step %d: %s",
                text_format_bytes(facts->manifest->layers[layer].size, size), step, shown);
}

/* Says who brought the bytes, base or own layers, and the greatest own step: that is what its
 * author can mend. The finding names the greatest layer of whoever brought more. */
static void blame(struct finding *finding, const struct facts *facts, struct text *text)
{
    uint64_t base = base_bytes(facts);
    uint64_t own = manifest_layer_bytes(facts->manifest) - base;
    size_t border = (size_t)facts->base.layer_count;
    char a[TEXT_NUMBER_SIZE];
    char b[TEXT_NUMBER_SIZE];

    if (facts->base.layer_count < 0)
        return;
    text_format(text, "; %s are the base's, %s are own layers'", text_format_bytes(base, a),
                text_format_bytes(own, b));
    int of_base = largest_layer(facts, 0, border);
    int of_own = largest_layer(facts, border, facts->manifest->layer_count);
    if (of_own >= 0)
        add_step(text, facts, of_own);
    finding_set_layer(finding, facts, base > own ? of_base : of_own);
}

static void judge_bytes(const struct settings *settings, const struct rule_input *input,
                        struct rule_report *report, uint64_t size)
{
    const struct facts *facts = input->facts;
    enum runtime runtime = facts->runtime.runtime;
    uint64_t by_runtime = settings->runtime_limits[runtime];
    uint64_t limit = by_runtime ? by_runtime : settings->compressed;
    AUTO_TEXT struct text text = {0};
    struct finding *finding;
    char a[TEXT_NUMBER_SIZE];
    char b[TEXT_NUMBER_SIZE];

    if (limit == 0 || size <= limit)
        return;
    if (!layers_are_compressed(input)) {
        rule_unknown(report, "compressed",
                     "the layers are not compressed here and have %s; the budget is %s, and how "
                     "large they are in a registry is not known",
                     text_format_bytes(size, a), text_format_bytes(limit, b));
        return;
    }
    finding = rule_fail(report, "compressed", "over budget");
    finding->bytes = size - limit;
    text_format(&text, "the image is %s compressed; the budget%s%s is %s",
                text_format_bytes(size, a), by_runtime ? " for " : "",
                by_runtime ? runtime_name(runtime) : "", text_format_bytes(limit, b));
    blame(finding, facts, &text);
    free(finding->message);
    finding->message = text_take(&text);
    if (by_runtime)
        finding_set_evidence(finding, facts->runtime.evidence);
    else
        finding->evidence = memory_copy_text("manifest");
}

static void judge_layers(const struct settings *settings, const struct facts *facts,
                         struct rule_report *report)
{
    struct finding *finding;

    if (settings->max_layers == 0 || facts->manifest->layer_count <= (uint64_t)settings->max_layers)
        return;
    finding = rule_fail(report, "layers", "the image has %zu layers; %" PRId64 " are allowed",
                        facts->manifest->layer_count, settings->max_layers);
    finding_set_remedy(finding, "Join RUN steps that belong together, or copy the result into a "
                                "final stage.");
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    uint64_t size = manifest_layer_bytes(input->facts->manifest);

    judge_bytes(settings, input, report, size);
    judge_layers(settings, input->facts, report);
    return rule_judgement(report);
}

const struct rule_type rule_image_size = {
    .name = "image-size",
    .summary = "the image stays within its budget of bytes and layers",
    .description =
        "Adds up the compressed layers, as the registry stores them and every pull moves them, and "
        "compares the sum with the budget of the image's runtime or, when there is none or the "
        "runtime is not known, with the general budget. A layer that occurs twice counts twice. "
        "Of a local image whose layers are not compressed, as in a docker-archive, it is not known "
        "how large they will be: over the budget it is unknown.\n\n"
        "The finding says how much of it the base brought and which own step is the greatest, as "
        "far as the border between base and own layers is known.",
    .remedy =
        "Build in a stage of its own and copy only the result into a small final stage, so that "
        "build tools and package manager caches stay behind.",
    .example =
        "rule: image-size\nwith:\n  compressed: 250MB\n  by-runtime: { node: 120MB, go: 15MB "
        "}\n",
    .needs = FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_RUNTIME),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .judge = judge,
};
