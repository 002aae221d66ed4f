#include "daemon/edge/notice.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct notice_waiter *notice_wait(struct notice_waiter *waiters, size_t count, void *sender,
                                  notice_on_result *on_result, void *context)
{
    size_t free = 0;

    while (free < count && waiters[free].on_result)
        free++;
    assert(free < count);
    waiters[free] = (struct notice_waiter){sender, on_result, context};
    return &waiters[free];
}

void notice_answer(struct notice_waiter *waiter, enum notice_outcome outcome, int retry_s,
                   const char *format, ...)
{
    struct notice_waiter told = *waiter;
    struct notice_result result = {.outcome = outcome, .retry_s = retry_s};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(result.reason, sizeof(result.reason), format, arguments);
    va_end(arguments);
    waiter->on_result = NULL;
    told.on_result(told.context, &result);
}
