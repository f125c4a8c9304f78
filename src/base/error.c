/* The error object: kinds, text, context and hint. Not a log: nothing is written anywhere. */
#include "regwarden/error.h"

#include "regwarden/text.h"

#include "utf8.h"

static const struct {
    enum failure kind;
    const char *name;
} failure_names[] = {
    {FAILURE_NONE, "none"},           {FAILURE_INPUT, "input"},   {FAILURE_ABSENT, "absent"},
    {FAILURE_DENIED, "denied"},       {FAILURE_LATER, "later"},   {FAILURE_LIMIT, "limit"},
    {FAILURE_UNCERTAIN, "uncertain"}, {FAILURE_SYSTEM, "system"},
};

const char *failure_name(enum failure kind)
{
    for (size_t i = 0; i < sizeof(failure_names) / sizeof(failure_names[0]); i++) {
        if (failure_names[i].kind == kind)
            return failure_names[i].name;
    }
    return "unknown";
}

/* A text that was cut may end inside a UTF-8 sequence: the scrub turns such a rest into '?'. */
static void format_line(char *to, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void format_line(char *to, size_t size, const char *format, va_list arguments)
{
    vsnprintf(to, size, format, arguments);
    utf8_scrub_line(to);
}

/* The text is built aside first, because the arguments may point into the same error. */
static void replace_text(struct error *err, enum failure kind, const char *text)
{
    *err = (struct error){.kind = kind};
    memcpy(err->text, text, strlen(text) + 1);
}

int error_set(struct error *err, enum failure kind, const char *format, ...)
{
    if (err) {
        char text[ERROR_TEXT_SIZE];
        va_list arguments;
        va_start(arguments, format);
        format_line(text, sizeof(text), format, arguments);
        va_end(arguments);
        replace_text(err, kind, text);
    }
    return kind;
}

int error_set_errno(struct error *err, enum failure kind, int number, const char *format, ...)
{
    if (err) {
        char what[ERROR_TEXT_SIZE], text[ERROR_TEXT_SIZE], reason[128];
        va_list arguments;
        va_start(arguments, format);
        format_line(what, sizeof(what), format, arguments);
        va_end(arguments);
        /* The reason matters more than the end of a long path: it always fits. */
        snprintf(text, sizeof(text), "%.*s: %s", (int)(sizeof(text) - sizeof(reason) - 3), what,
                 strerror_r(number, reason, sizeof(reason)));
        utf8_scrub_line(text);
        replace_text(err, kind, text);
    }
    return kind;
}

int error_wrap(struct error *err, const char *format, ...)
{
    if (!err)
        return FAILURE_SYSTEM;
    char context[ERROR_TEXT_SIZE], text[ERROR_TEXT_SIZE * 2 + 2];
    va_list arguments;
    va_start(arguments, format);
    format_line(context, sizeof(context), format, arguments);
    va_end(arguments);
    snprintf(text, sizeof(text), "%s: %s", context, err->text);
    text[ERROR_TEXT_SIZE - 1] = '\0';
    utf8_scrub_line(text);
    memcpy(err->text, text, strlen(text) + 1);
    return err->kind;
}

int error_hint(struct error *err, const char *format, ...)
{
    if (!err)
        return FAILURE_SYSTEM;
    char hint[ERROR_HINT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(hint, sizeof(hint), format, arguments);
    va_end(arguments);
    memcpy(err->hint, hint, strlen(hint) + 1);
    return err->kind;
}

char *error_with_hint(const struct error *err)
{
    if (!err)
        return NULL;
    return text_new("%s%s%s", err->text, err->hint[0] ? "; " : "", err->hint);
}
