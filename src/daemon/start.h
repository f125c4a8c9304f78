/* Start and stop of all rooms, in order. */
#ifndef REGWARDEN_START_H
#define REGWARDEN_START_H

#include "daemon_priv.h"

int daemon_start(struct daemon *daemon,
                 struct error *err); /* up to READY=1; what was started before a failure is stopped
                                        by daemon_stop */
void daemon_stop(struct daemon *daemon);

#endif
