/* Rules about what others say of an image, and about the order of its Dockerfile. */
#include "cmocka_all.h"
#include "policy_rows.h"

#define ITEMS(items) "{ referrers: { items: [" items "] } }"
#define STATEMENTS(items) "{ provenance: { statements: [" items "] } }"
#define PARTIAL(group) "groups: { " group ": { state: partial, reason: a blob is gone } }"

static void attestations_are_asked_for(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.with = "{ mode-max: true, signature: true, types: ['https://spdx.dev/'] }",
         .judgement = RULE_PASS},
        {.facts = ITEMS("{ kind: provenance }"), .judgement = RULE_FAIL, .message = "no bill"},
        {.with = "{ sbom: false }", .facts = ITEMS(""), .judgement = RULE_PASS},
        {.facts = STATEMENTS(""), .judgement = RULE_FAIL, .message = "has no provenance"},
        {.facts = STATEMENTS("{ subject: other }"),
         .judgement = RULE_FAIL,
         .message = "speaks of another image"},
        {.facts = STATEMENTS("{ subject: unknown }"), .judgement = RULE_FAIL},
        {.facts = STATEMENTS("{ subject: index }"), .judgement = RULE_PASS},
        {.facts = STATEMENTS("{ predicateType: 'https://spdx.dev/Document' }"),
         .judgement = RULE_FAIL,
         .message = "has no provenance"},
        {.with = "{ mode-max: true }",
         .facts = STATEMENTS("{ mode: min }"),
         .judgement = RULE_FAIL,
         .message = "mode min"},
        {.with = "{ mode-max: true }",
         .facts = STATEMENTS("{ mode: unknown }"),
         .judgement = RULE_UNKNOWN,
         .message = "no modes"},
        {.with = "{ mode-max: true }",
         .facts = STATEMENTS("{ mode: min }, { mode: max }"),
         .judgement = RULE_PASS},
        {.with = "{ signature: true }",
         .facts = ITEMS("{ kind: sbom }, { kind: provenance }"),
         .judgement = RULE_FAIL,
         .message = "signed"},
        {.with = "{ signature: true }",
         .facts = ITEMS("{ kind: sbom, signed: true }"),
         .judgement = RULE_PASS},
        {.with = "{ types: ['https://slsa.dev/verification_summary/'] }",
         .judgement = RULE_FAIL,
         .message = "verification_summary"},
        {.with = "{ types: ['https://spdx.dev/Doc'] }", .judgement = RULE_FAIL},
        /* what could not be read may be what is missing */
        {.facts = "{ referrers: { items: [] }, " PARTIAL("referrers") " }",
         .judgement = RULE_UNKNOWN,
         .message = "a blob is gone"},
        {.facts = "{ " PARTIAL("referrers") " }", .judgement = RULE_PASS},
        {.facts = "{ provenance: { statements: [] }, " PARTIAL("provenance") " }",
         .judgement = RULE_UNKNOWN},
        {.facts = "{ referrers: null, groups: { referrers: { state: absent, reason: x } } }",
         .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("attested", rows);
}

#define ALLOWED "{ builders: ['builds.example/**'], sources: ['code.example/team/*'] }"
#define STRICT \
    "{ builders: ['builds.example/**'], sources: ['code.example/team/*'], unsigned: fail }"
#define GOOD "builder: 'https://builds.example/x', source: 'https://code.example/team/app'"

static void builder_and_source_are_among_the_allowed(void **state)
{
    static const struct row rows[] = {
        {.with = STRICT, .judgement = RULE_PASS},
        {.with = "{}", .judgement = RULE_PASS},
        {.facts = STATEMENTS(""), .judgement = RULE_FAIL, .message = "no provenance speaks"},
        {.facts = STATEMENTS("{ signed: true, subject: other }"), .judgement = RULE_FAIL},
        {.with = "{ builders: ['other.example/**'] }",
         .judgement = RULE_FAIL,
         .message = "built by https://builds.example"},
        {.with = "{ sources: ['code.example/other/*'] }",
         .judgement = RULE_FAIL,
         .message = "built from https://code.example"},
        {.with = ALLOWED, /* BuildKit on somebody's machine */
         .facts = STATEMENTS("{ builder: '', source: 'https://code.example/team/app' }"),
         .judgement = RULE_FAIL,
         .message = "names no builder"},
        {.with = ALLOWED,
         .facts = STATEMENTS("{ signed: true, builder: 'https://builds.example/x' }"),
         .judgement = RULE_UNKNOWN,
         .message = "from which source"},
        {.with = ALLOWED,
         .facts = STATEMENTS("{ " GOOD " }"),
         .judgement = RULE_FAIL, /* a warning */
         .message = "can forge it"},
        {.with = STRICT,
         .facts = STATEMENTS("{ " GOOD " }"),
         .judgement = RULE_FAIL,
         .message = "not signed"},
        {.with = "{ builders: ['builds.example/**'], unsigned: allow }",
         .facts = STATEMENTS("{ " GOOD " }"),
         .judgement = RULE_PASS},
        {.with = "{ sources: ['code.example/team/*'], unsigned: allow }",
         .facts = STATEMENTS("{ source: 'git@code.example:team/app' }"),
         .judgement = RULE_PASS},
        {.with = "{ sources: ['code.example/team/*'], unsigned: allow }",
         .facts = STATEMENTS("{ source: 'https://evil.example/?code.example/team/app' }"),
         .judgement = RULE_FAIL},
        /* one statement names both, not one each */
        {.with = ALLOWED,
         .facts = STATEMENTS("{ signed: true, builder: 'https://builds.example/x', source: "
                             "'https://evil.example/x' }, { signed: true, builder: "
                             "'https://evil.example/x', source: 'https://code.example/team/app' }"),
         .judgement = RULE_FAIL},
        {.with = STRICT,
         .facts = STATEMENTS("{ builder: evil }, { signed: true, " GOOD " }"),
         .judgement = RULE_PASS},
        {.with = STRICT,
         .facts = "{ provenance: { statements: [{ builder: evil, signed: true }] }, " PARTIAL(
             "provenance") " }",
         .judgement = RULE_UNKNOWN},
        {.with = STRICT, .facts = "{ " PARTIAL("provenance") " }", .judgement = RULE_PASS},
        {.facts = "{ provenance: null, groups: { provenance: { state: absent, reason: x } } }",
         .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("provenance", rows);
}

#define STEPS(steps) "{ history: { steps: [" steps "] } }"
#define COPY(text) "{ kind: COPY, origin: own, text: '" text "' },"
#define RUN(text) "{ kind: RUN, origin: own, shellForm: true, text: '" text "' },"

static void history_shows_the_order(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.facts = STEPS(COPY(". .") RUN("npm ci")),
         .judgement = RULE_FAIL,
         .message = "step 0 copies the whole context before step 1"},
        {.facts = STEPS(COPY("package.json package-lock.json ./") RUN("npm ci") COPY(". .")),
         .judgement = RULE_PASS},
        {.facts = STEPS(COPY("package*.json ./") RUN("npm ci") COPY(". .") RUN("npm ci")),
         .judgement = RULE_PASS}, /* for what the build needs no more */
        {.facts = STEPS(COPY("./ /app/") RUN("cd /app && yarn")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". .") RUN("yarn build && npm install -g pm2 && npm run x")),
         .judgement = RULE_PASS},
        {.facts = STEPS(COPY(". .") RUN("pip install -r requirements.txt")),
         .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". .") RUN("pip install --no-cache-dir -rrequirements.txt")),
         .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". .") RUN("pip install .")), .judgement = RULE_PASS},
        {.facts = STEPS(COPY(". .") RUN("pip install gunicorn")), .judgement = RULE_PASS},
        {.facts = STEPS(COPY(". /app") RUN("bundle install --jobs 4")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /app") RUN("composer install --no-dev")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /src") RUN("dotnet restore App/App.csproj")),
         .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /src") RUN("go mod download")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /src") RUN("go get -d -v ./...")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /src") RUN("go get example.com/tool")), .judgement = RULE_PASS},
        {.facts = STEPS(COPY(". /src") RUN("uv sync --frozen")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /src") RUN("poetry install --only main")), .judgement = RULE_FAIL},
        {.facts = STEPS(COPY(". /src") RUN("mvn -q package")), .judgement = RULE_PASS},
        {.facts = STEPS(COPY(". /src") RUN("cargo build --release")), .judgement = RULE_PASS},
        {.facts = STEPS(COPY("/app /app") RUN("npm ci")), .judgement = RULE_PASS},
        {.with = "{ except: [npm] }",
         .facts = STEPS(COPY(". .") RUN("npm ci")),
         .judgement = RULE_PASS},
        /* the classic builder keeps a checksum of what it copied */
        {.facts = STEPS(COPY("dir:0123 in /app") RUN("npm ci")),
         .judgement = RULE_UNKNOWN,
         .message = "the history does not tell"},
        {.facts = STEPS(COPY("file:0123 in /app") RUN("npm ci")), .judgement = RULE_PASS},
        /* others did that */
        {.facts = STEPS("{ kind: COPY, origin: base, text: '. .' }, { kind: RUN, origin: base, "
                        "text: 'npm ci' }"),
         .judgement = RULE_PASS},
        {.facts = "{ history: null, groups: { history: { state: absent, reason: x } } }",
         .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("cache-order", rows);
}

#define TEXT(text) "{ provenance: { statements: [{ dockerfile: \"" text "\" }] } }"

static void the_text_shows_all_stages(void **state)
{
    static const struct row rows[] = {
        {.facts = TEXT("FROM node AS build\\nWORKDIR /a\\nCOPY . .\\nRUN npm ci\\nFROM node\\n"
                       "COPY --from=build /a /a\\n"),
         .judgement = RULE_FAIL,
         .message = "line 3 of the Dockerfile copies the whole context before line 4"},
        {.facts = TEXT("FROM node\\nCOPY package.json .\\nRUN npm ci\\nCOPY . .\\n"),
         .judgement = RULE_PASS},
        {.facts = TEXT("FROM node AS a\\nCOPY . .\\nFROM node\\nRUN npm ci\\n"),
         .judgement = RULE_PASS},
        {.facts = TEXT("FROM node\\nCOPY --from=x . .\\nRUN npm ci\\n"), .judgement = RULE_PASS},
        {.facts = TEXT("FROM node\\nCOPY . .\\nRUN --mount=type=cache,target=/root/.npm npm ci\\n"),
         .judgement = RULE_PASS},
        {.facts = TEXT("FROM node\\nCOPY . .\\nRUN <<EOF\\nnpm ci\\nEOF\\n"),
         .judgement = RULE_FAIL},
        {.facts = TEXT("FROM node\\nADD [\\\".\\\", \\\"/a\\\"]\\nRUN npm ci\\n"),
         .judgement = RULE_FAIL},
        /* the text beats the history */
        {.facts = "{ provenance: { statements: [{ dockerfile: \"FROM node\" }] }, history: { "
                  "steps: [" COPY(". .") RUN("npm ci") "] } }",
         .judgement = RULE_PASS},
        /* it is somebody else's */
        {.facts = "{ provenance: { statements: [{ subject: other, dockerfile: \"FROM a\\nCOPY . "
                  ".\\nRUN npm ci\" }] } }",
         .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("cache-order", rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attestations_are_asked_for),
        cmocka_unit_test(builder_and_source_are_among_the_allowed),
        cmocka_unit_test(history_shows_the_order),
        cmocka_unit_test(the_text_shows_all_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
