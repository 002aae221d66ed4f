#include "daemon/base/config_table.h"

#include "daemon/base/attributes.h"

#include <string.h>

#define RELOAD true
#define RESTART false
#define IN(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)
#define IN_KIND(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define IN_LISTENER(member) IN_KIND(config_listener, member)
#define IN_WEBHOOK(member) IN_KIND(config_webhook, member)
#define IN_MAIL(member) IN_KIND(config_mail, member)
#define IN_SCHEME(member) IN_KIND(config_scheme, member)
#define IN_MAPPING(member) IN_KIND(config_mapping, member)
#define IN_EXEC(member) IN_KIND(config_exec, member)
#define DAY_S 86400
#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* In the order in which it is printed. */
/* clang-format off */
const struct config_key config_keys[] = {
    {"gateway", "name", CONFIG_WORD, RESTART, IN(gateway.name), "gateway-1", 1, 0, NULL,
     "Name of this gateway, part of the key by which PostgreSQL knows each alarm. Two gateways "
     "never share one, and it never changes while the journal holds alarms."},
    {"gateway", "district", CONFIG_INTEGER, RESTART, IN(gateway.district), "310000", 1, 999999999,
     NULL, "Code of the district (GB/T 2260) whose devices report here."},
    {"gateway", "state_directory", CONFIG_PATH, RESTART, IN(gateway.state_directory),
     "/var/lib/onekey", 1, 0, NULL,
     "Where the daemon keeps what must outlive it: the journal and the cached registry."},
    {"gateway", "devices_max", CONFIG_INTEGER, RESTART, IN(gateway.devices_max), "100000", 16,
     10000000, NULL, "Most devices known at once; their memory is taken at start."},
    {"gateway", "sessions_max", CONFIG_INTEGER, RESTART, IN(gateway.sessions_max), "20000", 16,
     1000000, NULL, "Most connections at once over all listeners; their memory is taken at start."},

    {"listen", "address", CONFIG_ADDRESS, RESTART, IN_LISTENER(address), "::", 0, 0, NULL,
     "Address to listen on; :: is every address, IPv4 included."},
    {"listen", "port", CONFIG_INTEGER, RESTART, IN_LISTENER(port), "", 1, 65535, NULL,
     "Port to listen on. Must be given."},
    {"listen", "protocol", CONFIG_CODEC, RESTART, IN_LISTENER(protocol), "any", 0, 0,
     "any watch sia_dc09 ev07b jt808 gt06 h02 eelink cjt188 ev07_text",
     "What the devices speak; any recognises the protocol by the first bytes."},
    {"listen", "transport", CONFIG_CHOICE, RESTART, IN_LISTENER(transport), "tcp", 0, 0,
     "tcp tls udp", "How the devices connect."},
    {"listen", "certificate", CONFIG_PATH, RESTART, IN_LISTENER(certificate), "", 0, 0, NULL,
     "Certificate chain (PEM), for transport = tls."},
    {"listen", "key", CONFIG_PATH, RESTART, IN_LISTENER(key), "", 0, 0, NULL,
     "Private key (PEM), for transport = tls."},
    {"listen", "client_ca", CONFIG_PATH, RESTART, IN_LISTENER(client_ca), "", 0, 0, NULL,
     "Authorities (PEM) one of which must have signed a device's certificate; empty asks for none."},
    {"listen", "client_identity", CONFIG_CHOICE, RESTART, IN_LISTENER(client_identity), "none", 0,
     0, "none common_name serial_number",
     "What of a device's certificate is its identity, written as it is imported: what its frames "
     "claim is believed only if it is the same. none where one connection speaks for many devices."},
    {"listen", "meter_status", CONFIG_CHOICE, RESTART, IN_LISTENER(meter_status), "standard", 0, 0,
     "standard vendor",
     "CJ/T 188: how the status of a meter is to be read, by the standard or by the masks C0 (valve) "
     "and 20 (battery) of some makers."},
    {"listen", "idle_timeout_s", CONFIG_INTEGER, RESTART, IN_LISTENER(idle_timeout_s), "1200", 1,
     7 * DAY_S, NULL, "A connection that says nothing for so long is closed."},
    {"listen", "handshake_timeout_s", CONFIG_INTEGER, RESTART, IN_LISTENER(handshake_timeout_s),
     "15", 1, 600, NULL,
     "Longest time that a TLS handshake may take."},
    {"listen", "connections_max", CONFIG_INTEGER, RESTART, IN_LISTENER(connections_max), "20000", 1,
     1000000, NULL, "Most connections of this listener at once; the rest waits in the kernel's queue."},
    {"listen", "accepts_per_second", CONFIG_INTEGER, RESTART, IN_LISTENER(accepts_per_second),
     "2500", 1, 100000, NULL,
     "Most connections taken in a second; the rest waits in the kernel's queue."},

    {"mqtt", "enabled", CONFIG_YES_NO, RESTART, IN(mqtt.enabled), "no", 0, 0, NULL,
     "Whether to take messages from an MQTT broker. The topics are those of the protocols."},
    {"mqtt", "host", CONFIG_TEXT, RESTART, IN(mqtt.host), "localhost", 1, 0, NULL,
     "Host name or address of the broker."},
    {"mqtt", "port", CONFIG_INTEGER, RESTART, IN(mqtt.port), "1883", 1, 65535, NULL,
     "Port of the broker; usually 8883 with TLS."},
    {"mqtt", "username", CONFIG_TEXT, RESTART, IN(mqtt.username), "", 0, 0, NULL,
     "Name to log in with; empty logs in without."},
    {"mqtt", "password_file", CONFIG_PATH, RESTART, IN(mqtt.password_file), "", 0, 0, NULL,
     "File whose first line is the password."},
    {"mqtt", "ca_file", CONFIG_PATH, RESTART, IN(mqtt.ca_file), "", 0, 0, NULL,
     "Authorities (PEM) that sign the broker's certificate; empty connects without TLS."},
    {"mqtt", "client_id", CONFIG_WORD, RESTART, IN(mqtt.client_id), "", 0, 0, NULL,
     "Name of the persistent session at the broker; empty is the name of the gateway."},
    {"mqtt", "keepalive_s", CONFIG_INTEGER, RESTART, IN(mqtt.keepalive_s), "30", 5, 3600, NULL,
     "Seconds between signs of life to the broker."},
    {"mqtt", "receive_maximum", CONFIG_INTEGER, RESTART, IN(mqtt.receive_maximum), "1000", 1,
     65535, NULL, "Most messages the broker sends ahead of our acknowledgements."},
    {"mqtt", "reconnect_max_s", CONFIG_INTEGER, RESTART, IN(mqtt.reconnect_max_s), "30", 1, 3600,
     NULL, "Longest pause between two attempts to reach the broker."},
    {"mqtt", "proof", CONFIG_CHOICE, RELOAD, IN(mqtt.proof), "none", 0, 0, "none topic",
     "Whether the topic proves who publishes: only where the broker lets each device publish below "
     "onekey/v1/KIND/IDENTITY of its own, as an ACL does. Devices with a secret are believed then."},
    {"mqtt", "meter_status", CONFIG_CHOICE, RELOAD, IN(mqtt.meter_status), "standard", 0, 0,
     "standard vendor", "As of [listen NAME], for CJ/T 188 frames that come by the broker."},

    {"meter-json", "topic", CONFIG_TEXT, RESTART, IN_MAPPING(topic), "", 0, 0, NULL,
     "Topic at the broker of [mqtt] that messages in JSON come on, + for any one level. Must be given."},
    {"meter-json", "identity_level", CONFIG_INTEGER, RELOAD, IN_MAPPING(identity_level), "-1", -1, 31,
     NULL, "Level of the topic, from 0, that is the identity of the device; -1 for none."},
    {"meter-json", "identity", CONFIG_TEXT, RELOAD, IN_MAPPING(identity), "", 0, 0, NULL,
     "Path of the identity: keys separated by dots, alternatives by |. It goes before the topic, and "
     "is looked for in each object on the way to the values, the innermost counting."},
    {"meter-json", "time", CONFIG_TEXT, RELOAD, IN_MAPPING(time), "", 0, 0, NULL,
     "Path of the time, likewise: RFC 3339, a date and time without an offset, or seconds or "
     "milliseconds since 1970. Empty is the time of arrival."},
    {"meter-json", "zone_min", CONFIG_INTEGER, RELOAD, IN_MAPPING(zone_min), "480", -840, 840, NULL,
     "Minutes east of UTC of a time without an offset."},
    {"meter-json", "message", CONFIG_TEXT, RELOAD, IN_MAPPING(message), "", 0, 0, NULL,
     "Path of what names the message, so that an alarm sent twice rings once."},
    {"meter-json", "values", CONFIG_TEXT, RELOAD, IN_MAPPING(values), "", 0, 0, NULL,
     "Way to the objects of values, steps separated by dots: a key, key? that may be missing, [] "
     "each element of an array, * each member of an object, named by its device. Empty is the root."},
    {"meter-json", "device", CONFIG_CHOICE, RELOAD, IN_MAPPING(device), "meter", 0, 0,
     "unknown call_box wristband meter", "What kind of device speaks so."},
    {"meter-json", "unit", CONFIG_CHOICE, RELOAD, IN_MAPPING(unit), "litres", 0, 0,
     "litres cubic_metres", "Unit of total, interval and hourly."},
    {"meter-json", "total", CONFIG_TEXT, RELOAD, IN_MAPPING(total), "", 0, 0, NULL,
     "Path, within the values, of the cumulative volume. Here and below, the names that are known "
     "anyway need not be given."},
    {"meter-json", "interval", CONFIG_TEXT, RELOAD, IN_MAPPING(interval), "", 0, 0, NULL,
     "Path of the volume since the report before."},
    {"meter-json", "hourly", CONFIG_TEXT, RELOAD, IN_MAPPING(hourly), "", 0, 0, NULL,
     "Path of a list of the volumes of the last hours, the newest last and ending at the time of the "
     "report."},
    {"meter-json", "battery", CONFIG_TEXT, RELOAD, IN_MAPPING(battery), "", 0, 0, NULL,
     "Path of the battery's percentage."},
    {"meter-json", "alarm", CONFIG_TEXT, RELOAD, IN_MAPPING(alarm), "", 0, 0, NULL,
     "Path of an alarm: a word as of the native topics. 0, false, none and normal are no alarm; a "
     "word that is not known is a call for help."},
    {"meter-json", "alarm_level", CONFIG_INTEGER, RELOAD, IN_MAPPING(alarm_level), "-1", -1, 31,
     NULL, "Level of the topic, from 0, whose word, if it is known, is an alarm; -1 for none."},

    {"journal", "directory", CONFIG_PATH, RESTART, IN(journal.directory), "", 0, 0, NULL,
     "Where alarms are made durable before they are acknowledged; empty is journal in the state "
     "directory."},
    {"journal", "segment_bytes", CONFIG_SIZE, RESTART, IN(journal.segment_bytes), "16M", 64 * KIB,
     GIB, NULL, "Size of one journal file."},
    {"journal", "total_bytes", CONFIG_SIZE, RESTART, IN(journal.total_bytes), "1G", 128 * KIB,
     1024 * GIB, NULL,
     "Most the journal may take on the disk while PostgreSQL is away; at least two segments."},

    {"database", "conninfo", CONFIG_CONNINFO, RESTART, IN(database.conninfo), "dbname=onekey", 1,
     0, NULL,
     "Connection string of libpq. The password stands in the file that passfile= names, a longer "
     "string in the file of services that service= refers to."},
    {"database", "batch_records", CONFIG_INTEGER, RESTART, IN(database.batch_records), "256", 64,
     512, NULL, "Most alarms in one transaction."},
    {"database", "in_flight", CONFIG_INTEGER, RESTART, IN(database.in_flight), "2", 1, 2, NULL,
     "Most batches sent ahead of their commits."},
    {"database", "statement_timeout_ms", CONFIG_INTEGER, RESTART, IN(database.statement_timeout_ms),
     "10000", 100, 600000, NULL, "A server that takes longer to answer is left and tried again."},

    {"silence", "mode", CONFIG_CHOICE, RELOAD, IN(silence.scheme.mode), "learned", 0, 0,
     "fixed learned both",
     "How a silent water meter is judged: by the fixed rule of litres and hours, by the habits of "
     "the household, or by whichever fires first. A silence of a day is always raised."},
    {"silence", "litres", CONFIG_INTEGER, RELOAD, IN(silence.scheme.litres), "10", 1, 655, NULL,
     "Fixed rule: less water than this within hours is a silence."},
    {"silence", "hours", CONFIG_INTEGER, RELOAD, IN(silence.scheme.hours), "12", 1, 168, NULL,
     "Fixed rule: the time looked back on."},
    {"silence", "rate", CONFIG_REAL, RELOAD, IN(silence.scheme.rate), "6.5", 0.1, 100, NULL,
     "Learned rule: false alarms in a year that one household may give from silences shorter than "
     "a day. Fewer means later."},
    {"silence", "leak", CONFIG_YES_NO, RELOAD, IN(silence.leak), "yes", 0, 0, NULL,
     "Learned rule: whether a steady leak is subtracted before water counts as a sign of life."},
    {"silence", "daily_litres", CONFIG_INTEGER, RELOAD, IN(silence.scheme.daily_litres), "0", 0, 100000, NULL,
     "Daily limit: more water than this since midnight is raised as running water; 2000 is usual, 0 for "
     "never. This and the next ones stand beside the mode; a ticket names all that fired."},
    {"silence", "continuous_hours", CONFIG_INTEGER, RELOAD, IN(silence.scheme.continuous_hours), "0", 0, 168,
     NULL, "Continuous use: water that has run for so long without a break, as all reports of that time "
     "tell, is raised; 24 is usual, 0 for never. Reports more than 3 hours apart tell nothing of it."},
    {"silence", "continuous_litres", CONFIG_INTEGER, RELOAD, IN(silence.scheme.continuous_litres), "1", 1, 1000,
     NULL, "Continuous use: litres an hour that count as running."},
    {"silence", "tap_hours", CONFIG_INTEGER, RELOAD, IN(silence.scheme.tap_hours), "0", 0, 168, NULL,
     "Running tap: the same for a flow that nobody leaves on; 4 is usual, 0 for never."},
    {"silence", "tap_litres", CONFIG_INTEGER, RELOAD, IN(silence.scheme.tap_litres), "60", 1, 2500, NULL,
     "Running tap: litres an hour that count as one."},
    {"silence", "report_interval_s", CONFIG_INTEGER, RELOAD, IN(silence.report_interval_s), "3600",
     1, DAY_S, NULL, "How often a meter reports."},
    {"silence", "grace_s", CONFIG_INTEGER, RELOAD, IN(silence.grace_s), "900", 0, DAY_S, NULL,
     "How late a report may be before its absence counts."},
    {"silence", "care_call_s", CONFIG_INTEGER, RELOAD, IN(silence.care_call_s), "43200", 0,
     7 * DAY_S, NULL,
     "When an absence has ended and nobody of the household has shown a sign of life for so long, "
     "someone is to call; 0 for never."},
    {"silence", "radius_m", CONFIG_INTEGER, RELOAD, IN(silence.radius_m), "1000", 0, 100000, NULL,
     "A wristband farther from its home than this explains the silence of its meters; 0 for never."},
    {"silence", "outside_s", CONFIG_INTEGER, RELOAD, IN(silence.outside_s), "21600", 60, DAY_S,
     NULL, "So long after it said so a wristband is believed to be there."},
    {"silence", "datum", CONFIG_CHOICE, RELOAD, IN(silence.datum), "wgs84", 0, 0, "wgs84 gcj02",
     "Datum of the positions that wristbands send. Those of homes are WGS-84."},

    {"mains", "explain", CONFIG_YES_NO, RELOAD, IN(mains.explain), "yes", 0, 0, NULL,
     "Whether the silence of meters is explained while the water of their whole area is cut off."},
    {"mains", "meters", CONFIG_INTEGER, RELOAD, IN(mains.meters), "10", 3, 100000, NULL,
     "An area in which fewer meters report is never taken to be cut off."},
    {"mains", "percent", CONFIG_INTEGER, RELOAD, IN(mains.percent), "80", 50, 100, NULL,
     "It is cut off if so many of them are silent, and by their habits that is next to impossible."},
    {"mains", "window_h", CONFIG_INTEGER, RELOAD, IN(mains.window_h), "3", 1, 12, NULL,
     "Silent is a meter without a use for so long. It must report twice in that time."},
    {"mains", "hours", CONFIG_INTEGER, RELOAD, IN(mains.hours), "24", 1, 24, NULL,
     "So long an outage explains silence, more than window_h; after it, nothing does until water has run "
     "again."},

    {"scheme", "mode", CONFIG_CHOICE, RELOAD, IN_SCHEME(mode), "learned", 0, 0,
     "fixed learned both", "As [silence] mode, for the households that name this scheme."},
    {"scheme", "litres", CONFIG_INTEGER, RELOAD, IN_SCHEME(litres), "10", 1, 655, NULL,
     "As [silence] litres."},
    {"scheme", "hours", CONFIG_INTEGER, RELOAD, IN_SCHEME(hours), "12", 1, 168, NULL,
     "As [silence] hours."},
    {"scheme", "rate", CONFIG_REAL, RELOAD, IN_SCHEME(rate), "6.5", 0.1, 100, NULL,
     "As [silence] rate."},
    {"scheme", "daily_litres", CONFIG_INTEGER, RELOAD, IN_SCHEME(daily_litres), "0", 0, 100000, NULL,
     "As [silence] daily_litres."},
    {"scheme", "continuous_hours", CONFIG_INTEGER, RELOAD, IN_SCHEME(continuous_hours), "0", 0, 168,
     NULL, "As [silence] continuous_hours."},
    {"scheme", "continuous_litres", CONFIG_INTEGER, RELOAD, IN_SCHEME(continuous_litres), "1", 1, 1000,
     NULL, "As [silence] continuous_litres."},
    {"scheme", "tap_hours", CONFIG_INTEGER, RELOAD, IN_SCHEME(tap_hours), "0", 0, 168, NULL,
     "As [silence] tap_hours."},
    {"scheme", "tap_litres", CONFIG_INTEGER, RELOAD, IN_SCHEME(tap_litres), "60", 1, 2500, NULL,
     "As [silence] tap_litres."},

    {"supervise", "call_box_s", CONFIG_INTEGER, RELOAD, IN(supervise.call_box_s), "90000", 1,
     30 * DAY_S, NULL, "The loss of a call box is known within so long. Levels in use are 25 h (90000), 5 h (18000), "
     "180 s and 90 s; a device may have its own."},
    {"supervise", "wristband_s", CONFIG_INTEGER, RELOAD, IN(supervise.wristband_s), "1800", 1,
     30 * DAY_S, NULL, "The same for a wristband or other portable device."},
    {"supervise", "meter_s", CONFIG_INTEGER, RELOAD, IN(supervise.meter_s), "14400", 1,
     30 * DAY_S, NULL,
     "The same for a water meter; no less than its report interval."},
    {"supervise", "hold_off_s", CONFIG_INTEGER, RELOAD, IN(supervise.hold_off_s), "300", 0, DAY_S,
     NULL, "The last part of these times, half of them at most: until it ends a device is missing and not "
     "lost yet, and what goes missing with it is waited for, to be told as one outage."},
    {"supervise", "startup_grace_s", CONFIG_INTEGER, RELOAD, IN(supervise.startup_grace_s), "300",
     0, DAY_S, NULL, "After a start no device goes missing before this time has passed."},
    {"supervise", "early_s", CONFIG_INTEGER, RELOAD, IN(supervise.early_s), "3600", 0, 30 * DAY_S,
     NULL,
     "A device that has missed four of its reports is lost before the time above, but not before "
     "this; 0 always waits. One that reports too seldom for the time above has four reports to miss."},
    {"supervise", "interval_min_s", CONFIG_INTEGER, RELOAD, IN(supervise.interval_min_s), "1", 1,
     DAY_S, NULL, "A report interval that is learned is taken to be no shorter."},
    {"supervise", "interval_max_s", CONFIG_INTEGER, RELOAD, IN(supervise.interval_max_s), "86400",
     1, 30 * DAY_S, NULL,
     "Nor longer. A device that reports less often needs its interval in the registry."},

    {"outage", "devices", CONFIG_INTEGER, RELOAD, IN(supervise.outage_devices), "20", 2, 1000000, NULL,
     "So many devices lost at about the same time are one outage, if an area, a carrier, a "
     "listener or a protocol explains them."},
    {"outage", "share_percent", CONFIG_INTEGER, RELOAD, IN(supervise.outage_percent), "30", 1, 100,
     NULL, "It explains them if so much of all its devices is lost."},
    {"outage", "window_s", CONFIG_INTEGER, RELOAD, IN(supervise.outage_window_s), "3600", 1, DAY_S, NULL,
     "Devices lost within this time of each other belong together, besides those of one hold-off. "
     "An outage of which nobody came back for so long ends when nine in ten are back."},
    {"outage", "alarm_open_s", CONFIG_INTEGER, RELOAD, IN(supervise.alarm_s), "86400", 1,
     30 * DAY_S, NULL,
     "A home that called for help so lately is told by itself, never within an outage."},

    {"http", "address", CONFIG_ADDRESS, RESTART, IN(http.address), "127.0.0.1", 0, 0, NULL,
     "Address for metrics and health. There is no log-in: keep it on loopback."},
    {"http", "port", CONFIG_INTEGER, RESTART, IN(http.port), "9464", 0, 65535, NULL,
     "Port for metrics and health; 0 serves none."},

    {"control", "socket", CONFIG_PATH, RESTART, IN(control.socket), "/run/onekey/control.sock", 1,
     107, NULL, "Socket that onekeyctl talks to. The group of the daemon may use it."},

    {"console", "address", CONFIG_ADDRESS, RESTART, IN(console.address), "127.0.0.1", 0, 0, NULL,
     "Address on which onekey-console serves browsers; :: is every address."},
    {"console", "port", CONFIG_INTEGER, RESTART, IN(console.port), "8443", 1, 65535, NULL,
     "Port on which it serves them."},
    {"console", "certificate", CONFIG_PATH, RESTART, IN(console.certificate), "", 0, 0, NULL,
     "Certificate chain (PEM). Empty serves without TLS: only behind a proxy, or on loopback."},
    {"console", "key", CONFIG_PATH, RESTART, IN(console.key), "", 0, 0, NULL,
     "Private key (PEM) of the certificate."},
    {"console", "hosts", CONFIG_TEXT, RESTART, IN(console.hosts), "", 0, 0, NULL,
     "Names by which browsers may call it, separated by blanks. Addresses in numbers and "
     "localhost always may."},
    {"console", "proxies", CONFIG_TEXT, RESTART, IN(console.proxies), "", 0, 0, NULL,
     "Addresses of proxies, separated by blanks, whose X-Forwarded-For and X-Forwarded-Proto are "
     "believed."},
    {"console", "conninfo", CONFIG_CONNINFO, RESTART, IN(console.conninfo), "", 0, 0, NULL,
     "Connection string of libpq for onekey-console, whose role should have no more rights than "
     "onekey_console; empty is that of [database]."},
    {"console", "pages", CONFIG_PATH, RESTART, IN(console.pages), "/usr/share/onekey/console", 1, 0,
     NULL, "Folder of the web page's files. They are read at start."},
    {"console", "connections_max", CONFIG_INTEGER, RESTART, IN(console.connections_max), "4096", 16,
     100000, NULL,
     "Most connections of browsers at once. One more takes the place of that which has been "
     "waiting longest without a request."},
    {"console", "session_idle_s", CONFIG_INTEGER, RESTART, IN(console.session_idle_s), "3600", 60,
     7 * DAY_S, NULL,
     "A session that asks for nothing for so long ends; not that of a person on duty whose "
     "console is connected."},
    {"console", "session_s", CONFIG_INTEGER, RESTART, IN(console.session_s), "50400", 60,
     30 * DAY_S, NULL, "A session ends after so long whatever it does."},

    {"log", "level", CONFIG_CHOICE, RELOAD, IN(log.level), "info", 2, 0,
     "critical error warning notice info debug", "The least that is logged."},

    {"dc09", "time_window_before_s", CONFIG_INTEGER, RELOAD, IN(dc09.time_window_before_s), "40",
     0, DAY_S, NULL,
     "An encrypted SIA DC-09 message may be stamped so much earlier than now. An alarm outside the "
     "window is taken and flagged."},
    {"dc09", "time_window_after_s", CONFIG_INTEGER, RELOAD, IN(dc09.time_window_after_s), "20", 0,
     DAY_S, NULL, "The same, later than now."},

    {"admit", "clock_wrong_s", CONFIG_INTEGER, RELOAD, IN(admit.clock_wrong_s), "86400", 1,
     3650 * DAY_S, NULL,
     "A device whose time differs more than this from ours has a wrong clock: the alarm is "
     "flagged and counts from its arrival."},

    {"battery", "low_percent", CONFIG_INTEGER, RELOAD, IN(battery.low_percent), "15", 0, 99, NULL,
     "A device of a home whose battery falls to this raises a ticket, also where it only tells a "
     "percentage; 0 leaves it to the devices."},
    {"battery", "restored_percent", CONFIG_INTEGER, RELOAD, IN(battery.restored_percent), "30", 1,
     100, NULL, "The ticket closes by itself when the battery is back at this; above low_percent."},

    {"observation", "interval_s", CONFIG_INTEGER, RELOAD, IN(observation.interval_s), "60", 0,
     DAY_S, NULL,
     "Of one device's positions, vitals and condition, each, the history keeps one in so long; 0 "
     "keeps no history. How long rows are kept says the table onekey.partition_policy."},
    {"observation", "waiting_max", CONFIG_INTEGER, RESTART, IN(observation.waiting_max), "65536",
     100, 10000000, NULL,
     "Most rows of the history that wait in memory while PostgreSQL is away; then the oldest are "
     "given up and counted. Each takes about 100 bytes."},

    {"command", "answer_s", CONFIG_INTEGER, RESTART, IN(admit.command_answer_s), "30", 1, 600, NULL,
     "How long a device has to answer a command. Without an answer it is sent once more, when the "
     "device is next heard of. All gateways of a district need the same."},

    {"notice", "mqtt", CONFIG_YES_NO, RESTART, IN(notice.mqtt), "no", 0, 0, NULL,
     "Whether notices are published at the broker of [mqtt], as the target broker of transport "
     "mqtt."},
    {"notice", "mqtt_include", CONFIG_CHOICE, RESTART, IN(notice.mqtt_include), "nobody", 0, 0,
     "nobody person", "What they say of persons; as [webhook NAME] include."},
    {"notice", "first_retry_s", CONFIG_INTEGER, RELOAD, IN(notice.first_retry_s), "5", 1, 3600,
     NULL,
     "Pause after the first attempt that fails. It doubles each time, shortened at random by up to "
     "a half."},
    {"notice", "longest_retry_s", CONFIG_INTEGER, RELOAD, IN(notice.longest_retry_s), "1800", 1,
     DAY_S, NULL, "The pause does not grow beyond this."},
    {"notice", "give_up_s", CONFIG_INTEGER, RELOAD, IN(notice.give_up_s), "86400", 1, 30 * DAY_S,
     NULL, "A notice that cannot be delivered for so long is given up."},
    {"notice", "ticket_after_s", CONFIG_INTEGER, RELOAD, IN(notice.ticket_after_s), "900", 1,
     30 * DAY_S, NULL,
     "A target that takes no notice for so long becomes a ticket, which closes by itself when it "
     "takes one again."},

    {"webhook", "url", CONFIG_TEXT, RESTART, IN_WEBHOOK(url), "", 0, 0, NULL,
     "Where notices are posted to, by the rules of Standard Webhooks. Must be given. https, or "
     "http to a loopback address."},
    {"webhook", "secret_file", CONFIG_PATH, RESTART, IN_WEBHOOK(secret_file), "", 0, 0, NULL,
     "File whose first line is the secret of the signature: whsec_ and base64 of 24 to 64 bytes. "
     "Must be given."},
    {"webhook", "ca_file", CONFIG_PATH, RESTART, IN_WEBHOOK(ca_file), "", 0, 0, NULL,
     "Authorities (PEM) that sign the receiver's certificate; empty takes those of the system."},
    {"webhook", "allow_http", CONFIG_YES_NO, RESTART, IN_WEBHOOK(allow_http), "no", 0, 0, NULL,
     "Whether the url may be http to another host: everybody on the way can read it."},
    {"webhook", "include", CONFIG_CHOICE, RESTART, IN_WEBHOOK(include), "nobody", 0, 0,
     "nobody person",
     "What it is told of persons: nothing, or name, address and phone numbers, as whoever is to "
     "help needs them."},
    {"webhook", "timeout_s", CONFIG_INTEGER, RESTART, IN_WEBHOOK(timeout_s), "15", 1, 120, NULL,
     "Longest time that one attempt may take."},
    {"webhook", "at_once", CONFIG_INTEGER, RESTART, IN_WEBHOOK(at_once), "4", 1,
     CONFIG_AT_ONCE_MAX, NULL, "Most notices on the way to it at once."},

    {"mail", "server", CONFIG_TEXT, RESTART, IN_MAIL(server), "", 0, 0, NULL,
     "Host name or address of the mail server. Must be given."},
    {"mail", "port", CONFIG_INTEGER, RESTART, IN_MAIL(port), "587", 1, 65535, NULL,
     "Its port: usually 587 with starttls, 465 with tls."},
    {"mail", "security", CONFIG_CHOICE, RESTART, IN_MAIL(security), "starttls", 0, 0,
     "starttls tls none",
     "How the connection is secured; none is for a server on a loopback address."},
    {"mail", "ca_file", CONFIG_PATH, RESTART, IN_MAIL(ca_file), "", 0, 0, NULL,
     "Authorities (PEM) that sign the server's certificate; empty takes those of the system."},
    {"mail", "username", CONFIG_TEXT, RESTART, IN_MAIL(username), "", 0, 0, NULL,
     "Name to log in with; empty logs in without."},
    {"mail", "password_file", CONFIG_PATH, RESTART, IN_MAIL(password_file), "", 0, 0, NULL,
     "File whose first line is the password."},
    {"mail", "from", CONFIG_TEXT, RESTART, IN_MAIL(from), "", 0, 0, NULL,
     "Address that sends. Must be given."},
    {"mail", "to", CONFIG_TEXT, RESTART, IN_MAIL(to), "", 0, 0, NULL,
     "Addresses that receive, separated by blanks. Must be given."},
    {"mail", "language", CONFIG_CHOICE, RESTART, IN_MAIL(language), "both", 0, 0, "both zh en",
     "Language of subject and text."},
    {"mail", "include", CONFIG_CHOICE, RESTART, IN_MAIL(include), "nobody", 0, 0, "nobody person",
     "What it is told of persons; as [webhook NAME] include."},
    {"mail", "timeout_s", CONFIG_INTEGER, RESTART, IN_MAIL(timeout_s), "30", 1, 300, NULL,
     "Longest time that one attempt may take."},

    {"exec", "program", CONFIG_PATH, RESTART, IN_EXEC(program), "", 0, 0, NULL,
     "Program that sends a notice, such as a gateway for text messages; no shell, no arguments. "
     "It reads the notice as JSON and exits with 0 (sent), 75 (again later) or another status "
     "(given up). Must be given."},
    {"exec", "include", CONFIG_CHOICE, RESTART, IN_EXEC(include), "nobody", 0, 0, "nobody person",
     "What it is told of persons; as [webhook NAME] include."},
    {"exec", "timeout_s", CONFIG_INTEGER, RESTART, IN_EXEC(timeout_s), "30", 1, 600, NULL,
     "A program that runs for longer is killed, and run again later."},
    {"exec", "at_once", CONFIG_INTEGER, RESTART, IN_EXEC(at_once), "2", 1, CONFIG_AT_ONCE_MAX,
     NULL, "Most processes of it at once."},
};
/* clang-format on */
const int config_key_count = ARRAY_SIZE(config_keys);

#define KIND(word, list, type, number)                                                             \
    {                                                                                              \
        word, offsetof(struct config, list), offsetof(struct config, number), sizeof(struct type), \
            ARRAY_SIZE(((struct config *)0)->list)                                                 \
    }
const struct config_kind config_kinds[] = {
    KIND("listen", listeners, config_listener, listener_count),
    KIND("webhook", webhooks, config_webhook, webhook_count),
    KIND("mail", mails, config_mail, mail_count),
    KIND("exec", execs, config_exec, exec_count),
    KIND("meter-json", mappings, config_mapping, mapping_count),
    KIND("scheme", schemes, config_scheme, scheme_count),
};
const int config_kind_count = ARRAY_SIZE(config_kinds);

const struct config_key *config_table_find(const char *section, const char *key)
{
    for (int i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].key, key) == 0)
            return &config_keys[i];
    return NULL;
}

bool config_table_has_section(const char *section)
{
    for (int i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            return true;
    return false;
}

const struct config_kind *config_table_kind(const char *section)
{
    for (int i = 0; i < config_kind_count; i++)
        if (strcmp(config_kinds[i].section, section) == 0)
            return &config_kinds[i];
    return NULL;
}

int config_table_count(const struct config_kind *kind, const struct config *config)
{
    return *(const int32_t *)((const char *)config + kind->count);
}

void *config_table_item(const struct config_kind *kind, const struct config *config, int index)
{
    return (char *)config + kind->items + kind->size * (size_t)index;
}
