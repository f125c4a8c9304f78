/* Hosts of services by region, and the addresses that a container's platform may name. It resolves
 * no name. */
#include "endpoint.h"

#include "regwarden/aws.h"

#include <arpa/inet.h>

enum { REGION_LENGTH_MAX = 32, SHOWN_MAX = 80 };

static const struct {
    const char *prefix; /* of the region */
    struct aws_names names;
} partitions[] = {
    {"cn-", {"amazonaws.com.cn", "on.amazonwebservices.com.cn", "api.amazonwebservices.com.cn"}},
    {"eusc-", {"amazonaws.eu", "on.amazonwebservices.eu", "api.amazonwebservices.eu"}},
    {"us-iso-", {.services = "c2s.ic.gov"}},
    {"us-isob-", {.services = "sc2s.sgov.gov"}},
    {"us-isof-", {.services = "csp.hci.ic.gov"}},
    {"eu-isoe-", {.services = "cloud.adc-e.uk"}},
    {"", {"amazonaws.com", "on.aws", "api.aws"}}, /* all others; the last one */
};

static const struct {
    const char *service;
    const char *prefix; /* of the host */
} services[] = {{"ecr", "api.ecr"}};

int endpoint_check_region(const char *region, struct error *err)
{
    AUTO_FREE char *shown = NULL;
    size_t length = strlen(region);

    if (length > 0 && length <= REGION_LENGTH_MAX &&
        strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
        return 0;
    shown = text_printable(region, SHOWN_MAX);
    (void)error_set(err, FAILURE_INPUT, "\"%s\" is not the name of a region", shown);
    return error_hint(err, "set aws.region, as in eu-central-1");
}

const struct aws_names *aws_names(const char *region)
{
    size_t i = 0;

    while (!text_starts_with(region, partitions[i].prefix))
        i++;
    return &partitions[i].names;
}

static const char *prefix_of(const char *service)
{
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        if (text_equal(service, services[i].service))
            return services[i].prefix;
    }
    return service;
}

int endpoint_of(const char *service, const char *region, const char *own, struct url *ret,
                struct error *err)
{
    AUTO_FREE char *url = NULL;
    int rc;

    if (own) {
        rc = url_parse(own, ret, err);
        return rc < 0 ? error_wrap(err, "the endpoint of %s", service) : 0;
    }
    rc = endpoint_check_region(region, err);
    if (rc < 0)
        return rc;
    url = text_new("https://%s.%s.%s/", prefix_of(service), region, aws_names(region)->services);
    return url_parse(url, ret, err);
}

/* Without the port and, of an IPv6 address, the brackets. Returns new. */
static char *bare_host(const struct url *url)
{
    const char *start = url->host_port;
    const char *close = start[0] == '[' ? strchr(start, ']') : NULL;

    return close ? memory_copy_bytes(start + 1, (size_t)(close - start) - 1)
                 : memory_copy_bytes(start, strcspn(start, ":"));
}

/* ECS answers at 169.254.170.2, EKS Pod Identity at .23 and its IPv6 sister. Anything else that is
 * not encrypted could be anybody. */
static bool is_platform_host(const struct url *url)
{
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
    AUTO_FREE char *host = bare_host(url);
    struct in6_addr six = {0};
    struct in6_addr known = {0};
    struct in_addr four = {0};

    if (inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127)
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
        if (text_equal(host, hosts[i]))
            return true;
    }
    if (inet_pton(AF_INET6, host, &six) != 1)
        return text_equal(host, "localhost");
    return IN6_IS_ADDR_LOOPBACK(&six) ||
           (inet_pton(AF_INET6, hosts[2], &known) == 1 && IN6_ARE_ADDR_EQUAL(&six, &known));
}

int endpoint_of_container(const char *full_uri, const char *relative_uri, struct url *ret,
                          struct error *err)
{
    AUTO_FREE char *joined = NULL;
    struct url url = {0};
    int rc;

    if (relative_uri && relative_uri[0] != '/')
        return error_set(err, FAILURE_INPUT,
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path");
    if (relative_uri)
        joined = text_new("http://169.254.170.2%s", relative_uri);
    rc = url_parse(joined ? joined : full_uri, &url, err);
    if (rc < 0)
        return error_wrap(err, "the container's endpoint for credentials");
    if (text_equal(url.scheme, "https") || is_platform_host(&url)) {
        *ret = url;
        return 0;
    }
    url_release(&url);
    (void)error_set(err, FAILURE_INPUT,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that is not the platform's");
    return error_hint(err, "http is taken to this machine, 169.254.170.2, 169.254.170.23 and "
                           "fd00:ec2::23 only; any other host needs https");
}

char *endpoint_host(const struct url *url)
{
    const char *port = text_equal(url->scheme, "https") ? ":443" : ":80";
    size_t length = strlen(url->host_port);

    if (text_ends_with(url->host_port, port))
        length -= strlen(port);
    return memory_copy_bytes(url->host_port, length);
}
