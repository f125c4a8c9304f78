/* Tells the configured receivers about a verdict. Done means that it is under way: how it fares is
 * deliveries.c's matter. */
#include "deliveries.h"
#include "notification.h"

void action_notify_plan(const struct actions *actions, const struct action_target *target,
                        struct json *detail, struct json *pushes)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    (void)pushes;
    if (target->verdict != NULL)
        deliveries_names(actions->deliveries, target->verdict->status, &names);
    json_set_take(detail, "notifiers", json_from_list(&names));
}

void action_notify_perform(struct task *task)
{
    struct deliveries *deliveries = task->actions->deliveries;
    if (deliveries_has_plan(deliveries, task->target.plan_id)) {
        task_done(task);
        return;
    }
    AUTO_JSON struct json *notification = notification_new(task);
    if (deliveries_add(deliveries, notification, task->verdict, task->target.plan_id) > 0)
        task_done(task);
    else
        task_skip(task, "no notifier takes the verdict %s", verdict_status_name(task->verdict));
}

void action_notify_resend(struct task *task)
{
    deliveries_add_once(task->actions->deliveries, task->recorded, task);
}
