/* Taking the hosts of Amazon ECR apart. */
#include "ecr_host.h"

#include <string.h>

#include "regwarden/aws.h"

enum { ACCOUNT_DIGITS = ECR_ACCOUNT_SIZE - 1, REGION_LENGTH_MIN = 5 };

static const struct {
    const char *text;
    bool fips, dual_stack;
} services[] = {
    {".dkr.ecr.", false, false},
    {".dkr.ecr-fips.", true, false},
    {".dkr-ecr.", false, true},
    {".dkr-ecr-fips.", true, true},
};

static bool is_region(const char *text, size_t length)
{
    bool hyphen = false;

    if (length < REGION_LENGTH_MIN || length >= ECR_REGION_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", text[i]))
            return false;
        hyphen |= text[i] == '-';
    }
    return hyphen;
}

/* "<region>.<suffix>[:443]" */
static bool read_end(const char *text, bool dual_stack, struct ecr_host *ret)
{
    size_t length = strcspn(text, ".");
    const struct aws_names *names;
    const char *suffix;
    const char *end;

    if (!is_region(text, length) || text[length] != '.')
        return false;
    memcpy(ret->region, text, length);
    names = aws_names(ret->region);
    suffix = dual_stack ? names->dual_stack_hosts : names->services;
    end = text + length + 1;
    if (!suffix || !text_starts_with(end, suffix))
        return false;
    end += strlen(suffix);
    return *end == '\0' || text_equal(end, ":443");
}

bool ecr_host_parse(const char *host_port, struct ecr_host *ret)
{
    struct ecr_host host = {0};

    *ret = (struct ecr_host){0};
    if (strspn(host_port, "0123456789") != ACCOUNT_DIGITS)
        return false;
    memcpy(host.account, host_port, ACCOUNT_DIGITS);
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        if (!text_starts_with(host_port + ACCOUNT_DIGITS, services[i].text))
            continue;
        host.fips = services[i].fips;
        host.dual_stack = services[i].dual_stack;
        if (!read_end(host_port + ACCOUNT_DIGITS + strlen(services[i].text), host.dual_stack,
                      &host))
            return false;
        *ret = host;
        return true;
    }
    return false;
}

bool ecr_host_is_address(const struct url *url)
{
    struct ecr_host host;

    return text_equal(url->scheme, "https") && ecr_host_parse(url->host_port, &host);
}

char *ecr_host_endpoint(const struct ecr_host *host, const char *region)
{
    const char *where = region ? region : host->region;
    const struct aws_names *names = aws_names(where);
    const char *fips = host->fips ? "-fips" : "";

    if (host->dual_stack && names->dual_stack_services)
        return text_new("https://ecr%s.%s.%s", fips, where, names->dual_stack_services);
    return text_new("https://api.ecr%s.%s.%s", fips, where, names->services);
}
