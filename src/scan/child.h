/* A child process with a socket to it and nothing else of ours. Private to the room. Loop thread.
 */
#ifndef SCAN_CHILD_H
#define SCAN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "regwarden/error.h"

/* The descriptor that the child finds its socket at. */
enum { CHILD_SOCKET = 3 };
/* Set in its environment: a program that does not know the command must not start children of its
 * own, and those more, without end. */
#define CHILD_MARK "REGWARDEN_SCAN_WORKER"

struct child {
    pid_t pid;
    int pidfd; /* can be read when the child has ended */
    int fd;    /* our end of the socket, not blocking */
};

/* Starts `program` (NULL: this one) with the word `command`, an environment of CHILD_MARK alone,
 * nothing on standard input and output, and no descriptor but the socket and standard error.
 * FAILURE_SYSTEM.
 */
int child_start(const char *program, const char *command, struct child *ret, struct error *err);
void child_kill(const struct child *child);
void child_close(struct child *child); /* our end of the socket */
/* Takes the ended child away and says how it ended ("was killed by signal 11"). With `wait` it
 * waits for the end. False: it has not ended. */
enum { CHILD_END_SIZE = 96 };
bool child_reap(struct child *child, bool wait, char ret_end[static CHILD_END_SIZE]);

#endif
