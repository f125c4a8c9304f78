/* The engine: judges facts against every policy in scope and says what that comes to.
 *
 * Pure: no clock, network, disk or thread; no allocation while nothing is found. Order for each
 * rule: missing facts → judge → waive → count. A finding is judged first and waived then, so that
 * reports show what a waiver hides. */
#include "compiled.h"

#include <assert.h>
#include <string.h>

#include "regwarden/facts_files.h"
#include "regwarden/memory.h"

struct judging {
    const struct policy_set *set;
    struct rule_input input;
    struct verdict *verdict;
    unsigned on_pass_actions; /* asked for should the whole verdict be good */
    unsigned on_pass_audit;
};

bool policy_matches(const struct policy *policy, const struct placement *placement,
                    const char *platform)
{
    return scope_matches_place(&policy->scope, placement) &&
           (!platform || scope_matches_platform(&policy->scope, platform));
}

/* Asks for actions in the policy's name: done when it enforces, else only recorded. To tell
 * somebody changes nothing, so audit mode does that too. */
static void ask(const struct policy *policy, unsigned actions, struct verdict *verdict)
{
    if (policy->mode == MODE_ENFORCE) {
        verdict->actions |= actions;
        return;
    }
    verdict->audit_actions |= actions & ~ACTION_BIT(ACTION_NOTIFY);
    verdict->actions |= actions & ACTION_BIT(ACTION_NOTIFY);
}

static void worsen(struct verdict *verdict, enum verdict_status status)
{
    if (status > verdict->status)
        verdict->status = status;
}

static void count_failure(const struct policy *policy, const struct rule_entry *entry, bool blocks,
                          struct verdict *verdict)
{
    worsen(verdict, blocks ? VERDICT_FAIL : VERDICT_WARN);
    ask(policy, entry->on_fail, verdict);
    if (blocks && policy->mode == MODE_ENFORCE)
        verdict->enforced = true;
}

static void count_unknown(const struct policy *policy, const struct rule_entry *entry, bool later,
                          struct verdict *verdict)
{
    switch (entry->on_unknown) {
    case ON_UNKNOWN_RETRY:
        worsen(verdict, VERDICT_UNKNOWN);
        verdict->retry = verdict->retry || later;
        return;
    case ON_UNKNOWN_WARN:
        worsen(verdict, VERDICT_WARN);
        return;
    case ON_UNKNOWN_FAIL:
        count_failure(policy, entry, true, verdict);
        return;
    case ON_UNKNOWN_PASS:
        return;
    }
}

/* Does a failure of this rule fail the image, or only warn? */
static bool entry_blocks(const struct rule_entry *entry)
{
    return entry->severity >= SEVERITY_HIGH || (entry->on_fail & ~ACTION_BIT(ACTION_NOTIFY)) != 0;
}

static const struct waiver *find_waiver(const struct judging *judging,
                                        const struct finding *finding)
{
    return waiver_list_find(&judging->set->waivers, finding, judging->input.placement,
                            judging->input.now_ms);
}

static bool excuses(const void *judging, const struct finding *finding)
{
    return find_waiver(judging, finding) != NULL;
}

static bool waive(const struct judging *judging, struct finding *finding)
{
    const struct waiver *waiver = find_waiver(judging, finding);

    if (!waiver)
        return false;
    finding->status = FINDING_WAIVED;
    finding->waiver = memory_copy_text(waiver->id);
    return true;
}

static void count_status(struct judging *judging, const struct policy *policy,
                         const struct rule_entry *entry, enum finding_status status, bool later)
{
    switch (status) {
    case FINDING_WARN:
        worsen(judging->verdict, VERDICT_WARN);
        ask(policy, entry->on_fail & ACTION_BIT(ACTION_NOTIFY), judging->verdict);
        return;
    case FINDING_UNKNOWN:
        count_unknown(policy, entry, later, judging->verdict);
        return;
    case FINDING_FAIL:
        count_failure(policy, entry, entry_blocks(entry), judging->verdict);
        return;
    case FINDING_WAIVED:
        break;
    }
}

static void count_findings(struct judging *judging, const struct policy *policy,
                           const struct rule_entry *entry, const struct rule_report *report)
{
    struct findings *findings = report->findings;

    for (size_t i = report->first; i < findings->count; i++) {
        struct finding *finding = &findings->items[i];

        if (waive(judging, finding))
            continue;
        count_status(judging, policy, entry, finding->status, report->later);
        if (finding->status == FINDING_FAIL && !entry_blocks(entry))
            finding->status = FINDING_WARN;
        if (finding->status == FINDING_UNKNOWN && entry->on_unknown == ON_UNKNOWN_PASS)
            finding->severity = SEVERITY_INFO; /* the policy does not mind */
    }
    if (report->dropped_stands)
        count_status(judging, policy, entry, report->dropped_worst, report->later);
}

/* What is read out of the config does not come later when the config is there; anything else may.
 */
static bool may_still_come(const struct facts *facts, int group)
{
    bool derived = group == FACT_HISTORY || group == FACT_BASE || group == FACT_RUNTIME;

    return !derived || facts->status[FACT_CONFIG].state == FACT_ABSENT;
}

/* Adds an unknown for the first absent group that the rule needs. */
static bool lacks_facts(const struct facts *facts, struct rule_report *report)
{
    assert(facts);
    for (int group = 0; group < FACT_GROUP_COUNT; group++) {
        const struct fact_status *status = &facts->status[group];

        if (group == FACT_PLACEMENT || !(report->type->needs & FACT_BIT(group)) ||
            status->state != FACT_ABSENT)
            continue;
        AUTO_FREE char *reason =
            text_printable(status->reason ? status->reason : "no reason given", 200);
        if (group == FACT_FILES)
            finding_set_remedy(rule_unknown(report, fact_group_name(FACT_FILES),
                                            "cannot be judged without looking into the layers: %s",
                                            reason),
                               "Mend what keeps the layers from being read, then judge again.");
        else
            rule_unknown(report, fact_group_name((enum fact_group)group),
                         "cannot be judged: %s facts are missing: %s",
                         fact_group_name((enum fact_group)group), reason);
        report->later = may_still_come(facts, group);
        return true;
    }
    return false;
}

/* Is there anything that settles what the rule comes to, whatever else might be found? */
static bool is_settled(const struct judging *judging, const struct rule_report *report)
{
    if (report->dropped_stands && report->dropped_worst != FINDING_WARN)
        return true;
    for (size_t i = report->first; i < report->findings->count; i++) {
        const struct finding *finding = &report->findings->items[i];

        if (finding->status != FINDING_WARN && !find_waiver(judging, finding))
            return true;
    }
    return false;
}

/* The last finding makes room when one more is to be told. */
static void make_room(struct rule_report *report)
{
    struct findings *findings = report->findings;

    if (findings->count - report->first < RULE_FINDINGS_MAX)
        return;
    rule_report_settle(report);
    report->dropped++;
    report->spare = findings->items[--findings->count];
    rule_report_settle(report);
}

/* What was read of a group may be fine, or excused, while the rest is not. */
static void doubt_partial(const struct facts *facts, struct rule_report *report)
{
    const char *found =
        report->findings->count > report->first ? "nothing else found" : "nothing found";

    for (int group = 0; group < FACT_GROUP_COUNT; group++) {
        const struct fact_status *status = &facts->status[group];
        bool is_open = (report->type->needs & FACT_BIT(group)) && status->state == FACT_PARTIAL;

        if (group == FACT_PLACEMENT || (!is_open && !(group == FACT_FILES && report->layers_open)))
            continue;
        AUTO_FREE char *reason =
            text_printable(status->reason ? status->reason : "no reason given", 200);
        make_room(report);
        rule_unknown(report, fact_group_name((enum fact_group)group),
                     "%s, but %s facts are incomplete: %s", found,
                     fact_group_name((enum fact_group)group), reason);
        report->later = group == FACT_FILES && facts_layers_missing(facts);
        return;
    }
}

static void tell_dropped(struct rule_report *report)
{
    size_t dropped = report->dropped;
    struct finding *last;

    if (dropped == 0)
        return;
    last = &report->findings->items[report->findings->count - 1];
    AUTO_FREE char *message =
        text_new("%s (and %zu more findings like this, left out)", last->message, dropped);
    free(last->message);
    last->message = TAKE(message);
}

static void judge_rule(struct judging *judging, const struct policy *policy,
                       const struct rule_entry *entry)
{
    struct rule_report report = {
        .type = entry->type,
        .policy = policy->name,
        .id = entry->id,
        .severity = entry->severity,
        .findings = &judging->verdict->findings,
        .first = judging->verdict->findings.count,
        .excuses = excuses,
        .argument = judging,
    };

    if (!lacks_facts(judging->input.facts, &report)) {
        enum judgement judgement = entry->type->judge(entry->settings, &judging->input, &report);

        assert(judgement == report.judgement);
        rule_report_settle(&report);
        if (!is_settled(judging, &report))
            doubt_partial(judging->input.facts, &report);
    }
    tell_dropped(&report);
    count_findings(judging, policy, entry, &report);
}

static void judge_policy(struct judging *judging, const struct policy *policy)
{
    judging->verdict->policy_count++;
    judging->input.layers = policy->layers;
    judging->input.files =
        policy->layers && judging->input.facts->status[FACT_FILES].state != FACT_ABSENT
            ? judging->input.facts->files
            : NULL;
    for (size_t i = 0; i < policy->rule_count; i++)
        judge_rule(judging, policy, &policy->rules[i]);
    if (policy->mode == MODE_ENFORCE)
        judging->on_pass_actions |= policy->on_pass;
    else
        judging->on_pass_audit |= policy->on_pass;
}

/* What is asked for when the image is good is asked for only when every policy finds it good. */
static void finish(struct judging *judging)
{
    struct verdict *verdict = judging->verdict;

    if (verdict->status <= VERDICT_WARN) {
        verdict->actions |= judging->on_pass_actions;
        verdict->audit_actions |= judging->on_pass_audit;
    }
    verdict->actions = verdict_actions_resolve(verdict->actions);
    verdict->audit_actions = verdict_actions_resolve(verdict->audit_actions);
    memcpy(verdict->policy_revision, judging->set->revision, sizeof(verdict->policy_revision));
}

static const char *judged_platform(const struct facts *facts, const struct placement *placement,
                                   char buffer[static PLATFORM_TEXT_SIZE])
{
    buffer[0] = '\0';
    if (placement->platform)
        return placement->platform;
    return facts && facts->config ? platform_text(&facts->config->platform, buffer) : buffer;
}

void policy_judge(const struct policy_set *set, const struct facts *facts,
                  const struct placement *placement, int64_t now_ms, struct verdict *ret)
{
    char buffer[PLATFORM_TEXT_SIZE];
    const char *platform = judged_platform(facts, placement, buffer);
    struct judging judging = {
        .set = set,
        .input = {.facts = facts, .placement = placement, .now_ms = now_ms},
        .verdict = ret,
    };

    assert(facts);
    for (size_t i = 0; i < set->book->count; i++) {
        if (policy_matches(&set->book->policies[i], placement, platform))
            judge_policy(&judging, &set->book->policies[i]);
    }
    finish(&judging);
}

/* Stands for "the image could be read at all". It is in no policy file: it holds wherever a policy
 * applies. */
static const struct rule_type rule_readable = {
    .name = "readable",
    .summary = "the image can be read and judged",
    .remedy =
        "Build the image anew, or copy it anew from where it is whole: registries and runtimes "
        "must be able to read it.",
};

/* The strictest answer to unknown that any rule of the policy gives, with all that the rules ask
 * for. Content that is illegal could break any of them. To remove is never asked for here: nobody
 * knows what would be removed. */
static struct rule_entry readable_entry(const struct policy *policy, bool illegal)
{
    static const int strictness[] = {[ON_UNKNOWN_RETRY] = 2,
                                     [ON_UNKNOWN_WARN] = 1,
                                     [ON_UNKNOWN_FAIL] = 3,
                                     [ON_UNKNOWN_PASS] = 0};
    struct rule_entry entry = {
        .type = &rule_readable, .severity = SEVERITY_HIGH, .on_unknown = ON_UNKNOWN_PASS};

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct rule_entry *rule = &policy->rules[i];

        if (strictness[rule->on_unknown] > strictness[entry.on_unknown])
            entry.on_unknown = rule->on_unknown;
        if (illegal || rule->on_unknown == ON_UNKNOWN_FAIL)
            entry.on_fail |= rule->on_fail & ~ACTION_BIT(ACTION_REMOVE);
    }
    return entry;
}

/* What is not known is seldom the image's fault. */
static const char *remedy_of(enum failure kind)
{
    if (kind == FAILURE_DENIED)
        return "Give regwarden an account that may pull the image.";
    if (kind == FAILURE_ABSENT)
        return "Check the name, and whether all of the image is there.";
    return "See that what holds the image is up and can be read; then judge it again.";
}

static void judge_unreadable(struct judging *judging, const struct policy *policy,
                             const struct error *why)
{
    /* Beyond the bounds lies nothing that a builder makes: to be too large to read must be no way
     * around a policy. */
    bool illegal = why->kind == FAILURE_INPUT || why->kind == FAILURE_LIMIT;
    struct rule_entry entry = readable_entry(policy, illegal);
    struct rule_report report = {
        .type = &rule_readable,
        .policy = policy->name,
        .id = rule_readable.name,
        .severity = entry.severity,
        .findings = &judging->verdict->findings,
        .first = judging->verdict->findings.count,
        .later = why->kind == FAILURE_LATER || why->kind == FAILURE_SYSTEM,
    };
    AUTO_FREE char *reason = text_printable(why->text, ERROR_TEXT_SIZE);

    judging->verdict->policy_count++;
    if (illegal)
        rule_fail(&report, "content", "the image is not one that may be judged: %s", reason);
    else
        finding_set_remedy(rule_unknown(&report, failure_name(why->kind),
                                        "the image could not be judged: %s", reason),
                           "%s", remedy_of(why->kind));
    count_findings(judging, policy, &entry, &report);
}

void policy_judge_unavailable(const struct policy_set *set, const struct placement *placement,
                              const struct error *why, int64_t now_ms, struct verdict *ret)
{
    struct judging judging = {
        .set = set,
        .input = {.placement = placement, .now_ms = now_ms},
        .verdict = ret,
    };

    for (size_t i = 0; i < set->book->count; i++) {
        const struct policy *policy = &set->book->policies[i];

        if (policy->rule_count > 0 && policy_matches(policy, placement, placement->platform))
            judge_unreadable(&judging, policy, why);
    }
    finish(&judging);
}

unsigned policy_wants(const struct policy *policy, unsigned wants)
{
    return policy->layers ? wants : wants & ~FACT_BIT(FACT_FILES);
}

static unsigned needs_of(const struct policy *policy, const struct facts *facts)
{
    unsigned needs = 0;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct rule_entry *entry = &policy->rules[i];
        unsigned wants = entry->type->wants;

        if (entry->type->wants_of)
            wants &= entry->type->wants_of(entry->settings, facts);
        needs |= entry->type->needs | policy_wants(policy, wants);
    }
    return needs;
}

unsigned policy_set_needs_of(const struct policy_set *set, const struct placement *placement,
                             const struct facts *facts)
{
    char buffer[PLATFORM_TEXT_SIZE];
    const char *platform = judged_platform(facts, placement, buffer);
    unsigned needs = 0;

    for (size_t i = 0; i < set->book->count; i++) {
        if (policy_matches(&set->book->policies[i], placement, platform))
            needs |= needs_of(&set->book->policies[i], facts);
    }
    return needs;
}

unsigned policy_set_needs(const struct policy_set *set, const struct placement *placement)
{
    unsigned needs = 0;

    for (size_t i = 0; i < set->book->count; i++) {
        if (policy_matches(&set->book->policies[i], placement, NULL))
            needs |= set->book->policies[i].needs;
    }
    return needs;
}

void policy_set_probes(const struct policy_set *set, const struct placement *placement,
                       struct scan_probes *to)
{
    for (size_t i = 0; i < set->book->count; i++) {
        const struct policy *policy = &set->book->policies[i];

        if (!policy->layers || (placement && !policy_matches(policy, placement, NULL)))
            continue;
        for (size_t j = 0; j < policy->rule_count; j++) {
            const struct rule_entry *entry = &policy->rules[j];

            if (entry->type->probes)
                entry->type->probes(entry->settings, to);
        }
    }
}

bool policy_set_enforces_existing(const struct policy_set *set, const struct placement *placement)
{
    for (size_t i = 0; i < set->book->count; i++) {
        const struct policy *policy = &set->book->policies[i];

        if (policy->existing == EXISTING_ENFORCE && policy->mode == MODE_ENFORCE &&
            policy_matches(policy, placement, NULL))
            return true;
    }
    return false;
}
