/* Loading policies and waivers from files, with the baseline that is built in when none is named.
 */
#include "daemon_priv.h"

#include "builtin.h"
#include "regwarden/file.h"
#include "regwarden/log.h"

enum { POLICY_BYTES_MAX = 1024 * 1024, FILES_MAX = 1000 };

struct sources {
    struct policy_source *items;
    struct text *texts;
    char **names;
    size_t count;
};

static void sources_release(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        text_release(&sources->texts[i]);
        free(sources->names[i]);
    }
    free(sources->items);
    free(sources->texts);
    free(sources->names);
}

static int add_file(struct sources *sources, const char *path, struct error *err)
{
    size_t n = sources->count;

    if (n >= FILES_MAX)
        return error_set(err, FAILURE_LIMIT, "more than %d policy files", FILES_MAX);
    sources->names[n] = memory_copy_text(path);
    sources->count++;
    if (file_read(path, POLICY_BYTES_MAX, &sources->texts[n], err) < 0)
        return err->kind;
    sources->items[n] = (struct policy_source){.name = sources->names[n],
                                               .bytes = text_data(&sources->texts[n]),
                                               .size = sources->texts[n].length};
    return 0;
}

static int add_path(struct sources *sources, const char *path, struct error *err)
{
    AUTO_TEXT_LIST struct text_list files = {0};

    if (!file_is_directory(path))
        return add_file(sources, path, err);
    if (file_list(path, ".yaml", &files, err) < 0)
        return err->kind;
    if (files.count == 0) {
        error_set(err, FAILURE_INPUT, "%s holds no .yaml file", path);
        return error_hint(err, "Name a file, or a directory with policies in it.");
    }
    for (size_t i = 0; i < files.count; i++)
        if (add_file(sources, files.items[i], err) < 0)
            return err->kind;
    return 0;
}

static int add_paths(struct sources *sources, const struct text_list *paths, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++)
        if (add_path(sources, paths->items[i], err) < 0)
            return err->kind;
    return 0;
}

int daemon_load_policies(const struct text_list *policies, const struct text_list *waivers,
                         void (*report)(void *argument, const struct error *err), void *argument,
                         struct policy_set **ret, struct error *err)
{
    struct sources sources = {
        .items = memory_new_array(FILES_MAX, sizeof(struct policy_source)),
        .texts = memory_new_array(FILES_MAX, sizeof(struct text)),
        .names = memory_new_array(FILES_MAX, sizeof(char *)),
    };
    struct error fault = {0};
    int result;

    if (policies->count == 0) {
        sources.names[0] = memory_copy_text("built-in baseline.yaml");
        text_add(&sources.texts[0], builtin_baseline_policy);
        sources.items[0] = (struct policy_source){.name = sources.names[0],
                                                  .bytes = text_data(&sources.texts[0]),
                                                  .size = sources.texts[0].length};
        sources.count = 1;
    }
    result = add_paths(&sources, policies, &fault);
    if (result == 0)
        result = add_paths(&sources, waivers, &fault);
    if (result < 0 && report)
        report(argument, &fault);
    if (result == 0)
        result = policy_set_compile(sources.items, sources.count, report, argument, ret, &fault);
    if (result < 0 && err)
        *err = fault;
    sources_release(&sources);
    return result;
}
