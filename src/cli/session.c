/* Fetching for commands: one registry client per host, credentials from options or from the files
 * that container tools keep. */
#include "session.h"

#include "bases_file.h"

#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "credentials.h"
#include "looking.h"
#include "progress.h"
#include "regwarden/config.h"
#include "regwarden/loop.h"
#include "regwarden/map.h"

enum { GATHER_WAIT_MS = 30 * 60 * 1000 };

struct host { /* one registry that this session talks to */
    struct config *config;
    struct registry *registry;
    bool has_helper; /* credentials are there, where we do not get at them */
    int password_fd; /* keeps a password that came from no file of its own; -1 */
};

struct session {
    struct session_options options;
    struct loop *loop;
    struct looking *looking; /* NULL until layers are wanted */
    struct scan_probes probes;
    unsigned (*needs_of)(void *argument, const struct facts *facts); /* NULL: all */
    void *needs_of_argument;
    struct progress progress;
    bool interrupted;
    struct map *hosts;            /* k: host -> v: struct host */
    struct base_catalogue *bases; /* NULL: none are known */
};

static void on_interrupt(void *argument)
{
    struct session *session = argument;

    session->interrupted = true;
    loop_stop(session->loop);
}

int session_new(const struct session_options *options, struct session **ret, struct error *err)
{
    struct session *session = memory_new(sizeof *session);

    session->options = *options;
    session->hosts = map_new();
    if (loop_new(&session->loop, err) < 0 ||
        (options->bases_file && bases_file_read(options->bases_file, &session->bases, err) < 0)) {
        session_free(session);
        return err->kind;
    }
    loop_on_signal(session->loop, SIGINT, on_interrupt, session);
    loop_on_signal(session->loop, SIGTERM, on_interrupt, session);
    *ret = session;
    return 0;
}

static void host_free(struct host *host)
{
    registry_free(host->registry);
    config_free(host->config);
    if (host->password_fd >= 0)
        close(host->password_fd);
    free(host);
}

void session_free(struct session *session)
{
    size_t position = 0;
    void *value;

    if (!session)
        return;
    looking_free(session->looking);
    base_catalogue_free(session->bases);
    scan_probes_release(&session->probes);
    while (map_each(session->hosts, &position, NULL, &value))
        host_free(value);
    map_free(session->hosts);
    loop_free(session->loop);
    free(session);
}

bool session_host_is_loopback(const char *host)
{
    size_t length = strcspn(host, ":");

    if (host[0] == '[')
        return text_starts_with(host, "[::1]") && (host[5] == '\0' || host[5] == ':');
    if (text_starts_with(host, "127."))
        return strspn(host, "0123456789.") == length;
    return length == strlen("localhost") && text_starts_with(host, "localhost");
}

/* Docker's registry is not where its name says. */
static const char *host_of(const char *name)
{
    return text_equal(name, "docker.io") || text_equal(name, "index.docker.io")
               ? "registry-1.docker.io"
               : name;
}

static void set_text(char **field, const char *value)
{
    if (!value)
        return;
    free(*field);
    *field = memory_copy_text(value);
}

/* Options first, then what `docker login` or `podman login` left behind. */
static int set_credentials(const struct session *session, const char *name, struct host *host,
                           struct error *err)
{
    struct config_registry *settings = &host->config->registries[0];
    struct credentials found = {0};

    set_text(&settings->name, name); /* for messages */
    set_text(&settings->ca_file, session->options.ca_file);
    set_text(&settings->username, session->options.username);
    set_text(&settings->password_file, session->options.password_file);
    if (session->options.username || session->options.password_file)
        return 0;
    if (credentials_find(name, &found, err) < 0)
        return err->kind;
    host->has_helper = found.has_helper;
    if (!found.username)
        return 0;
    host->password_fd = credentials_as_file(&found, err);
    if (host->password_fd >= 0) {
        settings->username = TAKE(found.username);
        free(settings->password_file);
        settings->password_file = text_new("/proc/self/fd/%d", host->password_fd);
    }
    credentials_forget(&found);
    return host->password_fd >= 0 ? 0 : err->kind;
}

static int host_open(struct session *session, const char *name, struct host **ret,
                     struct error *err)
{
    bool plain = session->options.plain_http || session_host_is_loopback(name);
    AUTO_FREE char *url = text_new("%s://%s", plain ? "http" : "https", host_of(name));
    struct host *host = map_get(session->hosts, name);

    if (host) {
        *ret = host;
        return 0;
    }
    host = memory_new(sizeof *host);
    host->password_fd = -1;
    if (config_for_registry(url, &host->config, err) < 0 ||
        set_credentials(session, name, host, err) < 0 ||
        registry_new(session->loop, &host->config->registries[0], &host->registry, err) < 0) {
        host_free(host);
        return error_wrap(err, "registry %s", name);
    }
    map_set(session->hosts, name, host);
    *ret = host;
    return 0;
}

struct waiting {
    struct gathered *result;
    bool done;
};

static void gathered_now(void *argument, struct gathered *gathered)
{
    struct waiting *waiting = argument;

    *waiting->result = *gathered;
    *gathered = (struct gathered){0};
    waiting->done = true;
}

static bool is_done(void *argument)
{
    return ((const struct waiting *)argument)->done;
}

/* Official images of Docker's registry have a short name. */
static char *repository_of(const struct reference *reference)
{
    const char *repository = reference->repository ? reference->repository : "";
    bool is_short = reference->host && !text_equal(host_of(reference->host), reference->host) &&
                    !strchr(repository, '/');

    return text_new("%s%s", is_short ? "library/" : "", repository);
}

void session_set_probes(struct session *session, const struct scan_probes *probes)
{
    for (size_t i = 0; i < probes->count; i++)
        scan_probes_add(&session->probes, probes->items[i].path, probes->items[i].content);
}

void session_set_needs_of(struct session *session,
                          unsigned (*needs_of)(void *argument, const struct facts *facts),
                          void *argument)
{
    session->needs_of = needs_of;
    session->needs_of_argument = argument;
}

bool session_is_interrupted(const struct session *session)
{
    return session->interrupted;
}

/* Workers are started when there is something to look into. */
static int open_layers(struct session *session, struct gather_options *options, struct error *err)
{
    if (session->options.no_layers) {
        options->needs &= ~FACT_BIT(FACT_FILES);
        return 0;
    }
    if (!(options->needs & FACT_BIT(FACT_FILES)))
        return 0;
    if (!session->looking) {
        if (looking_new(session->loop, &session->progress, &session->looking, err) < 0)
            return error_wrap(err, "starting to look into layers");
        looking_set_probes(session->looking, &session->probes);
    }
    looking_begin(session->looking);
    options->layers = looking_reader(session->looking);
    return 0;
}

/* What does not end in time, or is not to end, is given up with all that was begun for it. */
static int wait_for(struct session *session, uint64_t id, struct waiting *waiting,
                    struct error *err)
{
    if (!session->interrupted && loop_run_until(session->loop, is_done, waiting, GATHER_WAIT_MS))
        return 0;
    gather_cancel(id);
    looking_free(TAKE(session->looking));
    if (session->interrupted)
        return error_set(err, FAILURE_LATER, "interrupted");
    return error_set(err, FAILURE_LATER, "gave up after %d minutes", GATHER_WAIT_MS / 60000);
}

static int gather(struct session *session, const struct image_source *source,
                  const struct reference *reference, unsigned needs, struct gathered *ret,
                  struct error *err)
{
    struct gather_options options = {
        .needs = needs | FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_CONFIG),
        .needs_of = session->needs_of,
        .needs_of_argument = session->needs_of_argument,
    };
    struct waiting waiting = {.result = ret};
    char digest[DIGEST_TEXT_SIZE];
    const char *tag = reference->tag ? reference->tag : "latest";
    AUTO_FREE char *repository = repository_of(reference);
    uint64_t id;

    if (open_layers(session, &options, err) < 0)
        return err->kind;
    options.tag = digest_is_set(&reference->digest) ? reference->tag : tag;
    if (digest_is_set(&reference->digest))
        tag = digest_format(&reference->digest, digest);
    if (reference->transport != REFERENCE_REGISTRY && !reference->tag &&
        !digest_is_set(&reference->digest))
        tag = ""; /* the only image of a layout */
    id = gather_start(source, repository, tag, &options, gathered_now, &waiting);
    return wait_for(session, id, &waiting, err);
}

/* What can be done about it from the command line. */
static void hint_registry(const struct host *host, const struct reference *reference,
                          struct error *err)
{
    if (err->kind == FAILURE_DENIED && host->has_helper)
        error_hint(err,
                   "The credentials of %s are kept by a helper, which is not run: use --username "
                   "and --password-file.",
                   reference->host);
    else if (err->kind == FAILURE_DENIED)
        error_hint(err, "Use `podman login %s`, or --username and --password-file.",
                   reference->host);
    else if (err->kind == FAILURE_ABSENT && !err->hint[0])
        error_hint(err, "Check its name; some registries hide what an account may not see.");
    else if (err->kind == FAILURE_LATER && !err->hint[0])
        error_hint(err, "Is it up, and can it be reached from here? With --plain-http it need not "
                        "speak https.");
}

static int gather_registry(struct session *session, const struct reference *reference,
                           unsigned needs, struct gathered *ret, struct error *err)
{
    struct host *host = NULL;
    struct image_source source;
    int result;

    if (host_open(session, reference->host, &host, err) < 0)
        return err->kind;
    assert(host);
    source = registry_image_source(host->registry);
    result = gather(session, &source, reference, needs, ret, err);
    if (result == 0)
        hint_registry(host, reference, &ret->error);
    return result;
}

static void hint_local(const struct reference *reference, struct error *err)
{
    if (err->kind == FAILURE_NONE || err->hint[0])
        return;
    if (reference->transport == REFERENCE_DOCKER_ARCHIVE)
        error_hint(err, "Is that the whole archive, as `docker save` or `skopeo copy` writes it?");
    else
        error_hint(err, "Is that an OCI layout with this image, as `skopeo copy … oci:DIR:TAG` or "
                        "`oci-archive:FILE:TAG` makes it?");
}

static int gather_local(struct session *session, const struct reference *reference, unsigned needs,
                        struct gathered *ret, struct error *err)
{
    struct local_source *local = NULL;
    struct image_source source;
    int result;

    if (local_source_new(session->loop, reference->transport, reference->path, &local, err) < 0) {
        hint_local(reference, err);
        return err->kind;
    }
    source = local_image_source(local);
    result = gather(session, &source, reference, needs, ret, err);
    if (result == 0)
        hint_local(reference, &ret->error);
    local_source_free(local);
    return result;
}

int session_parse(const char *text, struct reference *ret, struct error *err)
{
    if (reference_parse(text, ret, err) == 0)
        return 0;
    if (!err->hint[0])
        error_hint(err, "Write host/repository:tag, host/repository@sha256:…, oci:DIR:TAG, "
                        "oci-archive:FILE or docker-archive:FILE.");
    return err->kind;
}

int session_gather(struct session *session, const struct reference *reference, unsigned needs,
                   struct gathered *ret, struct error *err)
{
    AUTO_FREE char *shown = reference_format(reference);
    int result;

    progress_begin(&session->progress, shown);
    if (reference->transport == REFERENCE_REGISTRY)
        result = gather_registry(session, reference, needs, ret, err);
    else
        result = gather_local(session, reference, needs, ret, err);
    progress_end(&session->progress);
    for (size_t i = 0; i < ret->image_count; i++)
        if (ret->images[i].facts)
            bases_apply(session->bases, ret->images[i].facts);
    return result;
}
