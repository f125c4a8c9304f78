/* Adds a tag to the same manifest, so that everybody who lists tags sees what was judged. The name
 * comes from a template; a tag of that name on another image is left alone. */
#include <string.h>

#include "point.h"
#include "regwarden/reference.h"
#include "untag.h"

/* Value of one placeholder; NULL when there is none of that name. */
static const char *placeholder(const char *name, size_t length, const char *tag,
                               const struct digest *digest, enum verdict_status verdict,
                               char buffer[static DIGEST_SHORT_SIZE])
{
    const struct {
        const char *name;
        const char *value;
    } table[] = {
        {"digest12", digest_format_short(digest, buffer)},
        {"verdict", verdict_status_name(verdict)},
        {"tag", tag},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
            return table[i].value;
    return NULL;
}

struct subject {
    const char *tag;
    struct digest digest;
    enum verdict_status verdict;
};

static int expand(const char *template, const struct subject *subject, struct text *ret,
                  struct error *err)
{
    char buffer[DIGEST_SHORT_SIZE];
    for (const char *at = template; *at != '\0';) {
        if (*at != '{') {
            text_add_char(ret, *at++);
            continue;
        }
        size_t length = strcspn(at + 1, "}");
        const char *value =
            placeholder(at + 1, length, subject->tag, &subject->digest, subject->verdict, buffer);
        if (value == NULL || at[1 + length] != '}') {
            error_set(err, FAILURE_INPUT, "the tag template has an unknown placeholder");
            return error_hint(err, "known are {digest12}, {verdict} and {tag}");
        }
        text_add(ret, value);
        at += length + 2;
    }
    if (!tag_is_valid(text_data(ret)))
        return error_set(err, FAILURE_INPUT, "the tag template does not give a legal tag here");
    return 0;
}

int action_tag_check_template(const char *template, struct error *err)
{
    AUTO_TEXT struct text name = {0};
    struct subject subject = {.tag = "latest", .verdict = VERDICT_FAIL};
    digest_compute(NULL, "", 0, &subject.digest);
    if (expand(template, &subject, &name, err) != 0)
        return err == NULL ? FAILURE_INPUT : err->kind;
    if (strchr(template, '{') == NULL) {
        error_set(err, FAILURE_INPUT, "the tag template names every image alike");
        return error_hint(err, "use {digest12}, as in policy-fail-{digest12}");
    }
    return 0;
}

void action_tag_plan(const struct actions *actions, const struct action_target *target,
                     struct json *detail, struct json *pushes)
{
    AUTO_TEXT struct text name = {0};
    struct error err = {0};
    struct subject subject = {
        .tag = target->tag,
        .digest = target->digest,
        .verdict = target->verdict == NULL ? VERDICT_UNKNOWN : target->verdict->status,
    };
    if (expand(actions->config->tag_template, &subject, &name, &err) != 0)
        return;
    json_set_string(detail, "adds", text_data(&name));
    pushes_add(pushes, target->repository, text_data(&name), &target->digest);
}

static void on_tagged(struct task *task, const struct error *error)
{
    if (error == NULL)
        task_done(task);
    else if (error->kind == FAILURE_ABSENT)
        task_skip(task, "the image is not in %s any more", task->target.repository);
    else
        task_fail(task, error);
}

void action_tag_perform(struct task *task)
{
    AUTO_TEXT struct text name = {0};
    struct error err = {0};
    struct subject subject = {
        .tag = task->target.tag, .digest = task->target.digest, .verdict = task->verdict};
    if (expand(task->actions->config->tag_template, &subject, &name, &err) != 0) {
        task_fail(task, &err);
        return;
    }
    task->undo = json_new_object();
    json_set_string(task->undo, "tag", text_data(&name));
    point_tag(task,
              &(struct point_order){.repository = task->target.repository,
                                    .tag = text_data(&name),
                                    .digest = task->target.digest,
                                    .expectation = {.absent = true}},
              on_tagged);
}

/* --- undo: the tag goes, the manifest stays whatever the registry can do --- */

static void on_untagged(struct task *task, enum untag_means means, const char *why,
                        const struct error *error)
{
    struct error err = {0};
    if (error != NULL) {
        task_fail(task, error);
    } else if (means == UNTAG_HELPLESS) {
        error_set(&err, FAILURE_DENIED, "the tag %s could not be removed: %s",
                  json_get_string(task->recorded, "tag"), why);
        error_hint(&err, "remove it by hand");
        task_fail(task, &err);
    } else {
        task_done(task);
    }
}

void action_tag_undo(struct task *task)
{
    const char *tag = json_get_string(task->recorded, "tag");
    struct error err = {0};
    if (tag == NULL || !tag_is_valid(tag)) {
        error_set(&err, FAILURE_INPUT, "the plan does not say which tag was added");
        task_fail(task, &err);
        return;
    }
    untag(task,
          &(struct untag_order){.repository = task->target.repository,
                                .tag = tag,
                                .digest = task->target.digest,
                                .keep_manifest = true},
          on_untagged);
}
