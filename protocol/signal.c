#include "protocol/signal.h"

#include <string.h>

static const char *const signal_names[SIGNAL_KIND_COUNT] = {
    [SIGNAL_NONE] = "none",
    [SIGNAL_PANIC] = "panic",
    [SIGNAL_FALL] = "fall",
    [SIGNAL_WANDER] = "wander",
    [SIGNAL_SERVICE] = "service",
    [SIGNAL_CANCEL] = "cancel",
    [SIGNAL_LEAK] = "leak",
    [SIGNAL_LOW_BATTERY] = "low_battery",
    [SIGNAL_MAINS_LOST] = "mains_lost",
    [SIGNAL_TAMPER] = "tamper",
    [SIGNAL_TEST] = "test",
    [SIGNAL_UNREADABLE] = "unreadable",
    [SIGNAL_WANDER_RESTORED] = "wander_restored",
    [SIGNAL_BATTERY_RESTORED] = "battery_restored",
    [SIGNAL_MAINS_RESTORED] = "mains_restored",
    [SIGNAL_TAMPER_RESTORED] = "tamper_restored",
    [SIGNAL_SILENCE] = "silence",
    [SIGNAL_SILENCE_ENDED] = "silence_ended",
    [SIGNAL_RUNNING_WATER] = "running_water",
    [SIGNAL_DEVICE_LOST] = "device_lost",
    [SIGNAL_DEVICE_RETURNED] = "device_returned",
    [SIGNAL_OUTAGE] = "outage",
    [SIGNAL_OUTAGE_ENDED] = "outage_ended",
    [SIGNAL_CARE_CALL] = "care_call",
    [SIGNAL_READING] = "reading",
    [SIGNAL_HEARTBEAT] = "heartbeat",
    [SIGNAL_POSITION] = "position",
    [SIGNAL_VITALS] = "vitals",
    [SIGNAL_LIFE] = "life",
    [SIGNAL_SILENCE_EXPLAINED] = "silence_explained",
};

static const char *const service_names[SERVICE_KIND_COUNT] = {
    [SERVICE_NONE] = "none",       [SERVICE_CARE_CALL] = "care_call",
    [SERVICE_RESCUE] = "rescue",   [SERVICE_TAXI] = "taxi",
    [SERVICE_CONSULT] = "consult", [SERVICE_REGISTRATION] = "registration",
    [SERVICE_OTHER] = "other",     [SERVICE_LIFE_CARE] = "life_care",
};

static const char *const device_names[DEVICE_KIND_COUNT] = {
    [DEVICE_UNKNOWN] = "unknown",
    [DEVICE_CALL_BOX] = "call_box",
    [DEVICE_WRISTBAND] = "wristband",
    [DEVICE_METER] = "meter",
};

static const char *const flag_names[SIGNAL_FLAG_COUNT] = {
    "unknown_device", "no_position",     "clock_wrong",   "unknown_code",
    "unreadable",     "unauthenticated", "stored",        "repeated",
    "checksum_wrong", "length_wrong",    "not_reporting", "truncated",
    "valve_closed",   "secret_lost",     "charging",      "worn",
    "meter_reset",
};

bool signal_is_alarm(enum signal_kind kind)
{
    return (kind >= SIGNAL_PANIC && kind <= SIGNAL_CARE_CALL) || kind == SIGNAL_SILENCE_EXPLAINED;
}

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 1; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return 0;
}

const char *signal_kind_name(enum signal_kind kind)
{
    return signal_names[kind < SIGNAL_KIND_COUNT ? kind : SIGNAL_NONE];
}

enum signal_kind signal_kind_from_name(const char *name)
{
    return (enum signal_kind)find_name(signal_names, SIGNAL_KIND_COUNT, name);
}

const char *service_kind_name(enum service_kind kind)
{
    return service_names[kind < SERVICE_KIND_COUNT ? kind : SERVICE_NONE];
}

enum service_kind service_kind_from_name(const char *name)
{
    return (enum service_kind)find_name(service_names, SERVICE_KIND_COUNT, name);
}

const char *device_kind_name(enum device_kind kind)
{
    return device_names[kind < DEVICE_KIND_COUNT ? kind : DEVICE_UNKNOWN];
}

enum device_kind device_kind_from_name(const char *name)
{
    return (enum device_kind)find_name(device_names, DEVICE_KIND_COUNT, name);
}

const char *signal_flag_name(int index)
{
    return index >= 0 && index < SIGNAL_FLAG_COUNT ? flag_names[index] : "unknown";
}
