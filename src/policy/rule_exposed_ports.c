/* Rule exposed-ports: which ports an image may announce. */
#include "rules.h"

#include <stdio.h>
#include <string.h>

#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { PORT_MAX = 65535, PRIVILEGED_END = 1023 };

enum protocol { PROTOCOL_ANY, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };
struct port_range {
    unsigned first, last;
    enum protocol protocol;
};
struct port_list {
    struct port_range *items;
    size_t count;
};

struct settings {
    struct text_list allow;
    struct text_list deny;
    bool allow_privileged;
    struct port_list allow_ports;
    struct port_list deny_ports;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help =
         "Ports and ranges that are allowed, such as 8080, 443/tcp or 9000-9099. When left out, "
         "all that deny does not refuse are allowed."},
    {.name = "deny",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, deny),
     .fallback = "[22/tcp]",
     .help = "Ports and ranges that are refused, even when allowed."},
    {.name = "allow-privileged",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, allow_privileged),
     .fallback = "true",
     .help = "Whether ports below 1024, which need a privilege to bind, are allowed."},
    {.name = NULL},
};

/* Digits up to `end`, 0..65535. */
static bool read_number(const char *text, const char *end, unsigned *ret)
{
    unsigned value = 0;

    if (text == end)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > PORT_MAX)
            return false;
    }
    *ret = value;
    return true;
}

static bool read_protocol(const char *text, enum protocol *ret)
{
    static const char *const names[] = {
        [PROTOCOL_TCP] = "tcp", [PROTOCOL_UDP] = "udp", [PROTOCOL_SCTP] = "sctp"};

    for (int i = PROTOCOL_TCP; i <= PROTOCOL_SCTP; i++) {
        if (text_equal_nocase(names[i], text)) {
            *ret = (enum protocol)i;
            return true;
        }
    }
    return false;
}

/* "80", "80/tcp", "8000-8099/udp". */
static bool read_port(const char *text, struct port_range *ret)
{
    const char *end = text + strcspn(text, "/");
    const char *dash = memchr(text, '-', (size_t)(end - text));
    struct port_range range = {.protocol = PROTOCOL_ANY};

    if (*end == '/' && !read_protocol(end + 1, &range.protocol))
        return false;
    if (!read_number(text, dash ? dash : end, &range.first))
        return false;
    range.last = range.first;
    if (dash && !read_number(dash + 1, end, &range.last))
        return false;
    if (range.last < range.first)
        return false;
    *ret = range;
    return true;
}

static int compile(const struct text_list *texts, struct port_list *ports, struct error *err)
{
    ports->items = memory_new_array(texts->count, sizeof(*ports->items));
    for (size_t i = 0; i < texts->count; i++) {
        AUTO_FREE char *shown = text_printable(texts->items[i], 40);

        if (!read_port(texts->items[i], &ports->items[ports->count++])) {
            error_set(err, FAILURE_INPUT, "'%s' is not a port or range", shown);
            return error_hint(err, "write 8080, 443/tcp or 9000-9099");
        }
    }
    return 0;
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "allow";
    if (compile(&settings->allow, &settings->allow_ports, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "deny";
    return compile(&settings->deny, &settings->deny_ports, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    free(settings->allow_ports.items);
    free(settings->deny_ports.items);
}

static bool same_protocol(const struct port_range *a, const struct port_range *b)
{
    return a->protocol == PROTOCOL_ANY || b->protocol == PROTOCOL_ANY || a->protocol == b->protocol;
}

static bool overlaps(const struct port_list *list, const struct port_range *port)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct port_range *item = &list->items[i];

        if (same_protocol(item, port) && port->first <= item->last && item->first <= port->last)
            return true;
    }
    return false;
}

static bool covers(const struct port_list *list, const struct port_range *port)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct port_range *item = &list->items[i];

        if (same_protocol(item, port) && item->first <= port->first && port->last <= item->last)
            return true;
    }
    return false;
}

/* What is wrong; NULL when nothing is. */
static const char *find_fault(const struct settings *settings, const char *text)
{
    struct port_range port;

    if (!read_port(text, &port))
        return "is not a port";
    /* In a config a port without a protocol is TCP; in a policy it means every protocol. */
    if (port.protocol == PROTOCOL_ANY)
        port.protocol = PROTOCOL_TCP;
    if (overlaps(&settings->deny_ports, &port))
        return "is denied by the policy";
    if (settings->allow.count > 0 && !covers(&settings->allow_ports, &port))
        return "is not one of the allowed ports";
    if (!settings->allow_privileged && port.first <= PRIVILEGED_END)
        return "is below 1024 and needs a privilege";
    return NULL;
}

/* The EXPOSE step that names the port: history writes it as "8080/tcp" or "8080". */
static int step_of_port(const struct facts *facts, const char *port)
{
    char number[16];

    snprintf(number, sizeof(number), "%.*s", (int)strcspn(port, "/"), port);
    return history_last(facts, STEP_EXPOSE, number);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct facts *facts = input->facts;
    const struct text_list *ports = &facts->config->exposed_ports;

    for (size_t i = 0; i < ports->count; i++) {
        const char *fault = find_fault(block, ports->items[i]);

        if (!fault)
            continue;
        AUTO_FREE char *shown = text_printable(ports->items[i], 40);
        struct finding *finding =
            rule_fail(report, ports->items[i], "the exposed port %s %s", shown, fault);
        finding_set_path(finding, ports->items[i]);
        finding_set_step(finding, facts, step_of_port(facts, ports->items[i]));
    }
    return rule_judgement(report);
}

const struct rule_type rule_exposed_ports = {
    .name = "exposed-ports",
    .summary = "the image announces no ports but allowed ones",
    .description =
        "Judges the ports that the image's config announces (EXPOSE). What the process listens on "
        "at run time is not seen. A port without a protocol in the policy means every protocol.",
    .remedy = "Take the EXPOSE line away, or listen on an allowed port.",
    .example = "rule: exposed-ports\nwith:\n  allow: [8080, 8443/tcp, 9000-9099]\n  deny: [22]\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
