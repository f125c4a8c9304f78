/* What the files of src/loop/ share of the loop: libevent's base. */
#ifndef LOOP_PRIVATE_H
#define LOOP_PRIVATE_H

#include <stdint.h>
#include <sys/time.h>

struct loop;
struct event_base;

struct event_base *loop_event_base(struct loop *loop); /* borrowed */

/* Milliseconds (at least 0) as libevent wants them. */
struct timeval loop_timeval(int64_t ms);

#endif
