/* Notifications on their way: sent, repeated with growing pauses, given up into the dead letters.
 */
#ifndef REGWARDEN_ACTION_DELIVERIES_H
#define REGWARDEN_ACTION_DELIVERIES_H

#include "task.h"

int deliveries_new(struct actions *actions, struct deliveries **ret, struct error *err);
/* What is under way goes on with the receiver of the same name, if there is one. */
int deliveries_reload(struct deliveries *deliveries, const struct config *config,
                      struct error *err);
/* What was not delivered has its plan set back to planned. Accepts NULL. */
void deliveries_free(struct deliveries *deliveries);

/* Queues the notification for every receiver that takes its verdict. Returns for how many. */
size_t deliveries_add(struct deliveries *deliveries, const struct json *notification,
                      enum verdict_status verdict, int64_t plan_id);
bool deliveries_has_plan(const struct deliveries *deliveries, int64_t plan_id);
/* One attempt at one receiver; ends the task. */
void deliveries_add_once(struct deliveries *deliveries, const struct json *notification,
                         struct task *task);
/* Sends what was queued. Not earlier than its plan was reported done: what becomes of it is
 * journalled after that. */
void deliveries_start(struct deliveries *deliveries);

/* Names of the receivers that take this verdict. */
void deliveries_names(const struct deliveries *deliveries, enum verdict_status verdict,
                      struct text_list *ret);

#endif
