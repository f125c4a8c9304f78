/* One policy: from its YAML document to compiled rules. Every fault is reported at its line and
 * column, so that one run shows all there is to mend. */
#include "policy_file.h"

#include <string.h>

#include "names.h"
#include "rules.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NAME_MAX_BYTES = 63, DESCRIPTION_MAX_BYTES = 4096, RULES_MAX = 256 };

const char *const policy_mode_names[] = {[MODE_AUDIT] = "audit", [MODE_ENFORCE] = "enforce", NULL};
const char *const policy_existing_names[] = {
    [EXISTING_REPORT] = "report", [EXISTING_ENFORCE] = "enforce", NULL};
const char *const on_unknown_names[] = {[ON_UNKNOWN_RETRY] = "retry",
                                        [ON_UNKNOWN_WARN] = "warn",
                                        [ON_UNKNOWN_FAIL] = "fail",
                                        [ON_UNKNOWN_PASS] = "pass",
                                        NULL};

const unsigned policy_on_fail_actions =
    ((1u << ACTION_KIND_COUNT) - 1) & ~ACTION_BIT(ACTION_PROMOTE);
const unsigned policy_on_pass_actions = ACTION_BIT(ACTION_NOTIFY) | ACTION_BIT(ACTION_TAG) |
                                        ACTION_BIT(ACTION_LABEL) | ACTION_BIT(ACTION_ATTEST) |
                                        ACTION_BIT(ACTION_PROMOTE);

static const char *const policy_keys[] = {"policy",  "description", "scope", "mode", "existing",
                                          "on-pass", "layers",      "rules", NULL};
static const char *const entry_keys[] = {"rule",    "id",         "with", "severity",
                                         "on-fail", "on-unknown", NULL};

struct policy_head {
    char *policy;
    char *description;
    int mode;
    int existing;
    struct text_list on_pass;
    bool layers;
};

const struct param policy_head_params[] = {
    {.name = "policy",
     .type = PARAM_TEXT,
     .offset = offsetof(struct policy_head, policy),
     .required = true,
     .help = "The policy's name: unique, letters, digits, dots, dashes."},
    {.name = "description",
     .type = PARAM_TEXT,
     .offset = offsetof(struct policy_head, description),
     .help = "What the policy is for, in the words of those who must follow it."},
    {.name = "mode",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct policy_head, mode),
     .choices = policy_mode_names,
     .fallback = "audit",
     .help = "audit judges and records what would be done; enforce does it."},
    {.name = "existing",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct policy_head, existing),
     .choices = policy_existing_names,
     .fallback = "report",
     .help = "What a change of the policy does to images that were judged before: report only, or "
             "enforce."},
    {.name = "on-pass",
     .type = PARAM_LIST,
     .offset = offsetof(struct policy_head, on_pass),
     .help = "Actions for an image that every policy in scope finds good: notify, tag, label, "
             "attest, promote."},
    {.name = "layers",
     .type = PARAM_BOOL,
     .offset = offsetof(struct policy_head, layers),
     .fallback = "true",
     .help = "Look into the layers for this policy's rules? With false nothing is fetched but "
             "manifest and config, and rules judge by those alone."},
    {.name = NULL},
};

struct entry_head {
    char *rule;
    char *id;
    int severity;
    struct text_list on_fail;
    int on_unknown;
};

const struct param rule_entry_params[] = {
    {.name = "rule",
     .type = PARAM_TEXT,
     .offset = offsetof(struct entry_head, rule),
     .required = true,
     .help = "The rule's name."},
    {.name = "id",
     .type = PARAM_TEXT,
     .offset = offsetof(struct entry_head, id),
     .help = "Unique in the policy; the rule's name when left out."},
    {.name = "severity",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct entry_head, severity),
     .choices = severity_names,
     .help = "The rule's own severity when left out. From high on, a finding fails the image."},
    {.name = "on-fail",
     .type = PARAM_LIST,
     .offset = offsetof(struct entry_head, on_fail),
     .fallback = "[notify]",
     .help = "What to do. With more than notify, a finding fails the image whatever the severity."},
    {.name = "on-unknown",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct entry_head, on_unknown),
     .choices = on_unknown_names,
     .fallback = "retry",
     .help = "What an answer of unknown means: retry leaves the verdict unknown and judges again "
             "when missing facts may still come; warn, fail or pass settle it."},
    {.name = NULL},
};

static void rule_entry_release(struct rule_entry *entry)
{
    if (entry->type && entry->settings) {
        if (entry->type->release)
            entry->type->release(entry->settings);
        params_release(entry->type->params, entry->settings);
        free(entry->settings);
    }
    free(entry->id);
    *entry = (struct rule_entry){0};
}

void policy_release(struct policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        rule_entry_release(&policy->rules[i]);
    free(policy->rules);
    scope_release(&policy->scope);
    free(policy->name);
    free(policy->description);
    *policy = (struct policy){0};
}

/* A file while it is read. */
struct reading {
    const struct yaml_document *document;
    struct faults *faults;
    struct policy *policy;
};

static void fault(struct reading *reading, const struct yaml_node *node, const char *message,
                  const char *hint)
{
    struct error err = {0};

    yaml_error(reading->document, node, &err, "%s", message);
    if (hint)
        error_hint(&err, "%s", hint);
    faults_add(reading->faults, &err);
}

static bool name_is_valid(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strspn(name, allowed);

    return length > 0 && length <= NAME_MAX_BYTES && name[length] == '\0' &&
           !strchr("._-", name[0]);
}

static void read_action(struct reading *reading, const struct yaml_node *node, unsigned allowed,
                        unsigned *actions)
{
    const char *word = node->scalar ? node->scalar : "";
    int kind = name_find(action_kind_names, word);
    const char *near = text_suggest(word, action_kind_names);
    AUTO_FREE char *shown = text_printable(word, 40);
    AUTO_FREE char *message = NULL;

    if (kind >= 0 && (allowed & ACTION_BIT(kind))) {
        *actions |= ACTION_BIT(kind);
        return;
    }
    if (kind >= 0) {
        message = text_new("the action '%s' makes no sense here", shown);
        fault(reading, node, message,
              kind == ACTION_PROMOTE ? "promote belongs to on-pass of the policy"
                                     : "it belongs to on-fail of a rule");
        return;
    }
    message = near ? text_new("unknown action '%s', did you mean '%s'?", shown, near)
                   : text_new("unknown action '%s'", shown);
    fault(reading, node, message, NULL);
}

/* A scalar is a list of one, as params_read() has it. */
static void read_actions(struct reading *reading, const struct yaml_node *list, unsigned allowed,
                         unsigned *ret)
{
    unsigned actions = 0;

    if (list->kind == YAML_KIND_SCALAR)
        read_action(reading, list, allowed, &actions);
    for (size_t i = 0; list->kind == YAML_KIND_LIST && i < list->count; i++)
        read_action(reading, list->items[i], allowed, &actions);
    *ret = actions;
}

static void read_name(struct reading *reading, const struct yaml_node *node, const char *what,
                      char **name)
{
    AUTO_FREE char *message = NULL;

    if (name_is_valid(*name))
        return;
    message = text_new("the %s must be 1 to %d letters, digits, dots, dashes and underscores, and "
                       "begin with a letter or digit",
                       what, NAME_MAX_BYTES);
    fault(reading, node, message, NULL);
}

static void read_head(struct reading *reading, const struct yaml_node *root)
{
    struct policy_head head = {0};
    AUTO_KNOWN struct yaml_node known = faults_known_members(root, policy_head_params);
    const struct yaml_node *on_pass = yaml_get(root, "on-pass");
    const struct param_source source = {reading->document, &known, root, policy_head_params,
                                        sizeof(head)};

    if (faults_read_params(reading->faults, &source, &head) < 0)
        return;
    read_name(reading, faults_place(root, "policy"), "policy's name", &head.policy);
    if (head.description && strlen(head.description) > DESCRIPTION_MAX_BYTES)
        fault(reading, faults_place(root, "description"), "the description is too long", NULL);
    if (on_pass)
        read_actions(reading, on_pass, policy_on_pass_actions, &reading->policy->on_pass);
    reading->policy->name = TAKE(head.policy);
    reading->policy->description = TAKE(head.description);
    reading->policy->mode = (enum policy_mode)head.mode;
    reading->policy->existing = (enum policy_existing)head.existing;
    reading->policy->layers = head.layers;
    params_release(policy_head_params, &head);
}

static void read_scope(struct reading *reading, const struct yaml_node *map)
{
    struct scope *scope = &reading->policy->scope;
    const struct param_source source = {reading->document, map, NULL, scope_params, sizeof(*scope)};
    const char *param = NULL;
    struct error err = {0};

    if (faults_read_params(reading->faults, &source, scope) < 0) {
        *scope = (struct scope){0};
        return;
    }
    if (scope_prepare(scope, &param, &err) < 0)
        fault(reading, faults_place(map, param), err.text, NULL);
}

/* Finds the rule that the entry names; reports at the name when there is none. */
static const struct rule_type *find_type(struct reading *reading, const struct yaml_node *entry)
{
    const struct yaml_node *node = yaml_get(entry, "rule");
    const struct rule_type *type;
    const char *near;

    if (!node || node->kind != YAML_KIND_SCALAR)
        return NULL;
    type = rule_find(node->scalar);
    if (type)
        return type;
    near = rule_suggest(node->scalar);
    AUTO_FREE char *shown = text_printable(node->scalar, 60);
    AUTO_FREE char *message =
        near ? text_new("there is no rule '%s', did you mean '%s'?", shown, near)
             : text_new("there is no rule '%s'", shown);
    fault(reading, node, message, near ? NULL : "`regwarden rules` lists all rules");
    return NULL;
}

/* The settings of a rule: read by its table, then prepared by the rule itself. */
static void *read_settings(struct reading *reading, const struct yaml_node *entry,
                           const struct rule_type *type)
{
    const struct yaml_node *with = yaml_get(entry, "with");
    const struct param_source source = {reading->document, with, entry, type->params,
                                        type->settings_size};
    AUTO_FREE void *settings = memory_new(type->settings_size);
    const char *param = NULL;
    struct error err = {0};

    if (faults_read_params(reading->faults, &source, settings) < 0)
        return NULL;
    if (!type->prepare || type->prepare(settings, &param, &err) == 0)
        return TAKE(settings);
    fault(reading, faults_place(with ? with : entry, param), err.text,
          err.hint[0] ? err.hint : NULL);
    if (type->release)
        type->release(settings);
    params_release(type->params, settings);
    return NULL;
}

static bool id_is_taken(const struct policy *policy, const char *id)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (text_equal(policy->rules[i].id, id))
            return true;
    }
    return false;
}

static void read_entry_head(struct reading *reading, const struct yaml_node *node,
                            struct rule_entry *entry)
{
    struct entry_head head = {0};
    AUTO_KNOWN struct yaml_node known = faults_known_members(node, rule_entry_params);
    const struct yaml_node *on_fail = yaml_get(node, "on-fail");
    const struct param_source source = {reading->document, &known, node, rule_entry_params,
                                        sizeof(head)};

    if (faults_read_params(reading->faults, &source, &head) < 0)
        return;
    entry->on_unknown = (enum on_unknown)head.on_unknown;
    entry->on_fail = ACTION_BIT(ACTION_NOTIFY);
    if (on_fail)
        read_actions(reading, on_fail, policy_on_fail_actions, &entry->on_fail);
    if (entry->type)
        entry->severity =
            yaml_get(node, "severity") ? (enum severity)head.severity : entry->type->severity;
    entry->id = head.id ? TAKE(head.id) : memory_copy_text(head.rule);
    read_name(reading, faults_place(node, "id"), "rule's id", &entry->id);
    if (id_is_taken(reading->policy, entry->id))
        fault(reading, faults_place(node, yaml_get(node, "id") ? "id" : "rule"),
              "another rule of this policy has the same id", "give one of them an `id`");
    params_release(rule_entry_params, &head);
}

/* A rule that knows nothing without layers would be unknown for ever. */
static void check_layers(struct reading *reading, const struct yaml_node *entry,
                         const struct rule_type *type)
{
    AUTO_FREE char *message = NULL;

    if (reading->policy->layers || !(type->needs & FACT_BIT(FACT_FILES)))
        return;
    message = text_new("the rule '%s' looks into layers, and this policy says 'layers: false'",
                       type->name);
    fault(reading, yaml_get(entry, "rule"), message, "leave it out, or 'layers'");
}

static void read_entry(struct reading *reading, const struct yaml_node *node)
{
    struct policy *policy = reading->policy;
    struct rule_entry entry = {0};

    if (node->kind != YAML_KIND_MAP) {
        fault(reading, node, "a rule is a map with the key 'rule'", NULL);
        return;
    }
    faults_check_keys(reading->faults, reading->document, node, entry_keys);
    entry.type = find_type(reading, node);
    read_entry_head(reading, node, &entry);
    if (entry.type) {
        check_layers(reading, node, entry.type);
        entry.settings = read_settings(reading, node, entry.type);
    }
    if (!entry.type || !entry.settings || !entry.id) {
        rule_entry_release(&entry);
        return;
    }
    policy->rules =
        memory_grow(policy->rules, policy->rule_count, &policy->rule_capacity, sizeof(entry));
    policy->rules[policy->rule_count++] = entry;
    policy->needs |= entry.type->needs | policy_wants(policy, entry.type->wants);
}

static void read_rules(struct reading *reading, const struct yaml_node *root)
{
    const struct yaml_node *list = yaml_get(root, "rules");

    if (!list || list->kind != YAML_KIND_LIST || list->count == 0) {
        fault(reading, faults_place(root, "rules"), "a policy needs a list of 'rules'", NULL);
        return;
    }
    if (list->count > RULES_MAX) {
        fault(reading, list, "a policy has at most 256 rules", "split it into several policies");
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        read_entry(reading, list->items[i]);
}

void policy_file_read(const struct yaml_document *document, struct faults *faults,
                      struct policy *policy)
{
    struct reading reading = {.document = document, .faults = faults, .policy = policy};
    const struct yaml_node *root = document->root;

    faults_check_keys(faults, document, root, policy_keys);
    read_head(&reading, root);
    read_scope(&reading, yaml_get(root, "scope"));
    read_rules(&reading, root);
}
