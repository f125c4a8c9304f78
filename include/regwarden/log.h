/* Log lines with fields: to the journal when systemd runs us, else to standard error.
 *
 * Who logs: daemon and cli, once per event; rooms below return errors and log nothing above debug.
 * Non-fatal lines end in
 * ", ignoring" or ", retrying in 30 s". Never a secret, a token, or a byte from outside that did
 * not pass text_printable() (control characters that slip through are replaced here). Any thread.
 */
#ifndef REGWARDEN_LOG_H
#define REGWARDEN_LOG_H

#include <stddef.h>

enum log_level {
    LEVEL_ERROR = 3,
    LEVEL_WARNING = 4,
    LEVEL_NOTICE = 5,
    LEVEL_INFO = 6,
    LEVEL_DEBUG = 7
}; /* syslog's numbers */
enum log_format {
    LOG_AUTO,
    LOG_TEXT,
    LOG_JSON,
    LOG_JOURNAL
}; /* auto: journal when JOURNAL_STREAM is our stderr */

struct log_field {
    const char *name;  /* lower case, [a-z_]; upper-cased for the journal */
    const char *value; /* a field whose value is NULL is left out */
};

void log_setup(enum log_format format, enum log_level threshold);
enum log_level log_threshold(void);
const char *log_level_name(enum log_level level);
int log_level_from_name(const char *name, enum log_level *ret); /* 0, or FAILURE_INPUT */

/* fields: ends with a NULL name; may be NULL. */
void log_write(enum log_level level, const struct log_field *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})
#define log_error(fields, ...) log_write(LEVEL_ERROR, fields, __VA_ARGS__)
#define log_warning(fields, ...) log_write(LEVEL_WARNING, fields, __VA_ARGS__)
#define log_notice(fields, ...) log_write(LEVEL_NOTICE, fields, __VA_ARGS__)
#define log_info(fields, ...) log_write(LEVEL_INFO, fields, __VA_ARGS__)
#define log_debug(fields, ...) log_write(LEVEL_DEBUG, fields, __VA_ARGS__)

#endif
