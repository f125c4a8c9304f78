/* Takes a tag away from a manifest. Registries differ: some remove a tag, some only whole manifests
 * with all their tags, some nothing at all. The means are tried one after the other, each compares
 * immediately before it writes, and each is looked at afterwards: the tag is away when it is seen
 * to be. */
#include "untag.h"

#include <stdlib.h>

#include "needs.h"
#include "point.h"
#include "replace.h"

struct untag {
    char *repository, *tag;
    struct digest digest, fallback;
    bool lenient;
    bool keep_manifest;
    bool tag_tried;         /* its removal alone */
    enum untag_means means; /* that is being tried */
    struct error lost;      /* of the write, when its answer was lost */
    bool missed;            /* the registry found nothing there to delete */
    char *refused;          /* why the registry, which can remove tags, does not remove this one */
    char *why;
    untag_done_f *done;
};

static const char *const means_names[] = {
    [UNTAG_GONE] = "gone",
    [UNTAG_DELETED] = "tag-deleted",
    [UNTAG_REPOINTED] = "repointed",
    [UNTAG_MANIFEST] = "manifest-deleted",
    [UNTAG_REPLACED] = "tag-replaced",
    [UNTAG_HELPLESS] = "none",
};

static void try_tag(struct task *task);
static void try_fallback(struct task *task);
static void try_manifest(struct task *task);

const char *untag_means_name(enum untag_means means)
{
    return means_names[means];
}

void untag_free(struct untag *untag)
{
    if (untag == NULL)
        return;
    free(untag->repository);
    free(untag->tag);
    free(untag->why);
    free(untag->refused);
    free(untag);
}

static void finish(struct task *task, enum untag_means means, const struct error *error)
{
    struct untag *untag = TAKE(task->untag);
    AUTO_FREE char *why = TAKE(untag->why);
    untag_done_f *done = untag->done;
    untag_free(untag);
    done(task, means, why, error);
}

static void finish_helpless(struct task *task, const char *why)
{
    free(task->untag->why);
    task->untag->why = memory_copy_text(why);
    finish(task, UNTAG_HELPLESS, NULL);
}

/* What the registry refuses leads to the next means; what may work later ends the try. */
static bool ended_by(struct task *task, const struct error *error)
{
    if (error == NULL || error->kind == FAILURE_UNCERTAIN || !failure_is_passing(error->kind))
        return false;
    finish(task, UNTAG_HELPLESS, error);
    return true;
}

static void finish_moved(struct task *task, const struct registry_answer *answer)
{
    struct untag *untag = task->untag;
    if (answer_is_absent(answer) || (untag->lenient && answer->error == NULL))
        finish(task, UNTAG_GONE, NULL);
    else
        task_skip_moved(task, untag->repository, untag->tag, answer);
}

/* --- after a delete: is the tag away? --- */

/* Some kinds of registries say so, others are watched. */
static bool is_gentle(const struct task *task)
{
    struct registry_abilities abilities;
    registry_abilities(task->target.registry, &abilities);
    if (abilities.keeps_untagged != ANSWER_UNKNOWN)
        return abilities.keeps_untagged == ANSWER_YES;
    return text_list_has(&task->actions->gentle, task->target.registry_name);
}

static void on_manifest_seen(struct task *task, const struct registry_answer *answer)
{
    if (answer_is(answer, &task->untag->digest))
        text_list_add(&task->actions->gentle, task->target.registry_name);
    finish(task, UNTAG_DELETED, NULL);
}

static void on_seen(struct task *task, const struct registry_answer *answer)
{
    struct untag *untag = task->untag;
    char digest[DIGEST_TEXT_SIZE];
    if (answer->error != NULL && !answer_is_absent(answer)) {
        finish(task, UNTAG_HELPLESS, answer->error);
    } else if (untag->missed && answer->error == NULL && !answer_is(answer, &untag->digest)) {
        finish_moved(task, answer); /* by somebody else, in the moment before */
    } else if (!answer_is(answer, &untag->digest)) {
        if (untag->means == UNTAG_DELETED && !is_gentle(task))
            task_resolve(task, untag->repository, digest_format(&untag->digest, digest),
                         on_manifest_seen);
        else
            finish(task, untag->means, NULL);
    } else if (untag->lost.kind != FAILURE_NONE) {
        struct error lost = untag->lost;
        finish(task, UNTAG_HELPLESS, &lost);
    } else if (untag->means == UNTAG_DELETED) {
        try_fallback(task);
    } else {
        finish_helpless(task, "the registry says that it deleted the manifest, but still has it");
    }
}

/* An immutable tag, say: what protects the tag is not gone round by deleting its manifest. */
static void note_refusal(struct task *task, const struct error *error)
{
    struct registry_abilities abilities;
    registry_abilities(task->target.registry, &abilities);
    if (error->kind == FAILURE_DENIED && abilities.tag_delete != ANSWER_NO)
        task->untag->refused = memory_copy_text(error->text);
}

static void on_deleted(struct task *task, const struct registry_answer *answer)
{
    struct untag *untag = task->untag;
    if (ended_by(task, answer->error))
        return;
    untag->lost = (struct error){0};
    untag->missed = answer_is_absent(answer);
    if (answer->error == NULL || untag->missed) {
        task_resolve(task, untag->repository, untag->tag, on_seen);
    } else if (answer->error->kind == FAILURE_UNCERTAIN) {
        untag->lost = *answer->error;
        task_resolve(task, untag->repository, untag->tag, on_seen);
    } else if (untag->means == UNTAG_DELETED) {
        note_refusal(task, answer->error);
        try_fallback(task);
    } else {
        finish_helpless(task, answer->error->text);
    }
}

/* --- last: a registry that deletes no manifests does not delete one with a tag either --- */

static bool can_still_try_tag(const struct task *task)
{
    struct registry_abilities abilities;
    registry_abilities(task->target.registry, &abilities);
    return !task->untag->tag_tried && abilities.manifest_delete == ANSWER_NO &&
           abilities.tag_delete != ANSWER_NO;
}

/* --- fourth: something else needs the manifest, so only the tag goes --- */

static void on_replaced(struct task *task, const struct error *error)
{
    if (error == NULL)
        finish(task, UNTAG_REPLACED, NULL);
    else if (failure_is_passing(error->kind))
        finish(task, UNTAG_HELPLESS, error);
    else if (can_still_try_tag(task))
        try_tag(task);
    else
        finish(task, UNTAG_HELPLESS, NULL);
}

static void try_replacement(struct task *task, char *why)
{
    struct untag *untag = task->untag;
    free(untag->why);
    untag->why = why;
    untag->means = UNTAG_REPLACED;
    replace_tag(task,
                &(struct replace_order){
                    .repository = untag->repository, .tag = untag->tag, .digest = untag->digest},
                on_replaced);
}

/* --- third: delete the manifest --- */

static void on_before_manifest(struct task *task, const struct registry_answer *answer)
{
    struct untag *untag = task->untag;
    if (answer_is(answer, &untag->digest))
        task_delete_manifest(task, untag->repository, &untag->digest, on_deleted);
    else
        finish_moved(task, answer);
}

static void on_needs(struct task *task, const char *why, const struct error *error)
{
    struct untag *untag = task->untag;
    if (ended_by(task, error))
        return;
    if (why != NULL) {
        try_replacement(task, text_new("its manifest cannot be deleted: %s", why));
        return;
    }
    task_resolve(task, untag->repository, untag->tag, on_before_manifest);
}

static void try_manifest(struct task *task)
{
    struct untag *untag = task->untag;
    struct registry_abilities abilities;
    registry_abilities(task->target.registry, &abilities);
    untag->means = UNTAG_MANIFEST;
    if (untag->refused != NULL) {
        finish_helpless(task, untag->refused);
        return;
    }
    if (can_still_try_tag(task)) {
        try_tag(task);
        return;
    }
    if (abilities.manifest_delete == ANSWER_NO) {
        finish_helpless(task, "the registry deletes neither tags nor manifests");
        return;
    }
    if (untag->keep_manifest) {
        try_replacement(task, memory_copy_text("the registry does not remove a single tag"));
        return;
    }
    needs_check(task,
                &(struct needs_order){
                    .repository = untag->repository, .tag = untag->tag, .digest = untag->digest},
                on_needs);
}

/* --- second: point it at the last image that passed --- */

static void on_repointed(struct task *task, const struct error *error)
{
    if (error == NULL) {
        finish(task, UNTAG_REPOINTED, NULL);
    } else if (failure_is_passing(error->kind)) {
        finish(task, UNTAG_HELPLESS, error);
    } else {
        try_manifest(task);
    }
}

static void try_fallback(struct task *task)
{
    struct untag *untag = task->untag;
    if (!digest_is_set(&untag->fallback) || digest_equal(&untag->fallback, &untag->digest)) {
        try_manifest(task);
        return;
    }
    untag->means = UNTAG_REPOINTED;
    point_tag(task,
              &(struct point_order){.repository = untag->repository,
                                    .tag = untag->tag,
                                    .digest = untag->fallback,
                                    .expectation = {.either = untag->digest}},
              on_repointed);
}

/* --- first: remove the tag --- */

static void on_before_tag(struct task *task, const struct registry_answer *answer)
{
    struct untag *untag = task->untag;
    if (answer_is(answer, &untag->digest))
        task_delete_tag(task, untag->repository, untag->tag, on_deleted);
    else
        finish_moved(task, answer);
}

static void try_tag(struct task *task)
{
    struct untag *untag = task->untag;
    untag->means = UNTAG_DELETED;
    untag->tag_tried = true;
    task_resolve(task, untag->repository, untag->tag, on_before_tag);
}

/* There are registries where the removal of a tag takes the manifest along, with all its other
 * tags. What this one does is found out where that does no harm. */
static void on_tag_needs(struct task *task, const char *why, const struct error *error)
{
    if (ended_by(task, error))
        return;
    if (why != NULL)
        try_fallback(task);
    else
        try_tag(task);
}

static void on_current(struct task *task, const struct registry_answer *answer)
{
    struct untag *untag = task->untag;
    struct registry_abilities abilities;
    struct digest empty;
    replace_digest(task, untag->repository, untag->tag, &empty);
    if (answer_is(answer, &empty)) { /* we were interrupted half way */
        try_replacement(task, memory_copy_text("the registry does not delete what it was pointed "
                                               "at meanwhile"));
        return;
    }
    if (!answer_is(answer, &untag->digest)) {
        finish_moved(task, answer);
        return;
    }
    registry_abilities(task->target.registry, &abilities);
    if (abilities.tag_delete == ANSWER_NO)
        try_fallback(task);
    else if (is_gentle(task))
        try_tag(task);
    else if (untag->keep_manifest)
        try_fallback(task);
    else
        needs_check(task,
                    &(struct needs_order){.repository = untag->repository,
                                          .tag = untag->tag,
                                          .digest = untag->digest},
                    on_tag_needs);
}

void untag(struct task *task, const struct untag_order *order, untag_done_f *done)
{
    struct untag *new = memory_new(sizeof(*new));
    new->repository = memory_copy_text(order->repository);
    new->tag = memory_copy_text(order->tag);
    new->digest = order->digest;
    new->fallback = order->fallback;
    new->lenient = order->lenient;
    new->keep_manifest = order->keep_manifest;
    new->done = done;
    task->untag = new;
    task_resolve(task, new->repository, new->tag, on_current);
}
