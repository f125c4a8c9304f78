/* Hosts of Amazon ECR and the answers of its API: what is taken, what is left out, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ecr_host.h"
#include "ecr_read.h"

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Single quotes stand for double ones. */
static struct json *document(const char *text)
{
    AUTO_FREE char *copy = memory_copy_text(text);
    struct json *json = NULL;
    struct error error = {0};

    for (char *c = copy; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    if (json_parse(copy, strlen(copy), NULL, &json, &error) < 0)
        fail_msg("%s in %s", error.text, copy);
    return json;
}

static const struct {
    const char *host, *account, *region, *endpoint; /* account NULL: no host of ECR */
} hosts[] = {
    {"123456789012.dkr.ecr.eu-central-1.amazonaws.com", "123456789012", "eu-central-1",
     "https://api.ecr.eu-central-1.amazonaws.com"},
    {"123456789012.dkr.ecr.eu-central-1.amazonaws.com:443", "123456789012", "eu-central-1",
     "https://api.ecr.eu-central-1.amazonaws.com"},
    {"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012", "us-gov-west-1",
     "https://api.ecr-fips.us-gov-west-1.amazonaws.com"},
    {"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012", "cn-north-1",
     "https://api.ecr.cn-north-1.amazonaws.com.cn"},
    {"123456789012.dkr-ecr.us-west-2.on.aws", "123456789012", "us-west-2",
     "https://ecr.us-west-2.api.aws"},
    {"123456789012.dkr-ecr-fips.us-west-2.on.aws", "123456789012", "us-west-2",
     "https://ecr-fips.us-west-2.api.aws"},
    {"123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "123456789012", "cn-north-1",
     "https://ecr.cn-north-1.api.amazonwebservices.com.cn"},
    {"123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "123456789012", "eusc-de-east-1",
     "https://api.ecr.eusc-de-east-1.amazonaws.eu"},
    {"123456789012.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu", "123456789012",
     "eusc-de-east-1", "https://ecr.eusc-de-east-1.api.amazonwebservices.eu"},
    {"123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "123456789012", "us-iso-east-1",
     "https://api.ecr.us-iso-east-1.c2s.ic.gov"},
    {"123456789012.dkr-ecr.us-iso-east-1.on.aws", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.us-iso-east-1.amazonaws.com", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.cn-north-1.amazonaws.com", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.eu-central-1.amazonaws.com.cn", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.eu-central-1.amazonaws.com:8443", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.us-west-2.on.aws", NULL, NULL, NULL},
    {"123456789012.dkr-ecr.us-west-2.amazonaws.com", NULL, NULL, NULL},
    {"12345678901.dkr.ecr.eu-central-1.amazonaws.com", NULL, NULL, NULL},
    {"1234567890123.dkr.ecr.eu-central-1.amazonaws.com", NULL, NULL, NULL},
    {"123456789012.dkr.ecr..amazonaws.com", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.evil.example/x-1.amazonaws.com", NULL, NULL, NULL},
    {"123456789012.dkr.ecr.a-very-long-name-that-is-no-region-at-all-1.amazonaws.com", NULL, NULL,
     NULL},
    {"123456789012.dkr.ecr.", NULL, NULL, NULL},
    {"evil.example", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
};

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
        struct ecr_host host;
        AUTO_FREE char *endpoint = NULL;

        if (ecr_host_parse(hosts[i].host, &host) != (hosts[i].account != NULL))
            fail_msg("%s", hosts[i].host);
        if (!hosts[i].account) {
            assert_string_equal(host.account, "");
            continue;
        }
        assert_string_equal(host.account, hosts[i].account);
        assert_string_equal(host.region, hosts[i].region);
        endpoint = ecr_host_endpoint(&host, NULL);
        assert_string_equal(endpoint, hosts[i].endpoint);
    }
}

static void test_address_needs_encryption(void **state)
{
    struct url url = {0};

    (void)state;
    assert_int_equal(url_parse("https://123456789012.dkr.ecr.us-east-1.amazonaws.com", &url, NULL),
                     0);
    assert_true(ecr_host_is_address(&url));
    url_release(&url);
    assert_int_equal(url_parse("http://123456789012.dkr.ecr.us-east-1.amazonaws.com", &url, NULL),
                     0);
    assert_false(ecr_host_is_address(&url));
    url_release(&url);
}

static void test_region_of_the_settings(void **state)
{
    struct ecr_host host = {0};
    AUTO_FREE char *endpoint = ecr_host_endpoint(&host, "cn-northwest-1");

    (void)state;
    assert_string_equal(endpoint, "https://api.ecr.cn-northwest-1.amazonaws.com.cn");
}

static void test_token(void **state)
{
    AUTO_JSON struct json *good =
        document("{'authorizationData':[{'authorizationToken':'QVdTOnNlY3JldA==','expiresAt':1.7e9,"
                 "'proxyEndpoint':'https://123456789012.dkr.ecr.us-east-1.amazonaws.com'}]}");
    AUTO_JSON struct json *bare =
        document("{'authorizationData':[{'authorizationToken':'QVdTOnNlY3JldA=='}]}");
    struct ecr_token token = {0};

    (void)state;
    assert_int_equal(ecr_read_token(good, &token, NULL), 0);
    assert_string_equal(token.header, "Basic QVdTOnNlY3JldA==");
    assert_string_equal(token.proxy_host, "123456789012.dkr.ecr.us-east-1.amazonaws.com");
    assert_true(token.expires_ms == INT64_C(1700000000000));
    ecr_token_release(&token);
    assert_int_equal(ecr_read_token(bare, &token, NULL), 0);
    assert_null(token.proxy_host);
    assert_true(token.expires_ms == 0);
    ecr_token_release(&token);
}

static void test_bad_tokens(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{'authorizationData':[]}",
        "{'authorizationData':[{'authorizationToken':''}]}",
        "{'authorizationData':[{'authorizationToken':7}]}",
        "{'authorizationData':[{'authorizationToken':'a\\r\\nX-Evil: 1'}]}",
        "{'authorizationData':[{'authorizationToken':'YQ==','proxyEndpoint':'ftp://x'}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        AUTO_JSON struct json *body = document(bad[i]);
        struct ecr_token token = {0};

        assert_int_equal(ecr_read_token(body, &token, NULL), FAILURE_INPUT);
        assert_null(token.header);
    }
}

static void test_cursor(void **state)
{
    AUTO_JSON struct json *some = document("{'nextToken':'abc/+='}");
    AUTO_JSON struct json *none = document("{'nextToken':null}");
    AUTO_JSON struct json *blank = document("{'nextToken':'a b'}");
    AUTO_JSON struct json *number = document("{'nextToken':7}");
    AUTO_FREE char *cursor = NULL;

    (void)state;
    assert_int_equal(ecr_read_cursor(none, &cursor, NULL), 0);
    assert_null(cursor);
    assert_int_equal(ecr_read_cursor(blank, &cursor, NULL), FAILURE_INPUT);
    assert_int_equal(ecr_read_cursor(number, &cursor, NULL), FAILURE_INPUT);
    assert_int_equal(ecr_read_cursor(some, &cursor, NULL), 0);
    assert_string_equal(cursor, "abc/+=");
}

static void test_repositories(void **state)
{
    AUTO_JSON struct json *body =
        document("{'repositories':[{'repositoryName':'a/b'},{'repositoryName':'../etc'},{},7,"
                 "{'repositoryName':'c'}]}");
    AUTO_JSON struct json *other = document("{'repositories':{}}");
    AUTO_TEXT_LIST struct text_list names = {0};

    (void)state;
    assert_int_equal(ecr_read_repositories(body, &names, NULL), 0);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "a/b");
    assert_string_equal(names.items[1], "c");
    assert_int_equal(ecr_read_repositories(other, &names, NULL), FAILURE_INPUT);
}

static void test_rows(void **state)
{
    AUTO_JSON struct json *body =
        document("{'imageDetails':["
                 "{'imageDigest':'" DIGEST_A "','imageTags':['v1','v2'],'imagePushedAt':1.5,"
                 "'imageStatus':'ACTIVE'},"
                 "{'imageDigest':'" DIGEST_B "'},"
                 "{'imageDigest':'" DIGEST_B "','imageTags':['old'],'imageStatus':'ARCHIVED'},"
                 "{'imageDigest':'" DIGEST_B "','imageTags':['coming'],'imageStatus':'ACTIVATING'},"
                 "{'imageDigest':'" DIGEST_B "','imageTags':['odd'],'imageStatus':'SOMETHING'},"
                 "{'imageDigest':'sha256:00','imageTags':['bad']},"
                 "{'imageTags':['none']},7,"
                 "{'imageDigest':'" DIGEST_B "','imageTags':['-no-tag',3],'imagePushedAt':'x'}]}");
    struct ecr_rows rows = {0};

    (void)state;
    assert_int_equal(ecr_read_rows(body, &rows, NULL), 0);
    assert_int_equal(rows.count, 3);
    assert_string_equal(rows.items[0].tag, "v1");
    assert_string_equal(rows.items[1].tag, "v2");
    assert_true(rows.items[1].pushed_ms == 1500);
    assert_null(rows.items[2].tag);
    assert_true(digest_is_set(&rows.items[2].digest));
    assert_true(rows.items[2].pushed_ms == 0);
    ecr_rows_release(&rows);
}

static void test_one_image(void **state)
{
    AUTO_JSON struct json *body = document("{'imageDetails':[{'imageDigest':'" DIGEST_A
                                           "','imageTags':['a','b'],'imageStatus':'ARCHIVED'}]}");
    AUTO_JSON struct json *none = document("{'imageDetails':[]}");
    AUTO_JSON struct json *two = document("{'imageDetails':[{'imageDigest':'" DIGEST_A
                                          "'},{'imageDigest':'" DIGEST_B "'}]}");
    AUTO_JSON struct json *odd =
        document("{'imageDetails':[{'imageDigest':'" DIGEST_A "','imageStatus':'SOMETHING'}]}");
    struct ecr_image image = {0};

    (void)state;
    assert_int_equal(ecr_read_image(body, &image, NULL), 0);
    assert_int_equal(image.tags.count, 2);
    assert_int_equal(image.status, ECR_STATUS_ARCHIVED);
    ecr_image_release(&image);
    assert_int_equal(ecr_read_image(none, &image, NULL), FAILURE_ABSENT);
    assert_int_equal(ecr_read_image(two, &image, NULL), FAILURE_INPUT);
    assert_int_equal(ecr_read_image(odd, &image, NULL), FAILURE_INPUT);
    ecr_image_release(&image);
}

static void test_status(void **state)
{
    AUTO_JSON struct json *coming = document("{'imageStatus':'ACTIVATING'}");
    AUTO_JSON struct json *silent = document("{}");
    enum ecr_status status = ECR_STATUS_ARCHIVED;

    (void)state;
    assert_int_equal(ecr_read_status(coming, &status, NULL), 0);
    assert_int_equal(status, ECR_STATUS_ACTIVATING);
    assert_int_equal(ecr_read_status(silent, &status, NULL), 0);
    assert_int_equal(status, ECR_STATUS_ACTIVE);
}

/* What a failure within an answer of success leads to. */
static const struct {
    const char *body;
    enum failure kind;
    const char *text;
} removals[] = {
    {"{'imageIds':[{'imageDigest':'" DIGEST_A "'}],'failures':[]}", FAILURE_NONE, ""},
    {"{'imageIds':[],'failures':[{'failureCode':'ImageNotFound','failureReason':'gone'}]}",
     FAILURE_ABSENT, "gone"},
    {"{'failures':[{'failureCode':'ImageTagDoesNotMatchDigest'}]}", FAILURE_ABSENT,
     "on another image"},
    {"{'failures':[{'failureCode':'ImageReferencedByManifestList'}]}", FAILURE_DENIED,
     "an image index names it"},
    {"{'failures':[{'failureCode':'KmsError'}]}", FAILURE_LATER, "KmsError"},
    {"{'failures':[{'failureCode':'UpstreamTooManyRequests'}]}", FAILURE_LATER, "too often"},
    {"{'failures':[{'failureCode':'InvalidImageDigest'}]}", FAILURE_INPUT, "InvalidImageDigest"},
    {"{'failures':[{'failureCode':'BrandNew','failureReason':'a\\u001bb'}]}", FAILURE_DENIED,
     "BrandNew: a\\x1bb"},
    {"{'failures':[7]}", FAILURE_DENIED, "without a code"},
    {"{'imageIds':[],'failures':[]}", FAILURE_UNCERTAIN, "does not say"},
    {"{}", FAILURE_UNCERTAIN, "does not say"},
};

static void test_removals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(removals); i++) {
        AUTO_JSON struct json *body = document(removals[i].body);
        struct error error = {0};

        assert_int_equal(ecr_read_removal(body, &error), removals[i].kind);
        if (!strstr(error.text, removals[i].text))
            fail_msg("\"%s\" is not in \"%s\"", removals[i].text, error.text);
    }
}

#define BASIC(name)                                                                      \
    "{'imageScanStatus':{'status':'COMPLETE','description':'done'},'imageScanFindings':" \
    "{'imageScanCompletedAt':1.7e9,'findings':[{'name':'" name                           \
    "','severity':'HIGH','description':'long','uri':'u',"                                \
    "'attributes':[{'key':'package_name','value':'p'}]}]}}"

static void test_basic_findings(void **state)
{
    AUTO_JSON struct json *first = document(BASIC("CVE-1"));
    AUTO_JSON struct json *second = document(BASIC("CVE-2"));
    AUTO_JSON struct json *report = json_new_object();
    const struct json *found;

    (void)state;
    assert_int_equal(ecr_read_findings(first, report, NULL), 0);
    assert_int_equal(ecr_read_findings(second, report, NULL), 0);
    found = json_get(report, "findings");
    assert_int_equal(json_count(found), 2);
    assert_string_equal(json_get_string(json_at(found, 1), "name"), "CVE-2");
    assert_null(json_get(json_at(found, 1), "description"));
    assert_int_equal(json_count(json_get(json_at(found, 0), "attributes")), 1);
    assert_string_equal(json_get_string(json_get(report, "imageScanStatus"), "status"), "COMPLETE");
    assert_true(json_real(json_get(report, "imageScanCompletedAt"), 0) > 1.6e9);
    assert_int_equal(json_count(json_get(report, "enhancedFindings")), 0);
}

static void test_enhanced_findings(void **state)
{
    AUTO_JSON struct json *body =
        document("{'imageScanStatus':{'status':'ACTIVE'},'imageScanFindings':{'enhancedFindings':["
                 "{'severity':'CRITICAL','title':'t','description':'long','resources':[{}],"
                 "'packageVulnerabilityDetails':{'vulnerabilityId':'CVE-3','referenceUrls':['x'],"
                 "'vulnerablePackages':[{'name':'n','version':'1','fixedInVersion':'2'}]}}]}}");
    AUTO_JSON struct json *report = json_new_object();
    const struct json *found;
    const struct json *details;

    (void)state;
    assert_int_equal(ecr_read_findings(body, report, NULL), 0);
    found = json_at(json_get(report, "enhancedFindings"), 0);
    details = json_get(found, "packageVulnerabilityDetails");
    assert_string_equal(json_get_string(found, "severity"), "CRITICAL");
    assert_null(json_get(found, "resources"));
    assert_string_equal(json_get_string(details, "vulnerabilityId"), "CVE-3");
    assert_null(json_get(details, "referenceUrls"));
    assert_int_equal(json_count(json_get(details, "vulnerablePackages")), 1);
}

static const struct {
    const char *state;
    enum failure kind;
} scan_states[] = {
    {"IN_PROGRESS", FAILURE_LATER},
    {"PENDING", FAILURE_LATER},
    {"FAILED", FAILURE_ABSENT},
    {"UNSUPPORTED_IMAGE", FAILURE_ABSENT},
    {"FINDINGS_UNAVAILABLE", FAILURE_ABSENT},
    {"SCAN_ELIGIBILITY_EXPIRED", FAILURE_ABSENT},
    {"IMAGE_ARCHIVED", FAILURE_ABSENT},
    {"SOMETHING_NEW", FAILURE_ABSENT},
    {"COMPLETE", FAILURE_ABSENT}, /* but no findings with it */
};

/* Nothing but the two states of success gives a report: unknown is never clean. */
static void test_scan_states(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scan_states); i++) {
        AUTO_FREE char *text =
            text_new("{'imageScanStatus':{'status':'%s'}}", scan_states[i].state);
        AUTO_JSON struct json *body = document(text);
        AUTO_JSON struct json *report = json_new_object();

        assert_int_equal(ecr_read_findings(body, report, NULL), scan_states[i].kind);
        assert_int_equal(json_count(report), 0);
    }
}

static void test_findings_are_bounded(void **state)
{
    AUTO_JSON struct json *body = document(BASIC("CVE-1"));
    AUTO_JSON struct json *report = json_new_object();
    int rc = 0;

    (void)state;
    for (size_t i = 0; i < ECR_FINDINGS_MAX && rc == 0; i++)
        rc = ecr_read_findings(body, report, NULL);
    assert_int_equal(rc, 0);
    assert_int_equal(ecr_read_findings(body, report, NULL), FAILURE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_address_needs_encryption),
        cmocka_unit_test(test_region_of_the_settings),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_bad_tokens),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_repositories),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_one_image),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_removals),
        cmocka_unit_test(test_basic_findings),
        cmocka_unit_test(test_enhanced_findings),
        cmocka_unit_test(test_scan_states),
        cmocka_unit_test(test_findings_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
