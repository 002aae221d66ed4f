#include "daemon/edge/handle_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more: what was taken is moved out of the way before the memory grows. */
static void make_room(struct handle_queue *queue)
{
    if (queue->first > queue->room / 2) {
        queue->count -= queue->first;
        memmove(queue->handles, queue->handles + queue->first,
                queue->count * sizeof(*queue->handles));
        queue->first = 0;
        return;
    }
    queue->room = queue->room ? queue->room * 2 : 64;
    queue->handles = realloc(queue->handles, queue->room * sizeof(*queue->handles));
    if (!queue->handles)
        abort();
}

void handle_queue_push(struct handle_queue *queue, uint64_t handle)
{
    if (queue->count == queue->room)
        make_room(queue);
    queue->handles[queue->count++] = handle;
}

bool handle_queue_is_empty(const struct handle_queue *queue)
{
    return queue->first == queue->count;
}

uint64_t handle_queue_pop(struct handle_queue *queue)
{
    assert(!handle_queue_is_empty(queue));
    uint64_t handle = queue->handles[queue->first++];
    if (queue->first == queue->count)
        queue->first = queue->count = 0;
    return handle;
}

void handle_queue_fini(struct handle_queue *queue)
{
    free(queue->handles);
    *queue = (struct handle_queue){0};
}
