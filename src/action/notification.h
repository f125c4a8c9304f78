/* What receivers are told: one neutral document, its spelling per format, and its signature. */
#ifndef REGWARDEN_ACTION_NOTIFICATION_H
#define REGWARDEN_ACTION_NOTIFICATION_H

#include "task.h"

/* {"id", "time", "registry…": what is to be told}. The id depends on plan and image only: a repeat
 * has the same. Bounded. The task's verdict must still be there. Returns new. */
struct json *notification_new(const struct task *task);

/* The same notification for one receiver, as a dead letter keeps it. Returns new. */
struct json *notification_for(const struct json *notification, const char *notifier);

enum notification_format { NOTIFICATION_CLOUDEVENTS, NOTIFICATION_SLACK };
void notification_render(const struct json *notification, enum notification_format format,
                         struct text *ret);
const char *notification_content_type(enum notification_format format);

enum { SIGNATURE_SIZE = 160 };
/* "sha256=<hex>" of HMAC-SHA256 over "<timestamp>.<body>". */
const char *notification_sign(const struct text *key, const char *timestamp,
                              const struct text *body, char buffer[static SIGNATURE_SIZE]);

#endif
