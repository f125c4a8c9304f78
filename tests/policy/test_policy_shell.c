/* Splitting shell text into commands. */
#include "cmocka_all.h"

#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

/* "a b;c" for the commands `a b` and `c`; "|" before one that reads from a pipe. */
static void collect(const char *script, struct text *ret)
{
    struct shell_cursor cursor;
    struct shell_command command;

    shell_begin(script, strlen(script), &cursor);
    while (shell_next(&cursor, &command)) {
        assert_true(command.count > 0);
        if (ret->length)
            text_add_char(ret, ';');
        if (command.piped)
            text_add_char(ret, '|');
        for (size_t i = 0; i < command.count; i++) {
            if (i > 0)
                text_add_char(ret, ' ');
            text_add_bytes(ret, command.words[i].text, command.words[i].length);
        }
    }
}

static void test_commands(void **state)
{
    static const struct {
        const char *script;
        const char *commands;
    } rows[] = {
        {"", ""},
        {"   \t ", ""},
        {";;&&||", ""},
        {"a b && c || d; e & f", "a b;c;d;e;f"},
        {"a | b |& c", "a;|b;|c"},
        {"a | (b; c)", "a;|b;c"},
        {"a || b", "a;b"},
        {"(a && b) | c", "a;b;|c"},
        {"a 'b && c' \"d; e\"", "a 'b && c' \"d; e\""},
        {"a b\\ c\\;d", "a b\\ c\\;d"},
        {"a \\\n  b \\\n&& c", "a b;c"},
        {"a # b && c\nd", "a;d"},
        {"a#b", "a#b"},
        {"a $(b && c) `d; e` ${f:-g h}", "a $(b && c) `d; e` ${f:-g h}"},
        {"a $(b $(c) \")\") d", "a $(b $(c) \")\") d"},
        {"a > b 2>&1 < c &> d >> e", "a"},
        {"a 2> /dev/null b", "a b"},
        {"a 2 > b", "a 2"},
        {"bash <(curl x)", "bash <(curl x)"},
        {"cat > f <<EOF\nsudo rm && x\nEOF\nb", "cat;b"},
        {"cat <<-'EOF' > f\nsudo\n\tEOF\nb", "cat;b"},
        {"sh <<EOF\na\nb\nEOF", "sh;a;b;EOF"},
        {"<<EOF\na && b\nEOF", "a;b;EOF"},
        {"cat <<EOF", "cat"},
        {"a <<< b c", "a c"},
        {"'unclosed && x", "'unclosed && x"},
        {"a $(unclosed", "a $(unclosed"},
        {"a \\", "a \\"},
        {"if a; then b; fi", "if a;then b;fi"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text commands = {0};

        collect(rows[i].script, &commands);
        assert_string_equal(text_data(&commands), rows[i].commands);
    }
}

static void test_many_words_are_cut(void **state)
{
    AUTO_TEXT struct text script = {0};
    struct shell_cursor cursor;
    struct shell_command command;

    (void)state;
    for (int i = 0; i < SHELL_WORDS_MAX + 10; i++)
        text_add(&script, "w ");
    shell_begin(text_data(&script), script.length, &cursor);
    assert_true(shell_next(&cursor, &command));
    assert_int_equal(command.count, SHELL_WORDS_MAX);
    assert_true(command.truncated);
    assert_false(shell_next(&cursor, &command));
}

static void note(void *argument, const struct run_command *command)
{
    struct text *text = argument;
    static const char *const verb_names[] = {
        [VERB_OTHER] = "other",     [VERB_UPDATE] = "update", [VERB_INSTALL] = "install",
        [VERB_UPGRADE] = "upgrade", [VERB_REMOVE] = "remove", [VERB_DIST_UPGRADE] = "dist-upgrade",
        [VERB_CLEAN] = "clean",     [VERB_FETCH] = "fetch"};

    if (command->manager == INSTALLER_NONE && !command->sudo)
        return;
    text_format(text, "%s%s:%s%s%s%s%s", text->length ? " " : "", installer_name(command->manager),
                verb_names[command->verb], command->sudo ? "+sudo" : "",
                command->assume_yes ? "+yes" : "", command->no_cache ? "+nocache" : "",
                command->no_recommends ? "+lean" : "");
}

static void test_packages(void **state)
{
    static const struct {
        const char *script;
        const char *commands;
    } rows[] = {
        {"apt-get update", "apt:update"},
        {"apt-get -qq update", "apt:update+yes"},
        {"apt-get -o Acquire::Retries=3 install -y --no-install-recommends curl",
         "apt:install+yes+lean"},
        {"apt-get install -yqq curl", "apt:install+yes"},
        {"/usr/bin/apt-get install -q curl", "apt:install"},
        {"DEBIAN_FRONTEND=noninteractive apt-get install -y curl", "apt:install+yes"},
        {"sudo -E apt-get dist-upgrade", "apt:dist-upgrade+sudo"},
        {"sudo -u app apt-get update", "apt:update+sudo"},
        {"env A=b apt update", "apt:update"},
        {"if true; then apk add --no-cache curl; fi", "apk:install+nocache"},
        {"apk --no-cache add curl", "apk:install+nocache"},
        {"apk add -t .build gcc", "apk:install"},
        {"microdnf install -y x && microdnf clean all", "yum:install+yes yum:clean"},
        {"zypper -n in x", "zypper:install"},
        {"python3 -m pip install --no-cache-dir x", "pip:install+nocache"},
        {"bash -euxc 'apt-get update && sh -c \"apk add x\"'", "apt:update apk:install"},
        {"'apt-get' \"install\" x", "apt:install"},
        {"echo apt-get update", ""},
        {"apt-get install sudo", "apt:install"},
        {"apt-get", "apt:other"},
        {"sudo", "none:other+sudo"},
        {"sudo -u", "none:other+sudo"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text commands = {0};

        run_script_each(rows[i].script, note, &commands);
        assert_string_equal(text_data(&commands), rows[i].commands);
    }
}

static void test_history_last(void **state)
{
    struct step steps[] = {
        {.kind = STEP_ENV, .text = memory_copy_text("PORT=80")},
        {.kind = STEP_ENV, .text = memory_copy_text("EXPORT=1 PORTS=2")},
        {.kind = STEP_RUN, .text = memory_copy_text("PORT")},
        {.kind = STEP_ENV, .text = NULL},
    };
    const struct facts facts = {.history = {.steps = steps, .count = ARRAY_COUNT(steps)}};

    (void)state;
    assert_int_equal(history_last(&facts, STEP_ENV, "PORT"), 0);
    assert_int_equal(history_last(&facts, STEP_ENV, "EXPORT"), 1);
    assert_int_equal(history_last(&facts, STEP_ENV, NULL), 3);
    assert_int_equal(history_last(&facts, STEP_USER, NULL), -1);
    assert_int_equal(history_last(&facts, STEP_ENV, ""), -1);
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
        free(steps[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_many_words_are_cut),
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_history_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
