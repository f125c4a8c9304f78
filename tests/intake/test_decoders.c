/* The decoders, by tables of bodies and what must come out of them. No network, no store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode.h"

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OCI "application/vnd.oci.image.manifest.v1+json"

static char registry_name[] = "main";
static char registry_url[] = "https://registry.example:5000";
static char ecr_url[] = "https://123456789012.dkr.ecr.us-west-2.amazonaws.com";
static char ecr_host_cn[] = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn:443";
static char *ecr_hosts[] = {ecr_host_cn};

static struct config_registry registry_with(const char *dialect)
{
    return (struct config_registry){
        .name = registry_name,
        .url = text_equal(dialect, "ecr") ? ecr_url : registry_url,
        .dialect = memory_copy_text(dialect),
        .hosts = {.items = ecr_hosts, .count = 1},
    };
}

/* What came out of one body, with everything that the tests look at. */
struct outcome {
    int result;
    const struct decoder *decoder;
    struct decoded decoded;
    struct error error;
};

static struct outcome decode(const char *dialect, const char *body, size_t size)
{
    struct outcome outcome = {0};
    struct config_registry registry = registry_with(dialect);
    struct hook_message message = {.bytes = body, .size = size};
    struct decode_input input = {.registry = &registry, .message = &message};
    outcome.result = decode_body(&input, &outcome.decoded, &outcome.decoder, &outcome.error);
    free(registry.dialect);
    return outcome;
}

/* --- bodies and counts --- */

struct row {
    const char *name;
    const char *dialect;
    const char *body;
    const char *decoder; /* that was used; NULL none */
    size_t events, ignored, faults;
    const char *error; /* in the text of the failure or of the first fault */
};

#define EVENT(action, target) "{\"id\":\"e1\",\"action\":\"" action "\",\"target\":{" target "}}"
#define ENVELOPE(events) "{\"events\":[" events "]}"
#define HARBOR(type, resources)                                                        \
    "{\"type\":\"" type                                                                \
    "\",\"occur_at\":1,\"operator\":\"bob\",\"event_data\":{\"resources\":[" resources \
    "],\"repository\":{\"repo_full_name\":\"library/app\"}}}"
#define ECR(account, region, detail)                                \
    "{\"version\":\"0\",\"id\":\"i1\",\"detail-type\":\"ECR Image " \
    "Action\",\"source\":\"aws.ecr\","                              \
    "\"account\":\"" account "\",\"region\":\"" region "\",\"detail\":{" detail "}}"
#define ECR_PUSH                                                                        \
    "\"result\":\"SUCCESS\",\"action-type\":\"PUSH\",\"repository-name\":\"team/app\"," \
    "\"image-digest\":\"" DIGEST_A "\""

static const struct row rows[] = {
    {"push of a manifest", "auto",
     ENVELOPE(EVENT("push", "\"mediaType\":\"" OCI "\",\"repository\":\"a/b\",\"tag\":\"v1\","
                            "\"digest\":\"" DIGEST_A "\"")),
     "distribution", 1, 0, 0, NULL},
    {"push of a blob", "auto",
     ENVELOPE(EVENT("push", "\"mediaType\":\"application/octet-stream\",\"repository\":\"a\","
                            "\"digest\":\"" DIGEST_A "\"")),
     "distribution", 0, 1, 0, NULL},
    {"a blob is dropped before it is checked", "auto",
     ENVELOPE(EVENT("push", "\"mediaType\":\"application/octet-stream\",\"repository\":\"../x\","
                            "\"digest\":\"no\"")),
     "distribution", 0, 1, 0, NULL},
    {"pull", "auto",
     ENVELOPE(EVENT("pull",
                    "\"mediaType\":\"" OCI "\",\"repository\":\"a\",\"digest\":\"" DIGEST_A "\"")),
     "distribution", 0, 1, 0, NULL},
    {"mount", "auto", ENVELOPE(EVENT("mount", "\"repository\":\"a\"")), "distribution", 0, 1, 0,
     NULL},
    {"an action of a later version", "auto", ENVELOPE(EVENT("frobnicate", "")), "distribution", 0,
     1, 0, NULL},
    {"schema 1 is told to the judge, who refuses it", "auto",
     ENVELOPE(EVENT("push",
                    "\"mediaType\":\"application/vnd.docker.distribution.manifest.v1+"
                    "prettyjws\",\"repository\":\"a\",\"tag\":\"t\",\"digest\":\"" DIGEST_A "\"")),
     "distribution", 1, 0, 0, NULL},
    {"push without a media type may be a manifest", "auto",
     ENVELOPE(EVENT("push", "\"mediaType\":\"\",\"repository\":\"a\",\"tag\":\"t\"")),
     "distribution", 1, 0, 0, NULL},
    {"delete by digest", "auto",
     ENVELOPE(EVENT("delete", "\"repository\":\"a\",\"digest\":\"" DIGEST_A "\"")), "distribution",
     1, 0, 0, NULL},
    {"delete of a tag, empties written out", "auto",
     ENVELOPE(EVENT("delete", "\"mediaType\":\"\",\"digest\":\"\",\"size\":0,\"repository\":\"a\","
                              "\"tag\":\"t\"")),
     "distribution", 1, 0, 0, NULL},
    {"delete of a repository", "auto", ENVELOPE(EVENT("delete", "\"repository\":\"a\"")),
     "distribution", 0, 1, 0, NULL},
    {"no events", "auto", ENVELOPE(""), "distribution", 0, 0, 0, NULL},
    {"events of every kind side by side", "auto",
     ENVELOPE(
         "7," EVENT("push", "\"repository\":\"a\",\"tag\":\"t\"") ",null," EVENT("pull", "") ",{}"),
     "distribution", 1, 1, 3, "event 0: the event has no action"},
    {"no target", "auto", ENVELOPE("{\"action\":\"push\"}"), "distribution", 0, 0, 1,
     "the event has no target"},
    {"no repository", "auto", ENVELOPE(EVENT("push", "\"tag\":\"t\"")), "distribution", 0, 0, 1,
     "names no repository"},
    {"bad repository", "auto", ENVELOPE(EVENT("push", "\"repository\":\"A/../b\",\"tag\":\"t\"")),
     "distribution", 0, 0, 1, "the repository \"A/../b\" is not valid"},
    {"bad tag", "auto", ENVELOPE(EVENT("push", "\"repository\":\"a\",\"tag\":\"a b\"")),
     "distribution", 0, 0, 1, "the tag \"a b\" is not valid"},
    {"tag of another kind", "auto", ENVELOPE(EVENT("push", "\"repository\":\"a\",\"tag\":5")),
     "distribution", 0, 0, 1, "\"tag\" is not a string"},
    {"media type of another kind", "auto",
     ENVELOPE(EVENT("push", "\"mediaType\":[],\"repository\":\"a\"")), "distribution", 0, 0, 1,
     "\"mediaType\" is not a string"},
    {"neither tag nor digest", "auto", ENVELOPE(EVENT("push", "\"repository\":\"a\"")),
     "distribution", 0, 0, 1, "neither a tag nor a digest"},
    {"digest of illegal length", "auto",
     ENVELOPE(EVENT("push", "\"repository\":\"a\",\"digest\":\"sha256:abcd\"")), "distribution", 0,
     0, 1, ""},
    {"digest that nobody can verify", "auto",
     ENVELOPE(EVENT("push", "\"repository\":\"a\",\"digest\":\"md5:abcd\"")), "distribution", 0, 0,
     1, ""},
    {"escape codes in a repository are not shown raw", "auto",
     ENVELOPE(EVENT("push", "\"repository\":\"\\u001b[31m\",\"tag\":\"t\"")), "distribution", 0, 0,
     1, "\\x1b[31m"},
    {"events is no array", "distribution", "{\"events\":{}}", "distribution", 0, 0, 0,
     "there is no array"},

    {"Harbor push", "auto", HARBOR("PUSH_ARTIFACT", "{\"digest\":\"" DIGEST_A "\",\"tag\":\"v1\"}"),
     "harbor", 1, 0, 0, NULL},
    {"Harbor delete", "auto",
     HARBOR("DELETE_ARTIFACT", "{\"digest\":\"" DIGEST_A "\",\"tag\":\"v1\"}"), "harbor", 1, 0, 0,
     NULL},
    {"Harbor pull", "auto", HARBOR("PULL_ARTIFACT", "{\"digest\":\"" DIGEST_A "\"}"), "harbor", 0,
     1, 0, NULL},
    {"Harbor type of a later version", "auto", HARBOR("NEW_THING", ""), "harbor", 0, 1, 0, NULL},
    {"Harbor push of nothing", "auto", HARBOR("PUSH_ARTIFACT", ""), "harbor", 0, 0, 1,
     "names no artifact"},
    {"Harbor resource of another kind", "auto",
     HARBOR("PUSH_ARTIFACT", "3,{\"digest\":\"" DIGEST_A "\"}"), "harbor", 1, 0, 1,
     "artifact 0: it is not an object"},
    {"Harbor push without digest", "auto", HARBOR("PUSH_ARTIFACT", "{\"tag\":\"v1\"}"), "harbor", 0,
     0, 1, "has no digest"},
    {"Harbor push without repository", "harbor",
     "{\"type\":\"PUSH_ARTIFACT\",\"event_data\":{\"resources\":[{\"digest\":\"" DIGEST_A "\"}]}}",
     "harbor", 0, 0, 1, "names no repository"},
    {"Harbor CloudEvent", "auto",
     "{\"specversion\":\"1.0\",\"id\":\"c1\",\"type\":\"harbor.artifact.pushed\",\"operator\":"
     "\"bob\",\"data\":{\"resources\":[{\"digest\":\"" DIGEST_A
     "\"}],\"repository\":{\"repo_full_name\":\"library/app\"}}}",
     "harbor", 1, 0, 0, NULL},
    {"a plain type in a CloudEvent is no push", "auto",
     "{\"specversion\":\"1.0\",\"type\":\"harbor.PUSH_ARTIFACT\",\"data\":{}}", "harbor", 0, 1, 0,
     NULL},

    {"ECR push", "ecr", ECR("123456789012", "us-west-2", ECR_PUSH), "ecr", 1, 0, 0, NULL},
    {"ECR push by auto", "auto", ECR("123456789012", "cn-north-1", ECR_PUSH), "ecr", 1, 0, 0, NULL},
    {"ECR of another account", "ecr", ECR("999999999999", "us-west-2", ECR_PUSH), "ecr", 0, 0, 1,
     "999999999999.dkr.ecr.us-west-2.amazonaws.com, which is not the registry \"main\""},
    {"ECR of another region", "ecr", ECR("123456789012", "eu-west-1", ECR_PUSH), "ecr", 0, 0, 1,
     "is not the registry"},
    {"ECR with a host in place of the region", "ecr",
     ECR("123456789012", "us-west-2.amazonaws.com/x", ECR_PUSH), "ecr", 0, 0, 1,
     "no valid account and region"},
    {"ECR push that failed", "ecr",
     ECR("123456789012", "us-west-2", "\"result\":\"FAILURE\",\"action-type\":\"PUSH\""), "ecr", 0,
     1, 0, NULL},
    {"ECR without detail", "ecr", ECR("123456789012", "us-west-2", ""), "ecr", 0, 0, 1,
     "no result or action"},
    {"ECR digest of illegal length", "ecr",
     ECR("123456789012", "us-west-2",
         "\"result\":\"SUCCESS\",\"action-type\":\"PUSH\",\"repository-name\":\"a\","
         "\"image-digest\":\"sha256:7f5b\""),
     "ecr", 0, 0, 1, ""},
    {"ECR scan", "ecr",
     "{\"source\":\"aws.ecr\",\"detail-type\":\"ECR Image "
     "Scan\",\"detail\":{\"scan-status\":\"FAILED\"}}",
     "ecr", 0, 1, 0, NULL},
    {"EventBridge of another source", "ecr",
     "{\"source\":\"aws.ec2\",\"detail-type\":\"ECR Image Action\"}", "ecr", 0, 0, 0,
     "no event of the source aws.ecr"},

    {"a body of another dialect than configured", "harbor", ENVELOPE(""), "harbor", 0, 0, 0,
     "not a notification of the dialect \"harbor\""},
    {"unknown dialect", "auto", "{\"hello\":1}", NULL, 0, 0, 0, "no dialect that is known"},
    {"an array", "auto", "[]", NULL, 0, 0, 0, "no dialect that is known"},
    {"a scalar", "distribution", "7", "distribution", 0, 0, 0, "there is no array"},
    {"empty", "auto", "", NULL, 0, 0, 0, "not JSON"},
    {"no JSON", "auto", "events=1", NULL, 0, 0, 0, "not JSON"},
    {"cut off", "auto", "{\"events\":[", NULL, 0, 0, 0, "not JSON"},
    {"twice the same key", "auto", "{\"events\":[],\"events\":[]}", NULL, 0, 0, 0, "not JSON"},
    {"something behind", "auto", "{\"events\":[]}x", NULL, 0, 0, 0, "not JSON"},
    {"no UTF-8", "auto", "{\"events\":[\"\xff\"]}", NULL, 0, 0, 0, "not JSON"},
};

static void check_row(const struct row *row)
{
    struct outcome got = decode(row->dialect, row->body, strlen(row->body));
    const char *text = got.result != 0               ? got.error.text
                       : got.decoded.fault_count > 0 ? got.decoded.faults[0].text
                                                     : "";
    bool whole = row->error != NULL && row->faults == 0;
    bool ok = (got.result != 0) == whole && got.decoded.count == row->events &&
              got.decoded.ignored == row->ignored && got.decoded.fault_count == row->faults &&
              text_equal(got.decoder == NULL ? NULL : got.decoder->name, row->decoder) &&
              (row->error == NULL || strstr(text, row->error) != NULL);
    if (!ok)
        fail_msg("%s: result %d, decoder %s, %zu events, %zu ignored, %zu faults, \"%s\"",
                 row->name, got.result, got.decoder == NULL ? "none" : got.decoder->name,
                 got.decoded.count, got.decoded.ignored, got.decoded.fault_count, text);
    decoded_release(&got.decoded);
}

static void bodies_give_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        check_row(&rows[i]);
}

/* --- the fields of an event --- */

static void check_digest(const struct digest *digest, const char *wanted)
{
    char buffer[DIGEST_TEXT_SIZE];
    assert_string_equal(digest_format(digest, buffer), wanted);
}

static void distribution_fields(void **state)
{
    (void)state;
    static const char body[] =
        "{\"events\":[{\"id\":\"e1\",\"action\":\"push\",\"target\":{\"mediaType\":\"" OCI
        "\",\"repository\":\"team/app\",\"tag\":\"v1\",\"digest\":\"" DIGEST_B
        "\",\"url\":\"http://evil.example/\"},\"request\":{\"host\":\"evil.example\"},"
        "\"actor\":{\"name\":\"al\\u0007ice\"},\"source\":{\"instanceID\":\"i-1\"}},"
        "{\"action\":\"pull\",\"source\":{\"instanceID\":\"i-2\"}}]}";
    struct outcome got = decode("auto", body, sizeof(body) - 1);
    assert_int_equal(got.result, 0);
    assert_int_equal(got.decoded.count, 1);
    const struct event *event = &got.decoded.events[0];
    assert_int_equal(event->action, EVENT_PUSH);
    assert_int_equal(event->cause, EVENT_CAUSE_HOOK);
    assert_null(event->registry); /* never from the payload */
    assert_string_equal(event->repository, "team/app");
    assert_string_equal(event->tag, "v1");
    assert_string_equal(event->media_type, OCI);
    assert_string_equal(event->actor, "al\\x07ice");
    assert_string_equal(event->source_id, "e1");
    check_digest(&event->digest, DIGEST_B);
    assert_string_equal(got.decoded.instance, "i-1");
    decoded_release(&got.decoded);
}

static void absent_fields_are_null(void **state)
{
    (void)state;
    static const char body[] = "{\"events\":[{\"action\":\"delete\",\"target\":{\"repository\":"
                               "\"a\",\"tag\":\"t\",\"digest\":null},\"actor\":{},\"source\":7}]}";
    struct outcome got = decode("auto", body, sizeof(body) - 1);
    assert_int_equal(got.decoded.count, 1);
    const struct event *event = &got.decoded.events[0];
    assert_int_equal(event->action, EVENT_DELETE);
    assert_false(digest_is_set(&event->digest));
    assert_null(event->media_type);
    assert_null(event->actor);
    assert_null(event->source_id);
    assert_null(got.decoded.instance);
    decoded_release(&got.decoded);
}

static void labels_are_cut(void **state)
{
    (void)state;
    AUTO_TEXT struct text body = {0};
    text_add(&body, "{\"events\":[{\"action\":\"push\",\"id\":\"");
    for (int i = 0; i < 1000; i++)
        text_add(&body, "\\u00e9");
    text_add(&body, "\",\"target\":{\"repository\":\"a\",\"tag\":\"t\"},\"actor\":{\"name\":\"");
    for (int i = 0; i < 1000; i++)
        text_add_char(&body, 'x');
    text_add(&body, "\"}}]}");
    struct outcome got = decode("auto", body.data, body.length);
    assert_int_equal(got.decoded.count, 1);
    assert_true(strlen(got.decoded.events[0].actor) <= 256);
    assert_true(strlen(got.decoded.events[0].source_id) <= 128);
    decoded_release(&got.decoded);
}

static void harbor_digest_in_place_of_the_tag(void **state)
{
    (void)state;
    static const char body[] =
        HARBOR("PUSH_ARTIFACT", "{\"digest\":\"" DIGEST_A "\",\"tag\":\"" DIGEST_A "\"}");
    struct outcome got = decode("auto", body, sizeof(body) - 1);
    assert_int_equal(got.decoded.count, 1);
    assert_null(got.decoded.events[0].tag);
    assert_string_equal(got.decoded.events[0].repository, "library/app");
    assert_string_equal(got.decoded.events[0].actor, "bob");
    check_digest(&got.decoded.events[0].digest, DIGEST_A);
    decoded_release(&got.decoded);
}

/* The event names the first tag only, yet all tags of the artifact are gone. */
static void harbor_delete_is_of_all_tags(void **state)
{
    (void)state;
    static const char body[] =
        HARBOR("DELETE_ARTIFACT", "{\"digest\":\"" DIGEST_A "\",\"tag\":\"v1\"}");
    struct outcome got = decode("auto", body, sizeof(body) - 1);
    assert_int_equal(got.decoded.count, 1);
    assert_int_equal(got.decoded.events[0].action, EVENT_DELETE);
    assert_null(got.decoded.events[0].tag);
    decoded_release(&got.decoded);
}

static void ecr_fields(void **state)
{
    (void)state;
    static const char body[] =
        ECR("123456789012", "us-west-2",
            ECR_PUSH ",\"image-tag\":\"v2\",\"manifest-media-type\":\"" OCI "\"");
    struct outcome got = decode("ecr", body, sizeof(body) - 1);
    assert_int_equal(got.decoded.count, 1);
    const struct event *event = &got.decoded.events[0];
    assert_string_equal(event->repository, "team/app");
    assert_string_equal(event->tag, "v2");
    assert_string_equal(event->media_type, OCI);
    assert_string_equal(event->source_id, "i1");
    check_digest(&event->digest, DIGEST_A);
    decoded_release(&got.decoded);
}

static void ecr_of_another_registry_tells_what_to_do(void **state)
{
    (void)state;
    static const char body[] = ECR("999999999999", "us-west-2", ECR_PUSH);
    struct outcome got = decode("ecr", body, sizeof(body) - 1);
    assert_int_equal(got.decoded.fault_count, 1);
    assert_non_null(strstr(got.decoded.faults[0].hint, "\"hosts\""));
    decoded_release(&got.decoded);
}

/* --- bounds --- */

static void add_events(struct text *body, size_t count, const char *event)
{
    text_add(body, "{\"events\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_char(body, ',');
        text_add(body, event);
    }
    text_add(body, "]}");
}

static void too_many_events(void **state)
{
    (void)state;
    AUTO_TEXT struct text body = {0};
    add_events(&body, 5000, EVENT("push", "\"repository\":\"a\",\"tag\":\"t\""));
    struct outcome got = decode("auto", body.data, body.length);
    assert_int_equal(got.result, 0);
    assert_int_equal(got.decoded.count, DECODE_EVENTS_MAX);
    assert_int_equal(got.decoded.fault_count, 1);
    assert_int_equal(got.decoded.faults[0].kind, FAILURE_LIMIT);
    decoded_release(&got.decoded);
}

static void many_faults_are_counted_not_kept(void **state)
{
    (void)state;
    AUTO_TEXT struct text body = {0};
    add_events(&body, 100, "{}");
    struct outcome got = decode("auto", body.data, body.length);
    assert_int_equal(got.decoded.fault_count, DECODE_FAULTS_MAX);
    assert_int_equal(got.decoded.fault_more, 100 - DECODE_FAULTS_MAX);
    decoded_release(&got.decoded);
}

static void too_many_harbor_resources(void **state)
{
    (void)state;
    AUTO_TEXT struct text body = {0};
    text_add(&body,
             "{\"type\":\"PUSH_ARTIFACT\",\"event_data\":{\"repository\":{\"repo_full_name\":"
             "\"a\"},\"resources\":[0");
    for (int i = 0; i < 300; i++)
        text_add(&body, ",0");
    text_add(&body, "]}}");
    struct outcome got = decode("auto", body.data, body.length);
    assert_int_equal(got.decoded.fault_count, 1);
    assert_int_equal(got.decoded.faults[0].kind, FAILURE_LIMIT);
    decoded_release(&got.decoded);
}

static void check_limit(const struct text *body)
{
    struct outcome got = decode("auto", body->data, body->length);
    assert_int_equal(got.result, FAILURE_LIMIT);
    assert_int_equal(got.decoded.count, 0);
    decoded_release(&got.decoded);
}

static void too_deep(void **state)
{
    (void)state;
    AUTO_TEXT struct text body = {0};
    for (int i = 0; i < 200000; i++)
        text_add_char(&body, '[');
    check_limit(&body);
}

static void too_many_values(void **state)
{
    (void)state;
    AUTO_TEXT struct text body = {0};
    add_events(&body, 250000, "0");
    check_limit(&body);
}

static bool can_be_configured(const char *name)
{
    for (size_t i = 0; hook_dialect_names[i] != NULL; i++) {
        if (text_equal(hook_dialect_names[i], name))
            return true;
    }
    return false;
}

static void table_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; decoders[i] != NULL; i++) {
        assert_ptr_equal(decoder_find(decoders[i]->name), decoders[i]);
        assert_true(strlen(decoders[i]->summary) > 0);
        assert_true(can_be_configured(decoders[i]->name));
    }
    assert_string_equal(hook_dialect_names[0], "auto");
    for (size_t i = 1; hook_dialect_names[i] != NULL; i++)
        assert_non_null(decoder_find(hook_dialect_names[i]));
    assert_null(decoder_find("auto"));
    assert_null(decoder_find(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_give_what_the_table_says),
        cmocka_unit_test(distribution_fields),
        cmocka_unit_test(absent_fields_are_null),
        cmocka_unit_test(labels_are_cut),
        cmocka_unit_test(harbor_digest_in_place_of_the_tag),
        cmocka_unit_test(harbor_delete_is_of_all_tags),
        cmocka_unit_test(ecr_fields),
        cmocka_unit_test(ecr_of_another_registry_tells_what_to_do),
        cmocka_unit_test(too_many_events),
        cmocka_unit_test(many_faults_are_counted_not_kept),
        cmocka_unit_test(too_many_harbor_resources),
        cmocka_unit_test(too_deep),
        cmocka_unit_test(too_many_values),
        cmocka_unit_test(table_is_complete),
    };
    return cmocka_run_group_tests_name("decoders", tests, NULL, NULL);
}
