/* Reads the files in which `docker login` and `podman login` keep credentials. */
#include "credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "regwarden/crypto.h"
#include "regwarden/file.h"
#include "regwarden/json.h"

enum { AUTH_BYTES_MAX = 1024 * 1024 };

static void add_path(struct text_list *paths, const char *variable, const char *suffix)
{
    const char *value = getenv(variable);

    if (value && value[0])
        text_list_add_take(paths, text_new("%s%s", value, suffix));
}

/* Docker's own registry is filed under a URL; the others under host[:port]. */
static const struct json *find_entry(const struct json *auths, const char *host)
{
    const struct json *entry = json_get(auths, host);
    AUTO_FREE char *url = text_new("https://%s", host);

    if (!entry)
        entry = json_get(auths, url);
    if (!entry && (text_equal(host, "docker.io") || text_equal(host, "registry-1.docker.io")))
        entry = json_get(auths, "https://index.docker.io/v1/");
    return entry;
}

static int read_entry(const struct json *entry, struct credentials *ret, struct error *err)
{
    AUTO_TEXT struct text plain = {0};
    const char *auth = json_get_string(entry, "auth");
    char *colon;

    if (!auth)
        return 0; /* kept by a helper */
    if (crypto_from_base64(auth, &plain, err) < 0)
        return err->kind;
    colon = plain.length ? strchr(plain.data, ':') : NULL;
    if (!colon)
        return error_set(err, FAILURE_INPUT, "the auth entry has no colon");
    *colon = '\0';
    ret->username = memory_copy_text(plain.data);
    ret->password = memory_copy_text(colon + 1);
    crypto_erase(plain.data, plain.length);
    return 0;
}

static int look_in(const char *path, const char *host, struct credentials *ret, struct error *err)
{
    AUTO_TEXT struct text text = {0};
    AUTO_JSON struct json *json = NULL;
    const struct json *entry;

    if (file_read(path, AUTH_BYTES_MAX, &text, err) < 0)
        return err->kind == FAILURE_ABSENT ? 0 : err->kind;
    if (json_parse(text_data(&text), text.length, NULL, &json, err) < 0) {
        error_wrap(err, "reading %s", path);
        return error_hint(err, "Log in again, or use --username and --password-file.");
    }
    ret->has_helper |=
        json_get_string(json, "credsStore") || json_get_string(json_get(json, "credHelpers"), host);
    entry = find_entry(json_get(json, "auths"), host);
    if (entry && read_entry(entry, ret, err) < 0)
        return error_wrap(err, "reading the credentials of %s from %s", host, path);
    return 0;
}

int credentials_find(const char *host, struct credentials *ret, struct error *err)
{
    AUTO_TEXT_LIST struct text_list paths = {0};

    add_path(&paths, "REGISTRY_AUTH_FILE", "");
    add_path(&paths, "XDG_RUNTIME_DIR", "/containers/auth.json");
    add_path(&paths, "DOCKER_CONFIG", "/config.json");
    add_path(&paths, "HOME", "/.docker/config.json");
    for (size_t i = 0; i < paths.count && !ret->username; i++)
        if (look_in(paths.items[i], host, ret, err) < 0)
            return err->kind;
    return 0;
}

void credentials_forget(struct credentials *credentials)
{
    if (credentials->password)
        crypto_erase(credentials->password, strlen(credentials->password));
    free(credentials->username);
    free(credentials->password);
    *credentials = (struct credentials){0};
}

int credentials_as_file(const struct credentials *credentials, struct error *err)
{
    size_t size = strlen(credentials->password);
    int fd = memfd_create("password", MFD_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "keeping the password in memory");
    if (write(fd, credentials->password, size) != (ssize_t)size) {
        error_set_errno(err, FAILURE_SYSTEM, errno, "keeping the password in memory");
        close(fd);
        return err->kind;
    }
    return fd;
}
