/* The tables of signals: which paths say what, and that no row is dead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "signals.h"

/* "what@root" of each match, in order. */
static const struct {
    const char *path;
    const char *wanted;
} paths[] = {
    {"usr/bin/gcc", "gcc@usr/bin/gcc"},
    {"usr/bin/gcc-12", "gcc@usr/bin/gcc-12"},
    {"usr/bin/x86_64-linux-gnu-gcc-12", "gcc@usr/bin/x86_64-linux-gnu-gcc-12"},
    {"usr/bin/gccgo", ""},
    {"usr/bin/gcc-ar-12", ""},
    {"usr/bin/clang-14", "clang@usr/bin/clang-14"},
    {"usr/bin/clang-format-14", ""},
    {"usr/local/lib/node_modules/npm/node_modules/node-gyp/lib/a.js",
     "npm@usr/local/lib/node_modules/npm"},
    {"usr/bin/perl", ""},
    {"usr/share/ca-certificates/mozilla/a.crt", ""},
    {"etc/ssl/certs/ca-certificates.crt", ""},
    {"etc/ssl/certs/a.pem", ""},
    {"busybox/sh", "busybox@busybox"},
    {"app/usr/bin/gcc", ""},
    {"usr/lib/gcc/x86_64-linux-gnu/12/cc1", "gcc@usr/lib/gcc/x86_64-linux-gnu/12/cc1"},
    {"usr/lib/gcc/x86_64-linux-gnu/12/libgcc.so", ""},
    {"usr/include/stdio.h", "c-headers@usr/include"},
    {"usr/include", "c-headers@usr/include"},
    {"usr/includes/stdio.h", ""},
    {"usr/local/include/node/v8.h",
     "c-headers@usr/local/include node-headers@usr/local/include/node"},
    {"usr/local/go/bin/go", "go-sdk@usr/local/go go@usr/local/go/bin"},
    {"opt/java/openjdk/bin/javac", "javac@opt/java/openjdk/bin/javac"},
    {"opt/java/openjdk/jmods/java.base.jmod", "jdk-modules@opt/java/openjdk/jmods"},
    {"usr/share/dotnet/sdk/8.0.1/a.dll", "dotnet-sdk@usr/share/dotnet/sdk"},
    {"usr/share/dotnet/shared/Microsoft.NETCore.App/9.0.1/b.dll",
     "dotnet@usr/share/dotnet/shared/Microsoft.NETCore.App/9.0.1"},
    {"opt/node/bin/node", "node@opt/node/bin/node"},
    {"app/node_modules/.bin/node", ""},
    {"usr/bin/php8.3", "php@usr/bin/php8.3"},
    {"opt/jruby/bin/jruby", "jruby@opt/jruby/bin/jruby"},
    {"var/lib/apt/lists/x_Packages", "apt-lists@var/lib/apt/lists"},
    {"root/.npm/_cacache/index-v5/a", "npm-cache@root/.npm/_cacache"},
    {"app/node_modules/typescript/lib/tsc.js", "typescript@app/node_modules/typescript"},
    {"app/node_modules/a/node_modules/jest/x", "jest@app/node_modules/a/node_modules/jest"},
    {"app/node_modules/@types/node/a.d.ts", ""},
    {"app/node_modules/typescript-thing/x", ""},
    {"usr/local/lib/python3.11/site-packages/pytest/__init__.py",
     "pytest@usr/local/lib/python3.11/site-packages/pytest"},
    {"app/.git/HEAD", "git-directory@app/.git"},
    {".git/objects/.git/x", "git-directory@.git"},
    {"app/.gitignore", ""},
    {"app/node_modules/x/.git/HEAD", ""},
    {"usr/share/x/.git/HEAD", ""},
    {"app/.env", "env-file@app/.env"},
    {"app/.env.example", ""},
    {"usr/src/app/.env", "env-file@usr/src/app/.env"},
    {"usr/src/app/.git/HEAD", "git-directory@usr/src/app/.git"},
    {"usr/src/app/node_modules/x/.env", ""},
    {"usr/src/linux/.env", ""},
    {"usr/share/nginx/html/.git/HEAD", "git-directory@usr/share/nginx/html/.git"},
    {"usr/share/nginx/html/vendor/x/.env", ""},
    {"usr/share/nginx/.env", ""},
    {"app/vendor/x/.env", ""},
    {"home/me/.aws/credentials", "cloud-credentials@home/me/.aws"},
    {"home/me/.docker/config.json", "registry-credentials@home/me/.docker/config.json"},
    {"app/config.json", ""},
    {"root/.ssh/id_rsa", "ssh-key@root/.ssh/id_rsa"},
    {"root/.ssh/id_rsa.pub", ""},
    {"etc/ssh/ssh_host_rsa_key", "ssh-host-key@etc/ssh/ssh_host_rsa_key"},
    {"etc/ssh/ssh_host_rsa_key.pub", ""},
    {"app/tls.key", "private-key@app/tls.key"},
    {"etc/ssl/private/ssl-cert-snakeoil.key", ""},
    {"etc/ssl/private/tls.key", "private-key@etc/ssl/private/tls.key"},
    {"app/.key", "private-key@app/.key"},
    {"app/key", ""},
    {"srv/.main.c.swp", "editor-swap@srv/.main.c.swp"},
    {"bin/busybox", "busybox@bin/busybox"},
    {"", ""},
    {"a", ""},
};

static void paths_say_what_they_say(void **state)
{
    struct signals *signals = signals_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct signal_match matches[SIGNAL_MATCHES_MAX];
        AUTO_TEXT struct text got = {0};
        size_t count = signals_match(signals, paths[i].path, matches);
        for (size_t k = 0; k < count; k++)
            text_format(&got, "%s%s@%.*s", k > 0 ? " " : "", matches[k].row->what,
                        (int)matches[k].root_size, paths[i].path);
        if (strcmp(text_data(&got), paths[i].wanted) != 0)
            fail_msg("%s: '%s', not '%s'", paths[i].path, text_data(&got), paths[i].wanted);
    }
    signals_free(signals);
}

/* A path that the row ought to match: stars and depth filled in. */
static char *sample(const char *pattern)
{
    struct text text = {0};

    if (text_starts_with(pattern, "**/")) {
        text_add(&text, "home/app/");
        pattern += 3;
    }
    for (; *pattern; pattern++)
        text_add(&text, *pattern == '*' ? "1.x" : (const char[]){*pattern, '\0'});
    return text_take(&text);
}

static bool finds(const struct signals *signals, const char *path, const char *what,
                  size_t *ret_root)
{
    struct signal_match matches[SIGNAL_MATCHES_MAX];
    size_t count = signals_match(signals, path, matches);

    for (size_t i = 0; i < count; i++) {
        *ret_root = matches[i].root_size;
        if (strcmp(matches[i].row->what, what) == 0)
            return true;
    }
    return false;
}

static void check_rows(const struct signals *signals, const struct signal_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *path = sample(rows[i].pattern);
        AUTO_FREE char *below = text_new("%s/some/file", path);
        size_t root;
        if (!finds(signals, path, rows[i].what, &root) ||
            !finds(signals, below, rows[i].what, &root) || root > strlen(path))
            fail_msg("%s does not match %s", rows[i].pattern, path);
        for (const char *c = rows[i].what; *c; c++)
            assert_true(*c > ' ' && *c < 0x7f);
    }
}

static void no_row_is_dead(void **state)
{
    struct signals *signals = signals_new();

    (void)state;
    check_rows(signals, signal_tools, signal_tools_count);
    check_rows(signals, signal_leaks, signal_leaks_count);
    signals_free(signals);
}

static void libraries(void **state)
{
    static const char *const inside[] = {"usr/share/a",
                                         "node_modules/a",
                                         "app/node_modules/a",
                                         "opt/x/site-packages/a",
                                         "vendor/a",
                                         "lib/a",
                                         "var/lib/apt/lists/a",
                                         "var/cache/apt/archives/a",
                                         "root/.cache/pip/http/a",
                                         "usr/src/linux-headers-6/a"};
    static const char *const outside[] = {"usr/bin/a", "app/a",         "my_node_modules/a",
                                          "vendors/a", "usr/src/app/a", "usr/share/nginx/html/a"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(inside); i++)
        assert_true(signal_in_library(inside[i]));
    for (size_t i = 0; i < ARRAY_COUNT(outside); i++)
        assert_false(signal_in_library(outside[i]));
}

/* Deep and long paths end somewhere. */
static void any_path_is_answered(void **state)
{
    struct signals *signals = signals_new();
    struct signal_match matches[SIGNAL_MATCHES_MAX];
    AUTO_TEXT struct text path = {0};

    (void)state;
    for (int i = 0; i < 2000; i++)
        text_add(&path, ".git/");
    assert_int_equal(signals_match(signals, text_data(&path), matches), 1);
    assert_int_equal(matches[0].root_size, 4);
    signals_free(signals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_say_what_they_say),
        cmocka_unit_test(no_row_is_dead),
        cmocka_unit_test(libraries),
        cmocka_unit_test(any_path_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
