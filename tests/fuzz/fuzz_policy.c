/* Any bytes as a policy file: refused with a message, or compiled to a set that says what it is and
 * judges an image, and its missing, without harm. */
#include <stddef.h>
#include <stdint.h>

#include "example_image.h"
#include "regwarden/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now_ms = 1894708800000;

static struct facts *facts(void)
{
    static struct facts *good;

    if (!good) {
        AUTO_JSON struct json *json = example_image_facts();

        if (facts_from_json(json, &good, NULL) < 0)
            abort();
    }
    return good;
}

static void check_verdict(struct verdict *verdict)
{
    AUTO_JSON struct json *json = verdict_to_json(verdict);
    struct verdict again = {0};

    if (verdict_from_json(json, &again, NULL) < 0)
        abort();
    verdict_release(&again);
    verdict_release(verdict);
}

static void use(const struct policy_set *set)
{
    const struct placement placement = {
        .registry = "example", .repository = "team/app", .tag = "latest"};
    const struct error why = {.kind = FAILURE_INPUT, .text = "why"};
    struct verdict verdict = {0};

    json_release(policy_set_to_json(set));
    policy_set_needs(set, &placement);
    policy_judge(set, facts(), &placement, now_ms, &verdict);
    check_verdict(&verdict);
    policy_judge_unavailable(set, &placement, &why, now_ms, &verdict);
    check_verdict(&verdict);
}

static void count(void *argument, const struct error *err)
{
    size_t *faults = argument;

    if (!err->text[0])
        abort();
    (*faults)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct policy_source source = {"fuzz", (const char *)data, size};
    struct policy_set *set = NULL;
    struct error err = {0};
    size_t faults = 0;
    int result = policy_set_compile(&source, 1, count, &faults, &set, &err);

    if ((result == 0) != (faults == 0) || (result != 0 && (set || !err.text[0])))
        abort();
    if (result == 0)
        use(set);
    policy_set_free(set);
    return 0;
}
