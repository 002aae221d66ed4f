/*
 * Commands to devices, as the gateway holds them: a few of each device, until that is at hand. A device
 * is at hand while it has a connection, when a datagram of it has just come, or over the broker. Then
 * the command is taken (the database gives it to one gateway alone), written by the codec and sent,
 * and the device's answer or the lack of it is its result.
 *
 *     gateway_command --> held --> ports.take_command --> gateway_command_taken --> ports.send
 *                                  the device answers, or time passes --> ports.command_result
 *
 * Nothing here is durable or needs to be: what is not ended is read again from the database.
 */
#ifndef ONEKEY_CORE_ASKED_H
#define ONEKEY_CORE_ASKED_H

#include "protocol/codec.h"

#define COMMANDS_PER_DEVICE 4 /* held; those behind them stay in the database */
#define COMMAND_NUMBERS_MAX 3
#define COMMAND_TRIES 2 /* the database holds gateways to it too */
#define COMMAND_ANSWER_LIMIT 120

struct gateway;

struct asked_command {
    int64_t id, device_id;
    int64_t left_us; /* until it expires; may be past */
    enum command_kind kind;
    int32_t seconds;      /* COMMAND_REPORT_INTERVAL */
    int32_t number_count; /* COMMAND_SOS_NUMBER: each is a frame of its own */
    char numbers[COMMAND_NUMBERS_MAX][32];
    uint8_t protocol;
    char identity[IDENTITY_LIMIT + 1];
};

struct command_result {
    int64_t id, device_id;
    const char *state; /* done, refused, failed, expired */
    char answer[COMMAND_ANSWER_LIMIT + 1];
};

/* A command of the database's queue. False: the device is not known or no more can be held, so tell it
 * again later. One that is known already changes nothing. */
bool gateway_command(struct gateway *gateway, const struct asked_command *asked);
/* The answer to ports.take_command. Not taken: another gateway has it, it has ended, or nobody knows. */
void gateway_command_taken(struct gateway *gateway, int64_t id, bool is_taken);

#endif
