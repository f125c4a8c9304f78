/* Where services answer, and which addresses a platform may name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint.h"

static void hosts_follow_the_region(void **state)
{
    static const struct {
        const char *service, *region, *host;
    } cases[] = {
        {"ecr", "eu-central-1", "api.ecr.eu-central-1.amazonaws.com"},
        {"sqs", "us-gov-west-1", "sqs.us-gov-west-1.amazonaws.com"},
        {"sts", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn"},
        {"ecr", "us-iso-east-1", "api.ecr.us-iso-east-1.c2s.ic.gov"},
        {"ecr", "us-isob-east-1", "api.ecr.us-isob-east-1.sc2s.sgov.gov"},
        {"ecr", "eusc-de-east-1", "api.ecr.eusc-de-east-1.amazonaws.eu"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url url = {0};

        assert_int_equal(endpoint_of(cases[i].service, cases[i].region, NULL, &url, NULL), 0);
        assert_string_equal(url.scheme, "https");
        assert_string_equal(url.host_port, cases[i].host);
        url_release(&url);
    }
}

static void regions_are_words(void **state)
{
    static const char *const wrong[] = {"", "eu.example.com", "eu/x", "EU", "eu@x", "a b"};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        assert_int_equal(endpoint_check_region(wrong[i], &err), FAILURE_INPUT);
}

static void platforms_have_their_hosts(void **state)
{
    static const struct {
        const char *full, *relative, *address; /* NULL: refused */
    } cases[] = {
        {NULL, "/v2/credentials/x", "169.254.170.2"},
        {"http://169.254.170.23/v1/credentials", NULL, "169.254.170.23"},
        {"http://[fd00:ec2::23]/v1/credentials", NULL, "[fd00:ec2::23]"},
        {"http://[::1]:8080/", NULL, "[::1]:8080"},
        {"https://example.com/credentials", NULL, "example.com"},
        {NULL, "@example.com/", NULL},
        {"http://169.254.170.20/", NULL, NULL},
        {"http://169.254.170.2.example.com/", NULL, NULL},
        {"http://[fd00:ec2::230]/", NULL, NULL},
        {"http://10.0.0.1/", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url url = {0};
        struct error err = {0};
        int rc = endpoint_of_container(cases[i].full, cases[i].relative, &url, &err);

        assert_int_equal(rc, cases[i].address ? 0 : FAILURE_INPUT);
        assert_true(text_equal(url.host_port, cases[i].address));
        url_release(&url);
    }
}

static void the_host_is_as_it_is_sent(void **state)
{
    static const char *const cases[][2] = {{"https://h:443/", "h"},
                                           {"https://h:80/", "h:80"},
                                           {"http://h:80/", "h"},
                                           {"http://[::1]:4566/", "[::1]:4566"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url url = {0};
        AUTO_FREE char *host = NULL;

        assert_int_equal(url_parse(cases[i][0], &url, NULL), 0);
        host = endpoint_host(&url);
        assert_string_equal(host, cases[i][1]);
        url_release(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_follow_the_region),
        cmocka_unit_test(regions_are_words),
        cmocka_unit_test(platforms_have_their_hosts),
        cmocka_unit_test(the_host_is_as_it_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
