/* The reports of the scanner that Harbor drives. Whether there is one is told by the artifact's
 * overview: the report itself is asked for only when its scan went well. */
#include "regwarden/memory.h"
#include "regwarden/vulnerabilities.h"

#include "harbor_api.h"

struct fetching {
    struct operation operation; /* first */
    struct digest digest;
    char *repository;
};

static void release(struct operation *operation)
{
    free(((struct fetching *)operation)->repository);
}

static void fail(struct fetching *fetch, enum failure kind, const char *text)
{
    struct error error = {0};

    (void)error_set(&error, kind, "%s", text);
    operation_fail(&fetch->operation, &error);
}

/* Harbor keeps overviews and reports by the names of their forms; it sends one. */
static const struct json *find_first(const struct json *document)
{
    for (void *i = json_iterate(document); i; i = json_next(document, i)) {
        if (json_is(json_iterator_value(i), JSON_KIND_OBJECT))
            return json_iterator_value(i);
    }
    return NULL;
}

/* As Harbor sends it: an object with one report, by the name of its form. */
static void tell(struct fetching *fetch, const struct http_response *response)
{
    struct registry_answer told = {.bytes = response->body,
                                   .size = response->body_size,
                                   .media_type = MEDIA_TYPE_HARBOR_REPORT,
                                   .digest = fetch->digest};

    fetch->operation.registry->abilities.scan_reports = ANSWER_YES;
    operation_finish(&fetch->operation, &told);
}

static void on_report(void *argument, const struct exchange_answer *answer)
{
    struct fetching *fetch = argument;
    AUTO_JSON struct json *document = NULL;
    struct error error = {0};

    fetch->operation.exchange = NULL;
    if (answer->error)
        operation_fail(&fetch->operation, answer->error);
    else if (harbor_read(answer->response, JSON_KIND_OBJECT, &document, &error) < 0)
        operation_fail(&fetch->operation, &error);
    else if (find_first(document))
        tell(fetch, answer->response);
    else
        fail(fetch, FAILURE_ABSENT, "Harbor holds no report of this image");
}

static void send_report(struct fetching *fetch)
{
    AUTO_FREE char *path = NULL;
    struct harbor_request request = {.method = "GET"};
    struct error error = {0};

    if (harbor_path_of_artifact(fetch->repository, &fetch->digest, "/additions/vulnerabilities",
                                &path, &error) < 0) {
        operation_fail(&fetch->operation, &error);
        return;
    }
    request.path = path;
    harbor_send(&fetch->operation, &request, on_report);
}

/* "" when the artifact was never scanned. */
static const char *scan_status(const struct json *artifact)
{
    const struct json *overview = find_first(json_get(artifact, "scan_overview"));
    const char *status = json_get_string(overview, "scan_status");

    return status ? status : "";
}

static void judge(struct fetching *fetch, const char *status)
{
    static const char *const later[] = {"Pending", "Scheduled", "Running"};

    for (size_t i = 0; i < ARRAY_COUNT(later); i++) {
        if (text_equal(status, later[i])) {
            fail(fetch, FAILURE_LATER, "Harbor's scan of this image goes on");
            return;
        }
    }
    if (text_equal(status, "Success"))
        send_report(fetch);
    else if (text_equal(status, "Error") || text_equal(status, "Stopped"))
        fail(fetch, FAILURE_ABSENT, "Harbor's scan of this image failed or was stopped");
    else
        fail(fetch, FAILURE_ABSENT, "Harbor has not scanned this image");
}

static void on_artifact(void *argument, const struct exchange_answer *answer)
{
    struct fetching *fetch = argument;
    AUTO_JSON struct json *artifact = NULL;
    struct error error = {0};

    fetch->operation.exchange = NULL;
    if (answer->error)
        operation_fail(&fetch->operation, answer->error);
    else if (harbor_read(answer->response, JSON_KIND_OBJECT, &artifact, &error) < 0)
        operation_fail(&fetch->operation, &error);
    else
        judge(fetch, scan_status(artifact));
}

uint64_t harbor_fetch_scan_report(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument)
{
    AUTO_FREE char *path = NULL;
    struct fetching *fetch = operation_new(registry, sizeof(*fetch), done, argument,
                                           operation_name("scan report of", repository, digest));
    struct harbor_request request = {.method = "GET"};

    fetch->operation.release = release;
    if (harbor_check_account(registry, &fetch->operation.error) < 0 ||
        harbor_path_of_artifact(repository, digest, "?with_tag=false&with_scan_overview=true",
                                &path, &fetch->operation.error) < 0)
        return operation_refuse(&fetch->operation);
    fetch->digest = *digest;
    fetch->repository = memory_copy_text(repository);
    request.path = path;
    harbor_send(&fetch->operation, &request, on_artifact);
    return fetch->operation.id;
}
