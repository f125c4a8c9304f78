/* Settings of the rule files, checked and made ready for judging. */
#include "file_settings.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/probes.h"

enum { MODE_BITS = 07777 };

static int check_patterns(struct text_list *patterns, struct error *err)
{
    for (size_t i = 0; i < patterns->count; i++) {
        char *pattern = patterns->items[i];
        size_t slashes = strspn(pattern, "/");

        memmove(pattern, pattern + slashes, strlen(pattern + slashes) + 1);
        if (!*pattern || *pattern == '!')
            return error_set(err, FAILURE_INPUT, "a pattern of paths is empty, or excludes");
        if (strlen(pattern) > SCAN_PROBE_TEXT_MAX)
            return error_set(err, FAILURE_INPUT, "a pattern of paths is too long");
    }
    return 0;
}

static bool has_back_reference(const char *expression)
{
    for (const char *at = strchr(expression, '\\'); at && at[1]; at = strchr(at + 2, '\\')) {
        if (at[1] >= '1' && at[1] <= '9')
            return true;
    }
    return false;
}

static int check_expression(const char *expression, struct error *err)
{
    char why[128];
    regex_t regex;
    int rc;

    if (!expression)
        return 0;
    if (!*expression || strlen(expression) > SCAN_PROBE_TEXT_MAX)
        return error_set(err, FAILURE_INPUT, "an expression is empty or too long");
    if (has_back_reference(expression))
        return error_set(err, FAILURE_INPUT,
                         "back-references are not supported: they can take "
                         "for ever");
    rc = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);
    if (rc != 0) {
        regerror(rc, &regex, why, sizeof(why));
        return error_set(err, FAILURE_INPUT, "not an extended expression: %s", why);
    }
    regfree(&regex);
    return 0;
}

static int read_mode(const char *text, bool *ret_has, uint32_t *ret, struct error *err)
{
    *ret = 0;
    *ret_has = text != NULL;
    for (const char *at = text; at && *at; at++) {
        if (*at < '0' || *at > '7' || *ret > MODE_BITS / 8)
            return error_set(err, FAILURE_INPUT, "permissions are octal, \"0000\" to \"7777\"");
        *ret = *ret * 8 + (uint32_t)(*at - '0');
    }
    return text && !*text ? error_set(err, FAILURE_INPUT, "permissions are empty") : 0;
}

static int check_numbers(const struct text_list *list, struct error *err)
{
    uint64_t number;

    for (size_t i = 0; i < list->count; i++) {
        int rc = text_parse_uint(list->items[i], UINT32_MAX, &number, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_sums(const struct text_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strlen(list->items[i]) != 64 || strspn(list->items[i], "0123456789abcdef") != 64)
            return error_set(err, FAILURE_INPUT, "a SHA-256 sum is 64 hex digits, in lower case");
    }
    return 0;
}

static bool has_conditions(const struct file_settings *settings)
{
    return settings->content || settings->not_content || settings->mode || settings->not_mode ||
           settings->sha256.count + settings->uid.count + settings->gid.count > 0;
}

static int check_sense(const struct file_settings *settings, const char **ret_param,
                       struct error *err)
{
    *ret_param = NULL;
    if (settings->required.count + settings->forbidden.count + settings->paths.count == 0)
        return error_set(err, FAILURE_INPUT,
                         "files without required, forbidden or paths allows everything");
    *ret_param = "paths";
    if ((settings->paths.count > 0) != has_conditions(settings))
        return error_set(err, FAILURE_INPUT,
                         "paths and the settings about them (content, mode, "
                         "sha256, uid, …) need each other");
    return 0;
}

static void make_ids(const struct text_list *patterns, const char *content, struct file_ids *ret)
{
    ret->ids = memory_new_array(patterns->count, sizeof(*ret->ids));
    for (; ret->count < patterns->count; ret->count++)
        ret->ids[ret->count] = scan_probe_id(patterns->items[ret->count], content);
}

static int read_lists(struct file_settings *settings, const char **ret_param, struct error *err)
{
    struct {
        const char *name;
        struct text_list *patterns;
    } lists[] = {{"required", &settings->required},
                 {"forbidden", &settings->forbidden},
                 {"paths", &settings->paths}};

    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        *ret_param = lists[i].name;
        if (check_patterns(lists[i].patterns, err) < 0)
            return FAILURE_INPUT;
    }
    make_ids(&settings->required, NULL, &settings->required_ids);
    make_ids(&settings->forbidden, NULL, &settings->forbidden_ids);
    make_ids(&settings->paths, NULL, &settings->path_ids);
    make_ids(&settings->paths, settings->content, &settings->content_ids);
    make_ids(&settings->paths, settings->not_content, &settings->not_content_ids);
    return 0;
}

int file_settings_prepare(void *block, const char **ret_param, struct error *err)
{
    struct file_settings *settings = block;

    if (check_sense(settings, ret_param, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "content";
    if (check_expression(settings->content, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "not-content";
    if (check_expression(settings->not_content, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "mode";
    if (read_mode(settings->mode, &settings->has_mode, &settings->mode_bits, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "not-mode";
    if (read_mode(settings->not_mode, &settings->has_not_mode, &settings->not_mode_bits, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "sha256";
    if (check_sums(&settings->sha256, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "uid";
    if (check_numbers(&settings->uid, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "gid";
    if (check_numbers(&settings->gid, err) < 0)
        return FAILURE_INPUT;
    return read_lists(settings, ret_param, err);
}

static void release_ids(struct file_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->ids[i]);
    free(ids->ids);
}

void file_settings_release(void *block)
{
    struct file_settings *settings = block;

    release_ids(&settings->required_ids);
    release_ids(&settings->forbidden_ids);
    release_ids(&settings->path_ids);
    release_ids(&settings->content_ids);
    release_ids(&settings->not_content_ids);
}
