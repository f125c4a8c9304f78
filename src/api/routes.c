/* The table of routes: everything that the API can do. */
#include "routes.h"

#include "call.h"

#include "regwarden/verdict.h"

static const char *const verdict_names[] = {"pass", "warn", "unknown", "fail", NULL};
static const char *const plan_states[] = {"planned", "done",  "failed", "skipped",
                                          "undone",  "would", NULL};
static const char *const letter_kinds[] = {"hook", "event", "notification", NULL};
static const char *const waiver_states[] = {"active", "expired", "revoked", NULL};
static const char *const report_names[] = {"json", "csv", NULL};

#define TEXT(member, words)                                                               \
    {                                                                                     \
        .name = #member, .description = (words), .offset = offsetof(struct query, member) \
    }
#define CHOICE(member, list, words)                                        \
    {                                                                      \
        .name = #member, .description = (words), .type = PARAMETER_CHOICE, \
        .offset = offsetof(struct query, member), .choices = (list)        \
    }

static const struct parameter registry = TEXT(registry, "Name of a configured registry.");
static const struct parameter registry_required = {.name = "registry",
                                                   .description = "Name of a configured registry.",
                                                   .offset = offsetof(struct query, registry),
                                                   .required = true};
static const struct parameter repository = TEXT(repository, "Repository, or a glob of them.");
static const struct parameter repository_required = {.name = "repository",
                                                     .description = "Repository.",
                                                     .offset = offsetof(struct query, repository),
                                                     .required = true};
static const struct parameter tag = TEXT(tag, "Tag.");
static const struct parameter rule = TEXT(rule, "Rule that has a finding.");
static const struct parameter by = TEXT(by, "Who does it, for the record.");
static const struct parameter reference = {.name = "reference",
                                           .description = "The base, as it was added.",
                                           .offset = offsetof(struct query, reference),
                                           .required = true};
static const struct parameter verdict = CHOICE(verdict, verdict_names, "Only these verdicts.");
static const struct parameter kind_action =
    CHOICE(kind, action_kind_names, "Only plans of this action.");
static const struct parameter kind_letter =
    CHOICE(kind, letter_kinds, "Only dead letters of this kind.");
static const struct parameter state_plan = CHOICE(state, plan_states, "Only plans in this state.");
static const struct parameter state_quarantine =
    CHOICE(state, plan_states, "Only in this state; \"done\" when it is left out.");
static const struct parameter state_waiver =
    CHOICE(state, waiver_states, "Only waivers in this state.");
static const struct parameter format = CHOICE(format, report_names, "How it is written.");
static const struct parameter since = {.name = "since",
                                       .description = "Not older: a time such as "
                                                      "2026-01-31T00:00:00Z, or an age such as "
                                                      "30d.",
                                       .type = PARAMETER_SINCE,
                                       .offset = offsetof(struct query, since_ms)};
static const struct parameter before = {.name = "before",
                                        .description = "The page's \"next\" of before.",
                                        .type = PARAMETER_COUNT,
                                        .offset = offsetof(struct query, before),
                                        .maximum = INT64_MAX};
static const struct parameter limit = {.name = "limit",
                                       .description = "At most so many; 100 when it is left out.",
                                       .type = PARAMETER_COUNT,
                                       .offset = offsetof(struct query, limit),
                                       .maximum = 1000};

#define PARAMETERS(...) ((const struct parameter *const[]){__VA_ARGS__, NULL})

static const struct field waiver_fields[] = {
    {.name = "rule", .description = "Rule or its id in a policy; * for all.", .required = true},
    {.name = "reason", .description = "Why it is excused.", .required = true},
    {.name = "owner", .description = "Who answers for it.", .required = true},
    {.name = "expires", .description = "Last day, or a time.", .required = true},
    {.name = "id", .description = "Name of the waiver; made up when left out."},
    {.name = "policy", .description = "Only findings of this policy."},
    {.name = "repository", .description = "Only in these repositories: a glob."},
    {.name = "tag", .description = "Only under these tags: a glob."},
    {.name = "path", .description = "Only findings at these paths: a glob."},
    {.name = "fingerprint", .description = "Only this finding."},
    {.name = "digest", .description = "Only this image."},
    {0},
};
static const struct field release_fields[] = {
    {.name = "force",
     .description = "Even when the tag points at something else by now.",
     .type = FIELD_FLAG},
    {.name = "by", .description = "Who does it, for the record."},
    {0},
};
static const struct field base_fields[] = {
    {.name = "reference",
     .description = "registry/repository:tag with the name of a configured registry; * and ** in "
                    "repository and tag stand for many.",
     .required = true},
    {.name = "by", .description = "Who does it, for the record."},
    {0},
};
static const struct field sweep_fields[] = {
    {.name = "registry", .description = "Only this registry; all when left out."},
    {0},
};

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN "text/plain; charset=utf-8"

const struct route routes[] = {
    {.method = "GET",
     .pattern = "/healthz",
     .summary = "Is the process alive?",
     .role = ROLE_ANYONE,
     .status = 200,
     .media_type = PLAIN,
     .handle = handle_health},
    {.method = "GET",
     .pattern = "/readyz",
     .summary = "Can it take events and judge? 503 with the reason when not.",
     .role = ROLE_ANYONE,
     .status = 200,
     .media_type = PLAIN,
     .handle = handle_ready},
    {.method = "GET",
     .pattern = "/metrics",
     .summary = "Metrics as OpenMetrics text.",
     .role = ROLE_LOCAL,
     .status = 200,
     .media_type = OPENMETRICS,
     .handle = handle_metrics},
    {.method = "GET",
     .pattern = "/api/v1/openapi.json",
     .summary = "This document.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .handle = handle_openapi},
    {.method = "GET",
     .pattern = "/api/v1/status",
     .summary = "How much is judged, what waits, what failed.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry),
     .handle = handle_status},
    {.method = "GET",
     .pattern = "/api/v1/verdicts",
     .summary = "Verdicts in force, newest first.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters =
         PARAMETERS(&registry, &repository, &tag, &verdict, &rule, &since, &before, &limit),
     .handle = handle_verdicts},
    {.method = "GET",
     .pattern = "/api/v1/verdicts/:id",
     .summary = "One verdict with all of its findings.",
     .role = ROLE_OPERATOR,
     .id = SEGMENT_NUMBER,
     .status = 200,
     .handle = handle_verdict},
    {.method = "GET",
     .pattern = "/api/v1/history",
     .summary = "Every verdict of one placement, newest first.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry_required, &repository_required, &tag, &verdict, &since,
                              &before, &limit),
     .handle = handle_history},
    {.method = "GET",
     .pattern = "/api/v1/dead-letters",
     .summary = "What could not be understood, judged or delivered.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry, &kind_letter, &since, &before, &limit),
     .handle = handle_dead_letters},
    {.method = "GET",
     .pattern = "/api/v1/dead-letters/:id",
     .summary = "One dead letter with its body.",
     .role = ROLE_OPERATOR,
     .id = SEGMENT_NUMBER,
     .status = 200,
     .handle = handle_dead_letter},
    {.method = "DELETE",
     .pattern = "/api/v1/dead-letters/:id",
     .summary = "Throws a dead letter away.",
     .role = ROLE_OPERATOR,
     .id = SEGMENT_NUMBER,
     .status = 200,
     .handle = handle_remove_dead_letter},
    {.method = "POST",
     .pattern = "/api/v1/dead-letters/:id/retry",
     .summary = "Tries a dead letter once more, and removes it when that went well.",
     .role = ROLE_OPERATOR,
     .id = SEGMENT_NUMBER,
     .status = 200,
     .handle = handle_retry_dead_letter},
    {.method = "GET",
     .pattern = "/api/v1/plans",
     .summary = "What was planned and done, newest first.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry, &repository, &tag, &kind_action, &state_plan, &since,
                              &before, &limit),
     .handle = handle_plans},
    {.method = "GET",
     .pattern = "/api/v1/quarantine",
     .summary = "What is in quarantine.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry, &repository, &tag, &state_quarantine, &before, &limit),
     .handle = handle_quarantine},
    {.method = "POST",
     .pattern = "/api/v1/quarantine/:id/release",
     .summary = "Puts back what a plan has quarantined.",
     .role = ROLE_OPERATOR,
     .id = SEGMENT_NUMBER,
     .status = 200,
     .fields = release_fields,
     .handle = handle_release},
    {.method = "GET",
     .pattern = "/api/v1/waivers",
     .summary = "Waivers of the ledger, with expired and revoked ones.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&state_waiver, &before, &limit),
     .handle = handle_waivers},
    {.method = "POST",
     .pattern = "/api/v1/waivers",
     .summary = "Adds a waiver.",
     .role = ROLE_OPERATOR,
     .status = 201,
     .fields = waiver_fields,
     .body_required = true,
     .handle = handle_add_waiver},
    {.method = "DELETE",
     .pattern = "/api/v1/waivers/:id",
     .summary = "Revokes a waiver.",
     .role = ROLE_OPERATOR,
     .id = SEGMENT_TEXT,
     .status = 200,
     .parameters = PARAMETERS(&by),
     .handle = handle_revoke_waiver},
    {.method = "GET",
     .pattern = "/api/v1/bases",
     .summary = "The catalogue of known bases, as `check --bases` reads it, and what is followed.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .handle = handle_bases},
    {.method = "POST",
     .pattern = "/api/v1/bases",
     .summary = "Adds bases and follows their tags.",
     .role = ROLE_OPERATOR,
     .status = 201,
     .fields = base_fields,
     .body_required = true,
     .handle = handle_add_base},
    {.method = "DELETE",
     .pattern = "/api/v1/bases",
     .summary = "Forgets bases that were added.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&reference),
     .handle = handle_remove_base},
    {.method = "GET",
     .pattern = "/api/v1/sweeps",
     .summary = "Sweeps, newest first.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry, &since, &before, &limit),
     .handle = handle_sweeps},
    {.method = "POST",
     .pattern = "/api/v1/sweep",
     .summary = "Starts a sweep.",
     .role = ROLE_OPERATOR,
     .status = 202,
     .fields = sweep_fields,
     .handle = handle_sweep},
    {.method = "GET",
     .pattern = "/api/v1/report",
     .summary = "Compliance now, by repository, rule and severity, and over time.",
     .role = ROLE_OPERATOR,
     .status = 200,
     .parameters = PARAMETERS(&registry, &repository, &since, &format),
     .handle = handle_report},
    {0},
};
