/* The service manager's side: readiness, watchdog, handed-over sockets and the journal. The only
 * home of libsystemd. */
#define SD_JOURNAL_SUPPRESS_LOCATION /* every line would name this file */
#include "regwarden/systemd.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "regwarden/log.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { JOURNAL_FIELDS_MAX = 32 };
static const char journal_socket[] = "/run/systemd/journal/socket";

void systemd_notify(const char *state)
{
    sd_notify(0, state);
}

int64_t systemd_watchdog_ms(void)
{
    uint64_t period_us = 0;
    if (sd_watchdog_enabled(0, &period_us) <= 0)
        return 0;
    return (int64_t)(period_us / 1000);
}

/* Asked once: the names are borrowed until exit, and what was handed over does not change. */
size_t systemd_sockets(struct systemd_socket *ret, size_t max)
{
    static char **names;
    static int count = -1;
    if (count < 0)
        count = sd_listen_fds_with_names(0, &names);
    size_t given = 0;
    for (int i = 0; i < count && given < max; i++) {
        const char *name = names && names[i] ? names[i] : "unknown";
        ret[given++] = (struct systemd_socket){SD_LISTEN_FDS_START + i, name};
    }
    return given;
}

/* JOURNAL_STREAM is "device:inode" of the stream that the service manager made; a redirected
 * standard error is another one. */
bool systemd_stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    if (!stream || fstat(STDERR_FILENO, &status) < 0)
        return false;
    AUTO_FREE char *own =
        text_new("%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    return text_equal(stream, own);
}

static char *journal_field(const char *name, const char *value)
{
    char *field = text_new("%s=%s", name, value);
    for (char *at = field; *at != '='; at++) {
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
    return field;
}

/* The library reports success when there is no journal at all, and the line would be lost. */
bool systemd_journal(int priority, const struct log_field *fields, const char *message)
{
    AUTO_TEXT_LIST struct text_list list = {0};
    struct iovec parts[JOURNAL_FIELDS_MAX];
    if (access(journal_socket, W_OK) < 0)
        return false;
    text_list_add_take(&list, text_new("PRIORITY=%d", priority));
    text_list_add_take(&list, text_new("MESSAGE=%s", message));
    text_list_add(&list, "SYSLOG_IDENTIFIER=regwarden");
    for (; fields && fields->name && list.count < JOURNAL_FIELDS_MAX; fields++) {
        if (fields->value)
            text_list_add_take(&list, journal_field(fields->name, fields->value));
    }
    for (size_t i = 0; i < list.count; i++)
        parts[i] = (struct iovec){list.items[i], strlen(list.items[i])};
    return sd_journal_sendv(parts, (int)list.count) == 0;
}
