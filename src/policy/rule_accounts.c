/* Rule accounts: what passwd, group and shadow of the image must not hold. */
#include "rules.h"

#include <string.h>

#include "glob.h"
#include "hits.h"
#include "id_ranges.h"

#include "regwarden/facts_files.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    bool empty_passwords;
    bool duplicates;
    bool required;
    bool include_base;
    struct text_list blocked_users;
    struct text_list blocked_uids;
    struct text_list blocked_gids;
    struct text_list blocked_shells;
    struct text_list blocked_entries;
    struct text_list allow_users;
    struct glob_list users, shells, entries, allowed;
    struct id_ranges uids, gids;
};

static const struct param params[] = {
    {.name = "empty-passwords",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, empty_passwords),
     .fallback = "true",
     .help = "Whether users who need no password fail."},
    {.name = "duplicates",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, duplicates),
     .fallback = "true",
     .help = "Whether names, user ids and group ids that stand there twice fail."},
    {.name = "blocked-users",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, blocked_users),
     .help = "Names that must not be in passwd, with `*`."},
    {.name = "blocked-uids",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, blocked_uids),
     .help = "User ids that must not be in passwd: numbers and ranges such as `100-999`."},
    {.name = "blocked-gids",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, blocked_gids),
     .help = "Group ids that no user of passwd may have: numbers and ranges."},
    {.name = "blocked-shells",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, blocked_shells),
     .help = "Shells that no user may have, such as `/bin/bash` or `**/bash`."},
    {.name = "blocked-entries",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, blocked_entries),
     .help = "Whole entries that must not be there, as `name:uid:gid:home:shell`, with `*` and "
             "`**`: `**:0:0:**`."},
    {.name = "allow-users",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow_users),
     .help = "Names to which what is blocked does not apply, with `*`."},
    {.name = "required",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, required),
     .fallback = "false",
     .help = "Whether an image without passwd fails. Images from scratch have none."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "true",
     .help = "Whether files count that are as the base has them."},
    {.name = NULL},
};

static int prepare_globs(struct settings *settings, const char **ret_param, struct error *err)
{
    const struct {
        const char *param;
        const struct text_list *from;
        struct glob_list *to;
    } lists[] = {
        {.param = "blocked-users", .from = &settings->blocked_users, .to = &settings->users},
        {.param = "blocked-shells", .from = &settings->blocked_shells, .to = &settings->shells},
        {.param = "blocked-entries", .from = &settings->blocked_entries, .to = &settings->entries},
        {.param = "allow-users", .from = &settings->allow_users, .to = &settings->allowed},
    };

    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        *ret_param = lists[i].param;
        if (glob_list_compile(lists[i].from, lists[i].to, err) < 0)
            return FAILURE_INPUT;
    }
    return 0;
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    if (prepare_globs(settings, ret_param, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "blocked-uids";
    if (id_ranges_read(&settings->blocked_uids, &settings->uids, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "blocked-gids";
    return id_ranges_read(&settings->blocked_gids, &settings->gids, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->users);
    glob_list_release(&settings->shells);
    glob_list_release(&settings->entries);
    glob_list_release(&settings->allowed);
    id_ranges_release(&settings->uids);
    id_ranges_release(&settings->gids);
}

/* One file of accounts while it is judged. */
struct judging {
    const struct settings *settings;
    const struct facts *facts;
    const struct facts_files *files;
    struct rule_report *report;
    const char *path;
    int layer;
};

/* `what` goes on from "/etc/passwd: "; the subject must not repeat. */
static void tell(const struct judging *judging, const char *subject, const char *what)
{
    bool open = !judging->settings->include_base &&
                facts_layer_origin(judging->facts, judging->layer) == ORIGIN_UNKNOWN;
    AUTO_TEXT struct text place = {0};
    struct finding *finding;

    layer_describe(judging->facts, judging->layer, &place);
    if (open)
        finding =
            rule_unknown(judging->report, subject, "/%s: %s; %s wrote it, and may be the base's",
                         judging->path, what, text_data(&place));
    else
        finding = rule_fail(judging->report, subject, "/%s: %s; %s wrote it", judging->path, what,
                            text_data(&place));
    finding_set_layer(finding, judging->facts, judging->layer);
    finding_set_path(finding, judging->path);
    finding_set_evidence(finding, EVIDENCE_LAYERS);
}

/* Is there something to judge? Tells when that is not known. */
static bool begin(struct judging *judging, const struct facts_account_file *file, const char *path)
{
    judging->path = path;
    judging->layer = file->layer;
    if (file->there == ANSWER_UNKNOWN) {
        AUTO_FREE char *reason =
            text_printable(file->reason ? file->reason : "no reason given", 200);
        struct finding *finding =
            rule_unknown(judging->report, path, "/%s is not known: %s", path, reason);
        finding_set_path(finding, path);
        judging->report->later = facts_layers_missing(judging->facts);
        return false;
    }
    return file->there == ANSWER_YES &&
           (judging->settings->include_base ||
            facts_layer_origin(judging->facts, file->layer) != ORIGIN_BASE);
}

/* --- passwords --- */

static void tell_password(const struct judging *judging, const char *name)
{
    AUTO_FREE char *subject = text_new("password\n%s", name);
    AUTO_FREE char *shown = text_printable(name, 64);
    AUTO_FREE char *what = text_new("user \"%s\" needs no password", shown);

    tell(judging, subject, what);
}

static void judge_passwords(struct judging *judging)
{
    const struct facts_files *files = judging->files;

    if (!begin(judging, &files->shadow, "etc/shadow"))
        return;
    for (size_t i = 0; i < files->empty_passwords.count; i++)
        tell_password(judging, files->empty_passwords.items[i]);
}

/* --- what stands there twice --- */

struct account { /* borrowed */
    const char *name;
    uint32_t id;
};

static void tell_same_id(const struct judging *judging, const char *kind, const char *before,
                         const struct account *account)
{
    AUTO_FREE char *subject = text_new("%s\n%s", kind, account->name);
    AUTO_FREE char *first = text_printable(before, 64);
    AUTO_FREE char *second = text_printable(account->name, 64);
    AUTO_FREE char *what = text_new("\"%s\" has the %s id %u, which is that of \"%s\" already",
                                    second, kind, account->id, first);

    tell(judging, subject, what);
}

static void tell_same_name(const struct judging *judging, const char *kind, const char *name)
{
    AUTO_FREE char *subject = text_new("name\n%s\n%s", kind, name);
    AUTO_FREE char *shown = text_printable(name, 64);
    AUTO_FREE char *what =
        text_new("the %s \"%s\" stands there twice, and the first counts", kind, shown);

    tell(judging, subject, what);
}

static struct account user_at(const struct facts_files *files, size_t index)
{
    return (struct account){files->users[index].name, files->users[index].uid};
}

static struct account group_at(const struct facts_files *files, size_t index)
{
    return (struct account){files->groups[index].name, files->groups[index].gid};
}

/* Each is told of the first before it that has its name or its id. */
static void judge_same(const struct judging *judging, const char *kind, size_t count,
                       struct account (*at)(const struct facts_files *files, size_t index))
{
    for (size_t i = 1; i < count; i++) {
        struct account account = at(judging->files, i);
        bool id = false, name = false;
        for (size_t k = 0; k < i && !(id || name); k++) {
            struct account before = at(judging->files, k);
            name = strcmp(before.name, account.name) == 0;
            id = !name && before.id == account.id;
            if (id)
                tell_same_id(judging, kind, before.name, &account);
        }
        if (name)
            tell_same_name(judging, kind, account.name);
    }
}

static void judge_groups(struct judging *judging)
{
    if (begin(judging, &judging->files->group, "etc/group"))
        judge_same(judging, "group", judging->files->group_count, group_at);
}

/* --- what the policy blocks --- */

static bool is_blocked_entry(const struct settings *settings, const struct facts_user *user)
{
    AUTO_FREE char *entry = NULL;

    if (settings->entries.count == 0)
        return false;
    entry = text_new("%s:%u:%u:%s:%s", user->name, user->uid, user->gid, user->home, user->shell);
    return glob_list_match(&settings->entries, entry);
}

/* What of the user is blocked; NULL for nothing. Returns new. */
static char *blocked_part(const struct settings *settings, const struct facts_user *user)
{
    if (glob_list_match(&settings->users, user->name))
        return memory_copy_text("is blocked by the policy");
    if (id_ranges_have(&settings->uids, user->uid))
        return text_new("has the user id %u, which is blocked by the policy", user->uid);
    if (id_ranges_have(&settings->gids, user->gid))
        return text_new("has the group id %u, which is blocked by the policy", user->gid);
    if (glob_list_match(&settings->shells, user->shell)) {
        AUTO_FREE char *shell = text_printable(user->shell, 64);
        return text_new("has the shell %s, which is blocked by the policy", shell);
    }
    if (is_blocked_entry(settings, user))
        return memory_copy_text("has an entry that is blocked by the policy");
    return NULL;
}

static void judge_user(const struct judging *judging, const struct facts_user *user)
{
    const struct settings *settings = judging->settings;
    AUTO_FREE char *part = NULL;

    if (settings->empty_passwords && user->no_password)
        tell_password(judging, user->name);
    if (glob_list_match(&settings->allowed, user->name))
        return;
    part = blocked_part(settings, user);
    if (part) {
        AUTO_FREE char *subject = text_new("blocked\n%s", user->name);
        AUTO_FREE char *shown = text_printable(user->name, 64);
        AUTO_FREE char *what = text_new("user \"%s\" %s", shown, part);

        tell(judging, subject, what);
    }
}

static void judge_users(struct judging *judging)
{
    const struct facts_files *files = judging->files;

    if (judging->settings->required && files->passwd.there == ANSWER_NO)
        rule_fail(judging->report, "etc/passwd", "the image has no /etc/passwd");
    if (!begin(judging, &files->passwd, "etc/passwd"))
        return;
    for (size_t i = 0; i < files->user_count; i++)
        judge_user(judging, &files->users[i]);
    if (judging->settings->duplicates)
        judge_same(judging, "user", files->user_count, user_at);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    struct judging judging = {
        .settings = settings, .facts = input->facts, .files = input->files, .report = report};

    judge_users(&judging);
    if (settings->duplicates)
        judge_groups(&judging);
    if (settings->empty_passwords)
        judge_passwords(&judging);
    return rule_judgement(report);
}

const struct rule_type rule_accounts = {
    .name = "accounts",
    .summary = "the image's users and groups are in order",
    .description =
        "Reads /etc/passwd, /etc/group and /etc/shadow as a container of the image sees them. A "
        "user who needs no password, by either file, fails; so do names, user ids and group ids "
        "that stand there twice, since programs disagree on who is meant. A second user with the "
        "user id 0 is root by another name. Further users, ids, shells and entries can be "
        "blocked.\n\n"
        "An image without these files has no accounts, and passes unless `required` is set. When "
        "one is a link, or a layer that may hold it could not be read, the rule is unknown. "
        "Hashes of passwords are never kept, so that weak ones are not seen. A file that any own "
        "step wrote anew counts as own, with all that it took over from the base.",
    .remedy =
        "Lock the account (`passwd -l NAME`, or `*` in place of the password), give each user "
        "an id of its own, and take away users that nothing needs (`userdel NAME`).",
    .example = "rule: accounts\nwith:\n  blocked-shells: [\"**/bash\"]\n  allow-users: [root]\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
