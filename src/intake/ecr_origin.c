/* Accounts and regions, compared with the hosts of the configured registry. */
#include "ecr_origin.h"

#include "regwarden/aws.h"

/* Every spelling of one registry's host: account.LABEL.region.DOMAIN. The first is the one that is
 * shown. */
static const struct {
    const char *label;
    bool dual_stack;
} host_forms[] = {
    {"dkr.ecr", false},
    {"dkr.ecr-fips", false},
    {"dkr-ecr", true},
    {"dkr-ecr-fips", true},
};

static bool is_account(const char *account)
{
    return account != NULL && strlen(account) == 12 && strspn(account, "0123456789") == 12;
}

static bool is_region(const char *region)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t length = region == NULL ? 0 : strlen(region);
    return length > 0 && length <= 32 && strspn(region, allowed) == length;
}

/* Returns new; NULL when the region has no hosts of that form. */
static char *host_of(const char *account, const char *region, size_t form)
{
    const struct aws_names *names = aws_names(region);
    const char *domain = host_forms[form].dual_stack ? names->dual_stack_hosts : names->services;
    return domain == NULL
               ? NULL
               : text_new("%s.%s.%s.%s", account, host_forms[form].label, region, domain);
}

int ecr_check_origin(const char *account, const char *region,
                     const struct config_registry *registry, struct error *err)
{
    if (!is_account(account) || !is_region(region))
        return error_set(err, FAILURE_INPUT, "the event has no valid account and region");
    for (size_t i = 0; i < ARRAY_COUNT(host_forms); i++) {
        AUTO_FREE char *host = host_of(account, region, i);
        if (host != NULL && registry_has_host(registry, host))
            return 0;
    }
    AUTO_FREE char *usual = host_of(account, region, 0);
    return registry_refuse_host(registry, usual, err);
}

int ecr_check_event_origin(const struct json *body, const struct config_registry *registry,
                           struct error *err)
{
    return ecr_check_origin(json_get_string(body, "account"), json_get_string(body, "region"),
                            registry, err);
}
