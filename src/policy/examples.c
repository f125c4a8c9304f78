/* Examples of a policy: facts and what must be said of them, as a unit test for policies. An
 * example is short because it only says what differs from an image with which nothing is wrong. */
#include "compiled.h"
#include "example_image.h"
#include "faults.h"
#include "names.h"
#include "yaml_json.h"

#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

static const char *const file_keys[] = {"policy", "examples", NULL};
static const char *const expect_keys[] = {"verdict", "rules", NULL};

/* What a rule came to; the worst last. */
enum outcome { OUTCOME_PASS, OUTCOME_WAIVED, OUTCOME_WARN, OUTCOME_UNKNOWN, OUTCOME_FAIL };
static const char *const outcome_names[] = {
    [OUTCOME_PASS] = "pass",       [OUTCOME_WAIVED] = "waived", [OUTCOME_WARN] = "warn",
    [OUTCOME_UNKNOWN] = "unknown", [OUTCOME_FAIL] = "fail",     NULL,
};
static const char *const verdict_names[] = {"pass", "warn", "unknown", "fail", NULL};

struct example_head {
    char *name;
    char *now;
};
static const struct param head_params[] = {
    {.name = "name",
     .type = PARAM_TEXT,
     .offset = offsetof(struct example_head, name),
     .required = true,
     .help = "What the example shows."},
    {.name = "now",
     .type = PARAM_TEXT,
     .offset = offsetof(struct example_head, now),
     .fallback = EXAMPLE_NOW,
     .help = "When the image is judged."},
    {.name = NULL},
};
static const char *const example_keys[] = {"name", "now", "facts", "placement", "expect", NULL};

struct place_texts {
    char *registry, *repository, *tag, *digest, *previous, *platform, *pusher;
    bool untagged;
    uint64_t previous_size;
};
static const struct param place_params[] = {
    {.name = "registry",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, registry),
     .fallback = "example",
     .help = "Name of the registry."},
    {.name = "repository",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, repository),
     .fallback = "team/app",
     .help = "Repository."},
    {.name = "tag",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, tag),
     .fallback = "1.0.0",
     .help = "Tag."},
    {.name = "untagged",
     .type = PARAM_BOOL,
     .offset = offsetof(struct place_texts, untagged),
     .fallback = "false",
     .help = "Whether there is no tag."},
    {.name = "digest",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, digest),
     .help = "Digest; that of the facts when left out."},
    {.name = "previous",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, previous),
     .fallback = "none",
     .help = "Digest that the tag pointed at before; none, or unknown."},
    {.name = "previous-size",
     .type = PARAM_BYTES,
     .offset = offsetof(struct place_texts, previous_size),
     .help = "Compressed size of that image."},
    {.name = "platform",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, platform),
     .help = "Platform that the index names."},
    {.name = "pusher",
     .type = PARAM_TEXT,
     .offset = offsetof(struct place_texts, pusher),
     .help = "Who pushed."},
    {.name = NULL},
};

/* A file of examples while it is run. */
struct running {
    const struct policy_set *set;
    const struct yaml_document *document;
    struct faults faults;
    policy_example_f *report;
    void *argument;
    struct json *defaults;
};

/* One example, read. */
struct example {
    struct example_head head;
    struct place_texts texts;
    struct placement placement;
    struct facts *facts;
    int64_t now_ms;
    const struct yaml_node *expect;
};

static void fault(struct running *running, const struct yaml_node *node, const struct error *why)
{
    struct error err = {0};

    yaml_error(running->document, node, &err, "%s", why->text);
    error_hint(&err, "%s", why->hint);
    faults_add(&running->faults, &err);
}

static void example_release(struct example *example)
{
    params_release(head_params, &example->head);
    params_release(place_params, &example->texts);
    facts_free(example->facts);
}

static void read_facts(struct running *running, const struct yaml_node *node,
                       struct example *example)
{
    const struct yaml_node *partial = yaml_get(node, "facts");
    AUTO_JSON struct json *over = partial ? yaml_to_json(partial) : json_new_object();
    AUTO_JSON struct json *whole = NULL;
    AUTO_JSON struct json *filled = NULL;
    struct error err = {0};

    if (json_is(over, JSON_KIND_NULL)) {
        json_release(over);
        over = json_new_object();
    }
    whole = json_overlay(running->defaults, over);
    filled = example_fill_probes(whole, running->set);
    if (facts_from_json(filled, &example->facts, &err) < 0)
        fault(running, faults_place(node, "facts"), &err);
}

static void read_previous(struct running *running, const struct yaml_node *node,
                          struct example *example)
{
    struct placement *placement = &example->placement;
    const char *previous = example->texts.previous;
    struct error err = {0};

    placement->previous_is_known = !text_equal(previous, "unknown");
    if (!placement->previous_is_known || text_equal(previous, "none"))
        return;
    if (digest_parse(previous, &placement->previous, &err) < 0)
        fault(running, faults_place(node, "previous"), &err);
}

static void read_placement(struct running *running, const struct yaml_node *node,
                           struct example *example)
{
    const struct yaml_node *map = yaml_get(node, "placement");
    const struct param_source source = {running->document, map, node, place_params,
                                        sizeof(example->texts)};
    struct error err = {0};

    if (faults_read_params(&running->faults, &source, &example->texts) < 0) {
        example->texts = (struct place_texts){0};
        return;
    }
    example->placement = (struct placement){
        .registry = example->texts.registry,
        .repository = example->texts.repository,
        .tag = example->texts.untagged ? NULL : example->texts.tag,
        .previous_size_bytes = example->texts.previous_size,
        .platform = example->texts.platform,
        .pusher = example->texts.pusher,
    };
    if (example->facts && example->facts->manifest)
        example->placement.digest = example->facts->manifest->digest;
    if (example->texts.digest &&
        digest_parse(example->texts.digest, &example->placement.digest, &err) < 0)
        fault(running, faults_place(map, "digest"), &err);
    read_previous(running, map ? map : node, example);
}

static void check_word(struct running *running, const struct yaml_node *node,
                       const char *const *names)
{
    const char *word = node->kind == YAML_KIND_SCALAR ? node->scalar : "";
    const char *near = text_suggest(word, names);
    AUTO_FREE char *shown = text_printable(word, 40);
    struct error err = {0};

    if (name_find(names, word) >= 0)
        return;
    if (near)
        error_set(&err, FAILURE_INPUT, "'%s' is not an outcome, did you mean '%s'?", shown, near);
    else
        error_set(&err, FAILURE_INPUT, "'%s' is not an outcome", shown);
    fault(running, node, &err);
}

static void read_expect(struct running *running, const struct yaml_node *node,
                        struct example *example)
{
    const struct yaml_node *expect = yaml_get(node, "expect");
    const struct yaml_node *verdict = yaml_get(expect, "verdict");
    const struct yaml_node *rules = yaml_get(expect, "rules");
    struct error err = {0};

    if (!verdict && !rules) {
        error_set(&err, FAILURE_INPUT, "an example says what to 'expect': verdict, rules or both");
        fault(running, faults_place(node, "expect"), &err);
        return;
    }
    faults_check_keys(&running->faults, running->document, expect, expect_keys);
    if (verdict)
        check_word(running, verdict, verdict_names);
    for (size_t i = 0; rules && rules->kind == YAML_KIND_MAP && i < rules->count; i++)
        check_word(running, rules->members[i].value, outcome_names);
    example->expect = expect;
}

/* False when the example is not fit to be run: the faults say why. */
static bool read_example(struct running *running, const struct yaml_node *node,
                         struct example *example)
{
    size_t before = running->faults.count;
    AUTO_KNOWN struct yaml_node known = faults_known_members(node, head_params);
    const struct param_source source = {running->document, &known, node, head_params,
                                        sizeof(example->head)};
    struct error err = {0};

    faults_check_keys(&running->faults, running->document, node, example_keys);
    if (faults_read_params(&running->faults, &source, &example->head) < 0)
        example->head = (struct example_head){0};
    else if (clock_parse_rfc3339(example->head.now, &example->now_ms, &err) < 0)
        fault(running, faults_place(node, "now"), &err);
    read_facts(running, node, example);
    read_placement(running, node, example);
    read_expect(running, node, example);
    return running->faults.count == before;
}

static enum outcome outcome_of(const struct finding *finding)
{
    static const enum outcome outcomes[] = {
        [FINDING_WARN] = OUTCOME_WARN,
        [FINDING_UNKNOWN] = OUTCOME_UNKNOWN,
        [FINDING_FAIL] = OUTCOME_FAIL,
        [FINDING_WAIVED] = OUTCOME_WAIVED,
    };

    return outcomes[finding->status];
}

/* The worst finding of the rule; NULL when it passed. */
static const struct finding *worst_finding(const struct verdict *verdict, const char *id)
{
    const struct finding *worst = NULL;

    for (size_t i = 0; i < verdict->findings.count; i++) {
        const struct finding *finding = &verdict->findings.items[i];

        if (text_equal(finding->id, id) && (!worst || outcome_of(finding) > outcome_of(worst)))
            worst = finding;
    }
    return worst;
}

static bool id_applies(const struct policy_set *set, const struct placement *placement,
                       const char *id)
{
    for (size_t i = 0; i < set->book->count; i++) {
        const struct policy *policy = &set->book->policies[i];

        if (!policy_matches(policy, placement, NULL))
            continue;
        for (size_t k = 0; k < policy->rule_count; k++) {
            if (text_equal(policy->rules[k].id, id))
                return true;
        }
    }
    return false;
}

static void compare_rule(const struct running *running, const struct example *example,
                         const struct verdict *verdict, const struct yaml_member *expected,
                         struct text *why)
{
    const struct finding *worst = worst_finding(verdict, expected->key);
    enum outcome outcome = worst ? outcome_of(worst) : OUTCOME_PASS;
    AUTO_FREE char *key = text_printable(expected->key, 64);

    if (!id_applies(running->set, &example->placement, expected->key)) {
        text_format(why, "%srule %s: no policy in scope has it", why->length ? "; " : "", key);
        return;
    }
    if (text_equal(expected->value->scalar, outcome_names[outcome]))
        return;
    text_format(why, "%srule %s: expected %s, was %s%s%s%s", why->length ? "; " : "", key,
                expected->value->scalar, outcome_names[outcome], worst ? " (" : "",
                worst ? worst->message : "", worst ? ")" : "");
}

static void compare(const struct running *running, const struct example *example,
                    const struct verdict *verdict, struct text *why)
{
    const struct yaml_node *status = yaml_get(example->expect, "verdict");
    const struct yaml_node *rules = yaml_get(example->expect, "rules");

    if (status && !text_equal(status->scalar, verdict_status_name(verdict->status)))
        text_format(why, "verdict: expected %s, was %s", status->scalar,
                    verdict_status_name(verdict->status));
    for (size_t i = 0; rules && i < rules->count; i++)
        compare_rule(running, example, verdict, &rules->members[i], why);
}

static void run_example(struct running *running, const struct yaml_node *node)
{
    struct example example = {0};
    AUTO_TEXT struct text why = {0};
    struct verdict verdict = {0};

    if (read_example(running, node, &example)) {
        struct policy_example_result result = {.name = example.head.name};

        policy_judge(running->set, example.facts, &example.placement, example.now_ms, &verdict);
        compare(running, &example, &verdict, &why);
        result.passed = why.length == 0;
        result.why = result.passed ? NULL : text_data(&why);
        running->report(running->argument, &result);
        verdict_release(&verdict);
    }
    example_release(&example);
}

static void run_document(struct running *running)
{
    const struct yaml_node *root = running->document->root;
    const struct yaml_node *list = yaml_get(root, "examples");
    struct error err = {0};

    if (!list || list->kind != YAML_KIND_LIST || list->count == 0) {
        error_set(&err, FAILURE_INPUT, "a file of examples has a list of 'examples'");
        fault(running, list ? list : root, &err);
        return;
    }
    faults_check_keys(&running->faults, running->document, root, file_keys);
    for (size_t i = 0; i < list->count; i++)
        run_example(running, list->items[i]);
}

int policy_test(const struct policy_set *set, const struct policy_source *examples,
                policy_example_f *report, void *argument, struct error *err)
{
    AUTO_YAML struct yaml_document *document = NULL;
    AUTO_JSON struct json *defaults = NULL;
    struct running running = {.set = set, .report = report, .argument = argument};
    int rc = yaml_parse(examples->name, examples->bytes, examples->size, &document, err);

    if (rc < 0)
        return rc;
    defaults = example_image_facts();
    running.document = document;
    running.defaults = defaults;
    run_document(&running);
    if (running.faults.count == 0)
        return 0;
    if (err)
        *err = running.faults.first;
    return running.faults.first.kind;
}
