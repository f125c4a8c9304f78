/* Rule layer-size: budgets for single layers and for all own layers together, compressed. */
#include "rules.h"

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    uint64_t largest;
    uint64_t own;
    bool include_base;
};

static const struct param params[] = {
    {.name = "largest",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, largest),
     .unit = "bytes",
     .help = "Budget for each layer, compressed, such as 100MB."},
    {.name = "own",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, own),
     .unit = "bytes",
     .help = "Budget for the sum of own layers, compressed: what a build adds to its base."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "false",
     .help = "Whether `largest` holds for layers of the base too."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    const struct settings *settings = block;

    *ret_param = NULL;
    if (settings->largest == 0 && settings->own == 0)
        return error_set(err, FAILURE_INPUT,
                         "layer-size without a budget allows everything: set largest or own");
    return 0;
}

/* The layer's step text names it: it stays the same when the image is rebuilt. */
static char *subject_of(const struct facts *facts, int layer)
{
    int step = facts_layer_step(facts, layer);
    const char *text = step < 0 ? NULL : facts->history.steps[step].text;

    return text ? text_new("layer\n%s", text) : text_new("layer\n%d", layer);
}

static void report_layer(const struct settings *settings, const struct facts *facts,
                         struct rule_report *report, int layer)
{
    uint64_t size = facts->manifest->layers[layer].size;
    bool doubtful = !settings->include_base && facts_layer_origin(facts, layer) == ORIGIN_UNKNOWN;
    AUTO_FREE char *subject = subject_of(facts, layer);
    AUTO_TEXT struct text place = {0};
    char a[TEXT_NUMBER_SIZE];
    char b[TEXT_NUMBER_SIZE];
    struct finding *finding;

    layer_describe(facts, layer, &place);
    finding = (doubtful ? rule_unknown : rule_fail)(
        report, subject, "%s made a layer of %s compressed%s; the budget is %s", text_data(&place),
        text_format_bytes(size, a), doubtful ? ", which may be the base's" : "",
        text_format_bytes(settings->largest, b));
    finding_set_layer(finding, facts, layer);
    finding->bytes = size;
    free(finding->evidence);
    finding->evidence = memory_copy_text("manifest");
}

/* The largest layer over budget that is smaller than `below`, or as large and above `after`. */
static int next_layer(const struct settings *settings, const struct facts *facts, uint64_t below,
                      int after)
{
    const struct manifest *manifest = facts->manifest;
    int next = -1;

    for (size_t i = 0; i < manifest->layer_count; i++) {
        uint64_t size = manifest->layers[i].size;

        if (size <= settings->largest || size > below || (size == below && (int)i <= after) ||
            (next >= 0 && size <= manifest->layers[next].size))
            continue;
        if (settings->include_base || facts_layer_origin(facts, (int)i) != ORIGIN_BASE)
            next = (int)i;
    }
    return next;
}

static void judge_layers(const struct settings *settings, const struct facts *facts,
                         struct rule_report *report)
{
    uint64_t below = UINT64_MAX;
    int layer = -1;

    if (settings->largest == 0)
        return;
    while ((layer = next_layer(settings, facts, below, layer)) >= 0 &&
           report->findings->count - report->first < RULE_FINDINGS_MAX) {
        report_layer(settings, facts, report, layer);
        below = facts->manifest->layers[layer].size;
    }
}

static void judge_own(const struct settings *settings, const struct facts *facts,
                      struct rule_report *report)
{
    uint64_t own = 0, doubtful = 0;
    char a[TEXT_NUMBER_SIZE];
    char b[TEXT_NUMBER_SIZE];
    struct finding *finding;

    for (size_t i = 0; i < facts->manifest->layer_count; i++) {
        enum origin origin = facts_layer_origin(facts, (int)i);

        own += origin == ORIGIN_OWN ? facts->manifest->layers[i].size : 0;
        doubtful += origin == ORIGIN_UNKNOWN ? facts->manifest->layers[i].size : 0;
    }
    if (settings->own == 0 || own + doubtful <= settings->own)
        return;
    if (own <= settings->own)
        finding = rule_unknown(report, "own",
                               "which layers are the base's is not known: own layers have %s or "
                               "more compressed, the budget is %s",
                               text_format_bytes(own, a), text_format_bytes(settings->own, b));
    else
        finding = rule_fail(report, "own", "own layers have %s compressed; the budget is %s",
                            text_format_bytes(own, a), text_format_bytes(settings->own, b));
    finding->origin = ORIGIN_OWN;
    finding->bytes = own + doubtful - settings->own;
    free(finding->evidence);
    finding->evidence = memory_copy_text("manifest");
}

/* What a registry would store is less than what is there: enough for a pass, not for a failure. */
static enum judgement judge_plain(const struct settings *settings, const struct facts *facts,
                                  struct rule_report *report)
{
    uint64_t own = 0;
    bool over = settings->largest > 0 && next_layer(settings, facts, UINT64_MAX, -1) >= 0;

    for (size_t i = 0; i < facts->manifest->layer_count; i++) {
        if (facts_layer_origin(facts, (int)i) != ORIGIN_BASE)
            own += facts->manifest->layers[i].size;
    }
    if (over || (settings->own > 0 && own > settings->own))
        rule_unknown(
            report, "compressed",
            "the layers are over their budgets as they are here, not compressed: what they "
            "are once a registry stores them is not known");
    return rule_judgement(report);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    if (!layers_are_compressed(input))
        return judge_plain(block, input->facts, report);
    judge_layers(block, input->facts, report);
    judge_own(block, input->facts, report);
    return rule_judgement(report);
}

const struct rule_type rule_layer_size = {
    .name = "layer-size",
    .summary = "no layer, and what the build adds to its base, is larger than its budget",
    .description =
        "Looks at the compressed size of each layer, as the registry stores it, and at the sum of "
        "own layers: a base is shared between images and pulled once, own layers are not. Layers "
        "over budget are named with their history step, the largest first.\n\n"
        "Which layers are the base's must be known; where it is not, a layer over budget is "
        "unknown, and so is one that a local archive holds uncompressed. What is in a layer it "
        "does not look at: wasted-space, build-tools and "
        "package-cache do.",
    .remedy = "Copy less into the image, or split what changes often from what does not: a large "
              "layer that changes with every build is stored and pulled each time.",
    .example = "rule: layer-size\nwith:\n  largest: 100MB\n  own: 150MB\n",
    .needs = FACT_BIT(FACT_MANIFEST),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .judge = judge,
};
