/* Language runtime, version and build kit by environment, command and history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"

#define RUN(text) "{`created_by`:`/bin/sh -c " text "`}"

static void runtimes(void **state)
{
    static const struct {
        const char *name, *config, *history;
        enum runtime runtime;
        const char *version;
        enum answer sdk;
        enum evidence evidence;
    } cases[] = {
        {"node", "`Env`:[`NODE_VERSION=22.1.0`,`YARN_VERSION=1`]", "", RUNTIME_NODE, "22.1.0",
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"go", "`Env`:[`GOLANG_VERSION=1.23`,`GOPATH=/go`]", "", RUNTIME_GO, "1.23", ANSWER_YES,
         EVIDENCE_ENVIRONMENT},
        {"python", "`Env`:[`PYTHON_VERSION=3.12.1`,`GPG_KEY=ABC`]", "", RUNTIME_PYTHON, "3.12.1",
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"aspnet", "`Env`:[`DOTNET_VERSION=9.0.1`,`ASPNET_VERSION=9.0.1`]", "", RUNTIME_DOTNET,
         "9.0.1", ANSWER_NO, EVIDENCE_ENVIRONMENT},
        /* Naive: DOTNET_VERSION means runtime only. The SDK image inherits it. */
        {"dotnet sdk",
         "`Env`:[`DOTNET_VERSION=9.0.1`,`ASPNET_VERSION=9.0.1`,`DOTNET_SDK_VERSION=9.0.102`]", "",
         RUNTIME_DOTNET, "9.0.1", ANSWER_YES, EVIDENCE_ENVIRONMENT},
        {"java", "`Env`:[`JAVA_HOME=/opt/java/openjdk`,`JAVA_VERSION=jdk-21.0.1+12`]", "",
         RUNTIME_JAVA, "jdk-21.0.1+12", ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        /* Naive: JAVA_VERSION=jdk-… means JDK. The JRE image has the same variables. */
        {"java jre", "`Env`:[`JAVA_VERSION=jdk-21.0.1+12`]",
         RUN("curl https://x/OpenJDK21U-jre_x64_linux.tar.gz"), RUNTIME_JAVA, "jdk-21.0.1+12",
         ANSWER_NO, EVIDENCE_ENVIRONMENT},
        {"java jdk", "`Env`:[`JAVA_VERSION=jdk-21.0.1+12`]",
         RUN("curl https://x/OpenJDK21U-jdk_x64_linux.tar.gz"), RUNTIME_JAVA, "jdk-21.0.1+12",
         ANSWER_YES, EVIDENCE_ENVIRONMENT},
        {"maven", "`Env`:[`JAVA_VERSION=21`,`MAVEN_HOME=/usr/share/maven`]", "", RUNTIME_JAVA, "21",
         ANSWER_YES, EVIDENCE_ENVIRONMENT},
        {"ruby", "`Env`:[`RUBY_VERSION=3.3`,`GEM_HOME=/usr/local/bundle`]", "", RUNTIME_RUBY, "3.3",
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        /* Naive: first Java variable wins. JRuby images have them all. */
        {"jruby", "`Env`:[`JAVA_HOME=/j`,`JAVA_VERSION=8u1`,`JRUBY_VERSION=9.4`],`Cmd`:[`irb`]", "",
         RUNTIME_RUBY, "9.4", ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"jruby started by java", "`Env`:[`JAVA_VERSION=8u1`,`JRUBY_VERSION=9.4`],`Cmd`:[`java`]",
         "", RUNTIME_RUBY, "9.4", ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"rust", "`Env`:[`RUSTUP_HOME=/usr/local/rustup`,`RUST_VERSION=1.80`]", "", RUNTIME_RUST,
         "1.80", ANSWER_YES, EVIDENCE_ENVIRONMENT},
        /* Naive: PHPIZE_DEPS lists gcc, so the compiler is there. Alpine images have the variable
         * and no compiler. */
        {"php", "`Env`:[`PHPIZE_DEPS=autoconf gcc make`,`PHP_VERSION=8.3`]", "", RUNTIME_PHP, "8.3",
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"node beside ruby", "`Env`:[`NODE_VERSION=20`,`RUBY_VERSION=3.3`]", "", RUNTIME_RUBY,
         "3.3", ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"the command decides",
         "`Env`:[`NODE_VERSION=20`,`PYTHON_VERSION=3.12`],`Entrypoint`:[`/usr/bin/tini`,`--`],"
         "`Cmd`:[`node`,`x.js`]",
         "", RUNTIME_NODE, "20", ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"the command does not decide without its variable",
         "`Env`:[`PYTHON_VERSION=3.12`],`Cmd`:[`java`,`-jar`,`x`]", "", RUNTIME_PYTHON, "3.12",
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"distroless python", "`Entrypoint`:[`/usr/bin/python3.11`]", "", RUNTIME_PYTHON, NULL,
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"shell form", "`Cmd`:[`/bin/sh`,`-c`,`exec node server.js`]", "", RUNTIME_NODE, NULL,
         ANSWER_UNKNOWN, EVIDENCE_ENVIRONMENT},
        {"an empty variable is none", "`Env`:[`NODE_VERSION=`]", "", RUNTIME_UNKNOWN, NULL,
         ANSWER_UNKNOWN, EVIDENCE_NONE},
        {"installed node", "`Cmd`:[`/start`]", RUN("apk add --no-cache nodejs npm"), RUNTIME_NODE,
         NULL, ANSWER_UNKNOWN, EVIDENCE_HISTORY},
        /* Naive: an install is enough. The same step took it away again. */
        {"removed node", "`Cmd`:[`/start`]", RUN("apk add --virtual b nodejs && make && apk del b"),
         RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN, EVIDENCE_NONE},
        {"installed dotnet", "`Cmd`:[`/start`]", RUN("apt-get install -y dotnet-sdk-9.0"),
         RUNTIME_DOTNET, NULL, ANSWER_YES, EVIDENCE_HISTORY},
        {"ko", "`Entrypoint`:[`/ko-app/x`]", "{`author`:`ko`,`created_by`:`ko build ko://x`}",
         RUNTIME_GO, NULL, ANSWER_NO, EVIDENCE_HISTORY},
        {"jib", "`Entrypoint`:[`java`,`-cp`,`@/app/jib-classpath-file`]",
         "{`author`:`Jib`,`created_by`:`jib-maven-plugin:3`}", RUNTIME_JAVA, NULL, ANSWER_UNKNOWN,
         EVIDENCE_ENVIRONMENT},
        /* A compiled program from a multi-stage build says nothing at all. */
        {"static", "`Entrypoint`:[`/app`],`Env`:[`PATH=/bin`]",
         "{`created_by`:`COPY /app /app # buildkit`}", RUNTIME_UNKNOWN, NULL, ANSWER_UNKNOWN,
         EVIDENCE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *config =
            text_new("{`config`:{%s},`history`:[%s]}", cases[i].config, cases[i].history);
        AUTO_FACTS struct facts *facts = fixture_facts(config, 1, "{}");
        const struct facts_runtime *runtime = &facts->runtime;
        if (runtime->runtime != cases[i].runtime ||
            !text_equal(runtime->version, cases[i].version) || runtime->sdk != cases[i].sdk ||
            runtime->evidence != cases[i].evidence)
            fail_msg("%s: %s %s, sdk %s, evidence %s", cases[i].name,
                     runtime_name(runtime->runtime), runtime->version ? runtime->version : "-",
                     answer_name(runtime->sdk), evidence_name(runtime->evidence));
        /* Unknown is an answer: the group is there. */
        assert_int_equal(facts->status[FACT_RUNTIME].state, FACT_PRESENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runtimes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
