/* The way back to the loop. One wake-up is under way at most, whatever number of operations it
 * brings. It cannot be taken back, so a closed mailbox waits for it in the list of orphans. */
#include "mailbox.h"

#include <pthread.h>

#include "regwarden/loop.h"
#include "regwarden/memory.h"

struct mailbox {
    struct loop *loop;
    pthread_mutex_t mutex; /* for the three below */
    struct operations finished;
    bool posted;
    bool closed;
    struct mailbox *next_orphan;
};

static pthread_mutex_t orphans_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mailbox *orphans; /* closed before their wake-up came; reachable until it comes */

void operations_add(struct operations *list, struct operation *operation)
{
    operation->next = NULL;
    if (list->count == 0)
        list->last = &list->first;
    *list->last = operation;
    list->last = &operation->next;
    list->count++;
}

void operations_join(struct operations *list, struct operations *from)
{
    if (from->count == 0)
        return;
    if (list->count == 0)
        list->last = &list->first;
    *list->last = from->first;
    list->last = from->last; /* inside the last operation, since there is one */
    list->count += from->count;
    *from = (struct operations){0};
}

struct mailbox *mailbox_new(struct loop *loop)
{
    struct mailbox *mailbox = memory_new(sizeof(*mailbox));

    mailbox->loop = loop;
    pthread_mutex_init(&mailbox->mutex, NULL);
    return mailbox;
}

static void mailbox_free(struct mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->mutex);
    free(mailbox);
}

static void orphan_free(struct mailbox *mailbox)
{
    pthread_mutex_lock(&orphans_mutex);
    struct mailbox **place = &orphans;
    while (*place != mailbox)
        place = &(*place)->next_orphan;
    *place = mailbox->next_orphan;
    pthread_mutex_unlock(&orphans_mutex);
    mailbox_free(mailbox);
}

static struct operation *take_all(struct mailbox *mailbox, bool woken_up)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct operation *first = mailbox->finished.first;
    mailbox->finished = (struct operations){0};
    if (woken_up)
        mailbox->posted = false;
    pthread_mutex_unlock(&mailbox->mutex);
    return first;
}

static void finish_all(struct operation *operation)
{
    while (operation) {
        struct operation *next = operation->next;

        operation->type->finish(operation);
        operation = next;
    }
}

static void woken(void *argument)
{
    struct mailbox *mailbox = argument;

    if (mailbox->closed) {
        orphan_free(mailbox);
        return;
    }
    finish_all(take_all(mailbox, /* woken_up= */ true));
}

void mailbox_put(struct mailbox *mailbox, struct operations *finished)
{
    if (finished->count == 0)
        return;
    pthread_mutex_lock(&mailbox->mutex);
    operations_join(&mailbox->finished, finished);
    bool wake = !mailbox->posted;
    mailbox->posted = true;
    pthread_mutex_unlock(&mailbox->mutex);
    if (wake)
        loop_post(mailbox->loop, woken, mailbox);
}

void mailbox_close(struct mailbox *mailbox)
{
    struct operation *operation;

    while ((operation = take_all(mailbox, /* woken_up= */ false)))
        finish_all(operation); /* a callback may ask again; the answer is a refusal, by this way */
    if (!mailbox->posted) {
        mailbox_free(mailbox);
        return;
    }
    mailbox->closed = true;
    pthread_mutex_lock(&orphans_mutex);
    mailbox->next_orphan = orphans;
    orphans = mailbox;
    pthread_mutex_unlock(&orphans_mutex);
}
