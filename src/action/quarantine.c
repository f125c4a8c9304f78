/* Moves an image out of reach: copies it to "<prefix>/<repository>", sees it stand there, then
 * takes the tag away by what the registry can do (untag.c), or has the gate hold it where the
 * registry can do nothing. The way back is release.c.
 *
 * Repeated after a crash it finds what was done by looking: the copy is whole when its tag names
 * it, and then it no longer matters what became of the tag. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "regwarden/crypto.h"
#include "regwarden/reference.h"
#include "replace.h"
#include "task.h"
#include "untag.h"

enum { TAG_SIZE_MAX = 128, CHOICES_MAX = 4, OTHER_NAME_BYTES = 8 };

struct quarantine {
    char *repository; /* where it goes */
    char *tag;        /* its name there */
    unsigned choice;  /* of that name: other images have those before */
    bool named;       /* the tag names the image still */
    enum untag_means means;
};

static void free_work(void *work)
{
    struct quarantine *quarantine = work;
    if (quarantine == NULL)
        return;
    free(quarantine->repository);
    free(quarantine->tag);
    free(quarantine);
}

/* --- names --- */

static const char *prefix_of(const struct actions *actions, const char *registry)
{
    const struct config_registry *settings = config_find_registry(actions->config, registry);
    if (settings == NULL || settings->quarantine_prefix == NULL ||
        settings->quarantine_prefix[0] == '\0')
        return "quarantine";
    return settings->quarantine_prefix;
}

bool quarantine_owns(const struct actions *actions, const char *registry, const char *repository)
{
    const char *prefix = prefix_of(actions, registry);
    size_t length = strlen(prefix);
    return strncmp(repository, prefix, length) == 0 &&
           (repository[length] == '/' || repository[length] == '\0');
}

/* For a repository whose name is too long to have anything in front of it. */
static char *short_name(const char *prefix, const char *repository)
{
    uint8_t hash[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];
    crypto_hash(HASH_SHA256, repository, strlen(repository), hash);
    crypto_hex(hash, hash_size(HASH_SHA256), hex);
    return text_new("%s/%s", prefix, hex);
}

/* "<prefix>/<repository>", or with a hash of the repository where that would be too long: a long
 * name must not keep an image out of quarantine. FAILURE_INPUT when the prefix itself is at fault.
 * Returns new. */
static int name_in_quarantine(const struct actions *actions, const char *registry,
                              const char *repository, char **ret, struct error *err)
{
    const char *prefix = prefix_of(actions, registry);
    AUTO_FREE char *name = text_new("%s/%s", prefix, repository);
    if (!repository_is_valid(name)) {
        free(name);
        name = short_name(prefix, repository);
    }
    if (!repository_is_valid(name)) {
        error_set(err, FAILURE_INPUT, "the quarantine's name for %s is no legal repository name",
                  repository);
        return error_hint(err, "choose another quarantine-prefix for registry %s", registry);
    }
    *ret = TAKE(name);
    return 0;
}

/* For when the plain name is taken by an image that was moved here earlier: both must stay. A crash
 * later it has to be the same name again; the third and further choices hold the plan's number, so
 * that nobody can take them all beforehand. Returns new. */
static char *other_name(const struct action_target *target, unsigned choice)
{
    char digest[DIGEST_TEXT_SIZE], twelve[DIGEST_SHORT_SIZE];
    uint8_t hash[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];
    const char *end = digest_format_short(&target->digest, twelve);
    if (choice > 1) {
        AUTO_FREE char *all = text_new("%u\n%" PRId64 "\n%s\n%s", choice, target->plan_id,
                                       target->repository, digest_format(&target->digest, digest));
        crypto_hash(HASH_SHA256, all, strlen(all), hash);
        crypto_hex(hash, OTHER_NAME_BYTES, hex);
        end = hex;
    }
    int room = TAG_SIZE_MAX - 1 - (int)strlen(end);
    return text_new("%.*s-%s", room, target->tag, end);
}

/* --- plan --- */

static void plan_children(const struct action_target *target, const char *to, struct json *pushes)
{
    char buffer[DIGEST_TEXT_SIZE];
    if (target->facts == NULL || target->facts->manifest == NULL)
        return;
    const struct manifest *manifest = target->facts->manifest;
    for (size_t i = 0; i < manifest->child_count; i++)
        pushes_add(pushes, to, digest_format(&manifest->children[i].digest, buffer),
                   &manifest->children[i].digest);
}

void quarantine_plan(const struct actions *actions, const struct action_target *target,
                     struct json *detail, struct json *pushes)
{
    AUTO_FREE char *to = NULL;
    struct error err = {0};
    if (target->tag == NULL ||
        name_in_quarantine(actions, target->registry_name, target->repository, &to, &err) != 0)
        return;
    AUTO_FREE char *name = text_new("%s:%s", to, target->tag);
    json_set_string(detail, "to", name);
    pushes_add(pushes, to, target->tag, &target->digest);
    plan_children(target, to, pushes);
}

/* --- end --- */

static void set_undo(struct task *task)
{
    const struct quarantine *quarantine = task->work;
    char buffer[DIGEST_TEXT_SIZE];
    json_release(task->undo);
    task->undo = json_new_object();
    json_set_string(task->undo, "repository", quarantine->repository);
    json_set_string(task->undo, "tag", quarantine->tag);
    json_set_string(task->undo, "means", untag_means_name(quarantine->means));
    if (digest_is_set(&task->target.last_passing))
        json_set_string(task->undo, "pointsAt", digest_format(&task->target.last_passing, buffer));
}

static void finish(struct task *task, enum untag_means means)
{
    struct quarantine *quarantine = task->work;
    quarantine->means = means;
    set_undo(task);
    task_done(task);
}

/* The copy stands, the tag stays: the gate can still refuse it, an administrator can do the rest.
 */
static void finish_held(struct task *task, const char *why)
{
    struct quarantine *quarantine = task->work;
    struct actions *actions = task->actions;
    struct error error = {0};
    bool held = actions->hold != NULL;
    quarantine->means = UNTAG_HELPLESS;
    set_undo(task);
    json_set_bool(task->undo, "held", held);
    if (held)
        actions->hold(actions->argument, task->target.registry_name, task->target.repository,
                      &task->target.digest, true, task->why);
    error_set(&error, FAILURE_DENIED, "copied to %s:%s, %s: the tag could not be taken away, %s",
              quarantine->repository, quarantine->tag,
              held ? "held at the gate" : "still pullable (there is no gate)", why);
    error_hint(&error, "remove the tag by hand, or change what keeps it: rights, switched-off "
                       "deletion, immutability");
    if (held)
        task_done_with(task, &error);
    else
        task_fail(task, &error);
}

static void on_untagged(struct task *task, enum untag_means means, const char *why,
                        const struct error *error)
{
    if (error != NULL)
        task_fail(task, error);
    else if (means == UNTAG_HELPLESS)
        finish_held(task, why);
    else
        finish(task, means);
}

/* --- copy --- */

static void take_tag_away(struct task *task)
{
    untag(task,
          &(struct untag_order){.repository = task->target.repository,
                                .tag = task->target.tag,
                                .digest = task->target.digest,
                                .fallback = task->target.last_passing},
          on_untagged);
}

static void on_copied(struct task *task, const struct error *error)
{
    struct error hinted;
    if (error == NULL) {
        take_tag_away(task);
        return;
    }
    hinted = *error;
    if (hinted.kind == FAILURE_DENIED)
        error_hint(&hinted, "regwarden's account needs the right to push to %s",
                   ((struct quarantine *)task->work)->repository);
    task_fail(task, &hinted);
}

static void on_there(struct task *task, const struct registry_answer *answer)
{
    struct quarantine *quarantine = task->work;
    bool copied = answer_is(answer, &task->target.digest);
    if (answer->error != NULL && !answer_is_absent(answer)) {
        task_fail(task, answer->error);
        return;
    }
    if (answer->error == NULL && !copied && quarantine->choice + 1 < CHOICES_MAX) {
        free(quarantine->tag);
        quarantine->tag = other_name(&task->target, ++quarantine->choice);
        task_resolve(task, quarantine->repository, quarantine->tag, on_there);
        return;
    }
    set_undo(task);
    if (copied && quarantine->named) {
        task_record(task, on_copied);
    } else if (copied) {
        finish(task, UNTAG_GONE);
    } else if (!quarantine->named) {
        json_release(TAKE(task->undo));
        task_skip(task, "%s:%s moved since the verdict, left alone", task->target.repository,
                  task->target.tag);
    } else {
        copy_image(task,
                   &(struct copy_order){.from = task->target.repository,
                                        .to = quarantine->repository,
                                        .tag = quarantine->tag,
                                        .digest = task->target.digest,
                                        .expectation = {.absent = true},
                                        .another_name_will_do = true},
                   on_copied);
    }
}

static void on_source(struct task *task, const struct registry_answer *answer)
{
    struct quarantine *quarantine = task->work;
    struct digest empty;
    if (answer->error != NULL && !answer_is_absent(answer)) {
        task_fail(task, answer->error);
        return;
    }
    replace_digest(task, task->target.repository, task->target.tag, &empty);
    quarantine->named = answer_is(answer, &task->target.digest) || answer_is(answer, &empty);
    task_resolve(task, quarantine->repository, quarantine->tag, on_there);
}

void quarantine_move(struct task *task)
{
    struct quarantine *quarantine = memory_new(sizeof(*quarantine));
    struct error err = {0};
    task->work = quarantine;
    task->free_work = free_work;
    quarantine->tag = memory_copy_text(task->target.tag);
    if (name_in_quarantine(task->actions, task->target.registry_name, task->target.repository,
                           &quarantine->repository, &err) != 0) {
        task_fail(task, &err);
        return;
    }
    task_resolve(task, task->target.repository, task->target.tag, on_source);
}

void quarantine_perform(struct task *task)
{
    if (quarantine_can_archive(task))
        quarantine_archive(task);
    else
        quarantine_move(task);
}
