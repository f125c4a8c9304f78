/* The spellings of every enumeration in the facts document, both ways. The tables are the published
 * vocabulary: entries are only ever added. */
#include <assert.h>

#include "names.h"
#include "regwarden/facts.h"

static const char *const groups[] = {
    [FACT_MANIFEST] = "manifest",
    [FACT_CONFIG] = "config",
    [FACT_HISTORY] = "history",
    [FACT_PROVENANCE] = "provenance",
    [FACT_BASE] = "base",
    [FACT_RUNTIME] = "runtime",
    [FACT_FILES] = "files",
    [FACT_REFERRERS] = "referrers",
    [FACT_VULNERABILITIES] = "vulnerabilities",
    [FACT_PLACEMENT] = "placement",
};

static const char *const states[] = {
    [FACT_ABSENT] = "absent",
    [FACT_PARTIAL] = "partial",
    [FACT_PRESENT] = "present",
};

static const char *const evidences[] = {
    [EVIDENCE_NONE] = "none",
    [EVIDENCE_HISTORY] = "history",
    [EVIDENCE_ENVIRONMENT] = "environment",
    [EVIDENCE_LABEL] = "label",
    [EVIDENCE_ANNOTATION] = "annotation",
    [EVIDENCE_PROVENANCE] = "provenance",
    [EVIDENCE_LAYERS] = "layers",
    [EVIDENCE_SIGNED_PROVENANCE] = "signed-provenance",
};

static const char *const answers[] = {
    [ANSWER_UNKNOWN] = "unknown",
    [ANSWER_NO] = "no",
    [ANSWER_YES] = "yes",
};

static const char *const origins[] = {
    [ORIGIN_UNKNOWN] = "unknown",
    [ORIGIN_OWN] = "own",
    [ORIGIN_BASE] = "base",
};

static const char *const base_conflicts[] = {
    [BASE_CONFLICT_DIGEST] = "digest",
    [BASE_CONFLICT_NAME] = "name",
    [BASE_CONFLICT_LAYERS] = "layers",
};

static const char *const step_kinds[] = {
    [STEP_OTHER] = "other",     [STEP_RUN] = "RUN",
    [STEP_COPY] = "COPY",       [STEP_ADD] = "ADD",
    [STEP_ENV] = "ENV",         [STEP_ARG] = "ARG",
    [STEP_USER] = "USER",       [STEP_WORKDIR] = "WORKDIR",
    [STEP_CMD] = "CMD",         [STEP_ENTRYPOINT] = "ENTRYPOINT",
    [STEP_EXPOSE] = "EXPOSE",   [STEP_VOLUME] = "VOLUME",
    [STEP_LABEL] = "LABEL",     [STEP_HEALTHCHECK] = "HEALTHCHECK",
    [STEP_SHELL] = "SHELL",     [STEP_STOPSIGNAL] = "STOPSIGNAL",
    [STEP_ONBUILD] = "ONBUILD", [STEP_MAINTAINER] = "MAINTAINER",
};

static const char *const builders[] = {
    [BUILDER_UNKNOWN] = "unknown",
    [BUILDER_CLASSIC] = "classic",
    [BUILDER_BUILDKIT] = "buildkit",
    [BUILDER_BUILDAH] = "buildah",
    [BUILDER_KANIKO] = "kaniko",
    [BUILDER_JIB] = "jib",
    [BUILDER_KO] = "ko",
    [BUILDER_APKO] = "apko",
    [BUILDER_BAZEL] = "bazel",
    [BUILDER_NIX] = "nix",
    [BUILDER_BUILDPACKS] = "buildpacks",
};

const char *const runtime_names[] = {
    [RUNTIME_UNKNOWN] = "unknown", [RUNTIME_NODE] = "node",     [RUNTIME_GO] = "go",
    [RUNTIME_PYTHON] = "python",   [RUNTIME_DOTNET] = "dotnet", [RUNTIME_JAVA] = "java",
    [RUNTIME_RUBY] = "ruby",       [RUNTIME_RUST] = "rust",     [RUNTIME_PHP] = "php",
    [RUNTIME_STATIC] = "static",   [RUNTIME_STATIC + 1] = NULL,
};

static const char *const secret_places[] = {
    [SECRET_ENV] = "env",
    [SECRET_LABEL] = "label",
    [SECRET_ANNOTATION] = "annotation",
    [SECRET_ARG] = "arg",
    [SECRET_HISTORY] = "history",
    [SECRET_COMMAND] = "command",
    [SECRET_HEALTHCHECK] = "healthcheck",
};

int names_find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] && text_equal(names[i], name))
            return (int)i;
    return -1;
}

const char *fact_group_name(enum fact_group group)
{
    assert(group < FACT_GROUP_COUNT);
    return groups[group];
}

const char *fact_state_name(enum fact_state state)
{
    return states[state];
}

int fact_state_from_name(const char *name, enum fact_state *ret)
{
    NAMES_FIND(states, enum fact_state, name, ret);
}

const char *evidence_name(enum evidence evidence)
{
    return evidences[evidence];
}

int evidence_from_name(const char *name, enum evidence *ret)
{
    NAMES_FIND(evidences, enum evidence, name, ret);
}

const char *answer_name(enum answer answer)
{
    return answers[answer];
}

int answer_from_name(const char *name, enum answer *ret)
{
    NAMES_FIND(answers, enum answer, name, ret);
}

const char *origin_name(enum origin origin)
{
    return origins[origin];
}

int origin_from_name(const char *name, enum origin *ret)
{
    NAMES_FIND(origins, enum origin, name, ret);
}

const char *base_conflict_name(enum base_conflict conflict)
{
    return base_conflicts[conflict];
}

const char *step_kind_name(enum step_kind kind)
{
    return step_kinds[kind];
}

int step_kind_from_name(const char *name, enum step_kind *ret)
{
    NAMES_FIND(step_kinds, enum step_kind, name, ret);
}

const char *image_builder_name(enum image_builder builder)
{
    return builders[builder];
}

int image_builder_from_name(const char *name, enum image_builder *ret)
{
    NAMES_FIND(builders, enum image_builder, name, ret);
}

const char *runtime_name(enum runtime runtime)
{
    return runtime_names[runtime];
}

int runtime_from_name(const char *name, enum runtime *ret)
{
    NAMES_FIND(runtime_names, enum runtime, name, ret);
}

const char *secret_place_name(enum secret_place place)
{
    return secret_places[place];
}

int secret_place_from_name(const char *name, enum secret_place *ret)
{
    NAMES_FIND(secret_places, enum secret_place, name, ret);
}
