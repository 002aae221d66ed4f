/* What commands.c keeps, and does for the other insides of struct gateway; part of gateway_state.h. */
#ifndef ONEKEY_CORE_GATEWAY_COMMANDS_H
#define ONEKEY_CORE_GATEWAY_COMMANDS_H

#include "daemon/core/asked.h"

enum held_stage {
    HELD_FREE,
    HELD_WAITING, /* for the device */
    HELD_TAKING,  /* for the database to say that it is ours */
    HELD_TAKEN,   /* for a way to the device */
    HELD_SENT     /* for the device's answer */
};

struct held_command {
    struct asked_command asked;
    int64_t expires_us, answer_by_us; /* mono */
    uint32_t device;
    uint16_t serial; /* of the frame last sent */
    uint8_t stage, tries, step;
    bool wants_hearing; /* not sent again before the device was heard of */
    bool is_unproven;   /* somebody spoke in its name without proof */
};

struct commander {
    struct held_command *held; /* commands_max */
    uint32_t count;
    int64_t look_at_us;
};

/* A device that has commands (struct device.commands) said this, and has been answered. */
void commands_heard(struct gateway *gateway, uint32_t device, const struct message *message);
/* Somebody spoke in its name and did not show to be it. */
void commands_unproven(struct gateway *gateway, uint32_t device);
void commands_forget(struct gateway *gateway, uint32_t device);
/* Expires, gives up and tries again what is due. */
void commands_tick(struct gateway *gateway);

#endif
