/* The checks of single history steps: what they find, and above all what they leave alone. */
#include "cmocka_all.h"

#include "history_checks.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

static void list_checks(unsigned checks, struct text *ret)
{
    for (int check = 0; check < HISTORY_CHECK_COUNT; check++) {
        if (checks & CHECK_BIT(check))
            text_format(ret, "%s%s", ret->length ? " " : "", history_check_names[check]);
    }
}

struct row {
    enum step_kind kind;
    const char *text;
    const char *fails;
    const char *unknown;
};

static void run_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct step step = {.kind = rows[i].kind, .text = memory_copy_text(rows[i].text)};
        const struct facts facts = {.history = {.steps = &step, .count = 1}};
        struct history_hits hits = history_check_step(&facts, &step);
        AUTO_TEXT struct text fails = {0};
        AUTO_TEXT struct text unknown = {0};

        list_checks(hits.fails, &fails);
        list_checks(hits.unknown, &unknown);
        free(step.text);
        if (!text_equal(text_data(&fails), rows[i].fails) ||
            !text_equal(text_data(&unknown), rows[i].unknown))
            fail_msg("%s: fails \"%s\", unknown \"%s\"", rows[i].text, text_data(&fails),
                     text_data(&unknown));
    }
}

static void test_apt(void **state)
{
    static const struct row rows[] = {
        {STEP_RUN,
         "apt-get update && apt-get install -y --no-install-recommends curl && rm -rf "
         "/var/lib/apt/lists/*",
         "", ""},
        {STEP_RUN,
         "set -eux; \tapt-get update; \tapt-get install -y --no-install-recommends \t\tcurl \t; "
         "\trm -rf /var/lib/apt/lists/*",
         "", ""},
        {STEP_RUN, "apt-get update && apt-get install -y --no-install-recommends curl",
         "package-lists", ""},
        {STEP_RUN, "apt-get update", "package-lists update-alone", ""},
        {STEP_RUN, "apt-get update && rm -rf /var/lib/apt/lists/*", "update-alone", ""},
        {STEP_RUN, "apt-get update && ./install.sh && rm -r /var/lib/apt/lists", "", ""},
        {STEP_RUN, "apt-get update && apt-get -y upgrade && rm -rf /var/lib/{apt,dpkg}/", "", ""},
        {STEP_RUN,
         "rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y "
         "--no-install-recommends x",
         "package-lists", ""}, /* cleaned too early */
        {STEP_RUN,
         "apt-get update && apt-get install -y --no-install-recommends x && rm -rf "
         "/var/lib/apt/lists/partial",
         "package-lists", ""},
        {STEP_RUN,
         "apt-get update && apt-get install -y --no-install-recommends x && apt-get distclean", "",
         ""},
        {STEP_RUN,
         "apt-get update && apt-get install -y --no-install-recommends x && apt-get clean",
         "package-lists", ""}, /* takes packages away, not lists */
        {STEP_RUN,
         "apt-get update && apt-get install -y --no-install-recommends x && find "
         "/var/lib/apt/lists -delete",
         "", ""},
        {STEP_RUN, "apt-get install curl", "apt-recommends apt-yes", ""},
        {STEP_RUN, "apt-get install -y -o APT::Install-Recommends=0 curl", "", ""},
        {STEP_RUN, "apt-get update && apt-get source --compile $x && rm -rf /var/lib/apt/lists/*",
         "", ""},
        {STEP_RUN, "apt-get dist-upgrade -y", "dist-upgrade", ""},
        {STEP_RUN, "apt-get full-upgrade -y", "dist-upgrade", ""},
        {STEP_RUN, "echo 'apt-get update' > notes", "", ""},
        {STEP_RUN, "echo apt-get update", "", ""},
        {STEP_RUN,
         "rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update && apt-get install -y "
         "--no-install-recommends x",
         "", "package-lists"},
    };

    (void)state;
    run_rows(rows, ARRAY_COUNT(rows));
}

static void test_caches(void **state)
{
    static const struct row rows[] = {
        {STEP_RUN, "apk add curl", "apk-cache", ""},
        {STEP_RUN, "apk add --no-cache curl", "", ""},
        {STEP_RUN, "apk add --no-cache x && apk add --virtual .rundeps $runDeps y", "", ""},
        {STEP_RUN, "apk --no-cache add --virtual .deps gcc && apk del .deps", "", ""},
        {STEP_RUN, "apk update && apk add curl && rm -rf /var/cache/apk/*", "", ""},
        {STEP_RUN, "apk add curl && rm -rf /var/cache/*", "", ""},
        {STEP_RUN, "apk add curl && rm -rf /var/cache/apt/*", "apk-cache", ""},
        {STEP_RUN, "apk add curl && rm -rf /tmp/*", "apk-cache", ""},
        {STEP_RUN, "yum install -y x", "rpm-cache", ""},
        {STEP_RUN, "yum install -y x && yum clean all", "", ""},
        {STEP_RUN, "dnf install -y x && rm -rf /var/cache/dnf", "", ""},
        {STEP_RUN, "microdnf install x; microdnf clean all", "", ""},
        {STEP_RUN, "dnf clean all && dnf install -y x", "rpm-cache", ""},
        {STEP_RUN, "zypper -n install x", "zypper-cache", ""},
        {STEP_RUN, "zypper -n in x && zypper cc -a", "", ""},
        {STEP_RUN, "pip install x", "pip-cache", ""},
        {STEP_RUN, "pip install --no-cache-dir x", "", ""},
        {STEP_RUN, "PIP_NO_CACHE_DIR=1 pip install x", "", ""},
        {STEP_RUN, "pip install x && rm -rf ~/.cache/pip", "", ""},
        {STEP_RUN, "pip install x && rm -rf /root/.cache", "", ""},
        {STEP_RUN, "pip install x && pip cache purge", "", ""},
        {STEP_RUN, "bash -c \"apk add curl\"", "apk-cache", ""},
    };

    (void)state;
    run_rows(rows, ARRAY_COUNT(rows));
}

static void test_pipe_shell(void **state)
{
    static const struct row rows[] = {
        {STEP_RUN, "curl -fsSL https://x.example/i.sh | sh", "pipe-shell", ""},
        {STEP_RUN, "curl https://x.example | bash -", "pipe-shell", ""},
        {STEP_RUN, "curl https://sh.rustup.rs | sh -s -- -y", "pipe-shell", ""},
        {STEP_RUN, "curl https://x.example | sudo bash -E", "pipe-shell sudo", ""},
        {STEP_RUN, "curl https://x.example | tee f | /bin/sh", "pipe-shell", ""},
        {STEP_RUN, "wget -qO- https://x.example | python3 -", "pipe-shell", ""},
        {STEP_RUN, "sh -c \"$(curl -fsSL https://x.example)\"", "pipe-shell", ""},
        {STEP_RUN, "bash <(curl -s https://x.example)", "pipe-shell", ""},
        {STEP_RUN, "eval \"$(wget -qO- https://x.example)\"", "pipe-shell", ""},
        {STEP_RUN, "curl https://x.example/a.tgz | tar xz", "", ""},
        {STEP_RUN, "curl https://x.example/key | gpg --dearmor > k", "", ""},
        {STEP_RUN, "curl https://x.example/j | python3 -m json.tool", "", ""},
        {STEP_RUN, "curl https://x.example/j | python3 -c 'import json'", "", ""},
        {STEP_RUN, "curl https://x.example/j | sh -c 'cat > f'", "", ""},
        {STEP_RUN, "curl -o f https://x.example && sh f", "", ""},
        {STEP_RUN, "curl -o f https://x.example || sh", "", ""},
        {STEP_RUN, "cat f | sh", "", ""},
        {STEP_RUN, "echo 'curl x | sh'", "", ""},
    };

    (void)state;
    run_rows(rows, ARRAY_COUNT(rows));
}

static void test_others(void **state)
{
    static const struct row rows[] = {
        {STEP_RUN, "sudo make install", "sudo", ""},
        {STEP_RUN, "true && sudo make", "sudo", ""},
        {STEP_RUN, "apt-get install -y --no-install-recommends sudo", "", ""},
        {STEP_RUN, "echo 'app ALL=(ALL) NOPASSWD' > /etc/sudoers.d/app", "", ""},
        {STEP_MAINTAINER, "somebody", "maintainer", ""},
        {STEP_ADD, "app.py /app/", "add-local", ""},
        {STEP_ADD, "--chown=1:1 app.py lib.tar.gz /app/", "add-local", ""},
        {STEP_ADD, "rootfs.tar.xz /", "", ""},
        {STEP_ADD, "https://x.example/f /f", "", ""},
        {STEP_ADD, "git@x.example:a/b.git /src", "", ""},
        {STEP_ADD, "dir:0123 in /app", "add-local", ""},
        {STEP_ADD, "file:0123 in /", "", "add-local"},
        {STEP_ADD, "multi:0123 in /app", "", "add-local"},
        {STEP_ADD, "", "", ""},
        {STEP_COPY, "app.py /app/", "", ""},
        {STEP_ENV, "A=sudo", "", ""},
    };

    (void)state;
    run_rows(rows, ARRAY_COUNT(rows));
}

static void test_pip_by_environment(void **state)
{
    struct image_config config = {0};
    struct step step = {.kind = STEP_RUN, .text = memory_copy_text("pip install x")};
    const struct facts facts = {.config = &config, .history = {.steps = &step, .count = 1}};

    (void)state;
    assert_int_equal(history_check_step(&facts, &step).fails, CHECK_BIT(CHECK_PIP_CACHE));
    text_pairs_add(&config.env, "PIP_NO_CACHE_DIR", "1");
    assert_int_equal(history_check_step(&facts, &step).fails, 0);
    text_pairs_release(&config.env);
    text_pairs_add(&step.args, "PIP_NO_CACHE_DIR", "1");
    assert_int_equal(history_check_step(&facts, &step).fails, 0);
    text_pairs_release(&step.args);
    free(step.text);
}

static void test_every_check_has_words(void **state)
{
    (void)state;
    for (int check = 0; check < HISTORY_CHECK_COUNT; check++) {
        assert_non_null(history_check_names[check]);
        assert_non_null(history_check_message((enum history_check)check));
        assert_non_null(history_check_remedy((enum history_check)check));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apt),
        cmocka_unit_test(test_caches),
        cmocka_unit_test(test_pipe_shell),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_pip_by_environment),
        cmocka_unit_test(test_every_check_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
