/* The service manager: readiness, watchdog, sockets handed over, the journal (home of libsystemd:
 * src/base/systemd.c). All of these do nothing, and succeed, when no service manager is there. Main
 * thread, but systemd_journal: any. */
#ifndef REGWARDEN_SYSTEMD_H
#define REGWARDEN_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_field;

void systemd_notify(const char *state); /* "READY=1", "STATUS=…", "RELOADING=1\nMONOTONIC_USEC=…" */
int64_t systemd_watchdog_ms(void);      /* period asked for, 0 when none; ping at half of it */
/* Descriptors of socket activation: fills up to `max` with fd and name (borrowed until exit);
 * returns the count. */
struct systemd_socket {
    int fd;
    const char *name;
};
size_t systemd_sockets(struct systemd_socket *ret, size_t max);
bool systemd_stderr_is_journal(void);
/* False when the journal did not take it. */
bool systemd_journal(int priority, const struct log_field *fields, const char *message);

#endif
