/*
 * Supervision: is the device heard from? A device that was silent for its class's timeout, or for
 * several of its own report intervals if that is longer, and for the hold-off on top, is lost: one
 * alarm; the next signal of it is one "returned". After a start nobody is lost before the grace has
 * passed, whatever the clock of the last signal says.
 */
#include "daemon/core/gateway_state.h"

#define INTERVALS_MISSED 4 /* of a device that reports seldom */

static int64_t timeout_of(const struct gateway *gateway, const struct device *device)
{
    int64_t by_class = gateway->settings.supervise_us[device->kind];
    int64_t by_interval = device->report_interval_s * US_PER_SECOND * INTERVALS_MISSED;

    if (by_class == 0)
        return 0;
    return (by_interval > by_class ? by_interval : by_class) + gateway->settings.hold_off_us;
}

void supervise_arm(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];
    uint32_t timer = gateway_timer(gateway, TIMER_SUPERVISE, index);
    int64_t timeout_us = timeout_of(gateway, device), from_us = device->heard_mono_us;

    if (!device->supervised || device->lost || timeout_us == 0) {
        wheel_disarm(&gateway->wheel, timer);
        return;
    }
    if (from_us < gateway->started_mono_us + gateway->settings.startup_grace_us)
        from_us = gateway->started_mono_us + gateway->settings.startup_grace_us;
    wheel_arm(&gateway->wheel, timer, from_us + timeout_us);
}

static void set_lost(struct gateway *gateway, struct device *device, bool lost)
{
    if (lost && !device->lost)
        gateway->devices_lost++;
    if (!lost && device->lost)
        gateway->devices_lost--;
    device->lost = lost;
}

void supervise_heard(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];

    device->heard_mono_us = gateway->now.mono_us;
    if (device->lost &&
        admit_decision(gateway, index, SIGNAL_DEVICE_RETURNED, (struct decision){0}))
        set_lost(gateway, device, false);
    supervise_arm(gateway, index);
}

void supervise_said(struct gateway *gateway, uint32_t index, enum signal_kind kind)
{
    struct device *device = &gateway->registry.devices[index];

    if (kind != SIGNAL_DEVICE_LOST && kind != SIGNAL_DEVICE_RETURNED)
        return;
    set_lost(gateway, device, kind == SIGNAL_DEVICE_LOST);
    supervise_arm(gateway, index);
}

void supervise_expired(struct gateway *gateway, uint32_t index)
{
    struct device *device = &gateway->registry.devices[index];
    uint8_t memory[96];
    struct writer detail = writer_into(memory, sizeof(memory));

    writer_text(&detail, "{\"silent_for_s\":");
    writer_decimal(&detail, timeout_of(gateway, device) / US_PER_SECOND);
    writer_text(&detail, ",\"last_heard_us\":");
    writer_decimal(&detail, device->heard_us);
    writer_text(&detail, "}");
    if (admit_decision(gateway, index, SIGNAL_DEVICE_LOST,
                       (struct decision){.detail = writer_view(&detail)}))
        set_lost(gateway, device, true);
}

void supervise_forget(struct gateway *gateway, uint32_t index)
{
    set_lost(gateway, &gateway->registry.devices[index], false);
    wheel_disarm(&gateway->wheel, gateway_timer(gateway, TIMER_SUPERVISE, index));
}
