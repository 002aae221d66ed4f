/* What settings of a few words may be, and the sizes of the others; members of settings.h, where each says which. */
#ifndef ONEKEY_BASE_SETTINGS_WORDS_H
#define ONEKEY_BASE_SETTINGS_WORDS_H

#define CONFIG_NAME_SIZE 48
#define CONFIG_PATH_SIZE 256

enum config_transport { CONFIG_TCP, CONFIG_TLS, CONFIG_UDP };
/* What of a client's certificate names the device. */
enum config_client_identity { CONFIG_NO_IDENTITY, CONFIG_COMMON_NAME, CONFIG_SERIAL_NUMBER };
enum config_unit { CONFIG_LITRES, CONFIG_CUBIC_METRES };
enum config_mqtt_proof { CONFIG_NO_PROOF, CONFIG_TOPIC_PROVES };
enum config_meter_status { CONFIG_STATUS_STANDARD, CONFIG_STATUS_VENDOR };
enum config_silence_mode { CONFIG_FIXED, CONFIG_LEARNED, CONFIG_FIXED_AND_LEARNED };
enum config_datum { CONFIG_WGS84, CONFIG_GCJ02 };
enum config_include { CONFIG_NOBODY, CONFIG_PERSON };
enum config_security { CONFIG_STARTTLS, CONFIG_SMTPS, CONFIG_PLAIN };
enum config_language { CONFIG_BOTH, CONFIG_CHINESE, CONFIG_ENGLISH };

#endif
