/* An operator undoes a plan: a quarantined image is put back, a hold is lifted. The journal keeps
 * both deeds. The same image is not taken away again by the same verdict: the release is the
 * operator's word on this placement and digest. */
#include "asks.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"

struct release {
    struct ask ask;
    bool force;
    char *by;
    struct plan plan; /* taken out of the store's answer */
};

static void plan_release(struct plan *plan)
{
    free(plan->registry);
    free(plan->repository);
    free(plan->tag);
    json_release(plan->detail);
    json_release(plan->undo);
    free(plan->reason);
    if (plan->verdict)
        verdict_release(plan->verdict);
    free(plan->verdict);
}

static void release_release(struct ask *ask)
{
    struct release *release = (struct release *)ask;

    plan_release(&release->plan);
    free(release->by);
}

static void journalled(void *argument, const struct error *error)
{
    struct release *release = argument;
    const struct plan *plan = &release->plan;
    AUTO_JSON struct json *body = NULL;
    char digest[DIGEST_TEXT_SIZE];

    if (error) {
        ask_fail(&release->ask, error);
        return;
    }
    body = json_new_object();
    json_set_integer(body, "id", plan->id);
    json_set_string(body, "state", plan_state_name(PLAN_UNDONE));
    json_set_string(body, "registry", plan->registry);
    json_set_string(body, "repository", plan->repository);
    json_set_string(body, "tag", plan->tag);
    json_set_string(body, "digest", digest_format(&plan->digest, digest));
    ask_answer(&release->ask, 200, body);
}

static void undone(void *argument, const struct action_result *result)
{
    struct release *release = argument;
    AUTO_FREE char *reason = text_new("released by %s", release->by);
    struct plan_update update = {
        .id = release->plan.id, .state = PLAN_UNDONE, .reason = reason, .at_ms = clock_wall_ms()};
    struct event placement = {.registry = release->plan.registry,
                              .repository = release->plan.repository,
                              .tag = release->plan.tag,
                              .digest = release->plan.digest};
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];
    struct error error;

    if (result->state != PLAN_DONE) {
        error_set(&error, result->error ? result->error->kind : FAILURE_SYSTEM, "%s",
                  result->error ? result->error->text : "could not be undone");
        if (result->error)
            error_hint(&error, "%s", result->error->hint);
        ask_fail(&release->ask, &error);
        return;
    }
    placement_cache_forget(release->ask.daemon->placement_cache, &placement);
    log_notice(event_log_fields(&placement, &buffer, fields), "%s undone, asked for by %s",
               action_kind_name(release->plan.kind), release->by);
    store_update_plan(release->ask.daemon->store, &update, journalled, release);
}

static int check(const struct release *release, struct error *err)
{
    const struct plan *plan = &release->plan;

    if (!action_can_undo(plan->kind))
        return error_set(err, FAILURE_INPUT, "%s cannot be undone", action_kind_name(plan->kind));
    if (plan->state != PLAN_DONE) {
        error_set(err, FAILURE_INPUT, "plan %lld is %s, only what was done can be undone",
                  (long long)plan->id, plan_state_name(plan->state));
        return error_hint(err, "`regwarden quarantine list` shows what can be released.");
    }
    if (!daemon_find_registry(release->ask.daemon, plan->registry))
        return error_set(err, FAILURE_ABSENT, "registry %s is not configured any more",
                         plan->registry);
    return 0;
}

static void loaded(void *argument, const struct error *error, struct plan *plans, size_t count)
{
    struct release *release = argument;
    struct action_target target;
    struct error fault;

    if (ask_is_too_late(&release->ask))
        return;
    if (error) {
        ask_fail(&release->ask, error);
        return;
    }
    if (count == 0) {
        error_set(&fault, FAILURE_ABSENT, "there is no such plan");
        error_hint(&fault, "`regwarden quarantine list` shows the ids.");
        ask_fail(&release->ask, &fault);
        return;
    }
    release->plan = plans[0];
    plans[0] = (struct plan){0};
    if (check(release, &fault) < 0) {
        ask_fail(&release->ask, &fault);
        return;
    }
    target = (struct action_target){
        .registry = daemon_find_registry(release->ask.daemon, release->plan.registry)->client,
        .registry_name = release->plan.registry,
        .repository = release->plan.repository,
        .tag = release->plan.tag,
        .digest = release->plan.digest,
        .verdict = release->plan.verdict,
        .plan_id = release->plan.id,
    };
    action_undo(release->ask.daemon->actions, release->plan.kind, &target, release->plan.undo,
                release->force, undone, release);
}

void daemon_release(struct daemon *daemon, uint64_t request, int64_t plan_id, bool force,
                    const char *by)
{
    struct release *release = memory_new(sizeof *release);

    release->ask.release = release_release;
    ask_begin(&release->ask, daemon, request);
    release->force = force;
    release->by = memory_copy_text(by ? by : "operator");
    store_load_plan(daemon->store, plan_id, loaded, release);
}

bool daemon_is_releasing(const struct daemon *daemon, const struct event *event)
{
    for (const struct ask *ask = daemon->asks; ask; ask = ask->next) {
        const struct plan *plan = &((const struct release *)ask)->plan;

        if (ask->release == release_release && text_equal(plan->registry, event->registry) &&
            text_equal(plan->repository, event->repository) && text_equal(plan->tag, event->tag) &&
            digest_equal(&plan->digest, &event->digest))
            return true;
    }
    return false;
}
