/* Parts of events.c that other operations do in their own transaction. */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include "driver.h"
#include "regwarden/event.h"

/* Makes it durable and open; event->id is written. */
int event_insert(struct driver *driver, struct event *event, struct error *err);
/* Ids that are not those of open events are ignored: finishing twice is nothing. */
int events_finish(struct driver *driver, const int64_t *ids, size_t count, struct error *err);
/* ret->id is 0 when it is not there. Release with event_release. */
int events_find(struct driver *driver, int64_t id, struct event *ret, struct error *err);

#endif
