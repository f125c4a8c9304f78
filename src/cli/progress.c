/* The line of progress: rewritten in place, never wider than the terminal. */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/text.h"

enum { BETWEEN_MS = 100, WIDTH_DEFAULT = 80, WIDTH_MIN = 20 };

static int terminal_width(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < WIDTH_MIN)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

static void write_line(struct progress *progress, const char *how_far)
{
    int width = terminal_width() - 1; /* the last column may wrap */
    AUTO_FREE char *shown = text_printable(progress->what, 1024);
    AUTO_FREE char *line = text_new("%s  %s", shown, how_far);
    size_t length = strlen(line);
    const char *from = length > (size_t)width ? line + (length - (size_t)width) : line;

    progress->shown_ms = clock_steady_ms();
    fprintf(stderr, "\r\033[K%s", from);
    fflush(stderr);
}

void progress_begin(struct progress *progress, const char *what)
{
    progress->on = isatty(STDERR_FILENO) == 1;
    progress->what = memory_copy_text(what);
    if (progress->on)
        write_line(progress, "fetching");
}

void progress_tell(struct progress *progress, const char *how_far)
{
    if (progress->on && clock_steady_ms() - progress->shown_ms >= BETWEEN_MS)
        write_line(progress, how_far);
}

void progress_end(struct progress *progress)
{
    if (progress->on) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    free(progress->what);
    *progress = (struct progress){0};
}
