/* Who waits for credentials, and when they are fetched. It knows no source. */
#include "keyring.h"

#include "regwarden/clock.h"

#include "fetch.h"

struct keyring {
    struct aws *aws;
    struct aws_keys current; /* access_key_id NULL: none */
    int64_t reread_at_ms;    /* steady clock, of credentials that do not say when they expire */
    struct fetch *fetch;     /* under way, or NULL */
    unsigned failures;       /* in a row */
    struct error error;      /* of the last one */
    bool is_paused;          /* after a failure */
    struct timer *pause;
    struct timer *tell; /* those who wait */
    struct keyring_wait_list waits;
};

static bool is_usable(const struct keyring *keyring)
{
    const struct aws_keys *current = &keyring->current;

    return current->access_key_id &&
           (current->expires_ms == 0 ||
            aws_now_ms(keyring->aws) <
                current->expires_ms - keyring->aws->tuning.expired_before_ms);
}

static bool is_fresh(const struct keyring *keyring)
{
    const struct aws_keys *current = &keyring->current;

    if (!is_usable(keyring))
        return false;
    if (current->expires_ms == 0)
        return clock_steady_ms() < keyring->reread_at_ms;
    return aws_now_ms(keyring->aws) < current->expires_ms - keyring->aws->tuning.renew_before_ms;
}

static void start_fetch(struct keyring *keyring);

/* The list may change with every callback, and the keyring may go. */
static void tell_waits(void *argument)
{
    struct keyring *keyring = argument;
    struct keyring_wait_list told = TAILQ_HEAD_INITIALIZER(told);
    AUTO_AWS_KEYS struct aws_keys credentials = {0};
    struct error error = keyring->error;
    bool usable = is_usable(keyring);
    struct keyring_wait *wait;

    if (!usable && error.kind == FAILURE_NONE) {
        start_fetch(keyring); /* they were forgotten since */
        return;
    }
    if (usable)
        aws_keys_copy(&credentials, &keyring->current);
    TAILQ_FOREACH(wait, &keyring->waits, link)
    wait->list = &told;
    TAILQ_CONCAT(&told, &keyring->waits, link);
    while ((wait = TAILQ_FIRST(&told))) {
        keyring_cancel(wait);
        wait->ready(wait->argument, usable ? &credentials : NULL, usable ? NULL : &error);
    }
}

static int take_credentials(struct keyring *keyring, struct aws_keys *taken, struct error *err)
{
    aws_keys_release(&keyring->current);
    keyring->current = *taken;
    *taken = (struct aws_keys){0};
    keyring->reread_at_ms = clock_steady_ms() + keyring->aws->tuning.file_reread_ms;
    if (!is_usable(keyring))
        return error_set(err, FAILURE_LATER, "what came has expired already");
    keyring->failures = 0;
    return 0;
}

/* What may pass is tried a few times before those who wait hear of it. */
static bool tries_again(const struct keyring *keyring)
{
    return keyring->error.kind == FAILURE_LATER &&
           keyring->failures % keyring->aws->tuning.fetch_attempts != 0 &&
           !TAILQ_EMPTY(&keyring->waits);
}

static void fail(struct keyring *keyring, const struct error *error)
{
    const struct aws_tuning *tuning = &keyring->aws->tuning;
    bool again;

    keyring->failures++;
    keyring->error = *error;
    (void)error_wrap(&keyring->error, "credentials from %s",
                     fetch_source(keyring->aws->settings)->name);
    again = tries_again(keyring);
    if (!again)
        timer_arm(keyring->tell, 0);
    /* Nothing is fetched before that, however many ask. */
    keyring->is_paused = true;
    timer_arm(keyring->pause,
              again ? aws_backoff_ms(keyring->aws, keyring->failures) : tuning->fetch_pause_ms);
}

static void on_fetched(void *argument, struct aws_keys *taken, const struct error *error)
{
    struct keyring *keyring = argument;
    struct error refused = {0};

    keyring->fetch = NULL;
    if (error)
        fail(keyring, error);
    else if (take_credentials(keyring, taken, &refused) < 0)
        fail(keyring, &refused);
    else
        timer_arm(keyring->tell, 0);
}

static void start_fetch(struct keyring *keyring)
{
    if (keyring->fetch || keyring->is_paused || is_fresh(keyring))
        return;
    keyring->error = (struct error){0};
    keyring->fetch = fetch_start(keyring->aws, on_fetched, keyring);
}

static void end_pause(void *argument)
{
    struct keyring *keyring = argument;

    keyring->is_paused = false;
    if (!TAILQ_EMPTY(&keyring->waits))
        start_fetch(keyring);
}

void keyring_ask(struct keyring *keyring, struct keyring_wait *wait)
{
    wait->list = &keyring->waits;
    TAILQ_INSERT_TAIL(&keyring->waits, wait, link);
    if (is_usable(keyring))
        timer_arm(keyring->tell, 0);
    start_fetch(keyring);
}

void keyring_cancel(struct keyring_wait *wait)
{
    if (!wait->list)
        return;
    TAILQ_REMOVE(wait->list, wait, link);
    wait->list = NULL;
}

void keyring_forget(struct keyring *keyring, const char *access_key_id)
{
    if (text_equal(keyring->current.access_key_id, access_key_id))
        aws_keys_release(&keyring->current);
}

struct keyring *keyring_new(struct aws *aws)
{
    struct keyring *keyring = memory_new(sizeof(*keyring));

    keyring->aws = aws;
    keyring->pause = timer_new(aws->loop, end_pause, keyring);
    keyring->tell = timer_new(aws->loop, tell_waits, keyring);
    TAILQ_INIT(&keyring->waits);
    return keyring;
}

void keyring_free(struct keyring *keyring)
{
    struct keyring_wait *wait;

    if (!keyring)
        return;
    while ((wait = TAILQ_FIRST(&keyring->waits)))
        keyring_cancel(wait);
    fetch_cancel(keyring->fetch);
    timer_free(keyring->pause);
    timer_free(keyring->tell);
    aws_keys_release(&keyring->current);
    free(keyring);
}
