/*
 * Handles of a pool, first in, first out. Grows as needed. A handle may be stale by the time it is
 * taken: who takes it looks.
 */
#ifndef ONEKEY_EDGE_HANDLE_QUEUE_H
#define ONEKEY_EDGE_HANDLE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct handle_queue {
    uint64_t *handles;
    size_t first, count, room;
};

void handle_queue_push(struct handle_queue *queue, uint64_t handle);
bool handle_queue_is_empty(const struct handle_queue *queue);
/* The oldest; the queue must not be empty. */
uint64_t handle_queue_pop(struct handle_queue *queue);
void handle_queue_fini(struct handle_queue *queue);

#endif
