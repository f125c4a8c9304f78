/* Verdicts as plain data: names, release, merging children, resolving actions. Their JSON form is
 * verdict_json.c; what leads to a verdict is engine.c. */
#include "regwarden/verdict.h"

#include "names.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

static const char *const status_names[] = {
    [VERDICT_PASS] = "pass",
    [VERDICT_WARN] = "warn",
    [VERDICT_UNKNOWN] = "unknown",
    [VERDICT_FAIL] = "fail",
    NULL,
};

const char *const severity_names[] = {
    [SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",           [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical", NULL,
};

const char *const action_kind_names[] = {
    [ACTION_NOTIFY] = "notify",     [ACTION_TAG] = "tag",
    [ACTION_LABEL] = "label",       [ACTION_ATTEST] = "attest",
    [ACTION_PROMOTE] = "promote",   [ACTION_HOLD] = "hold",
    [ACTION_ROLLBACK] = "rollback", [ACTION_QUARANTINE] = "quarantine",
    [ACTION_REMOVE] = "remove",     NULL,
};

static const char *const finding_status_names[] = {
    [FINDING_WARN] = "warn",
    [FINDING_UNKNOWN] = "unknown",
    [FINDING_FAIL] = "fail",
    [FINDING_WAIVED] = "waived",
    NULL,
};

int name_find(const char *const *names, const char *name)
{
    for (int i = 0; name && names[i]; i++) {
        if (text_equal(names[i], name))
            return i;
    }
    return -1;
}

const char *verdict_status_name(enum verdict_status status)
{
    return status_names[status];
}

int verdict_status_from_name(const char *name, enum verdict_status *ret)
{
    int index = name_find(status_names, name);

    if (index < 0)
        return FAILURE_INPUT;
    *ret = (enum verdict_status)index;
    return 0;
}

const char *severity_name(enum severity severity)
{
    return severity_names[severity];
}

int severity_from_name(const char *name, enum severity *ret)
{
    int index = name_find(severity_names, name);

    if (index < 0)
        return FAILURE_INPUT;
    *ret = (enum severity)index;
    return 0;
}

const char *action_kind_name(enum action_kind kind)
{
    return action_kind_names[kind];
}

int action_kind_from_name(const char *name, enum action_kind *ret)
{
    int index = name_find(action_kind_names, name);

    if (index < 0)
        return FAILURE_INPUT;
    *ret = (enum action_kind)index;
    return 0;
}

const char *finding_status_name(enum finding_status status)
{
    return finding_status_names[status];
}

int finding_status_from_name(const char *name, enum finding_status *ret)
{
    int index = name_find(finding_status_names, name);

    if (index < 0)
        return FAILURE_INPUT;
    *ret = (enum finding_status)index;
    return 0;
}

void finding_release(struct finding *finding)
{
    free(finding->rule);
    free(finding->id);
    free(finding->policy);
    free(finding->message);
    free(finding->remedy);
    free(finding->evidence);
    free(finding->path);
    free(finding->platform);
    free(finding->waiver);
    *finding = (struct finding){0};
}

static void findings_release(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        finding_release(&findings->items[i]);
    free(findings->items);
    *findings = (struct findings){0};
}

void verdict_release(struct verdict *verdict)
{
    findings_release(&verdict->findings);
    *verdict = (struct verdict){0};
}

unsigned verdict_actions_resolve(unsigned actions)
{
    const unsigned moves =
        ACTION_BIT(ACTION_ROLLBACK) | ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_REMOVE);

    if (actions & (moves | ACTION_BIT(ACTION_HOLD)))
        actions &= ~ACTION_BIT(ACTION_PROMOTE);
    if (actions & ACTION_BIT(ACTION_REMOVE))
        actions &= ~(ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_ROLLBACK));
    return actions;
}

static void move_findings(struct verdict *index, struct verdict *child, const char *platform)
{
    struct findings *to = &index->findings;

    for (size_t i = 0; i < child->findings.count; i++) {
        struct finding *finding = &child->findings.items[i];

        to->items = memory_grow(to->items, to->count, &to->capacity, sizeof(*to->items));
        if (!finding->platform)
            finding->platform = memory_copy_text(platform);
        to->items[to->count++] = *finding;
    }
    child->findings.count = 0;
}

void verdict_merge_child(struct verdict *index, struct verdict *child, const char *platform)
{
    move_findings(index, child, platform);
    if (child->status > index->status)
        index->status = child->status;
    index->actions |= child->actions;
    index->audit_actions |= child->audit_actions;
    if (index->status >= VERDICT_UNKNOWN) {
        index->actions &= ~ACTION_BIT(ACTION_PROMOTE);
        index->audit_actions &= ~ACTION_BIT(ACTION_PROMOTE);
    }
    index->actions = verdict_actions_resolve(index->actions);
    index->audit_actions = verdict_actions_resolve(index->audit_actions);
    index->enforced = index->enforced || child->enforced;
    index->retry = index->retry || child->retry;
    if (child->policy_count > index->policy_count)
        index->policy_count = child->policy_count;
    if (index->policy_revision[0] == '\0')
        memcpy(index->policy_revision, child->policy_revision, sizeof(index->policy_revision));
    verdict_release(child);
}
