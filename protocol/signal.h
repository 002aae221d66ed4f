/*
 * A signal is anything a device says, in the one form everything becomes: fixed size, no pointers,
 * times in UTC microseconds (0 = not said). A codec fills what the frame says and leaves the rest
 * zero; admission adds received_at_us and flags.
 */
#ifndef ONEKEY_PROTOCOL_SIGNAL_H
#define ONEKEY_PROTOCOL_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

enum signal_kind {
    SIGNAL_NONE,
    /* Alarm class: journaled before it is acknowledged, never filtered, recorded as a signal and
     * raising or bumping a ticket (a restore or cancel changes an open one). */
    SIGNAL_PANIC,
    SIGNAL_FALL,
    SIGNAL_WANDER, /* left its fence */
    SIGNAL_SERVICE,
    SIGNAL_CANCEL, /* the person took the press back: still called back */
    SIGNAL_LEAK,
    SIGNAL_LOW_BATTERY,
    SIGNAL_MAINS_LOST,
    SIGNAL_TAMPER, /* removed from the wrist, opened, fault */
    SIGNAL_TEST,
    SIGNAL_UNREADABLE, /* claims to be an alarm and cannot be read */
    SIGNAL_WANDER_RESTORED,
    SIGNAL_BATTERY_RESTORED,
    SIGNAL_MAINS_RESTORED,
    SIGNAL_TAMPER_RESTORED,
    /* Alarm class, decided by the gateway itself, never by a codec. */
    SIGNAL_SILENCE,
    SIGNAL_SILENCE_ENDED,
    SIGNAL_RUNNING_WATER,
    SIGNAL_DEVICE_LOST,
    SIGNAL_DEVICE_RETURNED,
    SIGNAL_OUTAGE,
    SIGNAL_OUTAGE_ENDED,
    SIGNAL_CARE_CALL,
    /* Journaled, but no alarm. */
    SIGNAL_READING,
    /* Soft state: memory, written in batches. */
    SIGNAL_HEARTBEAT,
    SIGNAL_POSITION,
    SIGNAL_VITALS,
    SIGNAL_LIFE, /* a living person did something: answered, pressed a TV key, opened a door */
    /* Alarm class, decided by the gateway; recorded and raises nothing. Behind the others because the
     * journal keeps the number. */
    SIGNAL_SILENCE_EXPLAINED,
    SIGNAL_KIND_COUNT
};

enum service_kind {
    SERVICE_NONE,
    SERVICE_CARE_CALL,
    SERVICE_RESCUE,
    SERVICE_TAXI,
    SERVICE_REGISTRATION,
    SERVICE_CONSULT,
    SERVICE_LIFE_CARE,
    SERVICE_OTHER,
    SERVICE_KIND_COUNT
};

enum device_kind {
    DEVICE_UNKNOWN,
    DEVICE_CALL_BOX,
    DEVICE_WRISTBAND,
    DEVICE_METER,
    DEVICE_KIND_COUNT
};

/* What is odd about a signal. None of them is ever a reason to drop an alarm. */
enum signal_flag {
    SIGNAL_FLAG_UNKNOWN_DEVICE = 1 << 0,
    SIGNAL_FLAG_NO_POSITION = 1 << 1, /* the protocol carries one and the device had no fix */
    SIGNAL_FLAG_CLOCK_WRONG = 1 << 2,
    SIGNAL_FLAG_UNKNOWN_CODE = 1 << 3, /* an alarm whose code we have no name for */
    SIGNAL_FLAG_UNREADABLE = 1 << 4,
    SIGNAL_FLAG_UNAUTHENTICATED = 1 << 5,
    SIGNAL_FLAG_STORED = 1 << 6,   /* the device kept it while it had no network */
    SIGNAL_FLAG_REPEATED = 1 << 7, /* the device sent this very message before */
    SIGNAL_FLAG_CHECKSUM_WRONG = 1 << 8,
    SIGNAL_FLAG_LENGTH_WRONG = 1 << 9,
    SIGNAL_FLAG_NOT_REPORTING = 1 << 10,
    SIGNAL_FLAG_TRUNCATED = 1 << 11, /* the raw bytes kept are only the first ones */
    SIGNAL_FLAG_VALVE_CLOSED = 1 << 12,
    SIGNAL_FLAG_SECRET_LOST = 1 << 13, /* encrypted and no key fits */
    SIGNAL_FLAG_CHARGING = 1 << 14,
    SIGNAL_FLAG_WORN = 1 << 15, /* a vital measured on a living body */
    SIGNAL_FLAG_RESET = 1 << 16 /* the meter says its total started anew */
};
#define SIGNAL_FLAG_COUNT 17

/* Bits of signal.has: which measures were said. */
enum signal_measure {
    MEASURE_POSITION = 1 << 0,
    MEASURE_BATTERY = 1 << 1,
    MEASURE_STEPS = 1 << 2,
    MEASURE_HEART_RATE = 1 << 3,
    MEASURE_BLOOD_PRESSURE = 1 << 4,
    MEASURE_OXYGEN = 1 << 5,
    MEASURE_TEMPERATURE = 1 << 6,
    MEASURE_GSM = 1 << 7,
    MEASURE_TOTAL = 1 << 8,    /* cumulative volume of a meter */
    MEASURE_INTERVAL = 1 << 9, /* volume since interval_s before occurred_at_us */
    MEASURE_ACCURACY = 1 << 10
};

#define IDENTITY_LIMIT 40 /* longest identity, without its NUL */
#define MESSAGE_ID_LIMIT 47
#define CODE_LIMIT 31

struct signal {
    uint8_t kind;     /* enum signal_kind */
    uint8_t service;  /* enum service_kind, with SIGNAL_SERVICE */
    uint8_t device;   /* enum device_kind that the frame itself states, else DEVICE_UNKNOWN */
    uint8_t protocol; /* index into codecs[], set by the caller of decode */
    uint32_t flags;   /* enum signal_flag */
    uint32_t has;     /* enum signal_measure */
    int64_t occurred_at_us;
    int64_t received_at_us;
    int64_t total_ml;
    int64_t interval_ml;
    int32_t interval_s;
    int32_t latitude_e7, longitude_e7; /* WGS-84 degrees times 1e7 */
    int32_t accuracy_m;
    int32_t steps; /* the device's own counter */
    int16_t battery_percent, gsm_percent;
    int16_t heart_rate, systolic, diastolic, oxygen_percent;
    int16_t temperature_c100;              /* hundredths of a degree Celsius */
    char identity[IDENTITY_LIMIT + 1];     /* as the device says it; "" if the frame hides it */
    char message_id[MESSAGE_ID_LIMIT + 1]; /* the device's own name of this message: the same id
                                              again is a retransmission; "" if it has none */
    char code[CODE_LIMIT + 1]; /* the device's own code, for people: "1120", "AL 00010000" */
};

/* Journaled and acknowledged only when durable. */
bool signal_is_alarm(enum signal_kind kind);
/* Words as the database and every JSON form use them: "panic", "low_battery"; never NULL. */
const char *signal_kind_name(enum signal_kind kind);
/* SIGNAL_NONE if there is no such word. */
enum signal_kind signal_kind_from_name(const char *name);
const char *service_kind_name(enum service_kind kind);
enum service_kind service_kind_from_name(const char *name);
const char *device_kind_name(enum device_kind kind);
enum device_kind device_kind_from_name(const char *name);
/* Name of flag bit `index` (0 … SIGNAL_FLAG_COUNT-1): "unknown_device". */
const char *signal_flag_name(int index);

#endif
