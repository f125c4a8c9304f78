/* Who config.User is: the rules of moby/sys/user (GetExecUser) and of containerd (WithUser). Where
 * the two differ, no answer is given that only one of them would give. */
#include <string.h>

#include "regwarden/facts_files.h"

enum { NAME_BYTES_MAX = 255 };
#define ID_MAX_VALUE 2147483647LL

enum number_kind { NO_NUMBER, NUMBER, OUT_OF_RANGE };

struct part {
    const char *text;
    size_t size;
};

/* As strconv.Atoi: an optional sign, then digits only, so that "0x0" and " 0" are names. */
static enum number_kind read_number(struct part part, uint32_t *ret)
{
    bool sign = part.size > 0 && (part.text[0] == '+' || part.text[0] == '-');
    bool negative = sign && part.text[0] == '-';
    int64_t value = 0;

    if (part.size == sign)
        return NO_NUMBER;
    for (size_t i = sign; i < part.size; i++) {
        if (part.text[i] < '0' || part.text[i] > '9')
            return NO_NUMBER;
        if (value <= ID_MAX_VALUE)
            value = value * 10 + (part.text[i] - '0');
    }
    if (value > ID_MAX_VALUE || (negative && value != 0))
        return OUT_OF_RANGE;
    *ret = (uint32_t)value;
    return NUMBER;
}

/* Is `printed` (as layer_path_print() has it) this text? */
static bool is_printed(const char *printed, struct part part)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < part.size; i++) {
        unsigned char byte = (unsigned char)part.text[i];
        if (byte >= 0x20 && byte <= 0x7e && byte != '\\') {
            if (*printed++ != (char)byte)
                return false;
            continue;
        }
        if (printed[0] != '\\' || printed[1] != 'x' || printed[2] != digits[byte >> 4] ||
            printed[3] != digits[byte & 15])
            return false;
        printed += 4;
    }
    return *printed == '\0';
}

/* The first line that fits counts, whatever stands below it. */
static const struct facts_user *find_user(const struct facts_files *files, struct part name)
{
    for (size_t i = 0; i < files->user_count; i++)
        if (is_printed(files->users[i].name, name))
            return &files->users[i];
    return NULL;
}

static const struct facts_user *find_uid(const struct facts_files *files, uint32_t uid)
{
    for (size_t i = 0; i < files->user_count; i++)
        if (files->users[i].uid == uid)
            return &files->users[i];
    return NULL;
}

static const struct facts_group *find_group(const struct facts_files *files, struct part name)
{
    for (size_t i = 0; i < files->group_count; i++)
        if (is_printed(files->groups[i].name, name))
            return &files->groups[i];
    return NULL;
}

static void unresolvable(struct resolved_user *ret, const char *reason)
{
    ret->state = USER_UNRESOLVABLE;
    ret->reason = reason;
}

static void resolve_name(struct part name, const struct facts_files *files,
                         struct resolved_user *ret)
{
    const struct facts_user *user;

    if (!files || files->passwd.there == ANSWER_UNKNOWN) {
        ret->state = USER_UNKNOWN;
        ret->reason = files ? files->passwd.reason : NULL;
        return;
    }
    if (files->passwd.there == ANSWER_NO) {
        unresolvable(ret, "is a name, and the image has no /etc/passwd: a container with it would "
                          "not start");
        return;
    }
    user = find_user(files, name);
    if (!user) {
        unresolvable(ret, "is not in the image's /etc/passwd: a container with it would not start");
        return;
    }
    *ret = (struct resolved_user){
        .state = USER_RESOLVED, .uid = user->uid, .gid = user->gid, .gid_known = true};
    if (user->uid > ID_MAX_VALUE)
        unresolvable(ret, "has a user id in the image's /etc/passwd that no container can start "
                          "with");
}

/* A number need not be in passwd; then the group is 0. */
static void resolve_uid(uint32_t uid, const struct facts_files *files, struct resolved_user *ret)
{
    const struct facts_user *user;

    *ret = (struct resolved_user){.state = USER_RESOLVED, .uid = uid, .numeric = true};
    if (!files || files->passwd.there == ANSWER_UNKNOWN)
        return;
    ret->gid_known = true;
    user = find_uid(files, uid);
    ret->gid = user ? user->gid : 0;
}

static void resolve_group(struct part part, const struct facts_files *files,
                          struct resolved_user *ret)
{
    const struct facts_group *group;

    ret->gid_known = true;
    switch (read_number(part, &ret->gid)) {
    case NUMBER:
        return;
    case OUT_OF_RANGE:
        unresolvable(ret, "has a group id that no container can start with");
        return;
    case NO_NUMBER:
        break;
    }
    ret->gid_known = files && files->group.there == ANSWER_YES;
    if (!files || files->group.there == ANSWER_UNKNOWN)
        return;
    group = find_group(files, part);
    if (group)
        ret->gid = group->gid;
    else
        unresolvable(ret, "names a group that is not in the image's /etc/group: a container with "
                          "it would not start");
}

void facts_resolve_user(const char *user, const struct facts_files *files,
                        struct resolved_user *ret)
{
    struct part name = {.text = user, .size = strcspn(user, ":")};
    struct part group = {.text = user + name.size, .size = 0};
    uint32_t uid = 0;
    enum number_kind kind = name.size > 0 ? read_number(name, &uid) : NUMBER;

    *ret = (struct resolved_user){.state = USER_UNKNOWN, .numeric = kind != NO_NUMBER};
    if (*group.text)
        group.size = strlen(++group.text);
    if (memchr(group.text, ':', group.size)) {
        unresolvable(ret, "has more than one colon: runtimes disagree on it");
        return;
    }
    if (name.size > NAME_BYTES_MAX || group.size > NAME_BYTES_MAX) {
        unresolvable(ret, "is too long to be a user");
        return;
    }
    if (kind == OUT_OF_RANGE) {
        unresolvable(ret, "is not a user id that a container can start with");
        return;
    }
    if (kind == NUMBER)
        resolve_uid(uid, files, ret);
    else
        resolve_name(name, files, ret);
    if (ret->state == USER_RESOLVED && group.size > 0)
        resolve_group(group, files, ret);
}
