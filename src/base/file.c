/* Whole files: read with a bound, written so that a crash leaves the old or the new one, listed in
 * a fixed order. No streaming: layers never come here. */
#include "regwarden/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "regwarden/crypto.h"

enum { CHUNK_BYTES = 64 * 1024, SECRET_MAX_BYTES = 64 * 1024 };

static int fail_errno(struct error *err, const char *what, const char *path)
{
    int number = errno;
    enum failure kind = number == ENOENT || number == ENOTDIR ? FAILURE_ABSENT : FAILURE_SYSTEM;
    return error_set_errno(err, kind, number, "cannot %s %s", what, path);
}

/* Fills the buffer as far as the file goes. */
static ssize_t read_fully(int fd, char *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, buffer + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int open_to_read(const char *path, int *ret, struct error *err)
{
    int fd = text_equal(path, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                   : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fail_errno(err, "open", path);
    *ret = fd;
    return 0;
}

/* One byte more than allowed is asked for, so that "exactly the limit" and "over" differ. */
static int read_bounded(int fd, const char *path, size_t max_bytes, struct text *to,
                        struct error *err)
{
    AUTO_FREE char *chunk = memory_new(CHUNK_BYTES);
    size_t left = max_bytes;
    for (;;) {
        size_t want = left < CHUNK_BYTES ? left + 1 : CHUNK_BYTES;
        ssize_t got = read_fully(fd, chunk, want);
        if (got < 0)
            return fail_errno(err, "read", path);
        if ((size_t)got > left)
            return error_set(err, FAILURE_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
        text_add_bytes(to, chunk, (size_t)got);
        left -= (size_t)got;
        if ((size_t)got < want)
            return 0;
    }
}

int file_read(const char *path, size_t max_bytes, struct text *to, struct error *err)
{
    AUTO_CLOSE int fd = -1;
    AUTO_TEXT struct text content = {0};
    int failure = open_to_read(path, &fd, err);
    if (failure)
        return failure;
    failure = read_bounded(fd, path, max_bytes, &content, err);
    if (failure)
        return failure;
    text_add_bytes(to, text_data(&content), content.length);
    return 0;
}

static int check_secret(const char *path, ssize_t size, struct error *err)
{
    if (size < 0)
        return fail_errno(err, "read", path);
    if (size > SECRET_MAX_BYTES)
        return error_set(err, FAILURE_LIMIT, "%s is larger than %d bytes: too large for a secret",
                         path, SECRET_MAX_BYTES);
    return 0;
}

/* Read in one piece and wiped, so that no moved buffer leaves a copy behind. */
int file_read_secret(const char *path, struct text *to, struct error *err)
{
    char bytes[SECRET_MAX_BYTES + 1];
    AUTO_CLOSE int fd = -1;
    int failure = open_to_read(path, &fd, err);
    if (failure)
        return failure;
    ssize_t size = read_fully(fd, bytes, sizeof(bytes));
    failure = check_secret(path, size, err);
    if (!failure) {
        size_t length = (size_t)size;
        if (length > 0 && bytes[length - 1] == '\n')
            length--;
        if (length > 0 && length < (size_t)size && bytes[length - 1] == '\r')
            length--;
        if (length > 0)
            text_add_bytes(to, bytes, length);
        else
            failure = error_set(err, FAILURE_INPUT, "%s is empty, a secret is expected", path);
    }
    crypto_erase(bytes, sizeof(bytes));
    return failure;
}

static int write_fully(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t put = write(fd, at, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        size -= (size_t)put;
    }
    return 0;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return memory_copy_text(".");
    return slash == path ? memory_copy_text("/") : memory_copy_bytes(path, (size_t)(slash - path));
}

/* The rename is only durable once the directory is. */
static int sync_directory_of(const char *path, struct error *err)
{
    AUTO_FREE char *directory = directory_of(path);
    AUTO_CLOSE int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return fail_errno(err, "sync", directory);
    return 0;
}

static int fill_beside(const char *beside, int fd, const void *bytes, size_t size,
                       struct error *err)
{
    if (write_fully(fd, bytes, size) < 0)
        return fail_errno(err, "write", beside);
    if (fsync(fd) < 0)
        return fail_errno(err, "sync", beside);
    return 0;
}

int file_write(const char *path, const void *bytes, size_t size, unsigned mode, struct error *err)
{
    AUTO_FREE char *beside = text_new("%s.XXXXXX", path);
    AUTO_CLOSE int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "create", beside);
    int failure = fill_beside(beside, fd, bytes, size, err);
    if (!failure && fchmod(fd, (mode_t)mode) < 0)
        failure = fail_errno(err, "set the mode of", beside);
    if (!failure && rename(beside, path) < 0)
        failure = fail_errno(err, "replace", path);
    if (failure) {
        unlink(beside);
        return failure;
    }
    return sync_directory_of(path, err);
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void auto_close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static bool is_wanted(const char *name, const char *suffix)
{
    bool special = text_equal(name, ".") || text_equal(name, "..");
    return !special && (!suffix || text_ends_with(name, suffix));
}

int file_list(const char *directory, const char *suffix, struct text_list *ret, struct error *err)
{
    AUTO_TEXT_LIST struct text_list found = {0};
    AUTO(auto_close_directory) DIR *open_directory = opendir(directory);
    const struct dirent *entry;
    if (!open_directory)
        return fail_errno(err, "open directory", directory);
    const char *between = text_ends_with(directory, "/") ? "" : "/";
    while (errno = 0, (entry = readdir(open_directory))) {
        if (is_wanted(entry->d_name, suffix))
            text_list_add_take(&found, text_new("%s%s%s", directory, between, entry->d_name));
    }
    if (errno)
        return fail_errno(err, "read directory", directory);
    if (found.count > 0)
        qsort(found.items, found.count, sizeof(*found.items), compare_items);
    for (size_t i = 0; i < found.count; i++)
        text_list_add_take(ret, TAKE(found.items[i]));
    return 0;
}

bool file_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}
