/* Reading the results of `check` for all formats: order, counts, and the words for a place. */
#include "check.h"

#include <string.h>

#include "escape.h"

/* Position in the list: smaller comes first. */
static int rank(const struct finding *finding)
{
    static const int certainty[] = {
        [FINDING_FAIL] = 0, [FINDING_UNKNOWN] = 1, [FINDING_WARN] = 2, [FINDING_WAIVED] = 3};
    int waived = finding->status == FINDING_WAIVED ? 100 : 0;
    return waived + (SEVERITY_CRITICAL - (int)finding->severity) * 10 + certainty[finding->status];
}

static int compare(const void *a, const void *b)
{
    const struct finding *one = *(const struct finding *const *)a;
    const struct finding *other = *(const struct finding *const *)b;
    int order = rank(one) - rank(other);
    if (order == 0)
        order = strcmp(one->id, other->id);
    if (order == 0 && one->bytes != other->bytes)
        order = one->bytes > other->bytes ? -1 : 1;
    return order != 0 ? order : one < other ? -1 : one > other;
}

const struct finding **check_sorted(const struct verdict *verdict)
{
    size_t count = verdict->findings.count;
    const struct finding **sorted = memory_new_array(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &verdict->findings.items[i];
    qsort(sorted, count, sizeof(*sorted), compare);
    return sorted;
}

size_t check_count(const struct check_result *results, size_t count, enum finding_status status)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct findings *findings = &results[i].verdict->findings;
        for (size_t j = 0; j < findings->count; j++)
            sum += findings->items[j].status == status ? 1 : 0;
    }
    return sum;
}

size_t check_count_verdicts(const struct check_result *results, size_t count,
                            enum verdict_status status)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += results[i].verdict->status == status ? 1 : 0;
    return sum;
}

void check_add_runtime(const struct facts *facts, struct text *to)
{
    if (facts == NULL || facts->runtime.runtime == RUNTIME_UNKNOWN)
        return;
    text_add(to, runtime_name(facts->runtime.runtime));
    if (facts->runtime.version != NULL) {
        text_add_char(to, ' ');
        escape_plain(to, facts->runtime.version, NULL);
    }
}

uint64_t check_bytes(const struct facts *facts)
{
    return facts == NULL || facts->manifest == NULL ? 0 : manifest_layer_bytes(facts->manifest);
}

bool check_split_bytes(const struct facts *facts, uint64_t *ret_own, uint64_t *ret_base)
{
    const struct manifest *manifest = facts == NULL ? NULL : facts->manifest;
    *ret_own = *ret_base = 0;
    if (manifest == NULL || facts->base.layer_count < 0 ||
        (size_t)facts->base.layer_count > manifest->layer_count)
        return false;
    for (size_t i = 0; i < manifest->layer_count; i++) {
        uint64_t *side = i < (size_t)facts->base.layer_count ? ret_base : ret_own;
        *side += manifest->layers[i].size;
    }
    return true;
}

static void add_part(struct text *to, size_t start, const char *part)
{
    if (to->length > start)
        text_add(to, ", ");
    escape_plain(to, part, NULL);
}

static void add_layer(const struct finding *finding, struct text *to, size_t start)
{
    char digest[DIGEST_SHORT_SIZE];
    if (finding->origin != ORIGIN_UNKNOWN)
        add_part(to, start, finding->origin == ORIGIN_OWN ? "own" : "base");
    if (!digest_is_set(&finding->layer))
        return;
    if (finding->origin == ORIGIN_UNKNOWN)
        add_part(to, start, "layer");
    else
        text_add(to, " layer");
    text_format(to, " %s", digest_format_short(&finding->layer, digest));
}

void check_add_place(const struct finding *finding, struct text *to)
{
    size_t start = to->length;
    char number[TEXT_NUMBER_SIZE];
    if (finding->platform != NULL)
        add_part(to, start, finding->platform);
    add_layer(finding, to, start);
    if (finding->step >= 0) {
        add_part(to, start, "step ");
        text_format(to, "%d", finding->step);
    }
    if (finding->path != NULL)
        add_part(to, start, finding->path);
    if (finding->bytes > 0)
        add_part(to, start, text_format_bytes(finding->bytes, number));
    if (finding->evidence != NULL && !text_equal(finding->evidence, "none")) {
        add_part(to, start, "known by ");
        escape_plain(to, finding->evidence, NULL);
    }
}
