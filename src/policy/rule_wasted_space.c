/* Rule wasted-space: bytes that are served and that no container sees. Its limits are those of
 * dive's CI rules. */
#include "rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { PATHS_SHOWN = 4, PATH_SHOWN = 100, PERCENT = 100 };

struct settings {
    uint64_t max_bytes;
    int64_t max_share;
    int64_t min_efficiency;
    uint64_t ignore_below;
    bool include_base;
};

static const struct param params[] = {
    {.name = "max-bytes",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, max_bytes),
     .unit = "bytes",
     .help = "Most bytes that may be wasted (dive: highestWastedBytes)."},
    {.name = "max-share",
     .type = PARAM_INTEGER,
     .offset = offsetof(struct settings, max_share),
     .fallback = "10",
     .min = 1,
     .max = 100,
     .unit = "percent",
     .help = "Most of it against all bytes above the base (dive: highestUserWastedPercent)."},
    {.name = "min-efficiency",
     .type = PARAM_INTEGER,
     .offset = offsetof(struct settings, min_efficiency),
     .fallback = "90",
     .min = 1,
     .max = 100,
     .unit = "percent",
     .help = "Least share of all bytes that containers see (dive: lowestEfficiency)."},
    {.name = "ignore-below",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, ignore_below),
     .fallback = "1MB",
     .unit = "bytes",
     .help = "Less than this passes, whatever its share is."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "false",
     .help = "Whether what layers of the base waste among themselves counts too."},
    {.name = NULL},
};

struct waste {
    uint64_t bytes;     /* wasted */
    uint64_t own_bytes; /* of files above the base */
    uint64_t all_bytes;
    bool doubtful; /* whose the layers are is not known */
};

/* Files of the base that own layers replace or take away: of the largest ones only, hence at
 * least. */
static uint64_t replaced_base_bytes(const struct facts *facts)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < facts->files->wasted_count; i++) {
        const struct facts_top *top = &facts->files->wasted[i];

        if (top->hidden_by >= 0 && facts_layer_origin(facts, top->layer) == ORIGIN_BASE &&
            facts_layer_origin(facts, top->hidden_by) != ORIGIN_BASE)
            bytes += top->bytes;
    }
    return bytes;
}

static struct waste measure(const struct settings *settings, const struct facts *facts)
{
    const struct facts_files *files = facts->files;
    struct waste waste = {.all_bytes = files->visible_bytes + files->wasted_bytes};

    for (size_t i = 0; i < files->layer_count; i++) {
        const struct facts_layer *layer = &files->layers[i];
        enum origin origin = facts_layer_origin(facts, (int)i);

        if (origin == ORIGIN_BASE)
            continue;
        waste.doubtful = waste.doubtful || origin == ORIGIN_UNKNOWN;
        waste.own_bytes += layer->file_bytes;
        waste.bytes += layer->hidden_bytes + layer->duplicate_bytes;
    }
    waste.bytes += replaced_base_bytes(facts);
    if (settings->include_base || waste.bytes > files->wasted_bytes)
        waste.bytes = files->wasted_bytes;
    waste.doubtful = waste.doubtful && !settings->include_base;
    return waste;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? (double)part * PERCENT / (double)whole : 0;
}

/* The limits that are broken, as text; empty when all are kept. */
static void add_broken(const struct settings *settings, const struct waste *waste, struct text *to)
{
    double share = percent(waste->bytes, waste->own_bytes);
    double efficiency = PERCENT - percent(waste->bytes, waste->all_bytes);
    char bytes[TEXT_NUMBER_SIZE];

    if (settings->max_bytes && waste->bytes > settings->max_bytes)
        text_format(to, "; %s are allowed", text_format_bytes(settings->max_bytes, bytes));
    if (waste->bytes < settings->ignore_below)
        return;
    if (share > (double)settings->max_share)
        text_format(to,
                    "; that is %.1f percent of what is above the base, and %" PRId64 " are allowed",
                    share, settings->max_share);
    if (efficiency < (double)settings->min_efficiency)
        text_format(to, "; a container sees %.1f percent of the image, and must see %" PRId64,
                    efficiency, settings->min_efficiency);
}

static bool is_blamed(const struct settings *settings, const struct facts *facts,
                      const struct facts_top *top)
{
    int layer = top->hidden_by >= 0 ? top->hidden_by : top->layer;

    return settings->include_base || facts_layer_origin(facts, layer) != ORIGIN_BASE;
}

static void add_path(const struct facts *facts, const struct facts_top *top, bool first,
                     struct text *to)
{
    AUTO_FREE char *path = text_printable(top->path, PATH_SHOWN);
    char bytes[TEXT_NUMBER_SIZE];

    /* What the steps do is said once. */
    void (*const describe)(const struct facts *, int, struct text *) =
        first ? layer_describe : layer_name;

    text_format(to, "%s/%s (%s, ", first ? ". The worst: " : "; ", path,
                text_format_bytes(top->bytes, bytes));
    describe(facts, top->layer, to);
    if (top->hidden_by == top->layer) {
        text_add(to, " holds it twice)");
        return;
    }
    text_add(to, ", hidden by ");
    if (top->hidden_by < 0)
        text_add(to, "a later layer");
    else
        describe(facts, top->hidden_by, to);
    text_add(to, ")");
}

static const struct facts_top *add_paths(const struct settings *settings, const struct facts *facts,
                                         struct text *to)
{
    const struct facts_top *worst = NULL;
    size_t shown = 0;

    for (size_t i = 0; i < facts->files->wasted_count && shown < PATHS_SHOWN; i++) {
        const struct facts_top *top = &facts->files->wasted[i];

        if (!is_blamed(settings, facts, top))
            continue;
        add_path(facts, top, shown++ == 0, to);
        worst = worst ? worst : top;
    }
    return worst;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts *facts = input->facts;
    struct waste waste = measure(settings, facts);
    AUTO_TEXT struct text text = {0};
    const struct facts_top *worst;
    struct finding *finding;
    char bytes[TEXT_NUMBER_SIZE];

    add_broken(settings, &waste, &text);
    if (text.length == 0)
        return rule_judgement(report);
    worst = add_paths(settings, facts, &text);
    finding = (waste.doubtful ? rule_unknown : rule_fail)(
        report, "wasted", "%s are served that no container sees%s%s",
        text_format_bytes(waste.bytes, bytes),
        waste.doubtful ? ", and how much of it is the base's is not known" : "", text_data(&text));
    finding->bytes = waste.bytes;
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    if (!worst)
        return rule_judgement(report);
    finding_set_layer(finding, facts, worst->layer);
    finding_set_path(finding, worst->path);
    return rule_judgement(report);
}

const struct rule_type rule_wasted_space = {
    .name = "wasted-space",
    .summary = "few bytes are served that no container sees",
    .description =
        "Adds up the files that a later layer replaces or takes away, and those that stand in one "
        "layer twice: every pull moves them, and no container sees them. The limits are those of "
        "dive's CI rules: bytes, share of all bytes above the base, and efficiency of the whole "
        "image. The worst paths are named with the layer that holds them and the one that hides "
        "them.\n\n"
        "Bytes are unpacked. dive also counts the copy that stays, and what was deleted a second "
        "time, so that its numbers are higher. What layers of the base waste among themselves is "
        "left out unless include-base says otherwise; of files of the base that own layers "
        "replace, the largest are counted. Where it is not known which layers are the base's, a "
        "broken limit is unknown.\n\n"
        "`chown -R` and `chmod -R` in a step of their own are the usual cause: they copy every "
        "file.",
    .remedy = "Remove files in the RUN that makes them, set owner and permissions where they are "
              "copied (`COPY --chown=… --chmod=…`), and leave what is not needed out of the final "
              "stage.",
    .example = "rule: wasted-space\nwith:\n  max-share: 5\n  max-bytes: 20MB\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};
