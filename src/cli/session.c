/* Fetching for commands: one registry client per host, credentials from options or from the files
 * that container tools keep. */
#include "session.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "credentials.h"
#include "regwarden/config.h"
#include "regwarden/loop.h"
#include "regwarden/map.h"

enum { GATHER_WAIT_MS = 30 * 60 * 1000 };

struct host { /* one registry that this session talks to */
    struct config *config;
    struct registry *registry;
    int password_fd; /* keeps a password that came from no file of its own; -1 */
};

struct session {
    struct session_options options;
    struct loop *loop;
    struct map *hosts; /* k: host -> v: struct host */
};

int session_new(const struct session_options *options, struct session **ret, struct error *err)
{
    struct session *session = memory_new(sizeof *session);

    session->options = *options;
    session->hosts = map_new();
    if (loop_new(&session->loop, err) < 0) {
        session_free(session);
        return err->kind;
    }
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
    while (map_each(session->hosts, &position, NULL, &value))
        host_free(value);
    map_free(session->hosts);
    loop_free(session->loop);
    free(session);
}

static bool is_loopback(const char *host)
{
    return text_starts_with(host, "localhost:") || text_equal(host, "localhost") ||
           text_starts_with(host, "127.") || text_starts_with(host, "[::1]");
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

    set_text(&settings->ca_file, session->options.ca_file);
    set_text(&settings->username, session->options.username);
    set_text(&settings->password_file, session->options.password_file);
    if (session->options.username || session->options.password_file)
        return 0;
    if (credentials_find(name, &found, err) < 0)
        return err->kind;
    if (!found.username)
        return 0;
    host->password_fd = credentials_as_file(&found, err);
    if (host->password_fd >= 0) {
        settings->username = TAKE(found.username);
        free(settings->password_file);
        settings->password_file = text_new("/proc/self/fd/%d", host->password_fd);
    }
    credentials_release(&found);
    return host->password_fd >= 0 ? 0 : err->kind;
}

static int host_open(struct session *session, const char *name, struct host **ret,
                     struct error *err)
{
    bool plain = session->options.plain_http || is_loopback(name);
    AUTO_FREE char *url = text_new("%s://%s", plain ? "http" : "https", name);
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

static int gather(struct session *session, const struct image_source *source,
                  const struct reference *reference, unsigned needs, struct gathered *ret,
                  struct error *err)
{
    struct gather_options options = {.needs =
                                         needs | FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_CONFIG)};
    struct waiting waiting = {.result = ret};
    char digest[DIGEST_TEXT_SIZE];
    const char *tag = reference->tag ? reference->tag : "latest";
    uint64_t id;

    if (digest_is_set(&reference->digest))
        tag = digest_format(&reference->digest, digest);
    if (reference->transport != REFERENCE_REGISTRY && !reference->tag &&
        !digest_is_set(&reference->digest))
        tag = ""; /* the only image of a layout */
    id = gather_start(source, reference->repository ? reference->repository : "", tag, &options,
                      gathered_now, &waiting);
    if (loop_run_until(session->loop, is_done, &waiting, GATHER_WAIT_MS))
        return 0;
    gather_cancel(id);
    return error_set(err, FAILURE_LATER, "gave up after %d minutes", GATHER_WAIT_MS / 60000);
}

static int gather_layout(struct session *session, const struct reference *reference, unsigned needs,
                         struct gathered *ret, struct error *err)
{
    struct layout_source *layout = NULL;
    struct image_source source;
    int result;

    if (layout_source_new(session->loop, reference->path, &layout, err) < 0)
        return err->kind;
    source = layout_image_source(layout);
    result = gather(session, &source, reference, needs, ret, err);
    layout_source_free(layout);
    return result;
}

int session_gather(struct session *session, const struct reference *reference, unsigned needs,
                   struct gathered *ret, struct error *err)
{
    struct image_source source;
    struct host *host = NULL;

    switch (reference->transport) {
    case REFERENCE_REGISTRY:
        if (host_open(session, reference->host, &host, err) < 0)
            return err->kind;
        assert(host);
        source = registry_image_source(host->registry);
        return gather(session, &source, reference, needs, ret, err);
    case REFERENCE_OCI_LAYOUT:
        return gather_layout(session, reference, needs, ret, err);
    case REFERENCE_OCI_ARCHIVE:
    case REFERENCE_DOCKER_ARCHIVE:
        break;
    }
    error_set(err, FAILURE_INPUT, "archives cannot be read by this version");
    return error_hint(err, "Unpack an oci-archive with `tar -xf` into a directory and name it as "
                           "oci:DIR, or convert with "
                           "`skopeo copy … oci:DIR:TAG`.");
}
