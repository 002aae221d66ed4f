/*
 * A notice on its way out, and what every transport of notices offers: webhook, mail, MQTT and exec,
 * one file each. A transport sends and says what came of it; when to try again is decided elsewhere
 * (notices.h).
 */
#ifndef ONEKEY_EDGE_NOTICE_H
#define ONEKEY_EDGE_NOTICE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

#define NOTICE_REASON_SIZE 200

/* Lent for the call; the texts are never NULL. */
struct notice {
    const char *message_id; /* letters, digits, '-' and '_'; the same however often it is sent */
    const char *event_type; /* lower-case words joined by '.' */
    int64_t created_us, now_us;
    const char *body; /* JSON */
    size_t size;
    const char *subject_zh, *subject_en, *text_zh, *text_en; /* "" where nobody reads them */
};

enum notice_outcome {
    NOTICE_DELIVERED, /* the target has taken it */
    NOTICE_LATER,     /* it may do so later */
    NOTICE_REFUSED    /* it never will */
};

struct notice_result {
    enum notice_outcome outcome;
    int retry_s;                     /* with LATER: the target asked not to be tried before */
    char reason[NOTICE_REASON_SIZE]; /* for people; names no person */
};

/* Exactly once for each notice sent, perhaps inside the call that sends it. The result is lent. */
typedef void notice_on_result(void *context, const struct notice_result *result);

/* Who waits for a result; a transport has as many of them as it may send at once. */
struct notice_waiter {
    void *sender;
    notice_on_result *on_result; /* NULL: not in use */
    void *context;
};

/* A free one; there is one. */
struct notice_waiter *notice_wait(struct notice_waiter *waiters, size_t count, void *sender,
                                  notice_on_result *on_result, void *context);
/* Frees it, and tells. */
void notice_answer(struct notice_waiter *waiter, enum notice_outcome outcome, int retry_s,
                   const char *format, ...) PRINTF_LIKE(4, 5);

struct notice_transport {
    const char *name;
    void (*send)(void *sender, const struct notice *notice, notice_on_result *on_result,
                 void *context);
    /* Stops what is on its way, and calls nobody back. */
    void (*close)(void *sender);
};

#endif
