#include "daemon/edge/setup.h"

#include <stdio.h>
#include <string.h>

#define OUTBOX_BYTES (16u << 20) /* some 30,000 alarms; what is more waits in the journal */
#define PLEDGE_BYTES (8u << 20)
#define RECENT_SETS 16384
#define PARTIAL_FRAME_US (30 * US_PER_SECOND)
#define KEEP_ROUND_US US_PER_HOUR
#define DEADLINES_MAX 65536 /* of tickets, within the horizon; 3 MB */
#define EARLY_MAX 16384     /* taken in while the journal is replayed; 4 MB, touched only then */
#define COMMANDS_MAX 2048   /* held for devices; 0.7 MB */
#define ML_PER_LITRE 1000

struct gateway_limits setup_limits(const struct config *config)
{
    return (struct gateway_limits){
        .devices_max = (uint32_t)config->gateway.devices_max,
        .sessions_max = (uint32_t)config->gateway.sessions_max,
        .outbox_bytes = OUTBOX_BYTES,
        .pledge_bytes = PLEDGE_BYTES,
        .recent_sets = RECENT_SETS,
        .observations_max = (uint32_t)config->observation.waiting_max,
        .commands_max = COMMANDS_MAX,
        .early_max = EARLY_MAX,
    };
}

/* Beside those of silence: the rules of running water that are asked for. */
static void set_running(struct silence_settings *silence, const struct config_scheme *scheme)
{
    silence->rules |= (scheme->daily_litres ? SILENCE_DAILY : 0u) |
                      (scheme->continuous_hours ? SILENCE_CONTINUOUS : 0u) |
                      (scheme->tap_hours ? SILENCE_TAP : 0u);
    silence->daily_ml = (int64_t)scheme->daily_litres * ML_PER_LITRE;
    silence->run_ml_per_hour[0] = scheme->continuous_litres * ML_PER_LITRE;
    silence->run_ml_per_hour[1] = scheme->tap_litres * ML_PER_LITRE;
    silence->run_window_us[0] = scheme->continuous_hours * US_PER_HOUR;
    silence->run_window_us[1] = scheme->tap_hours * US_PER_HOUR;
}

static void set_rules(struct silence_settings *silence, const struct config_scheme *scheme)
{
    static const uint32_t rules[] = {
        [CONFIG_FIXED] = SILENCE_FIXED,
        [CONFIG_LEARNED] = SILENCE_LEARNED,
        [CONFIG_FIXED_AND_LEARNED] = SILENCE_FIXED | SILENCE_LEARNED,
    };

    silence->rules = rules[scheme->mode] | SILENCE_GUARANTEE;
    silence->fixed_ml = scheme->litres * ML_PER_LITRE;
    silence->fixed_window_us = scheme->hours * US_PER_HOUR;
    silence->target_per_year = (float)scheme->rate;
    set_running(silence, scheme);
}

static struct silence_settings silence_of(const struct config *config)
{
    struct silence_settings silence = silence_settings_default();

    set_rules(&silence, &config->silence.scheme);
    silence.leak_floor = config->silence.leak;
    silence.interval_us = config->silence.report_interval_s * US_PER_SECOND;
    silence.grace_us = config->silence.grace_s * US_PER_SECOND;
    return silence;
}

uint32_t setup_codec_options(int32_t meter_status)
{
    return meter_status == CONFIG_STATUS_VENDOR ? CODEC_OPTION_METER_STATUS_VENDOR : 0;
}

static void set_schemes(struct gateway_settings *settings, const struct config *config)
{
    _Static_assert(CONFIG_SCHEMES_MAX <= SCHEMES_MAX, "each has its place");
    _Static_assert(CONFIG_NAME_SIZE <= SCHEME_LIMIT + 1, "each keeps its name");

    settings->scheme_count = config->scheme_count;
    for (int i = 0; i < config->scheme_count; i++) {
        settings->schemes[i].silence = settings->silence;
        set_rules(&settings->schemes[i].silence, &config->schemes[i]);
        memcpy(settings->schemes[i].name, config->schemes[i].name, CONFIG_NAME_SIZE);
    }
}

/* Their texts stay in the configuration. */
static void set_mappings(struct gateway_settings *settings, const struct config *config)
{
    _Static_assert(CONFIG_MAPPINGS_MAX <= JSON_MAPPINGS_MAX, "each has its place");

    settings->mappings.count = config->mapping_count;
    for (int i = 0; i < config->mapping_count; i++) {
        const struct config_mapping *from = &config->mappings[i];

        settings->mappings.at[i] = (struct json_mapping){
            .name = from->name,
            .topic = from->topic,
            .identity_level = from->identity_level,
            .type_level = from->alarm_level,
            .identity = from->identity,
            .time = from->time,
            .message = from->message,
            .values = from->values,
            .device = (uint8_t)from->device,
            .names = {from->total, from->interval, from->hourly, from->battery, from->alarm,
                      from->unit == CONFIG_CUBIC_METRES ? 1000 * ML_PER_LITRE : ML_PER_LITRE, true,
                      from->zone_min},
        };
    }
}

_Static_assert(GATEWAY_LISTENERS == CONFIG_LISTENERS_MAX + 1, "each listener has a number");

static void name_listener(struct gateway_settings *settings, int number, const char *name)
{
    snprintf(settings->listeners[number - 1], GATEWAY_LISTENER_SIZE, "%.*s",
             GATEWAY_LISTENER_SIZE - 1, name);
}

struct gateway_settings setup_gateway(const struct config *config)
{
    struct gateway_settings settings = {
        .clock_wrong_us = config->admit.clock_wrong_s * US_PER_SECOND,
        .partial_frame_us = PARTIAL_FRAME_US,
        .supervise_us =
            {
                [DEVICE_CALL_BOX] = config->supervise.call_box_s * US_PER_SECOND,
                [DEVICE_WRISTBAND] = config->supervise.wristband_s * US_PER_SECOND,
                [DEVICE_METER] = config->supervise.meter_s * US_PER_SECOND,
            },
        .hold_off_us = config->supervise.hold_off_s * US_PER_SECOND,
        .startup_grace_us = config->supervise.startup_grace_s * US_PER_SECOND,
        .keep_round_us = KEEP_ROUND_US,
        .batch_records = (uint32_t)config->database.batch_records,
        .in_flight = (uint32_t)config->database.in_flight,
        .early_us = config->supervise.early_s * US_PER_SECOND,
        .interval_min_us = config->supervise.interval_min_s * US_PER_SECOND,
        .interval_max_us = config->supervise.interval_max_s * US_PER_SECOND,
        .outage = {.devices_min = (uint32_t)config->supervise.outage_devices,
                   .share_percent = (uint32_t)config->supervise.outage_percent,
                   .window_us = config->supervise.outage_window_s * US_PER_SECOND},
        .alarm_open_us = config->supervise.alarm_s * US_PER_SECOND,
        .time_window_before_s = config->dc09.time_window_before_s,
        .time_window_after_s = config->dc09.time_window_after_s,
        .mqtt_options = setup_codec_options(config->mqtt.meter_status),
        .mqtt_proves = config->mqtt.proof == CONFIG_TOPIC_PROVES,
        .battery = {config->battery.low_percent, config->battery.restored_percent},
        .command_answer_us = config->admit.command_answer_s * US_PER_SECOND,
        .observation_interval_us = config->observation.interval_s * US_PER_SECOND,
        .silence = silence_of(config),
        .mains = {.explains = config->mains.explain,
                  .meters_min = (uint32_t)config->mains.meters,
                  .share_percent = (uint32_t)config->mains.percent,
                  .window_us = config->mains.window_h * US_PER_HOUR,
                  .lasts_us = config->mains.hours * US_PER_HOUR},
        .care_call_us = config->silence.care_call_s * US_PER_SECOND,
        .home_radius_m = config->silence.radius_m,
        .outside_us = config->silence.outside_s * US_PER_SECOND,
        .positions_are_gcj02 = config->silence.datum == CONFIG_GCJ02,
    };

    set_schemes(&settings, config);
    set_mappings(&settings, config);
    name_listener(&settings, GATEWAY_BROKER, "mqtt");
    for (int i = 0; i < config->listener_count; i++)
        name_listener(&settings, GATEWAY_BROKER + 1 + i, config->listeners[i].name);
    return settings;
}

struct escalation_settings setup_escalation(const struct config *config, const char *district)
{
    return (struct escalation_settings){
        .conninfo = config->database.conninfo,
        .gateway = config->gateway.name,
        .district = district,
        .timeout_ms = config->database.statement_timeout_ms,
        .tickets_max = DEADLINES_MAX,
    };
}
