/* Verdicts and actions on standard output as they come in, for people who look on (`serve --watch`,
 * ./dev run), and the fields that every log line about an event carries. */
#include "daemon_priv.h"

#include <unistd.h>

#include "regwarden/log.h"
#include "regwarden/report.h"

const struct log_field *event_log_fields(const struct event *event, struct event_log *buffer,
                                         struct log_field *ret)
{
    ret[0] = (struct log_field){"registry", event->registry};
    ret[1] = (struct log_field){"repository", event->repository};
    ret[2] = (struct log_field){"tag", event->tag};
    ret[3] = (struct log_field){"digest", digest_is_set(&event->digest)
                                              ? digest_format(&event->digest, buffer->digest)
                                              : NULL};
    ret[4] = (struct log_field){NULL, NULL};
    return ret;
}

static char *reference_of(const struct event *event)
{
    char digest[DIGEST_SHORT_SIZE];

    if (event->tag)
        return text_new("%s/%s:%s", event->registry, event->repository, event->tag);
    return text_new("%s/%s@%s", event->registry, event->repository,
                    digest_format_short(&event->digest, digest));
}

void watch_verdict(struct daemon *daemon, const struct event *event,
                   const struct gathered *gathered, const struct verdict *verdict)
{
    AUTO_FREE char *reference = NULL;
    AUTO_TEXT struct text text = {0};
    struct check_result result;

    if (!daemon->options->watch)
        return;
    reference = reference_of(event);
    result = (struct check_result){
        .reference = reference,
        .digest = event->digest,
        .platform = gathered->image_count == 1 ? gathered->images[0].platform : NULL,
        .facts = gathered->index         ? gathered->index
                 : gathered->image_count ? gathered->images[0].facts
                                         : NULL,
        .verdict = verdict,
    };
    check_format_find("table")->write(&result, 1, isatty(STDOUT_FILENO) == 1, &text);
    fputs(text_data(&text), stdout);
    fflush(stdout);
}

void watch_action(struct daemon *daemon, const struct event *event, enum action_kind kind,
                  const struct action_result *result)
{
    AUTO_FREE char *reference = NULL;

    if (!daemon->options->watch)
        return;
    reference = reference_of(event);
    printf("  -> %s %s: %s%s%s\n", action_kind_name(kind), reference,
           plan_state_name(result->state), result->error ? ", " : "",
           result->error ? result->error->text : "");
    fflush(stdout);
}
