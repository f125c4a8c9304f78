/* Rules that look into layers, by table. The image has two layers of its base (0 and 1), and own
 * ones of COPY requirements.txt (2, history step 5) and RUN pip install (3, step 6). */
#include "cmocka_all.h"
#include "policy_rows.h"

#include "regwarden/memory.h"

#define FILES(members) "{ files: { " members " } }"
#define HITS(hits) FILES("hits: [" hits "]")
#define UNREAD "{ files: null, groups: { files: { state: absent, reason: layers are not read } } }"
/* layer 3 could not be read */
#define PARTIAL(members)                                                                 \
    "{ files: { layers: [{}, {}, {}, { state: partial, reason: too large }], complete: " \
    "false, " members " }, groups: { files: { state: partial, reason: 'layer 3: too large' } } }"
#define NO_BASE(members)                                                                           \
    "{ base: null, groups: { base: { state: absent, reason: unknown } }, history: { steps: { 0: "  \
    "{ origin: unknown }, 1: { origin: unknown }, 5: { origin: unknown }, 6: { origin: unknown } " \
    "} }, files: { " members " } }"

#define GCC(where) "{ kind: compiler, what: gcc, path: usr/bin/gcc, bytes: 1200000, " where " }"
#define HEADERS(where)                                                                             \
    "{ kind: headers, what: c-headers, path: usr/include, files: 900, bytes: 24000000, " where " " \
    "}"
#define GO(where)                                                                            \
    "{ kind: sdk, what: go-sdk, path: usr/local/go, runtime: go, files: 12000, bytes: "      \
    "250000000, " where                                                                      \
    " }, { kind: compiler, what: go, path: usr/local/go/bin, runtime: go, files: 2, bytes: " \
    "20000000, " where " }"

#define RUN(step, more) "{ history: { steps: { " step ": { kind: RUN, " more " } } } }"

/* The texts, where a policy does not look into layers. */
static void test_build_tools_by_history(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.facts = "{ runtime: { name: go, sdk: yes } }",
         .judgement = RULE_FAIL,
         .message = "holds the build kit of go"},
        {.facts = "{ runtime: { sdk: unknown } }", .judgement = RULE_UNKNOWN},
        {"{ allow-runtimes: [php] }", "{ runtime: { name: php, sdk: yes } }", RULE_PASS, NULL, {0}},
        {.facts = RUN("6", "text: apt-get install -y gcc g++-12 libpq-dev curl"),
         .judgement = RULE_FAIL,
         .message = "leaves them: gcc, g++-12, libpq-dev"},
        {.facts = RUN("6", "text: 'apk add --no-cache build-base=0.5-r3'"), .judgement = RULE_FAIL},
        {.facts = RUN("6", "text: dnf install -y java-21-openjdk-devel"), .judgement = RULE_FAIL},
        {.facts = RUN("6", "text: apt-get install -y gcc && make && apt-get purge -y gcc"),
         .judgement = RULE_PASS},
        {.facts = RUN("6", "text: 'apk add --virtual .deps gcc && make && apk del .deps'"),
         .judgement = RULE_PASS},
        {.facts = RUN("6", "text: apt-get install -y libgcc-s1 gcc-12-base makedev curl"),
         .judgement = RULE_PASS},
        {.facts = RUN("6", "text: echo gcc make"), .judgement = RULE_PASS},
        {.facts = "{ history: { steps: { 3: { kind: ENV, text: 'PHPIZE_DEPS=autoconf gcc' } } } }",
         .judgement = RULE_PASS},
        {.facts = RUN("1", "text: apt-get install -y gcc"), .judgement = RULE_PASS},
        {"{ include-base: true }", RUN("1", "text: apt-get install -y gcc"), RULE_FAIL, NULL, {0}},
        {.facts = RUN("6", "text: apt-get install -y gcc, origin: unknown"),
         .judgement = RULE_UNKNOWN,
         .message = "may be the base's"},
        {"{ allow: [gcc, 'lib*-dev'] }",
         RUN("6", "text: apt-get install -y gcc libpq-dev"),
         RULE_PASS,
         NULL,
         {0}},
        {.facts = "{ history: null, groups: { history: { state: absent, reason: none } } }",
         .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS_WITHOUT_LAYERS("build-tools", rows);
}

static void test_build_tools(void **state)
{
    static const struct row rows[] = {
        {.facts = HITS(GCC("layer: 3") ", " HEADERS("layer: 3")),
         .judgement = RULE_FAIL,
         .message = "own step 6 (RUN pip install -r requirements.txt) brings build tools that stay "
                    "in the image: c-headers, gcc (25.2 MB in 901 files)"},
        {.facts = HITS(GCC("layer: 1")), .judgement = RULE_PASS}, /* the base's */
        {"{ include-base: true }", HITS(GCC("layer: 1")), RULE_FAIL, "the base's step 1", {0}},
        {"{ allow: [gcc] }", HITS(GCC("layer: 3")), RULE_PASS, NULL, {0}},
        {"{ allow-paths: [/usr/bin/*] }", HITS(GCC("layer: 3")), RULE_PASS, NULL, {0}},
        {"{ allow-paths: ['usr/local/go/**'] }", HITS(GO("layer: 3")), RULE_PASS, NULL, {0}},
        /* what lies in a directory that counts already does not count again */
        {.facts = HITS(GO("layer: 3")), .judgement = RULE_FAIL, .message = "(250 MB in 12000"},
        /* taken away later: no tool of the image any more, a matter of size */
        {.facts = HITS(GCC("layer: 2, hiddenBy: 3")), .judgement = RULE_PASS},
        {.facts =
             HITS("{ kind: compiler, what: gcc, path: usr/lib/gcc, files: 10, bytes: 50000000, "
                  "visibleFiles: 2, visibleBytes: 10000000, hiddenBy: 3, layer: 2 }"),
         .judgement = RULE_FAIL,
         .message = "40 MB of it taken away by later layers"},
        /* a header that a package brings along is no build kit */
        {.facts = HITS("{ kind: headers, what: python-headers, path: usr/local/include/python3.14, "
                       "bytes: 4000, layer: 3 }"),
         .judgement = RULE_PASS},
        /* … nor beside a tool that only warns, however large that is */
        {.facts = HITS("{ kind: headers, what: c-headers, path: usr/include, bytes: 4000, layer: 3 "
                       "}, { kind: build-tool, what: git, path: usr/bin/git, bytes: 3700000, "
                       "layer: 3 }"),
         .judgement = RULE_FAIL,
         .message = "debugging tools that stay in the image: c-headers, git"},
        {"{ headers-from: 1kB }",
         HITS("{ kind: headers, path: usr/local/include/python3.14, bytes: 4000, layer: 3 }"),
         RULE_FAIL,
         NULL,
         {0}},
        {.facts =
             HITS("{ kind: package-manager, what: pip, path: usr/lib/python3/site-packages/pip, "
                  "layer: 3 }"),
         .judgement = RULE_PASS},
        {.facts = HITS("{ kind: build-tool, what: git, path: usr/bin/git, layer: 3 }"),
         .judgement = RULE_FAIL,
         .message = "brings debugging tools"},
        /* whose the layer is, is not known */
        {.facts = NO_BASE("hits: [" GCC("layer: 3") "]"),
         .judgement = RULE_FAIL,
         .message = "step 6 (RUN pip install -r requirements.txt), own or the base's, brings"},
        {.facts = NO_BASE("hits: [" HEADERS("layer: 3") "]"), .judgement = RULE_UNKNOWN},
        {"{ include-base: true }",
         NO_BASE("hits: [" HEADERS("layer: 3") "]"),
         RULE_FAIL,
         NULL,
         {0}},
        {.facts = PARTIAL("hits: []"), .judgement = RULE_UNKNOWN, .message = "too large"},
        {.facts = PARTIAL("hits: [" GCC("layer: 2") "]"), .judgement = RULE_FAIL},
        /* the layers know better than the text: half of the images that install a compiler remove
         * it in the same step, in ways that no reader of texts sees */
        {.facts =
             "{ history: { steps: { 6: { text: 'apt-get install -y gcc && ./tidy-up.sh' } } } }",
         .judgement = RULE_PASS},
        /* anchore-engine#127: FROM is nowhere in the history, the SDK is in the layers */
        {.facts = "{ runtime: { name: go, sdk: yes }, files: { hits: [" GO("layer: 0") "] } }",
         .judgement = RULE_FAIL,
         .message = "holds the build kit of go: 250 MB"},
        {.facts = "{ runtime: { name: go, sdk: unknown } }", .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("build-tools", rows);
}

/* A multi-stage Dockerfile for the runtime that the tools are for. */
static void test_build_tools_name_the_pattern(void **state)
{
    static const struct {
        const char *runtime;
        const char *pattern;
    } rows[] = {
        {"go", "gcr.io/distroless/static"},
        {"node", "npm prune --omit=dev"},
        {"python", "pip wheel"},
        {"java", "jre"},
        {"dotnet", "dotnet publish"},
        {"rust", "cargo build --release"},
        {"php", "docker-php-ext-install"},
        {"ruby", "bundle install"},
        {"static", "FROM scratch"},
        {"unknown", "COPY --from=build /out /"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *facts = text_new(
            "{ runtime: { name: %s }, files: { hits: [" GCC("layer: 3") "] } }", rows[i].runtime);
        const struct row row = {.facts = facts};
        struct verdict verdict = {0};

        row_judge("build-tools", &row, &verdict);
        assert_int_equal(verdict.findings.count, 1);
        assert_non_null(strstr(verdict.findings.items[0].remedy, rows[i].pattern));
        verdict_release(&verdict);
    }
}

#define DEV(name, where)                                                                           \
    "{ kind: dev-dependency, what: '" name "', path: 'app/node_modules/" name "', runtime: node, " \
    "files: 100, bytes: 9000000, " where " }"

static void test_dev_dependencies(void **state)
{
    static const struct row rows[] = {
        {.facts = HITS(DEV("typescript", "layer: 3") ", " DEV("jest", "layer: 3")),
         .judgement = RULE_FAIL,
         .message = "for development and tests: jest, typescript (18 MB in 200 files)"},
        {.facts = HITS(DEV("typescript", "layer: 0")), .judgement = RULE_PASS},
        {"{ include-base: true }", HITS(DEV("jest", "layer: 0")), RULE_FAIL, NULL, {0}},
        {"{ allow: [typescript] }", HITS(DEV("typescript", "layer: 3")), RULE_PASS, NULL, {0}},
        {.facts = HITS(DEV("typescript", "layer: 2, hiddenBy: 3")), .judgement = RULE_PASS},
        {.facts = HITS(DEV("@types", "layer: 3")),
         .judgement = RULE_FAIL,
         .message = "mostly for development"},
        {.facts = NO_BASE("hits: [" DEV("jest", "layer: 3") "]"), .judgement = RULE_FAIL},
        {.facts = PARTIAL("hits: []"), .judgement = RULE_UNKNOWN},
        {.facts = UNREAD, .judgement = RULE_UNKNOWN, .message = "layers are not read"},
    };

    (void)state;
    RUN_ROWS("dev-dependencies", rows);
}

#define CACHE(bytes, where)                                                                     \
    "{ kind: package-cache, what: apt-lists, path: var/lib/apt/lists, files: 12, bytes: " bytes \
    ", " where " }"

static void test_package_cache(void **state)
{
    static const struct row rows[] = {
        {.facts = HITS(CACHE("41000000", "layer: 3")),
         .judgement = RULE_FAIL,
         .message = "apt-lists (41 MB in 12 files)"},
        {.facts = HITS(CACHE("41000000", "layer: 2, hiddenBy: 3")),
         .judgement = RULE_FAIL,
         .message = "all of it taken away by a later layer and served all the same"},
        {.facts = HITS(CACHE("2000", "layer: 3")), .judgement = RULE_PASS}, /* a lock */
        {.facts = HITS(CACHE("41000000", "layer: 1")), .judgement = RULE_PASS},
        {"{ allow: ['apt-*'] }", HITS(CACHE("41000000", "layer: 3")), RULE_PASS, NULL, {0}},
        /* dockle and Trivy ask the text for `rm`: a cache mount leaves nothing in the layer */
        {.facts =
             "{ history: { steps: { 6: { text: 'apt-get update && apt-get install -y curl' } } "
             "} }",
         .judgement = RULE_PASS},
        {.facts = UNREAD, .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("package-cache", rows);
}

#define GIT(where)                                                                   \
    "{ kind: context-leak, what: git-directory, path: app/.git, files: 900, bytes: " \
    "9000000, " where " }"

static void test_context_leak(void **state)
{
    static const struct row rows[] = {
        {.facts = HITS(GIT("layer: 2")),
         .judgement = RULE_FAIL,
         .message =
             "own step 5 (COPY requirements.txt ./) brings /app/.git, which belongs to the build "
             "context"},
        {.facts = HITS(GIT("layer: 2, hiddenBy: 3")),
         .judgement = RULE_FAIL,
         .message = "served all the same"},
        {.facts = HITS(GIT("layer: 1")), .judgement = RULE_PASS}, /* dockle#220: the base's */
        {"{ allow: [git-directory] }", HITS(GIT("layer: 2")), RULE_PASS, NULL, {0}},
        {"{ allow-paths: [/app/.git] }", HITS(GIT("layer: 2")), RULE_PASS, NULL, {0}},
        {.facts =
             "{ history: { steps: { 6: { text: npm ci } } }, files: { packages: [{ manager: npm, "
             "name: x, path: app/node_modules/x/package.json, layer: 2 }] } }",
         .judgement = RULE_FAIL,
         .message = "copies node_modules of the build machine"},
        {.facts = "{ history: { steps: { 6: { text: 'yarn' } } }, files: { wasted: [{ path: "
                  "app/node_modules/x/x.js, bytes: 1000, layer: 2, hiddenBy: 3 }] } }",
         .judgement = RULE_FAIL},
        {"{ node-modules: false }",
         "{ history: { steps: { 6: { text: npm ci } } }, files: { packages: [{ manager: npm, name: "
         "x, path: app/node_modules/x/package.json, layer: 2 }] } }",
         RULE_PASS,
         NULL,
         {0}},
        /* copied from a build stage, and nothing installs */
        {.facts = "{ files: { packages: [{ manager: npm, name: x, path: "
                  "app/node_modules/x/package.json, layer: 2 }] } }",
         .judgement = RULE_PASS},
        {.facts = UNREAD, .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("context-leak", rows);
}

#define TOKEN(where)                                                                              \
    "{ kind: secret, what: github-token, path: app/.env, line: 3, detail: 'ghp_****(40)', hash: " \
    "0123456789abcdef, bytes: 120, " where " }"
#define DOTENV(where) "{ kind: secret-file, what: env-file, path: app/.env, bytes: 120, " where " }"

static void test_secrets_in_files(void **state)
{
    static const struct row rows[] = {
        {.facts = HITS(TOKEN("layer: 2")),
         .judgement = RULE_FAIL,
         .message = "/app/.env holds a secret: github-token ghp_****(40) in line 3; own step 5"},
        /* trufflehog#2881, slim's ID.20021: deleted later, and still there for all who can pull */
        {.facts = HITS(TOKEN("layer: 2, hiddenBy: 3")),
         .judgement = RULE_FAIL,
         .message = "own step 6 (RUN pip install -r requirements.txt) took it away, and layer 2 "
                    "still serves it"},
        {.facts = HITS(TOKEN("layer: 0")),
         .judgement = RULE_FAIL,
         .message = "the base's step 0"}, /* whoever brought it, it is served */
        {"{ include-base: false }", HITS(TOKEN("layer: 0")), RULE_PASS, NULL, {0}},
        {"{ include-base: false }", NO_BASE("hits: [" TOKEN("layer: 0") "]"), RULE_FAIL, NULL, {0}},
        {"{ allow-paths: ['/app/**'] }", HITS(TOKEN("layer: 2")), RULE_PASS, NULL, {0}},
        {"{ allow-kinds: ['github-*'] }", HITS(TOKEN("layer: 2")), RULE_PASS, NULL, {0}},
        {"{ allow-hashes: [0123456789abcdef] }", HITS(TOKEN("layer: 2")), RULE_PASS, NULL, {0}},
        {"{ allow-hashes: [0000000000000000] }", HITS(TOKEN("layer: 2")), RULE_FAIL, NULL, {0}},
        /* dockle#159, #284: names alone break pipelines */
        {.facts = HITS(DOTENV("layer: 2")),
         .judgement = RULE_FAIL,
         .message = "is named like a secret: env-file"},
        {"{ file-names: ignore }", HITS(DOTENV("layer: 2")), RULE_PASS, NULL, {0}},
        {.facts = PARTIAL("hits: []"), .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("secrets", rows);
}

static size_t count_findings(const char *rule, const char *with, const char *facts,
                             enum finding_status status)
{
    const struct row row = {.with = with, .facts = facts};
    struct verdict verdict = {0};
    size_t count = 0;

    row_judge(rule, &row, &verdict);
    for (size_t i = 0; i < verdict.findings.count; i++)
        count += verdict.findings.items[i].status == status;
    verdict_release(&verdict);
    return count;
}

static void test_names_warn_and_content_fails(void **state)
{
    (void)state;
    assert_int_equal(count_findings("secrets", NULL,
                                    HITS(TOKEN("layer: 2") ", " DOTENV("layer: 2")), FINDING_FAIL),
                     1);
    assert_int_equal(count_findings("secrets", NULL,
                                    HITS(TOKEN("layer: 2") ", " DOTENV("layer: 2")), FINDING_WARN),
                     0);
    assert_int_equal(count_findings("secrets", NULL, HITS(DOTENV("layer: 2")), FINDING_WARN), 1);
    assert_int_equal(
        count_findings("secrets", "{ file-names: fail }", HITS(DOTENV("layer: 2")), FINDING_FAIL),
        1);
    assert_int_equal(
        count_findings("build-tools", NULL,
                       HITS("{ kind: build-tool, what: gdb, path: usr/bin/gdb, layer: 3 "
                            "}"),
                       FINDING_WARN),
        1);
}

#define SETUID(file, where) \
    "{ kind: setuid, what: setuid, path: " file ", detail: '4755', bytes: 60000, " where " }"

static void test_setuid_files(void **state)
{
    static const struct row rows[] = {
        {.facts = HITS(SETUID("usr/bin/passwd", "layer: 0")), .judgement = RULE_PASS},
        {.facts = HITS(SETUID("bin/su", "layer: 0")), .judgement = RULE_PASS},
        {"{ well-known: false }",
         HITS(SETUID("usr/bin/passwd", "layer: 0")),
         RULE_FAIL,
         "/usr/bin/passwd is setuid (4755); the base's step 0",
         {0}},
        {.facts = HITS(SETUID("usr/bin/passwd", "layer: 3")), .judgement = RULE_FAIL},
        {.facts = HITS(SETUID("usr/bin/sudo", "layer: 0")), .judgement = RULE_FAIL},
        {.facts = HITS(SETUID("home/app/su", "layer: 0")), .judgement = RULE_FAIL},
        {.facts = HITS(SETUID("usr/bin/sudo", "layer: 0, hiddenBy: 3")), .judgement = RULE_PASS},
        {"{ include-base: false }", HITS(SETUID("usr/bin/sudo", "layer: 0")), RULE_PASS, NULL, {0}},
        {"{ allow-paths: [usr/bin/sudo] }",
         HITS(SETUID("usr/bin/sudo", "layer: 0")),
         RULE_PASS,
         NULL,
         {0}},
        {"{ setuid: false }", HITS(SETUID("usr/bin/sudo", "layer: 3")), RULE_PASS, NULL, {0}},
        {.facts = HITS("{ kind: capability, path: usr/bin/ping, layer: 3 }"),
         .judgement = RULE_FAIL,
         .message = "has capabilities of its own"},
        {.facts = NO_BASE("hits: [" SETUID("usr/bin/passwd", "layer: 0") "]"),
         .judgement = RULE_PASS},
        {.facts = UNREAD, .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("setuid-files", rows);
}

static void test_distroless(void **state)
{
#define SHELL(path) "{ kind: shell, what: shell, path: " path ", layer: 0 }"
    static const struct row rows[] = {
        {.facts = "{}", .judgement = RULE_PASS},
        {.facts = HITS(SHELL("bin/sh")), .judgement = RULE_FAIL, .message = "brings a shell"},
        {.facts = HITS("{ kind: package-manager, what: apt, path: usr/bin/apt-get, layer: 0 }"),
         .judgement = RULE_FAIL,
         .message = "brings a package manager: apt"},
        {"{ shell: false }", HITS(SHELL("bin/sh")), RULE_PASS, NULL, {0}},
        {"{ allow: [shell] }", HITS(SHELL("bin/sh")), RULE_PASS, NULL, {0}},
        {.facts = UNREAD, .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("distroless", rows);
}

#define PACKAGE(manager, name, version)                                             \
    FILES("packages: [{ manager: " manager ", name: '" name "', version: '" version \
          "', layer: 3 }]")

static void test_packages(void **state)
{
    static const struct row rows[] = {
        {"{ forbidden: [telnetd] }", PACKAGE("dpkg", "telnetd", "1"), RULE_FAIL, "telnetd 1", {0}},
        {"{ forbidden: ['npm:telnetd'] }", PACKAGE("dpkg", "telnetd", "1"), RULE_PASS, NULL, {0}},
        {"{ forbidden: ['telnet*'] }", PACKAGE("dpkg", "telnetd", "1"), RULE_FAIL, NULL, {0}},
        {"{ forbidden: ['npm:lodash<4.17.21'] }",
         PACKAGE("npm", "lodash", "4.17.15"),
         RULE_FAIL,
         "'npm:lodash<4.17.21' is forbidden and is there: lodash 4.17.15 (npm)",
         {0}},
        {"{ forbidden: ['npm:lodash<4.17.21'] }",
         PACKAGE("npm", "lodash", "4.17.21"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ forbidden: ['npm:lodash<4.17.21'] }",
         PACKAGE("npm", "lodash", "latest"),
         RULE_UNKNOWN,
         "cannot be told",
         {0}},
        {"{ forbidden: ['dpkg:openssl=3.0.*'] }",
         PACKAGE("dpkg", "openssl", "3.0.15-1~deb12u1"),
         RULE_FAIL,
         NULL,
         {0}},
        {"{ forbidden: ['go:golang.org/x/net<0.17'] }",
         PACKAGE("go", "golang.org/x/net", "v0.16.0"),
         RULE_FAIL,
         NULL,
         {0}},
        {"{ required: [ca-certificates] }",
         PACKAGE("dpkg", "ca-certificates", "1"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ required: [ca-certificates] }", "{}", RULE_FAIL, "is not there", {0}},
        {"{ required: ['dpkg:openssl>=3.0.15'] }",
         PACKAGE("dpkg", "openssl", "3.0.2"),
         RULE_FAIL,
         "there is openssl 3.0.2",
         {0}},
        {"{ required: [ca-certificates] }", PARTIAL("packages: []"), RULE_UNKNOWN, NULL, {0}},
        {"{ only: [openssl, 'lib*'] }", PACKAGE("dpkg", "libssl3", "3"), RULE_PASS, NULL, {0}},
        {"{ only: [openssl] }", PACKAGE("dpkg", "curl", "8"), RULE_FAIL, "curl 8 (dpkg)", {0}},
        {"{ forbidden: [telnetd] }", UNREAD, RULE_UNKNOWN, NULL, {0}},
    };

    (void)state;
    RUN_ROWS("packages", rows);
}

#define FOUND(path, attributes) FILES("probes: [{ path: " path ", layer: 3, " attributes " }]")

static void test_files(void **state)
{
    static const struct row rows[] = {
        {"{ forbidden: ['**/*.pem'] }",
         FOUND("etc/app/key.pem", "bytes: 1700"),
         RULE_FAIL,
         "/etc/app/key.pem must not be there; own step 6",
         {0}},
        {"{ forbidden: ['**/*.pem'] }", "{}", RULE_PASS, NULL, {0}},
        {"{ forbidden: ['**/*.pem'] }", FOUND("a.pem", "hiddenBy: 3"), RULE_PASS, NULL, {0}},
        {"{ forbidden: ['**.pem'], hidden: true }",
         FILES("probes: [{ path: a.pem, layer: 2, hiddenBy: 3 }]"),
         RULE_FAIL,
         "took it away, and it is served all the same",
         {0}},
        {"{ forbidden: [/etc/x], include-base: false }",
         FILES("probes: [{ path: etc/x, layer: 0 }]"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ required: ['/licenses/**'] }", FOUND("licenses/MIT", "bytes: 1"), RULE_PASS, NULL, {0}},
        {"{ required: ['/licenses/**'] }", "{}", RULE_FAIL, "is required and is not there", {0}},
        {"{ required: ['/licenses/**'] }",
         PARTIAL("probes: []"),
         RULE_UNKNOWN,
         "not all layers were read",
         {0}},
        {"{ paths: [etc/app.conf], mode: '0640' }",
         FOUND("etc/app.conf", "mode: '0644'"),
         RULE_FAIL,
         "has the permissions 0644 and must have 0640",
         {0}},
        {"{ paths: ['etc/**'], not-mode: '0002' }",
         FOUND("etc/app.conf", "mode: '0666'"),
         RULE_FAIL,
         "of which 0002 must not be there",
         {0}},
        {"{ paths: ['etc/**'], not-mode: '0002' }",
         FOUND("etc/link", "kind: symlink, mode: '0777'"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ paths: [etc/app.conf], uid: [0], gid: [0] }",
         FOUND("etc/app.conf", "uid: 1000, gid: 0"),
         RULE_FAIL,
         "belongs to 1000:0",
         {0}},
        {"{ paths: [etc/app.conf], not-content: 'debug *= *true' }",
         FOUND("etc/app.conf", "content: yes"),
         RULE_FAIL,
         "holds what it must not",
         {0}},
        {"{ paths: [etc/app.conf], content: strict }",
         FOUND("etc/app.conf", "content: no"),
         RULE_FAIL,
         "does not hold what it must",
         {0}},
        {"{ paths: [etc/app.conf], content: strict }",
         FOUND("etc/app.conf", "content: unknown"),
         RULE_UNKNOWN,
         NULL,
         {0}},
        {"{ paths: [etc/app.conf], sha256: "
         "['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'] }",
         FOUND("etc/app.conf", "sha256: "
                               "'sha256:"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ paths: [etc/app.conf], sha256: "
         "['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'] }",
         FOUND("etc/app.conf", "sha256: "
                               "'sha256:"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"),
         RULE_FAIL,
         "another content",
         {0}},
        /* the layers were scanned before the policy asked */
        {"{ forbidden: [etc/x] }",
         FILES("probesAsked: ['0000000000000000']"),
         RULE_UNKNOWN,
         "were not asked for /etc/x yet",
         {0}},
        {"{ forbidden: [etc/x] }", UNREAD, RULE_UNKNOWN, NULL, {0}},
    };

    (void)state;
    RUN_ROWS("files", rows);
}

static void test_files_asks_layers(void **state)
{
    static const char policy[] =
        "policy: p\nrules:\n"
        "  - rule: files\n    with: { required: [a, /b], forbidden: [a] }\n"
        "  - rule: files\n    id: c\n    with: { paths: [a], content: x }\n";
    struct policy_set *set = support_compile(policy);
    const struct placement place = {.repository = "team/app"};
    AUTO_PROBES struct scan_probes probes = {0};

    (void)state;
    policy_set_probes(set, &place, &probes);
    assert_int_equal(probes.count, 3); /* a, b, and the content of a */
    policy_set_free(set);
}

/* Layers 2 and 3 are own: 10 MB and 90 MB of files. */
#define WASTE(hidden, tops)                                                                       \
    FILES("visibleBytes: 200000000, layers: [{}, {}, { fileBytes: 10000000, hiddenBytes: " hidden \
          " }, { fileBytes: 90000000 }], wastedBytes: " hidden ", wasted: [" tops "]")

#define BASE_WASTE(tops)                                                                          \
    FILES(                                                                                        \
        "visibleBytes: 90000000, wastedBytes: 60000000, layers: [{ hiddenBytes: 60000000 }, {}, " \
        "{}, { fileBytes: 90000000 }], wasted: [" tops "]")

static void test_wasted_space(void **state)
{
    static const struct row rows[] = {
        {.facts = WASTE("500000", ""), .judgement = RULE_PASS},
        {.facts = WASTE("10000000", ""), .judgement = RULE_PASS}, /* ten percent */
        {.facts =
             WASTE("10500000", "{ path: app/data.bin, bytes: 9000000, layer: 2, hiddenBy: 3 }"),
         .judgement = RULE_FAIL,
         .message =
             "10.5 MB are served that no container sees; that is 10.5 percent of what is above "
             "the base, and 10 are allowed. The worst: /app/data.bin (9 MB, own step 5 "
             "(COPY requirements.txt ./), hidden by own step 6"},
        /* what the steps do is said once */
        {.facts = WASTE("10500000", "{ path: app/data.bin, bytes: 9000000, layer: 2, hiddenBy: 3 },"
                                    "{ path: app/b.bin, bytes: 8000000, layer: 2, hiddenBy: 3 }"),
         .judgement = RULE_FAIL,
         .message = "; /app/b.bin (8 MB, own step 5, hidden by own step 6)"},
        {"{ max-share: 100, max-bytes: 5MB }",
         WASTE("6000000", ""),
         RULE_FAIL,
         "5 MB are allowed",
         {0}},
        {"{ max-share: 100, min-efficiency: 99 }",
         WASTE("6000000", ""),
         RULE_FAIL,
         "a container sees 97.1 percent",
         {0}},
        {"{ max-share: 100, min-efficiency: 95 }", WASTE("6000000", ""), RULE_PASS, NULL, {0}},
        /* what the base wastes by itself is not the team's */
        {.facts = BASE_WASTE(""), .judgement = RULE_PASS},
        {"{ include-base: true }", BASE_WASTE(""), RULE_FAIL, NULL, {0}},
        /* chown -R of the base's files */
        {.facts = BASE_WASTE("{ path: usr/lib/x.so, bytes: 60000000, layer: 0, hiddenBy: 3 }"),
         .judgement = RULE_FAIL,
         .message = "the base's step 0"},
        {.facts = UNREAD, .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("wasted-space", rows);
}

/* As an archive that nobody pushed holds it. */
#define PLAIN                                                                                      \
    "{ manifest: { layers: { 3: { mediaType: application/vnd.docker.image.rootfs.diff.tar } } }, " \
    "files: null, groups: { files: { state: absent, reason: not read } } }"

static void test_layer_size(void **state)
{
    static const struct row rows[] = {
        {"{ largest: 5MB }", "{}", RULE_PASS, NULL, {0}},
        {"{ largest: 4MB }",
         "{}",
         RULE_FAIL,
         "own step 6 (RUN pip install -r requirements.txt) made a layer of 5 MB compressed; the "
         "budget is 4 MB",
         {0}},
        {"{ largest: 20MB }", "{}", RULE_PASS, NULL, {0}}, /* the base has one of 30 MB */
        {"{ largest: 20MB, include-base: true }", "{}", RULE_FAIL, "the base's step 0", {0}},
        {"{ own: 6MB }", "{}", RULE_PASS, NULL, {0}},
        {"{ own: 5MB }", "{}", RULE_FAIL, "own layers have 5 MB compressed", {0}},
        {"{ own: 4MB }", NO_BASE(""), RULE_UNKNOWN, NULL, {0}},
        {"{ largest: 4MB }", NO_BASE(""), RULE_UNKNOWN, "may be the base's", {0}},
        {"{ largest: 4MB }", UNREAD, RULE_FAIL, NULL, {0}}, /* needs no layers */
        {"{ largest: 4MB }", PLAIN, RULE_UNKNOWN, "not compressed", {0}},
        {"{ own: 4MB }", PLAIN, RULE_UNKNOWN, NULL, {0}},
        {"{ largest: 5MB, own: 6MB }", PLAIN, RULE_PASS, NULL, {0}},
        {"{ largest: 4MB }", PLAIN, RULE_FAIL, NULL, {.registry = "harbor"}},
    };

    (void)state;
    RUN_ROWS("layer-size", rows);
}

static void test_size_growth(void **state)
{
#define BEFORE(size)                                                                      \
    {                                                                                     \
        .tag = "v2", .previous_is_known = true, .previous = {.algorithm = DIGEST_SHA256}, \
        .previous_size_bytes = size                                                       \
    }
    static const struct row rows[] = {
        {"{ max-percent: 10 }", "{}", RULE_PASS, NULL, BEFORE(45002000)},
        {"{ max-percent: 10 }", "{}", RULE_PASS, NULL, BEFORE(41000000)},
        {"{ max-percent: 10 }", "{}", RULE_FAIL, "percent more, 10 are allowed", BEFORE(40000000)},
        {"{ max-percent: 10 }", "{}", RULE_PASS, NULL, BEFORE(90000000)}, /* smaller */
        {"{ max-bytes: 4MB }", "{}", RULE_FAIL, "4 MB are allowed", BEFORE(41000000)},
        {"{ max-bytes: 4MB }", "{}", RULE_PASS, NULL, BEFORE(41002000)},
        {"{ max-percent: 10, ignore-below: 10MB }", "{}", RULE_PASS, NULL, BEFORE(40000000)},
        {"{ max-percent: 10 }", "{}", RULE_UNKNOWN, "nothing tells", {.tag = "v2"}},
        {"{ max-percent: 10 }", "{}", RULE_UNKNOWN, NULL, BEFORE(0)},
        {"{ max-percent: 10 }", "{}", RULE_PASS, NULL, {.tag = "v2", .previous_is_known = true}},
        {"{ max-percent: 10 }", "{}", RULE_PASS, NULL, {0}}, /* no tag */
    };

    (void)state;
    RUN_ROWS("size-growth", rows);
}

/* The same Dockerfile built again: other digests and other bytes, the same fingerprint. */
static void test_fingerprints_outlive_rebuilds(void **state)
{
    static const struct {
        const char *rule;
        const char *before;
        const char *after;
    } rows[] = {
        {"build-tools", HITS(GCC("layer: 3")),
         HITS("{ kind: compiler, what: gcc, path: usr/bin/gcc, bytes: 1300000, layer: 2 }")},
        {"secrets", HITS(TOKEN("layer: 2")),
         HITS(
             "{ kind: secret, what: github-token, path: app/.env, line: 5, detail: 'ghp_****(40)', "
             "hash: 1123456789abcdef, bytes: 130, layer: 3 }")},
        {"context-leak", HITS(GIT("layer: 2")),
         HITS("{ kind: context-leak, what: git-directory, path: app/.git, files: 999, bytes: 1, "
              "layer: 3 }")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct verdict before = {0}, after = {0};

        row_judge(rows[i].rule, &(struct row){.facts = rows[i].before}, &before);
        row_judge(rows[i].rule, &(struct row){.facts = rows[i].after}, &after);
        assert_int_equal(before.findings.count, 1);
        assert_string_equal(before.findings.items[0].fingerprint,
                            after.findings.items[0].fingerprint);
        verdict_release(&before);
        verdict_release(&after);
    }
}

static void test_findings_say_where(void **state)
{
    struct verdict verdict = {0};
    const struct row row = {.facts = HITS(GCC("layer: 3") ", " HEADERS("layer: 2"))};

    (void)state;
    row_judge("build-tools", &row, &verdict);
    assert_int_equal(verdict.findings.count, 2);
    assert_int_equal(verdict.findings.items[0].bytes, 24000000); /* the most bytes first */
    assert_int_equal(verdict.findings.items[0].step, 5);
    assert_int_equal(verdict.findings.items[1].bytes, 1200000);
    assert_int_equal(verdict.findings.items[1].step, 6);
    assert_int_equal(verdict.findings.items[1].origin, ORIGIN_OWN);
    assert_true(digest_is_set(&verdict.findings.items[1].layer));
    assert_string_equal(verdict.findings.items[1].path, "usr/bin/gcc");
    assert_string_equal(verdict.findings.items[1].evidence, "layers");
    verdict_release(&verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_tools_by_history),
        cmocka_unit_test(test_build_tools),
        cmocka_unit_test(test_build_tools_name_the_pattern),
        cmocka_unit_test(test_dev_dependencies),
        cmocka_unit_test(test_package_cache),
        cmocka_unit_test(test_context_leak),
        cmocka_unit_test(test_secrets_in_files),
        cmocka_unit_test(test_names_warn_and_content_fails),
        cmocka_unit_test(test_setuid_files),
        cmocka_unit_test(test_distroless),
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_files_asks_layers),
        cmocka_unit_test(test_wasted_space),
        cmocka_unit_test(test_layer_size),
        cmocka_unit_test(test_size_growth),
        cmocka_unit_test(test_fingerprints_outlive_rebuilds),
        cmocka_unit_test(test_findings_say_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
