/* History, one table per builder: what it writes, and what must be read from it. Comments name the
 * naive reading that goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"

struct expected {
    enum step_kind kind;
    const char *text;
    const char *args; /* "A=b;C=d"; NULL for none */
    bool shell;
};

struct example {
    const char *name;
    enum image_builder builder;
    size_t layers; /* of the manifest */
    bool misaligned;
    const char *more;    /* members of the config's root */
    const char *history; /* entries */
    struct expected steps[10];
    size_t count;
};

#define BK "`comment`:`buildkit.dockerfile.v0`"
#define EMPTY "`empty_layer`:true"
#define T1 "`created`:`2025-03-01T10:00:00Z`"

static const struct example classic = {
    .name = "classic",
    .builder = BUILDER_CLASSIC,
    .layers = 5,
    .history = "{`created_by`:`/bin/sh -c #(nop) ADD file:ab12 in / `},"
               "{`created_by`:`/bin/sh -c #(nop)  ENV A=b c`," EMPTY "},"
               "{`created_by`:`|2 HTTP=x y VERSION=1.2 /bin/sh -c make -j2 FOO=bar`},"
               "{`created_by`:`/bin/bash -o pipefail -c curl x | tar`},"
               "{`created_by`:`/bin/sh -c #(nop) COPY --chown=1:1dir:cd34 in /app `},"
               "{`created_by`:`/bin/sh -c #(nop) WORKDIR /app`},"
               "{`created_by`:`/bin/sh -c #(nop)  EXPOSE 8080/tcp 9090/tcp`," EMPTY "},"
               "{`created_by`:`/bin/sh -c #(nop)  VOLUME [/data]`," EMPTY "},"
               "{`created_by`:`/bin/sh -c #(nop)  USER node`," EMPTY "},"
               "{`created_by`:`/bin/sh -c #(nop)  CMD [\\`node\\` \\`x y.js\\`]`," EMPTY "}",
    .steps =
        {
            {STEP_ADD, "file:ab12 in /", NULL, false},
            {STEP_ENV, "A=b c", NULL, false},
            /* Naive: arguments end at the first blank. Values are not quoted. */
            {STEP_RUN, "make -j2 FOO=bar", "HTTP=x y;VERSION=1.2", true},
            {STEP_RUN, "curl x | tar", NULL, true},
            {STEP_COPY, "--chown=1:1dir:cd34 in /app", NULL, false},
            {STEP_WORKDIR, "/app", NULL, false}, /* makes a layer when it creates the directory */
            {STEP_EXPOSE, "8080/tcp 9090/tcp", NULL, false},
            {STEP_VOLUME, "/data", NULL, false},
            {STEP_USER, "node", NULL, false},
            {STEP_CMD, "[\"node\", \"x y.js\"]", NULL, false},
        },
    .count = 10,
};

static const struct example buildkit = {
    .name = "buildkit",
    .builder = BUILDER_BUILDKIT,
    .layers = 3,
    .history =
        "{`created_by`:`ADD alpine-minirootfs-3.22.2-x86_64.tar.gz / # buildkit`," BK "},"
        "{`created_by`:`ARG VERSION=1`," BK "," EMPTY "},"
        "{`created_by`:`RUN |1 VERSION=1 /bin/sh -c <<EOF (echo a...)\\necho b # buildkit`," BK "},"
        /* Naive: only lines that end in \"# buildkit\" are BuildKit's; CMD and the rest get lost.
         */
        "{`created_by`:`EXPOSE [8080/tcp 9090/udp]`," BK "," EMPTY "},"
        "{`created_by`:`EXPOSE map[8080/tcp:{} 9090/tcp:{}]`," BK "," EMPTY "},"
        "{`created_by`:`SHELL [/bin/bash -c]`," BK "," EMPTY "},"
        /* Naive: a JSON list. Go prints no commas. */
        "{`created_by`:`ENTRYPOINT [\\`/bin/sh\\` \\`-c\\` \\`exec a \\\\\\`b\\\\\\` c\\`]`," BK
        "," EMPTY "},"
        "{`created_by`:`CMD [\\`-v\\`]`," BK "," EMPTY "},"
        "{`created_by`:`HEALTHCHECK &{[\\`CMD\\` \\`x\\`] \\`30s\\` \\`0s\\` \\`0s\\` \\`0s\\` "
        "'\\\\x00'}`," BK "," EMPTY "},"
        "{`created_by`:`COPY --chown=app:app /out/app /app # buildkit`," BK "}",
    .steps =
        {
            {STEP_ADD, "alpine-minirootfs-3.22.2-x86_64.tar.gz /", NULL, false},
            {STEP_ARG, "VERSION=1", NULL, false},
            {STEP_RUN, "<<EOF (echo a...)\necho b", "VERSION=1", true},
            {STEP_EXPOSE, "8080/tcp 9090/udp", NULL, false},
            {STEP_EXPOSE, "8080/tcp 9090/tcp", NULL, false},
            {STEP_SHELL, "/bin/bash -c", NULL, false},
            {STEP_ENTRYPOINT, "[\"/bin/sh\", \"-c\", \"exec a \\\"b\\\" c\"]", NULL, true},
            {STEP_CMD, "[\"-v\"]", NULL, false},
            {STEP_HEALTHCHECK, "&{[\"CMD\" \"x\"] \"30s\" \"0s\" \"0s\" \"0s\" '\\x00'}", NULL,
             false},
            {STEP_COPY, "--chown=app:app /out/app /app", NULL, false},
        },
    .count = 10,
};

/* RUN in exec form has no shell to take off. */
static const struct example buildkit_exec = {
    .name = "buildkit exec form",
    .builder = BUILDER_BUILDKIT,
    .layers = 2,
    .history = "{`created_by`:`RUN |1 A=b apk add curl # buildkit`," BK "},"
               "{`created_by`:`mkdir /x, copy /a /x/a`,`comment`:`buildkit.exporter.image.v0`}",
    .steps =
        {
            {STEP_RUN, "apk add curl", "A=b", false},
            {STEP_OTHER, "mkdir /x, copy /a /x/a", NULL, false},
        },
    .count = 2,
};

static const struct example buildah = {
    .name = "buildah",
    .builder = BUILDER_BUILDAH,
    .layers = 3,
    .history =
        "{" T1 ",`created_by`:`/bin/sh -c #(nop) ADD file:ab in / `},"
        "{" T1 ",`created_by`:`/bin/sh -c dnf install -y nginx`,"
        "`comment`:`FROM registry.fedoraproject.org/fedora:latest`},"
        "{" T1 ",`created_by`:`/bin/sh -c #(nop) EXPOSE 80`,`comment`:`FROM 4f3c7a2b91de`," EMPTY
        "},"
        "{" T1 ",`created_by`:`/bin/sh -c #(nop) COPY file:cd in /etc/ "
        "|unsetLabel=true|inheritLabels=false|force-mtime=10`,`comment`:`FROM 9f3c7a2b91de`},"
        /* Naive: cut at the first mark. What follows it in a command must stay visible. */
        "{" T1 ",`created_by`:`/bin/sh -c echo '|force-mtime=1'; curl x`," EMPTY "},"
        "{" T1 ",`created_by`:`/bin/sh -c #(nop) CMD [\\`nginx\\`]`," EMPTY "}",
    .steps =
        {
            {STEP_ADD, "file:ab in /", NULL, false},
            {STEP_RUN, "dnf install -y nginx", NULL, true},
            {STEP_EXPOSE, "80", NULL, false},
            {STEP_COPY, "file:cd in /etc/", NULL, false},
            {STEP_RUN, "echo '|force-mtime=1'; curl x", NULL, true},
            {STEP_CMD, "[\"nginx\"]", NULL, false},
        },
    .count = 6,
};

static const struct example buildah_single = {
    .name = "buildah without layers",
    .builder = BUILDER_BUILDAH,
    .layers = 2,
    .history = "{" T1 ",`created_by`:`/bin/sh -c #(nop) ADD file:ab in / `},"
               "{" T1 ",`created_by`:`/bin/sh`,`comment`:`FROM quay.io/fedora/fedora:40`}",
    .steps = {{STEP_ADD, "file:ab in /", NULL, false}, {STEP_OTHER, "/bin/sh", NULL, false}},
    .count = 2,
};

static const struct example kaniko = {
    .name = "kaniko",
    .builder = BUILDER_KANIKO,
    .layers = 4,
    .history = "{" T1 ",`created_by`:`# debian.sh --arch 'amd64' out/ 'trixie' '@1789689600'`,"
               "`comment`:`debuerreotype 0.16`},"
               "{`author`:`kaniko`,`created`:`0001-01-01T00:00:00Z`,`created_by`:`RUN apt-get "
               "update && apt-get install -y curl`},"
               "{`author`:`kaniko`,`created_by`:`RUN [\\`curl\\`, \\`x\\`]`},"
               "{`author`:`kaniko`,`created_by`:`COPY --from=build /app /app`}",
    .steps =
        {
            {STEP_OTHER, "# debian.sh --arch 'amd64' out/ 'trixie' '@1789689600'", NULL, false},
            {STEP_RUN, "apt-get update && apt-get install -y curl", NULL, true},
            {STEP_RUN, "[\"curl\", \"x\"]", NULL, false},
            {STEP_COPY, "--from=build /app /app", NULL, false},
        },
    .count = 4,
};

static const struct example jib = {
    .name = "jib",
    .builder = BUILDER_JIB,
    .layers = 2,
    .history = "{`author`:`Jib`,`created`:`1970-01-01T00:00:00Z`,"
               "`created_by`:`jib-maven-plugin:3.4.0`,`comment`:`dependencies`},"
               "{`created`:`1970-01-01T00:00:00Z`,`created_by`:`jib-gradle-plugin:3.4.0`,"
               "`comment`:`classes`}",
    .steps = {{STEP_OTHER, "dependencies", NULL, false}, {STEP_OTHER, "classes", NULL, false}},
    .count = 2,
};

static const struct example ko = {
    .name = "ko",
    .builder = BUILDER_KO,
    .layers = 2,
    .history = "{`author`:`ko`,`created_by`:`ko build ko://example.com/cmd`,"
               "`comment`:`kodata contents, at $KO_DATA_PATH`},"
               "{`created_by`:`ko publish ko://example.com/cmd`,"
               "`comment`:`go build output, at /ko-app/cmd`}",
    .steps = {{STEP_OTHER, "kodata contents, at $KO_DATA_PATH", NULL, false},
              {STEP_OTHER, "go build output, at /ko-app/cmd", NULL, false}},
    .count = 2,
};

static const struct example apko = {
    .name = "apko",
    .builder = BUILDER_APKO,
    .layers = 2,
    .history = "{`created_by`:`apko`,`created`:`1970-01-01T00:00:00Z`,"
               "`comment`:`This is an apko single-layer image`},{`created_by`:`apko`}",
    .steps = {{STEP_OTHER, "This is an apko single-layer image", NULL, false},
              {STEP_OTHER, "apko", NULL, false}},
    .count = 2,
};

static const struct example rules_docker = {
    .name = "bazel rules_docker",
    .builder = BUILDER_BAZEL,
    .layers = 1,
    .history = "{`author`:`Bazel`,`created`:`1970-01-01T00:00:00Z`,`created_by`:`bazel build ...`}",
    .steps = {{STEP_OTHER, "bazel build ...", NULL, false}},
    .count = 1,
};

/* Naive: an entry without created_by is a broken history. It is today's distroless. */
static const struct example rules_oci = {
    .name = "bazel rules_oci",
    .builder = BUILDER_BAZEL,
    .layers = 3,
    .history = "{`created`:`0001-01-01T00:00:00Z`},{`created`:`0001-01-01T00:00:00Z`},"
               "{`created`:`0001-01-01T00:00:00Z`}",
    .steps = {{STEP_OTHER, "", NULL, false},
              {STEP_OTHER, "", NULL, false},
              {STEP_OTHER, "", NULL, false}},
    .count = 3,
};

/* The base's history is dropped: never an error, but nothing lines up. */
static const struct example nix = {
    .name = "nix on a base",
    .builder = BUILDER_NIX,
    .layers = 4,
    .misaligned = true,
    .history = "{`comment`:`store paths: ['/nix/store/abc-hello']`}",
    .steps = {{STEP_OTHER, "store paths: ['/nix/store/abc-hello']", NULL, false}},
    .count = 1,
};

static const struct example buildpacks = {
    .name = "buildpacks",
    .builder = BUILDER_BUILDPACKS,
    .layers = 3,
    .history = "{" T1 ",`created_by`:`/bin/sh -c #(nop) ADD file:ab in / `},"
               "{`created`:`1980-01-01T00:00:01Z`,`created_by`:`Layer: 'jre', Created by "
               "buildpack: example/jre@1`},"
               "{`created`:`1980-01-01T00:00:01Z`,`created_by`:`Application Layer`}",
    .steps = {{STEP_ADD, "file:ab in /", NULL, false},
              {STEP_OTHER, "Layer: 'jre', Created by buildpack: example/jre@1", NULL, false},
              {STEP_OTHER, "Application Layer", NULL, false}},
    .count = 3,
};

static const struct example buildpacks_unsigned = {
    .name = "buildpacks of old",
    .builder = BUILDER_BUILDPACKS,
    .layers = 1,
    .more = "`config`:{`Labels`:{`io.buildpacks.lifecycle.metadata`:`{}`}},",
    .history = "{`created`:`1980-01-01T00:00:01Z`}",
    .steps = {{STEP_OTHER, "", NULL, false}},
    .count = 1,
};

/* Naive: the label io.buildah.version names the builder. It is inherited from the base. */
static const struct example docker_on_buildah = {
    .name = "docker on a buildah base",
    .builder = BUILDER_CLASSIC,
    .layers = 2,
    .more = "`config`:{`Labels`:{`io.buildah.version`:`1.33`}},",
    .history = "{" T1 ",`created_by`:`/bin/sh -c #(nop) COPY dir:ab in / `,"
               "`comment`:`FROM quay.io/ubi:9`},"
               "{" T1 ",`created_by`:`/bin/sh -c #(nop) COPY dir:cd in /app `},"
               "{" T1 ",`created_by`:`/bin/sh -c #(nop)  CMD [\\`x\\`]`," EMPTY "}",
    .steps = {{STEP_COPY, "dir:ab in /", NULL, false},
              {STEP_COPY, "dir:cd in /app", NULL, false},
              {STEP_CMD, "[\"x\"]", NULL, false}},
    .count = 3,
};

static const struct example imported = {
    .name = "imported",
    .builder = BUILDER_UNKNOWN,
    .layers = 2,
    .history = "{`comment`:`Imported from -`},{`created_by`:`KIWI 9.24`}",
    .steps = {{STEP_OTHER, "Imported from -", NULL, false}, {STEP_OTHER, "KIWI 9.24", NULL, false}},
    .count = 2,
};

static const struct example windows = {
    .name = "windows",
    .builder = BUILDER_CLASSIC,
    .layers = 1,
    .history = "{`created_by`:`powershell -Command $x = 'y';  Install-Thing`},"
               "{`created_by`:`cmd /S /C #(nop)  USER ContainerUser`," EMPTY "}",
    .steps = {{STEP_RUN, "$x = 'y';  Install-Thing", NULL, true},
              {STEP_USER, "ContainerUser", NULL, false}},
    .count = 2,
};

/* Texts that pretend to be something. None may crash or hide the rest. */
static const struct example odd = {
    .name = "odd",
    .builder = BUILDER_CLASSIC,
    .layers = 10,
    .history = "{`created_by`:`|9999999999999999999 A=b /bin/sh -c x`},"
               "{`created_by`:`|2 A=b`},{`created_by`:`|1`},{`created_by`:`RUN`},"
               "{`created_by`:`RUN |1 nothing # buildkit`},{`created_by`:`CMD [ # buildkit`},"
               "{`created_by`:`EXPOSE [ # buildkit`},{`created_by`:`other text`},"
               "{`created_by`:` # buildkit`},"
               "{`created_by`:`/bin/sh -c echo '#(nop)  USER app'`}",
    .steps =
        {
            {STEP_RUN, "A=b /bin/sh -c x", NULL, false},
            {STEP_RUN, "", "A=b", false},
            {STEP_RUN, "", NULL, false},
            {STEP_RUN, "", NULL, false},
            {STEP_RUN, "nothing", NULL, false},
            {STEP_CMD, "[", NULL, false},
            {STEP_EXPOSE, "[", NULL, false},
            {STEP_OTHER, "other text", NULL, false},
            {STEP_OTHER, "", NULL, false},
            {STEP_RUN, "echo '#(nop)  USER app'", NULL, true},
        },
    .count = 10,
};

static void check_args(const struct step *step, const char *expected)
{
    struct text text = {0};
    for (size_t i = 0; i < step->args.count; i++)
        text_format(&text, "%s%s=%s", i > 0 ? ";" : "", step->args.items[i].key,
                    step->args.items[i].value);
    assert_string_equal(text_data(&text), expected ? expected : "");
    text_release(&text);
}

static void check_steps(const struct facts *facts, const struct example *example)
{
    int layer = 0;
    for (size_t i = 0; i < example->count; i++) {
        const struct step *step = &facts->history.steps[i];
        assert_string_equal(step_kind_name(step->kind), step_kind_name(example->steps[i].kind));
        assert_string_equal(step->text, example->steps[i].text);
        assert_int_equal(step->shell_form, example->steps[i].shell);
        check_args(step, example->steps[i].args);
        if (example->misaligned || step->empty)
            assert_int_equal(step->layer, -1);
        else
            assert_int_equal(step->layer, layer++);
    }
}

static void read_example(void **state)
{
    const struct example *example = *state;
    AUTO_FREE char *config =
        text_new("{%s`history`:[%s]}", example->more ? example->more : "", example->history);
    AUTO_FACTS struct facts *facts = fixture_facts(config, example->layers, "{}");
    assert_string_equal(image_builder_name(facts->history.builder),
                        image_builder_name(example->builder));
    assert_int_equal(facts->history.count, example->count);
    assert_int_equal(facts->history.aligned, !example->misaligned);
    assert_int_equal(facts->status[FACT_HISTORY].state, FACT_PRESENT);
    check_steps(facts, example);
}

/* A history that does not match the layers is no error and no fact about layers. */
static void misaligned_history_names_no_layer(void **state)
{
    static const struct {
        const char *history;
        size_t layers;
        bool aligned;
    } cases[] = {
        {"{`created_by`:`RUN a`},{`created_by`:`RUN b`,`empty_layer`:true}", 1, true},
        {"{`created_by`:`RUN a`},{`created_by`:`RUN b`,`empty_layer`:true}", 2, false},
        {"{`created_by`:`RUN a`},{`created_by`:`RUN b`}", 1, false},
        {"{`created_by`:`RUN b`,`empty_layer`:true}", 0, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *config = text_new("{`history`:[%s]}", cases[i].history);
        AUTO_FACTS struct facts *facts = fixture_facts(config, cases[i].layers, "{}");
        assert_int_equal(facts->history.aligned, cases[i].aligned);
        assert_int_equal(facts->history.steps[0].layer,
                         cases[i].aligned && cases[i].layers > 0 ? 0 : -1);
    }
}

static void no_history_is_absent_with_a_reason(void **state)
{
    AUTO_FACTS struct facts *facts = fixture_facts("{}", 1, "{}");
    (void)state;
    assert_int_equal(facts->status[FACT_HISTORY].state, FACT_ABSENT);
    assert_non_null(facts->status[FACT_HISTORY].reason);
    assert_false(facts->history.aligned);
}

#define EXAMPLE(example)                                                         \
    {                                                                            \
        "reads_" #example, read_example, NULL, NULL, (void *)(uintptr_t)&example \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXAMPLE(classic),
        EXAMPLE(buildkit),
        EXAMPLE(buildkit_exec),
        EXAMPLE(buildah),
        EXAMPLE(buildah_single),
        EXAMPLE(kaniko),
        EXAMPLE(jib),
        EXAMPLE(ko),
        EXAMPLE(apko),
        EXAMPLE(rules_docker),
        EXAMPLE(rules_oci),
        EXAMPLE(nix),
        EXAMPLE(buildpacks),
        EXAMPLE(buildpacks_unsigned),
        EXAMPLE(docker_on_buildah),
        EXAMPLE(imported),
        EXAMPLE(windows),
        EXAMPLE(odd),
        cmocka_unit_test(misaligned_history_names_no_layer),
        cmocka_unit_test(no_history_is_absent_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
