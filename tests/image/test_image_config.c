/* Image configs: every field, nulls, commands in shell form, and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

static void every_field_is_read(void **state)
{
    AUTO_IMAGE_CONFIG struct image_config *config = fixture_config(
        "{`architecture`:`arm`,`os`:`linux`,`variant`:`v7`,`os.version`:`1`,`author`:`me`,"
        "`created`:`2026-01-02T03:04:05.678901234Z`,`docker_version`:`24`,`container`:`x`,"
        "`container_config`:{`User`:`other`},`moby.buildkit.buildinfo.v1`:`e30=`,"
        "`config`:{`User`:`1000:1000`,`Env`:[`PATH=/bin`,`A=b=c`,`EMPTY=`,`BARE`,`A=d`],"
        "`Entrypoint`:[`/app`],`Cmd`:[`-v`],`WorkingDir`:`/srv`,`StopSignal`:`SIGINT`,"
        "`ExposedPorts`:{`9090/tcp`:{},`8080/tcp`:{}},`Volumes`:{`/z`:{},`/a`:{}},"
        "`Labels`:{`Maintainer`:`a`,`maintainer`:`b`,`null`:null},`OnBuild`:[`RUN x`],"
        "`Shell`:[`/bin/bash`,`-c`],`Memory`:0,"
        "`Healthcheck`:{`Test`:[`CMD-SHELL`,`true`],`Interval`:30000000000,`Timeout`:500000,"
        "`StartPeriod`:5000000000,`StartInterval`:1,`Retries`:3}},"
        "`rootfs`:{`type`:`layers`,`diff_ids`:[`sha256:" HEX "`]},"
        "`history`:[{`created`:`0001-01-01T00:00:00Z`,`created_by`:`x`,`comment`:`c`,`author`:`a`,"
        "`empty_layer`:true},{}]}");
    (void)state;
    AUTO_FREE char *platform = platform_format(&config->platform);
    assert_string_equal(platform, "linux/arm/v7");
    assert_string_equal(config->platform.os_version, "1");
    assert_int_equal(config->created_ms, INT64_C(1767323045678));
    assert_string_equal(config->user, "1000:1000");
    assert_string_equal(text_pairs_get(&config->env, "PATH"), "/bin");
    assert_string_equal(text_pairs_get(&config->env, "A"), "d"); /* the last one wins */
    assert_string_equal(text_pairs_get(&config->env, "BARE"), "");
    assert_string_equal(config->env.items[1].value, "b=c");
    assert_string_equal(config->exposed_ports.items[0], "8080/tcp");
    assert_string_equal(config->volumes.items[1], "/z");
    /* Labels are a free map: both spellings live in it. */
    assert_string_equal(text_pairs_get(&config->labels, "Maintainer"), "a");
    assert_string_equal(text_pairs_get(&config->labels, "maintainer"), "b");
    assert_string_equal(text_pairs_get(&config->labels, "null"), "");
    assert_true(config->healthcheck.present);
    assert_int_equal(config->healthcheck.interval_ms, 30000);
    assert_int_equal(config->healthcheck.timeout_ms, 1); /* not 0, which means default */
    assert_int_equal(config->healthcheck.retries, 3);
    assert_int_equal(config->diff_id_count, 1);
    assert_int_equal(config->history_count, 2);
    assert_true(config->history[0].empty_layer && config->history[0].has_created);
    assert_int_equal(config->history[0].created_ms, INT64_C(-62135596800000));
    assert_string_equal(config->history[1].created_by, "");
    assert_false(config->history[1].has_created);
}

/* Null and absent are the same for every optional field. */
static void nulls_are_absent(void **state)
{
    static const char *const cases[] = {
        "{}",
        "{`config`:null,`rootfs`:null,`history`:null,`created`:null,`os`:null}",
        "{`config`:{`User`:null,`Env`:null,`Entrypoint`:null,`Cmd`:null,`ExposedPorts`:null,"
        "`Volumes`:null,`Labels`:null,`Healthcheck`:null,`OnBuild`:null,`Shell`:null,"
        "`WorkingDir`:null,`StopSignal`:null,`ArgsEscaped`:null},`rootfs`:{`diff_ids`:null}}",
        "{`created`:`yesterday`}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_IMAGE_CONFIG struct image_config *config = fixture_config(cases[i]);
        assert_string_equal(config->user, "");
        assert_int_equal(config->env.count + config->labels.count + config->diff_id_count, 0);
        assert_false(config->healthcheck.present || config->has_created);
        assert_false(config->entrypoint_is_shell || config->cmd_is_shell);
    }
}

static void shell_forms(void **state)
{
    static const struct {
        const char *entrypoint, *cmd, *more;
        bool entrypoint_is_shell, cmd_is_shell;
    } cases[] = {
        {"[`/bin/sh`,`-c`,`node x`]", "null", "", true, false},
        {"null", "[`/bin/sh`,`-c`,`node x`]", "", false, true},
        {"[`/bin/bash`,`-o`,`pipefail`,`-c`,`x`]", "null", "", true, false},
        {"[`bash`,`-ec`,`x`]", "[`a`]", "", true, false},
        {"[`cmd`,`/S`,`/C`,`x`]", "null", "", true, false},
        {"[`powershell`,`-Command`,`x`]", "null", "", true, false},
        {"[`/usr/bin/app`,`-c`,`conf`]", "null", "", false, false},
        {"[`/bin/sh`]", "[`-c`,`x`]", "", false, false},
        {"[`/bin/sh`,`script.sh`]", "null", "", false, false},
        {"null", "[`cmd /S /C x`]", ",`ArgsEscaped`:true", false, true},
        {"`node x`", "null", "", false, false}, /* a bare string is a list of one */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text = text_new("{`config`:{`Entrypoint`:%s,`Cmd`:%s%s}}",
                                        cases[i].entrypoint, cases[i].cmd, cases[i].more);
        AUTO_IMAGE_CONFIG struct image_config *config = fixture_config(text);
        if (config->entrypoint_is_shell != cases[i].entrypoint_is_shell ||
            config->cmd_is_shell != cases[i].cmd_is_shell)
            fail_msg("case %zu", i);
    }
}

static void bad_configs_are_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[]", "not a JSON object"},
        {"{", "image config"},
        {"{`config`:[]}", "config"},
        {"{`config`:{`User`:0}}", "User"},
        /* Naive: exact keys only. A runtime reads this user, we would not. */
        {"{`config`:{`user`:`root`}}", "misspelt \"User\""},
        {"{`config`:{`User`:`app`,`USER`:`root`}}", "misspelt"},
        {"{`Config`:{`User`:`root`}}", "misspelt \"config\""},
        {"{`config`:{},`config`:{}}", "duplicate"},
        {"{`config`:{`Env`:[`A=b`],`Env`:[]}}", "duplicate"},
        {"{`config`:{`Env`:{}}}", "Env"},
        {"{`config`:{`Env`:[7]}}", "Env"},
        {"{`config`:{`Labels`:[]}}", "Labels"},
        {"{`config`:{`Labels`:{`a`:1}}}", "Labels"},
        {"{`config`:{`ExposedPorts`:[`80`]}}", "ExposedPorts"},
        {"{`config`:{`Healthcheck`:{`Test`:{}}}}", "Test"},
        {"{`config`:{`Healthcheck`:{`test`:[]}}}", "misspelt"},
        {"{`config`:{`ArgsEscaped`:1}}", "ArgsEscaped"},
        {"{`rootfs`:{`diff_ids`:[`x`]}}", "diff_ids"},
        {"{`rootfs`:{`Diff_IDs`:[]}}", "misspelt"},
        {"{`history`:{}}", "history"},
        {"{`history`:[7]}", "history"},
        {"{`history`:[{`empty_layer`:`no`}]}", "empty_layer"},
        {"{`history`:[{`Empty_Layer`:true}]}", "misspelt"},
        {"{`os`:1}", "os"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_IMAGE_CONFIG struct image_config *config = NULL;
        AUTO_FREE char *json = fixture_json(cases[i].text);
        struct error err = {0};
        if (image_config_parse(json, strlen(json), &config, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", json);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu says: %s", i, err.text);
    }
}

static void limits_hold(void **state)
{
    struct text text = {0};
    AUTO_IMAGE_CONFIG struct image_config *config = NULL;
    (void)state;
    text_add(&text, "{\"history\":[{}");
    for (size_t i = 0; i < image_config_limits.max_history; i++)
        text_add(&text, ",{}");
    text_add(&text, "]}");
    assert_int_equal(image_config_parse(text.data, text.length, &config, NULL), FAILURE_LIMIT);
    text_clear(&text);
    text_add(&text, "{\"config\":{\"Env\":[\"\"");
    for (size_t i = 0; i < image_config_limits.max_values; i++)
        text_add(&text, ",\"\"");
    text_add(&text, "]}}");
    assert_int_equal(image_config_parse(text.data, text.length, &config, NULL), FAILURE_LIMIT);
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read), cmocka_unit_test(nulls_are_absent),
        cmocka_unit_test(shell_forms),         cmocka_unit_test(bad_configs_are_refused),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
