/* Files of a directory and members of an archive, behind one door: opened, measured and read at any
 * place. */
#include "local_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"

struct local_files {
    char *path;
    int fd;                  /* of the archive, else -1 */
    struct archive *archive; /* NULL: a directory */
};

static int check_plain(int fd, const char *path, uint64_t *ret_size, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot look at %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, FAILURE_INPUT, "%s is not a file", path);
    *ret_size = (uint64_t)status.st_size;
    return 0;
}

/* Not to wait at a pipe: O_NONBLOCK. */
static int open_plain(const char *path, int *ret, uint64_t *ret_size, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int rc;

    if (fd < 0)
        return error_set_errno(
            err, errno == ENOENT || errno == ENOTDIR ? FAILURE_ABSENT : FAILURE_SYSTEM, errno,
            "cannot open %s", path);
    rc = check_plain(fd, path, ret_size, err);
    if (rc < 0)
        close(fd);
    else
        *ret = fd;
    return rc;
}

int local_files_new(const char *path, bool archive, struct local_files **ret, struct error *err)
{
    struct local_files *files = memory_new(sizeof(*files));
    uint64_t size;
    int rc = 0;

    files->path = memory_copy_text(path);
    files->fd = -1;
    if (archive)
        rc = open_plain(path, &files->fd, &size, err);
    if (rc == 0 && archive && archive_new(files->fd, &files->archive, err) < 0)
        rc = error_wrap(err, "%s", path);
    if (rc < 0)
        local_files_free(files);
    else
        *ret = files;
    return rc;
}

void local_files_free(struct local_files *files)
{
    if (!files)
        return;
    archive_free(files->archive);
    if (files->fd >= 0)
        close(files->fd);
    free(files->path);
    free(files);
}

static int open_member(const struct local_files *files, const char *name, struct local_file *ret,
                       struct error *err)
{
    struct archive_member member;

    if (archive_find(files->archive, name, &member, err) < 0) {
        AUTO_FREE char *shown = local_files_describe(files, name);

        return error_wrap(err, "%s", shown);
    }
    ret->fd = fcntl(files->fd, F_DUPFD_CLOEXEC, 0);
    if (ret->fd < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot open %s", files->path);
    ret->offset = member.offset;
    ret->size = member.size;
    return 0;
}

int local_file_open(const struct local_files *files, const char *name, struct local_file *ret,
                    struct error *err)
{
    AUTO_FREE char *path = NULL;

    if (files->archive)
        return open_member(files, name, ret, err);
    path = text_new("%s/%s", files->path, name);
    ret->offset = 0;
    return open_plain(path, &ret->fd, &ret->size, err);
}

void local_file_close(struct local_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

int local_file_read(const struct local_file *file, uint64_t at, void *bytes, size_t size,
                    struct error *err)
{
    char *to = bytes;
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(file->fd, to + done, size - done, (off_t)(file->offset + at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot read");
        if (got == 0)
            return error_set(err, FAILURE_INPUT, "the file became shorter while it was read");
        done += (size_t)got;
    }
    return 0;
}

int local_files_read(const struct local_files *files, const char *name, size_t max_bytes,
                     struct text *to, struct error *err)
{
    AUTO_FREE char *shown = local_files_describe(files, name);
    AUTO_FREE char *bytes = NULL;
    struct local_file file = {.fd = -1};
    int rc = local_file_open(files, name, &file, err);

    if (rc < 0)
        return rc;
    if (file.size > max_bytes) {
        local_file_close(&file);
        return error_set(err, FAILURE_LIMIT, "%s is larger than %zu bytes", shown, max_bytes);
    }
    bytes = memory_new((size_t)file.size + 1);
    rc = local_file_read(&file, 0, bytes, (size_t)file.size, err);
    if (rc == 0)
        text_add_bytes(to, bytes, (size_t)file.size);
    else
        (void)error_wrap(err, "%s", shown);
    local_file_close(&file);
    return rc;
}

char *local_files_describe(const struct local_files *files, const char *name)
{
    AUTO_FREE char *shown = text_printable(name, 200);

    return text_new(files->archive ? "%s: %s" : "%s/%s", files->path, shown);
}

const char *local_files_path(const struct local_files *files)
{
    return files->path;
}
