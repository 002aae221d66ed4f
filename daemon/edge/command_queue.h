/*
 * The queue of commands to devices: learns from the database what waits, gives it to the gateway, takes
 * what that wants to send (so that no other gateway does), and stores the results.
 *
 *   connected, once a minute        --> reads all that waits
 *   NOTIFY onekey_device_command    --> reads what waits for that device
 *
 * A connection of its own, which never stands before an alarm. Results are kept while the database is
 * away, and nothing is read before they are stored: or what has ended would be sent again.
 */
#ifndef ONEKEY_EDGE_COMMAND_QUEUE_H
#define ONEKEY_EDGE_COMMAND_QUEUE_H

#include "daemon/base/attributes.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/inlet_setup.h"

struct command_queue;

/* NULL, with *error set to a line that the caller frees, if conninfo cannot be read. Strings are copied. */
struct command_queue *command_queue_open(const struct inlets_setup *setup, const char *district,
                                         char **error) MUST_USE;
void command_queue_close(struct command_queue *queue);
/* Sends what is to be asked, taken and stored; once a turn. */
void command_queue_turn(struct command_queue *queue, int64_t mono_us);
/* The devices are known now: all is read again. */
void command_queue_read(struct command_queue *queue);

/* Effects of the gateway; see struct gateway_ports. */
bool command_queue_take(struct command_queue *queue, int64_t id);
void command_queue_result(struct command_queue *queue, const struct command_result *result);

#endif
