/* The settings of one [scheme NAME] and of one [meter-json NAME]; part of settings.h. */
#ifndef ONEKEY_BASE_SETTINGS_SECTIONS_H
#define ONEKEY_BASE_SETTINGS_SECTIONS_H

#include "daemon/base/settings_words.h"

#include <stdint.h>

#define CONFIG_SCHEMES_MAX 16
#define CONFIG_MAPPINGS_MAX 16
#define CONFIG_JSON_SIZE 176 /* of a topic or paths: more than a line of the file holds */

/* How the silence of the homes that name it is judged. */
struct config_scheme {
    char name[CONFIG_NAME_SIZE];
    int32_t mode; /* enum config_silence_mode */
    int32_t litres, hours;
    double rate; /* false alarms a home and year that the learned mode aims at */
    /* Running water, 0 = is not looked for: litres a day; litres an hour without a break. */
    int32_t daily_litres, continuous_hours, continuous_litres, tap_hours, tap_litres;
};

/* How a vendor's messages on the broker are read: struct json_mapping. */
struct config_mapping {
    char name[CONFIG_NAME_SIZE];
    char topic[CONFIG_JSON_SIZE], identity[CONFIG_JSON_SIZE], time[CONFIG_JSON_SIZE],
        message[CONFIG_JSON_SIZE], values[CONFIG_JSON_SIZE];
    int32_t identity_level, alarm_level; /* of the topic, from 0; -1: none */
    int32_t device;                      /* enum device_kind */
    char total[CONFIG_JSON_SIZE], interval[CONFIG_JSON_SIZE], hourly[CONFIG_JSON_SIZE],
        battery[CONFIG_JSON_SIZE], alarm[CONFIG_JSON_SIZE];
    int32_t unit; /* enum config_unit */
    int32_t zone_min;
};

#endif
