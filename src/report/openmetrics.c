/* OpenMetrics 1.0 text: one family after the other, each with its samples, "# EOF" at the end. The
 * values come from the callers; names and units are theirs too, and wrong ones are bugs. */
#include "regwarden/report.h"

#include <assert.h>
#include <math.h>

#include "escape.h"

static const char *const kind_names[] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
};

static bool name_is_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return name[0] >= 'a' && name[0] <= 'z' && strspn(name, allowed) == strlen(name);
}

static void add_escaped(struct text *to, const char *value)
{
    AUTO_TEXT struct text plain = {0};
    escape_plain(&plain, value, "\n");
    for (const char *c = text_data(&plain); *c != '\0'; c++) {
        if (*c == '\n')
            text_add(to, "\\n");
        else if (*c == '\\' || *c == '"')
            text_format(to, "\\%c", *c);
        else
            text_add_char(to, *c);
    }
}

void metric_family(struct text *to, const char *name, enum metric_kind kind, const char *unit,
                   const char *help)
{
    assert(name_is_valid(name));
    assert(!text_ends_with(name, "_total"));
    text_format(to, "# TYPE %s %s\n", name, kind_names[kind]);
    if (unit != NULL) {
        assert(text_ends_with(name, unit));
        text_format(to, "# UNIT %s %s\n", name, unit);
    }
    text_format(to, "# HELP %s ", name);
    add_escaped(to, help);
    text_add_char(to, '\n');
}

/* Doubles hold every whole number up to 2^53. */
static bool is_whole(double value)
{
    const double limit = 9007199254740992.0;
    return value > -limit && value < limit && value == (double)(int64_t)value;
}

/* Whole numbers without exponent; others with all digits that tell them apart. */
static void add_value(struct text *to, double value)
{
    if (isnan(value))
        text_add(to, "NaN");
    else if (isinf(value))
        text_add(to, value > 0 ? "+Inf" : "-Inf");
    else if (is_whole(value))
        text_format(to, "%.0f", value);
    else
        text_format(to, "%.17g", value);
}

void metric_sample(struct text *to, const char *name, enum metric_kind kind,
                   const struct metric_sample *sample)
{
    text_add(to, name);
    if (kind == METRIC_COUNTER)
        text_add(to, "_total");
    if (sample->labels != NULL && sample->labels[0] != '\0')
        text_format(to, "{%s}", sample->labels);
    text_add_char(to, ' ');
    add_value(to, sample->value);
    text_add_char(to, '\n');
}

void metric_label(struct text *to, const char *name, const char *value)
{
    assert(name_is_valid(name));
    if (to->length > 0)
        text_add_char(to, ',');
    text_format(to, "%s=\"", name);
    add_escaped(to, value == NULL ? "" : value);
    text_add_char(to, '"');
}

void metric_end(struct text *to)
{
    text_add(to, "# EOF\n");
}
