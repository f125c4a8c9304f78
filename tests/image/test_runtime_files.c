/* Language runtime, version and build kit by what the layers hold: files against environment and
 * command. Rows that are named "naive" say what a simpler rule would answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/facts_files.h"

#define HIT(kind, runtime, what, path) \
    "{`kind`:`" kind "`,`runtime`:`" runtime "`,`what`:`" what "`,`path`:`" path "`}"
#define OWN(kind, runtime, what, path) \
    "{`kind`:`" kind "`,`runtime`:`" runtime "`,`what`:`" what "`,`path`:`" path "`,`layer`:1}"
#define GONE(kind, runtime, what, path)                                                         \
    "{`kind`:`" kind "`,`runtime`:`" runtime "`,`what`:`" what "`,`path`:`" path "`,`layer`:0," \
    "`hiddenBy`:1}"
#define GO(path, layer)                                                                       \
    "{`kind`:`binary`,`runtime`:`go`,`what`:`go-binary`,`path`:`" path "`,`layer`:" layer "," \
    "`detail`:`go1.22.3 example.com/app`}"
#define STATIC(path) HIT("binary", "static", "static-binary", path)
#define NODE(path) HIT("runtime", "node", "node", path)
#define PYTHON(path) HIT("runtime", "python", "python", path)
#define HITS(hits) "`hits`:[" hits "]"
#define LARGEST(path) ",`largest`:[{`path`:`" path "`}]"
#define ENV(env) "`Env`:[" env "]"

static const struct {
    const char *name, *config, *files;
    int base_layers; /* -1: not known */
    enum runtime runtime;
    const char *version;
    enum answer sdk;
    enum evidence evidence;
} cases[] = {
    {"nothing at all", "", "", -1, RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
    /* naive: no NODE_VERSION, no node */
    {"COPY --from=node", "", HITS(NODE("usr/local/bin/node")), -1, RUNTIME_NODE, NULL, ANSWER_NO,
     EVIDENCE_LAYERS},
    {"node with its variable", ENV("`NODE_VERSION=22.1.0`"), HITS(NODE("usr/local/bin/node")), -1,
     RUNTIME_NODE, "22.1.0", ANSWER_NO, EVIDENCE_LAYERS},
    {"a variable without files stays what it was", ENV("`NODE_VERSION=22.1.0`"), "", -1,
     RUNTIME_NODE, "22.1.0", ANSWER_NO, EVIDENCE_ENVIRONMENT},
    {"and its kit stays open while not all is known", ENV("`PHP_VERSION=8.3`"), "`complete`:false",
     -1, RUNTIME_PHP, "8.3", ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
    /* naive: the variable is set, so it is Node. It is inherited, and the files are gone. */
    {"the variable is of what is gone", ENV("`NODE_VERSION=22`"),
     HITS(GONE("runtime", "node", "node",
               "usr/local/bin/node") "," OWN("runtime", "python", "python", "usr/bin/python3.11")),
     1, RUNTIME_PYTHON, "3.11", ANSWER_NO, EVIDENCE_LAYERS},
    {"the command decides between two",
     ENV("`PYTHON_VERSION=3.12.1`") ",`Entrypoint`:[`tini`,`--`],`Cmd`:[`node`,`x.js`]",
     HITS(NODE("opt/node/bin/node") "," PYTHON("usr/local/bin/python3.12")), -1, RUNTIME_NODE, NULL,
     ANSWER_NO, EVIDENCE_LAYERS},
    {"a command that is not there does not", ENV("`PYTHON_VERSION=3.12.1`") ",`Cmd`:[`node`,`x`]",
     HITS(PYTHON("usr/local/bin/python3.12")), -1, RUNTIME_PYTHON, "3.12.1", ANSWER_NO,
     EVIDENCE_LAYERS},
    /* naive: the first variable wins */
    {"own layers before the environment", ENV("`PYTHON_VERSION=3.12.1`"),
     HITS(PYTHON("usr/local/bin/python3.12") "," OWN("runtime", "php", "php", "usr/bin/php8.3")), 1,
     RUNTIME_PHP, "8.3", ANSWER_NO, EVIDENCE_LAYERS},
    {"node beside another is a tool", ENV("`RUBY_VERSION=3.3.1`") ",`Cmd`:[`/start.sh`]",
     HITS(HIT("runtime", "ruby", "ruby", "usr/local/bin/ruby") "," OWN("runtime", "node", "node",
                                                                       "usr/bin/node")),
     1, RUNTIME_RUBY, "3.3.1", ANSWER_NO, EVIDENCE_LAYERS},
    {"what only the base has is no purpose", "", HITS(PYTHON("usr/bin/python3.11")), 1,
     RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
    {"unless the command calls it", "`Entrypoint`:[`/usr/bin/python3.11`]",
     HITS(PYTHON("usr/bin/python3.11")), 1, RUNTIME_PYTHON, "3.11", ANSWER_NO, EVIDENCE_LAYERS},
    {"two of equal right are unknown", "",
     HITS(PYTHON("usr/bin/python3.11") "," NODE("usr/bin/node")), -1, RUNTIME_UNKNOWN, NULL,
     ANSWER_UNKNOWN, EVIDENCE_NONE},
    /* naive: Java is there, so it is Java */
    {"jruby", ENV("`JAVA_VERSION=21`,`JRUBY_VERSION=9.4`"),
     HITS(HIT("runtime", "java", "java", "opt/java/openjdk/bin/java") "," HIT(
         "runtime", "ruby", "jruby", "opt/jruby/bin/jruby")),
     -1, RUNTIME_RUBY, "9.4", ANSWER_NO, EVIDENCE_LAYERS},
    /* a compiled program says how it was built */
    {"go from scratch", "`Entrypoint`:[`/app`]", HITS(GO("app", "0")), 0, RUNTIME_GO, "1.22.3",
     ANSWER_NO, EVIDENCE_LAYERS},
    {"go by its name", "`Entrypoint`:[`server`]", HITS(GO("usr/local/bin/server", "1")), 1,
     RUNTIME_GO, "1.22.3", ANSWER_NO, EVIDENCE_LAYERS},
    {"go in the working directory", "`WorkingDir`:`/srv/app`,`Cmd`:[`./server`,`-v`]",
     HITS(GO("srv/app/server", "1")), 1, RUNTIME_GO, "1.22.3", ANSWER_NO, EVIDENCE_LAYERS},
    {"go elsewhere is another program", "`WorkingDir`:`/srv/app`,`Cmd`:[`./server`]",
     HITS(GO("opt/server", "1")), 1, RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
    {"go behind a script", "`Entrypoint`:[`/start.sh`]",
     HITS(GO("opt/app/server", "1")) LARGEST("opt/app/server"), 1, RUNTIME_GO, "1.22.3", ANSWER_NO,
     EVIDENCE_LAYERS},
    {"go with its toolchain", "`Entrypoint`:[`/app`]",
     HITS(GO("app", "1") "," HIT("sdk", "go", "go-sdk", "usr/local/go")), 1, RUNTIME_GO, "1.22.3",
     ANSWER_YES, EVIDENCE_LAYERS},
    {"the builder's image", ENV("`GOLANG_VERSION=1.23`"),
     HITS(HIT("sdk", "go", "go-sdk", "usr/local/go")), -1, RUNTIME_GO, "1.23", ANSWER_YES,
     EVIDENCE_LAYERS},
    /* naive: there is a Go program, so it is Go. gosu starts the database and goes. */
    {"gosu", "`Entrypoint`:[`gosu`,`postgres`,`/start.sh`]", HITS(GO("usr/local/bin/gosu", "1")), 1,
     RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
    {"go as a tool of python", ENV("`PYTHON_VERSION=3.12.1`") ",`Cmd`:[`/start.sh`]",
     HITS(PYTHON("usr/local/bin/python3.12") "," GO("usr/local/bin/kubectl", "1"))
         LARGEST("usr/local/bin/kubectl"),
     1, RUNTIME_PYTHON, "3.12.1", ANSWER_NO, EVIDENCE_LAYERS},
    {"a lone static program", "`Entrypoint`:[`/app2`]", HITS(STATIC("app2")), 0, RUNTIME_STATIC,
     NULL, ANSWER_NO, EVIDENCE_LAYERS},
    {"busybox", "`Cmd`:[`sh`]", HITS(STATIC("bin/busybox")) LARGEST("bin/busybox"), -1,
     RUNTIME_STATIC, NULL, ANSWER_NO, EVIDENCE_LAYERS},
    {"static tini is no purpose", "`Entrypoint`:[`/sbin/tini`,`--`,`/run.sh`]",
     HITS(STATIC("sbin/tini")), -1, RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
    /* .NET: the SDK image has the variables of all three */
    {"dotnet from the sdk's image", ENV("`DOTNET_VERSION=9.0.1`,`DOTNET_SDK_VERSION=9.0.102`"),
     HITS(HIT(
         "runtime", "dotnet", "dotnet",
         "usr/share/dotnet/shared/Microsoft.NETCore.App/9.0.1") "," GONE("sdk", "dotnet",
                                                                         "dotnet-sdk",
                                                                         "usr/share/dotnet/sdk")),
     -1, RUNTIME_DOTNET, "9.0.1", ANSWER_NO, EVIDENCE_LAYERS},
    {"dotnet without variables", "`Entrypoint`:[`dotnet`,`app.dll`]",
     HITS(HIT("runtime", "dotnet", "dotnet",
              "usr/lib/dotnet/shared/Microsoft.NETCore.App/8.0.4") "," HIT("runtime", "dotnet",
                                                                           "dotnet",
                                                                           "usr/lib/dotnet/shared/"
                                                                           "Microsoft.NETCore.App/"
                                                                           "8.0.11")),
     -1, RUNTIME_DOTNET, "8.0.11", ANSWER_NO, EVIDENCE_LAYERS},
    {"java by its directory", "`Entrypoint`:[`java`,`-jar`,`x`]",
     HITS(HIT("runtime", "java", "java", "usr/lib/jvm/java-17-openjdk-amd64/bin/java") "," HIT(
         "compiler", "java", "javac", "usr/lib/jvm/java-17-openjdk-amd64/bin/javac")),
     -1, RUNTIME_JAVA, "17", ANSWER_YES, EVIDENCE_LAYERS},
    /* naive: JAVA_VERSION=jdk-… is a JDK */
    {"a jre with the variable of a jdk", ENV("`JAVA_VERSION=jdk-21.0.1+12`"),
     HITS(HIT("runtime", "java", "java", "opt/java/openjdk/bin/java")), -1, RUNTIME_JAVA,
     "jdk-21.0.1+12", ANSWER_NO, EVIDENCE_LAYERS},
    {"phpize is not php", "", HITS(HIT("runtime", "php", "php", "usr/bin/phpize8.3")), -1,
     RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
    {"fpm", "`Cmd`:[`php-fpm`]", HITS(HIT("runtime", "php", "php", "usr/sbin/php-fpm8.2")), -1,
     RUNTIME_PHP, "8.2", ANSWER_NO, EVIDENCE_LAYERS},
    /* naive: PYTHON_VERSION is believed. The distribution's python is run. */
    {"the version is that of the file", ENV("`PYTHON_VERSION=3.9.1`") ",`Cmd`:[`python3`]",
     HITS(PYTHON("usr/bin/python3.11")), -1, RUNTIME_PYTHON, "3.11", ANSWER_NO, EVIDENCE_LAYERS},
    {"3.1 is not 3.12", ENV("`PYTHON_VERSION=3.12`") ",`Cmd`:[`python3`]",
     HITS(PYTHON("usr/bin/python3.1")), -1, RUNTIME_PYTHON, "3.1", ANSWER_NO, EVIDENCE_LAYERS},
    {"shell form", "`Cmd`:[`/bin/sh`,`-c`,`cd /x && exec node server.js`]",
     HITS(NODE("usr/bin/node") "," PYTHON("usr/bin/python3.11")), -1, RUNTIME_NODE, NULL, ANSWER_NO,
     EVIDENCE_LAYERS},
    {"rust's own image", ENV("`RUST_VERSION=1.80`"),
     HITS(HIT("compiler", "rust", "rustc", "usr/local/cargo/bin/rustc")), -1, RUNTIME_RUST, "1.80",
     ANSWER_YES, EVIDENCE_LAYERS},
};

static struct facts_files *files_of(const char *members)
{
    AUTO_FREE char *text = text_new("{%s}", members);
    AUTO_FREE char *fixture = fixture_json(text);
    AUTO_JSON struct json *json = NULL;
    struct facts_files *files = NULL;
    struct error err = {0};

    if (json_parse(fixture, strlen(fixture), NULL, &json, &err) < 0 ||
        facts_files_from_json(json, 2, &files, &err) < 0)
        fail_msg("%s: %s", members, err.text);
    return files;
}

static struct facts *facts_of(size_t i)
{
    AUTO_FREE char *config = text_new("{`config`:{%s}}", cases[i].config);
    struct facts *facts = fixture_facts(config, 2, "{}");

    facts->base.layer_count = cases[i].base_layers;
    facts_add_files_take(facts, files_of(cases[i].files));
    return facts;
}

static void files_outrank_what_is_said(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FACTS struct facts *facts = facts_of(i);
        const struct facts_runtime *runtime = &facts->runtime;
        if (runtime->runtime == cases[i].runtime && runtime->sdk == cases[i].sdk &&
            text_equal(runtime->version, cases[i].version) &&
            runtime->evidence == cases[i].evidence)
            continue;
        print_message("%s: %s %s, sdk %s, evidence %s\n", cases[i].name,
                      runtime_name(runtime->runtime), runtime->version ? runtime->version : "-",
                      answer_name(runtime->sdk), evidence_name(runtime->evidence));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* A layer that could not be read the first time takes away what another brought. */
static void what_was_read_before_is_forgotten(void **state)
{
    AUTO_FACTS struct facts *facts =
        fixture_facts("{`config`:{" ENV("`PHP_VERSION=8.3`") "}}", 2, "{}");

    (void)state;
    facts_add_files_take(facts, files_of(HITS(OWN("runtime", "node", "node", "usr/bin/node"))));
    assert_int_equal(facts->runtime.runtime, RUNTIME_NODE);
    facts_files_free(TAKE(facts->files));
    facts_add_files_take(facts, files_of(""));
    assert_int_equal(facts->runtime.runtime, RUNTIME_PHP);
    assert_string_equal(facts->runtime.version, "8.3");
    assert_int_equal(facts->runtime.evidence, EVIDENCE_ENVIRONMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outrank_what_is_said),
        cmocka_unit_test(what_was_read_before_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
