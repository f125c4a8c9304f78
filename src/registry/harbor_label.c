/* Labels on Harbor's artifacts. Labels belong to projects and artifacts point at them: what is not
 * there is made, and whoever makes it at the same time only comes first. */
#include "regwarden/memory.h"

#include "harbor_api.h"

enum { LABEL_NAME_MAX = 128, PAGES_MAX = 50, REMOVALS_MAX = 8 };

struct labelling {
    struct operation operation; /* first */
    struct digest digest;
    char *repository;
    char *name;
    char *description;
    int64_t project_id;
    unsigned page; /* of the project's labels */
    bool made;     /* or somebody else did */
    int64_t removals[REMOVALS_MAX];
    size_t removal_count;
};

static void release(struct operation *operation)
{
    struct labelling *work = (struct labelling *)operation;

    free(work->repository);
    free(work->name);
    free(work->description);
}

static void succeed(struct labelling *work)
{
    struct registry_answer told = {.media_type = "", .digest = work->digest};

    work->operation.registry->abilities.labels = ANSWER_YES;
    operation_finish(&work->operation, &told);
}

static void fail(struct labelling *work, enum failure kind, const char *text)
{
    struct error error = {0};

    (void)error_set(&error, kind, "%s", text);
    operation_fail(&work->operation, &error);
}

/* --- putting it on --- */

static void on_attached(void *argument, const struct exchange_answer *answer)
{
    struct labelling *work = argument;

    work->operation.exchange = NULL;
    /* 409: the artifact has it, since just now. */
    if (!answer->error || exchange_status(answer) == 409)
        succeed(work);
    else
        operation_fail(&work->operation, answer->error);
}

static void send_attach(struct labelling *work, int64_t id)
{
    AUTO_JSON struct json *body = json_new_object();
    AUTO_FREE char *path = NULL;
    struct harbor_request request = {.method = "POST", .body = body, .effect = EFFECT_REPEATABLE};
    struct error error = {0};

    json_set_integer(body, "id", id);
    if (harbor_path_of_artifact(work->repository, &work->digest, "/labels", &path, &error) < 0) {
        operation_fail(&work->operation, &error);
        return;
    }
    request.path = path;
    harbor_send(&work->operation, &request, on_attached);
}

static void send_search(struct labelling *work, unsigned page);

static void on_made(void *argument, const struct exchange_answer *answer)
{
    struct labelling *work = argument;

    work->operation.exchange = NULL;
    if (answer->error && exchange_status(answer) != 409) {
        operation_fail(&work->operation, answer->error);
        return;
    }
    work->made = true;
    send_search(work, 1);
}

static void send_make(struct labelling *work)
{
    AUTO_JSON struct json *body = json_new_object();
    struct harbor_request request = {
        .method = "POST", .path = "/api/v2.0/labels", .body = body, .effect = EFFECT_REPEATABLE};

    json_set_string(body, "name", work->name);
    json_set_string(body, "description", work->description);
    json_set_string(body, "color", "#C92100");
    json_set_string(body, "scope", "p");
    json_set_integer(body, "project_id", work->project_id);
    harbor_send(&work->operation, &request, on_made);
}

int64_t harbor_find_label(const struct json *labels, const char *name, int64_t project_id)
{
    for (size_t i = 0; i < json_count(labels); i++) {
        const struct json *label = json_at(labels, i);

        if (text_equal(json_get_string(label, "name"), name) &&
            text_equal(json_get_string(label, "scope"), "p") &&
            json_get_integer(label, "project_id", 0) == project_id)
            return json_get_integer(label, "id", 0);
    }
    return 0;
}

static void on_found(void *argument, const struct exchange_answer *answer)
{
    struct labelling *work = argument;
    AUTO_JSON struct json *labels = NULL;
    struct error error = {0};
    int64_t id;

    work->operation.exchange = NULL;
    if (answer->error) {
        operation_fail(&work->operation, answer->error);
        return;
    }
    if (harbor_read(answer->response, JSON_KIND_ARRAY, &labels, &error) < 0) {
        operation_fail(&work->operation, &error);
        return;
    }
    id = harbor_find_label(labels, work->name, work->project_id);
    if (id > 0)
        send_attach(work, id);
    else if (json_count(labels) >= HARBOR_PAGE_SIZE && work->page < PAGES_MAX)
        send_search(work, work->page + 1);
    else if (!work->made)
        send_make(work);
    else
        fail(work, FAILURE_LATER, "Harbor says that the label exists and does not list it");
}

static void send_search(struct labelling *work, unsigned page)
{
    AUTO_TEXT struct text name = {0};
    AUTO_FREE char *path = NULL;
    struct harbor_request request = {.method = "GET"};

    url_encode(&name, work->name);
    path =
        text_new("/api/v2.0/labels?scope=p&project_id=%lld&name=%s&sort=-id&page=%u&page_size=%d",
                 (long long)work->project_id, text_data(&name), page, HARBOR_PAGE_SIZE);
    work->page = page;
    request.path = path;
    harbor_send(&work->operation, &request, on_found);
}

/* --- taking it off --- */

static void remove_next(struct labelling *work);

static void on_taken_off(void *argument, const struct exchange_answer *answer)
{
    struct labelling *work = argument;

    work->operation.exchange = NULL;
    /* 404: somebody else took it off since. */
    if (answer->error && exchange_status(answer) != 404)
        operation_fail(&work->operation, answer->error);
    else
        remove_next(work);
}

static void remove_next(struct labelling *work)
{
    AUTO_FREE char *tail = NULL;
    AUTO_FREE char *path = NULL;
    struct harbor_request request = {.method = "DELETE", .effect = EFFECT_REPEATABLE};
    struct error error = {0};

    if (work->removal_count == 0) {
        succeed(work);
        return;
    }
    tail = text_new("/labels/%lld", (long long)work->removals[--work->removal_count]);
    if (harbor_path_of_artifact(work->repository, &work->digest, tail, &path, &error) < 0) {
        operation_fail(&work->operation, &error);
        return;
    }
    request.path = path;
    harbor_send(&work->operation, &request, on_taken_off);
}

/* --- both begin with what the artifact has --- */

/* Labels of the same name: one of the project, and perhaps one of the whole Harbor. */
static void find_own(struct labelling *work, const struct json *artifact)
{
    const struct json *labels = json_get(artifact, "labels");

    for (size_t i = 0; i < json_count(labels) && work->removal_count < REMOVALS_MAX; i++) {
        const struct json *label = json_at(labels, i);
        int64_t id = json_get_integer(label, "id", 0);

        if (id > 0 && text_equal(json_get_string(label, "name"), work->name))
            work->removals[work->removal_count++] = id;
    }
}

static bool read_artifact(struct labelling *work, const struct exchange_answer *answer)
{
    AUTO_JSON struct json *artifact = NULL;
    struct error error = {0};

    work->operation.exchange = NULL;
    if (answer->error) {
        operation_fail(&work->operation, answer->error);
        return false;
    }
    if (harbor_read(answer->response, JSON_KIND_OBJECT, &artifact, &error) < 0) {
        operation_fail(&work->operation, &error);
        return false;
    }
    work->project_id = json_get_integer(artifact, "project_id", 0);
    find_own(work, artifact);
    return true;
}

static void on_artifact_to_label(void *argument, const struct exchange_answer *answer)
{
    struct labelling *work = argument;

    if (!read_artifact(work, answer))
        return;
    if (work->removal_count > 0)
        succeed(work);
    else if (work->project_id <= 0)
        fail(work, FAILURE_INPUT, "Harbor does not say which project the image is in");
    else
        send_search(work, 1);
}

static void on_artifact_to_clear(void *argument, const struct exchange_answer *answer)
{
    struct labelling *work = argument;

    if (read_artifact(work, answer))
        remove_next(work);
}

static int prepare(struct labelling *work, const struct registry_label *label, char **ret,
                   struct error *err)
{
    size_t length = label->name ? strlen(label->name) : 0;
    int rc = harbor_check_account(work->operation.registry, err);

    if (rc < 0)
        return rc;
    if (length == 0 || length > LABEL_NAME_MAX)
        return error_set(err, FAILURE_INPUT, "a label's name has 1 to %d bytes", LABEL_NAME_MAX);
    work->digest = label->digest;
    work->repository = memory_copy_text(label->repository);
    work->name = memory_copy_text(label->name);
    work->description = memory_copy_text(label->description);
    return harbor_path_of_artifact(label->repository, &label->digest,
                                   "?with_tag=false&with_label=true", ret, err);
}

static uint64_t start(struct labelling *work, const struct registry_label *label,
                      exchange_done_f *next)
{
    AUTO_FREE char *path = NULL;
    struct harbor_request request = {.method = "GET"};

    work->operation.release = release;
    if (prepare(work, label, &path, &work->operation.error) < 0)
        return operation_refuse(&work->operation);
    request.path = path;
    harbor_send(&work->operation, &request, next);
    return work->operation.id;
}

static struct labelling *begin(struct registry *registry, const struct registry_label *label,
                               registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(label->repository ? label->repository : "", 255);
    AUTO_FREE char *shown = text_printable(label->name ? label->name : "", 128);
    char text[DIGEST_TEXT_SIZE];

    return operation_new(
        registry, sizeof(struct labelling), done, argument,
        text_new("label %s of %s@%s", shown, name, digest_format(&label->digest, text)));
}

uint64_t harbor_add_label(struct registry *registry, const struct registry_label *label,
                          registry_done_f *done, void *argument)
{
    return start(begin(registry, label, done, argument), label, on_artifact_to_label);
}

uint64_t harbor_remove_label(struct registry *registry, const struct registry_label *label,
                             registry_done_f *done, void *argument)
{
    return start(begin(registry, label, done, argument), label, on_artifact_to_clear);
}
