/* What a sender is answered, by dialect and situation. */
#ifndef INTAKE_ANSWERS_H
#define INTAKE_ANSWERS_H

enum situation {
    SITUATION_ACCEPTED,     /* at least one event is on disk */
    SITUATION_NOTHING,      /* understood; nothing in it matters */
    SITUATION_DEAD_LETTER,  /* not understood, in whole or in part; kept as a dead letter */
    SITUATION_HANDSHAKE,    /* the body is what the sender asked for before it sends events */
    SITUATION_UNAUTHORISED, /* the sender did not prove itself, and will not by trying again */
    SITUATION_BUSY,         /* cannot be kept now: disk full, too much waiting */
    SITUATION_COUNT,
};

struct hook_answer {
    int status;
    int retry_after_s; /* 0: no such header */
};

/* dialect NULL or unknown: what is safe for every sender. */
struct hook_answer answer_for(const char *dialect, enum situation situation);

#endif
