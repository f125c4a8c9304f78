/* Archives with images in them, from hostile bytes: what is indexed lies inside of the file. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive.h"
#include "regwarden/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"manifest.json", "index.json", "a/layer.tar", "../x", ""};
    AUTO_CLOSE int fd = memfd_create("archive", MFD_CLOEXEC);
    struct archive *archive = NULL;
    struct archive_member member;
    struct error err = {0};

    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (archive_new(fd, &archive, &err) < 0) {
        must(err.text[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (archive_find(archive, names[i], &member, &err) == 0)
            must(member.offset <= size && member.size <= size - member.offset);
        else
            must(err.text[0] != '\0');
    }
    archive_free(archive);
    return 0;
}
