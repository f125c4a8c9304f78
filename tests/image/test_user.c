/* Who config.User is: a table of users and accounts. Rows that a peer gets wrong name it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "fixture.h"
#include "regwarden/facts_files.h"

#define PASSWD                                                                                     \
    "`users`:[{`name`:`root`,`uid`:0},{`name`:`node`,`uid`:1000,`gid`:100},"                       \
    "{`name`:`toor`,`uid`:0,`gid`:7},{`name`:`twice`,`uid`:5},{`name`:`twice`,`uid`:0},"           \
    "{`name`:`5000`,`uid`:0},{`name`:`huge`,`uid`:4294967295},{`name`:`a\\\\xc3\\\\xa9`,`uid`:8}," \
    "{`name`:` 0`,`uid`:9},{`name`:`+`,`uid`:11}],"                                                \
    "`groups`:[{`name`:`staff`,`gid`:50},{`name`:`staff`,`gid`:0},{`name`:`7`,`gid`:1}]"

enum { NO_GID = -1 };

static const struct {
    const char *user;
    const char *files; /* NULL: not known */
    enum user_resolution state;
    int64_t uid;
    int64_t gid; /* NO_GID: not known */
    const char *reason;
} rows[] = {
    /* no user is root, and so is every way to write 0 */
    {"", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {"", NULL, USER_RESOLVED, 0, NO_GID, NULL},
    {":", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {":1000", PASSWD, USER_RESOLVED, 0, 1000, NULL}, /* check-image: "a user is set" */
    {"0", PASSWD, USER_RESOLVED, 0, 0, NULL},        /* dockle, docker-bench: only "" and "root" */
    {"0:0", PASSWD, USER_RESOLVED, 0, 0, NULL},      /* dockle: accepted */
    {"00", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {"000", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {"+0", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {"-0", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {"-00", PASSWD, USER_RESOLVED, 0, 0, NULL},
    {"0:1000", PASSWD, USER_RESOLVED, 0, 1000, NULL},
    {"root", PASSWD, USER_RESOLVED, 0, 0, NULL}, /* Kyverno's sample accepts it */
    {"root:root", "`users`:[{`name`:`root`,`uid`:0}],`groups`:[{`name`:`root`,`gid`:0}]",
     USER_RESOLVED, 0, 0, NULL},                 /* dockle: accepted */
    {"toor", PASSWD, USER_RESOLVED, 0, 7, NULL}, /* all that look at the name only */
    /* numbers win over names, and need not be in passwd: then the group is 0 */
    {"1000", PASSWD, USER_RESOLVED, 1000, 100, NULL},
    {"+1000", PASSWD, USER_RESOLVED, 1000, 100, NULL},
    {"001000", PASSWD, USER_RESOLVED, 1000, 100, NULL},
    {"5000", PASSWD, USER_RESOLVED, 5000, 0, NULL},
    {"65532", "`passwd`:{`there`:`no`}", USER_RESOLVED, 65532, 0, NULL},
    {"65532", "`passwd`:{`there`:`unknown`,`reason`:`late`}", USER_RESOLVED, 65532, NO_GID, NULL},
    {"65532", NULL, USER_RESOLVED, 65532, NO_GID, NULL},
    {"65532:65532", NULL, USER_RESOLVED, 65532, 65532, NULL},
    {"2147483647", PASSWD, USER_RESOLVED, 2147483647, 0, NULL},
    {"2147483648", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not a user id"},
    {"4294967296", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not a user id"}, /* 0 in 32 bits */
    {"18446744073709551616", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not a user id"},
    {"-1", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not a user id"},
    /* what Go takes for a name */
    {"0x0", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not in the image's /etc/passwd"},
    {"1e3", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not in the image's /etc/passwd"},
    {"1_000", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not in the image's /etc/passwd"},
    {"+", PASSWD, USER_RESOLVED, 11, 11, NULL},
    {"-", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not in the image's /etc/passwd"},
    {" 0", PASSWD, USER_RESOLVED, 9, 9, NULL},
    {"a\xc3\xa9", PASSWD, USER_RESOLVED, 8, 8, NULL},
    {"a\\xc3\\xa9", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not in the image's /etc/passwd"},
    {"Root", PASSWD, USER_UNRESOLVABLE, 0, 0, "is not in the image's /etc/passwd"},
    /* the first line of a name counts */
    {"twice", PASSWD, USER_RESOLVED, 5, 5, NULL},
    {"node", PASSWD, USER_RESOLVED, 1000, 100, NULL},
    {"node:", PASSWD, USER_RESOLVED, 1000, 100, NULL},
    {"huge", PASSWD, USER_UNRESOLVABLE, 0, 0, "has a user id in the image's /etc/passwd"},
    {"node", NULL, USER_UNKNOWN, 0, 0, NULL},
    {"node", "`passwd`:{`there`:`no`}", USER_UNRESOLVABLE, 0, 0, "has no /etc/passwd"},
    {"node", "`passwd`:{`there`:`unknown`,`reason`:`/etc/passwd is a link to x`}", USER_UNKNOWN, 0,
     0, "is a link to x"},
    /* groups */
    {"1000:staff", PASSWD, USER_RESOLVED, 1000, 50, NULL},
    {"node:staff", PASSWD, USER_RESOLVED, 1000, 50, NULL},
    {"1000:7", PASSWD, USER_RESOLVED, 1000, 7, NULL},
    {"1000:0", PASSWD, USER_RESOLVED, 1000, 0, NULL},
    {"1000:wheel", PASSWD, USER_UNRESOLVABLE, 0, 0, "names a group"},
    {"1000:wheel", NULL, USER_RESOLVED, 1000, NO_GID, NULL},
    {"1000:-1", PASSWD, USER_UNRESOLVABLE, 0, 0, "has a group id"},
    /* moby takes the first two, containerd refuses */
    {"1000:1000:0", PASSWD, USER_UNRESOLVABLE, 0, 0, "more than one colon"},
    {"::", PASSWD, USER_UNRESOLVABLE, 0, 0, "more than one colon"},
};

static void check(size_t i, const struct facts_files *files)
{
    struct resolved_user user;
    bool wrong;

    facts_resolve_user(rows[i].user, files, &user);
    wrong = user.state != rows[i].state || (user.reason == NULL) != (rows[i].reason == NULL) ||
            (rows[i].reason && !strstr(user.reason, rows[i].reason));
    if (user.state == USER_RESOLVED)
        wrong = wrong || user.uid != rows[i].uid || user.gid_known != (rows[i].gid != NO_GID) ||
                (user.gid_known && user.gid != rows[i].gid);
    if (wrong)
        fail_msg("row %zu, \"%s\": state %d, uid %u, gid %u (%d): %s", i, rows[i].user, user.state,
                 user.uid, user.gid, user.gid_known, user.reason ? user.reason : "-");
}

static void users_are_who_runtimes_take_them_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *text = text_new("{%s}", rows[i].files ? rows[i].files : "");
        AUTO_FREE char *fixture = fixture_json(text);
        AUTO_FACTS_FILES struct facts_files *files = NULL;
        AUTO_JSON struct json *json = NULL;
        struct error err = {0};
        if (json_parse(fixture, strlen(fixture), NULL, &json, &err) < 0 ||
            facts_files_from_json(json, 0, &files, &err) < 0)
            fail_msg("row %zu: %s", i, err.text);
        check(i, rows[i].files ? files : NULL);
    }
}

static void long_names_are_no_users(void **state)
{
    AUTO_TEXT struct text name = {0};
    struct resolved_user user;

    (void)state;
    while (name.length < 300)
        text_add(&name, "0123456789abcdef");
    facts_resolve_user(text_data(&name), NULL, &user);
    assert_int_equal(user.state, USER_UNRESOLVABLE);
    assert_string_equal(user.reason, "is too long to be a user");
}

static void numbers_are_said_to_be_numbers(void **state)
{
    struct resolved_user user;

    (void)state;
    facts_resolve_user("1000:staff", NULL, &user);
    assert_true(user.numeric);
    facts_resolve_user("", NULL, &user);
    assert_true(user.numeric);
    facts_resolve_user("node:1000", NULL, &user);
    assert_false(user.numeric);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_who_runtimes_take_them_for),
        cmocka_unit_test(long_names_are_no_users),
        cmocka_unit_test(numbers_are_said_to_be_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
