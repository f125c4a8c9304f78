/* Log lines: one write each, to the journal or to standard error as text or JSON. No files, no
 * rotation: the service manager or the container runtime does that. */
#include "regwarden/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/json.h"
#include "regwarden/systemd.h"
#include "regwarden/text.h"

#include "utf8.h"

enum { FIELDS_MAX = 28 };

static const struct {
    enum log_level level;
    const char *name;
} levels[] = {
    {LEVEL_ERROR, "error"}, {LEVEL_WARNING, "warning"}, {LEVEL_NOTICE, "notice"},
    {LEVEL_INFO, "info"},   {LEVEL_DEBUG, "debug"},
};

static _Atomic int current_threshold = LEVEL_INFO;
static _Atomic int current_format = LOG_TEXT;

void log_setup(enum log_format format, enum log_level threshold)
{
    if (format == LOG_AUTO)
        format = systemd_stderr_is_journal() ? LOG_JOURNAL : LOG_TEXT;
    atomic_store(&current_format, format);
    atomic_store(&current_threshold, threshold);
}

enum log_level log_threshold(void)
{
    return (enum log_level)atomic_load(&current_threshold);
}

const char *log_level_name(enum log_level level)
{
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
        if (levels[i].level == level)
            return levels[i].name;
    }
    return "unknown";
}

int log_level_from_name(const char *name, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
        if (text_equal(levels[i].name, name)) {
            *ret = levels[i].level;
            return 0;
        }
    }
    return FAILURE_INPUT;
}

/* A line lost because standard error is closed or full has nowhere to be reported. */
static void write_line(struct text *line)
{
    const char *at = line->data;
    size_t left = line->length;
    while (left > 0) {
        ssize_t put = write(STDERR_FILENO, at, left);
        if (put < 0 && errno != EINTR)
            return;
        if (put > 0) {
            at += put;
            left -= (size_t)put;
        }
    }
}

static void add_text_value(struct text *line, const char *value)
{
    if (*value && !strpbrk(value, " \"=\\")) {
        text_add(line, value);
        return;
    }
    text_add_char(line, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            text_add_char(line, '\\');
        text_add_char(line, *value);
    }
    text_add_char(line, '"');
}

static void write_text(enum log_level level, const struct log_field *fields, const char *message)
{
    AUTO_TEXT struct text line = {0};
    char now[CLOCK_TEXT_SIZE];
    text_format(&line, "%s %s: %s", clock_format_rfc3339(clock_wall_ms(), now),
                log_level_name(level), message);
    for (; fields->name; fields++) {
        text_format(&line, " %s=", fields->name);
        add_text_value(&line, fields->value);
    }
    text_add_char(&line, '\n');
    write_line(&line);
}

static void write_json(enum log_level level, const struct log_field *fields, const char *message)
{
    AUTO_TEXT struct text line = {0};
    AUTO_JSON struct json *json = json_new_object();
    char now[CLOCK_TEXT_SIZE];
    json_set_string(json, "time", clock_format_rfc3339(clock_wall_ms(), now));
    json_set_string(json, "level", log_level_name(level));
    json_set_string(json, "message", message);
    for (; fields->name; fields++)
        json_set_string(json, fields->name, fields->value);
    json_write(json, JSON_COMPACT, &line);
    text_add_char(&line, '\n');
    write_line(&line);
}

static void write_journal(enum log_level level, const struct log_field *fields, const char *message)
{
    if (!systemd_journal(level, fields, message))
        write_text(level, fields, message);
}

/* Copies that hold no control characters; fields without a value are left out. */
static void scrub_fields(const struct log_field *fields, struct log_field *ret,
                         struct text_list *ret_values)
{
    size_t count = 0;
    for (; fields && fields->name && count < FIELDS_MAX; fields++) {
        if (!fields->value)
            continue;
        char *value = memory_copy_text(fields->value);
        utf8_scrub_line(value);
        text_list_add_take(ret_values, value);
        ret[count++] = (struct log_field){fields->name, value};
    }
}

void log_write(enum log_level level, const struct log_field *fields, const char *format, ...)
{
    static void (*const writers[])(enum log_level, const struct log_field *, const char *) = {
        [LOG_AUTO] = write_text,
        [LOG_TEXT] = write_text,
        [LOG_JSON] = write_json,
        [LOG_JOURNAL] = write_journal,
    };
    if (level > log_threshold())
        return;
    int saved_errno = errno; /* a log line may stand between a failure and its report */
    AUTO_FREE char *message = NULL;
    AUTO_TEXT_LIST struct text_list values = {0};
    struct log_field clean[FIELDS_MAX + 1] = {{NULL, NULL}};
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    va_end(arguments);
    utf8_scrub_line(message);
    scrub_fields(fields, clean, &values);
    writers[atomic_load(&current_format)](level, clean, message);
    errno = saved_errno;
}
