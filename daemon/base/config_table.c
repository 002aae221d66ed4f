#include "daemon/base/config_table.h"

#include "daemon/base/attributes.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELOAD true
#define RESTART false
#define IN(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)
#define IN_LISTENER(member)                                                                        \
    offsetof(struct config_listener, member), sizeof(((struct config_listener *)0)->member)
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
     "any watch sia_dc09 ev07b jt808 gt06 h02 eelink cjt188",
     "What the devices speak; any recognises the protocol by the first bytes."},
    {"listen", "transport", CONFIG_CHOICE, RESTART, IN_LISTENER(transport), "tcp", 0, 0,
     "tcp tls udp", "How the devices connect."},
    {"listen", "certificate", CONFIG_PATH, RESTART, IN_LISTENER(certificate), "", 0, 0, NULL,
     "Certificate chain (PEM), for transport = tls."},
    {"listen", "key", CONFIG_PATH, RESTART, IN_LISTENER(key), "", 0, 0, NULL,
     "Private key (PEM), for transport = tls."},
    {"listen", "client_ca", CONFIG_PATH, RESTART, IN_LISTENER(client_ca), "", 0, 0, NULL,
     "Authorities (PEM) one of which must have signed a device's certificate; empty asks for none."},
    {"listen", "idle_timeout_s", CONFIG_INTEGER, RESTART, IN_LISTENER(idle_timeout_s), "1200", 1,
     7 * DAY_S, NULL, "A connection that says nothing for so long is closed."},
    {"listen", "handshake_timeout_s", CONFIG_INTEGER, RESTART, IN_LISTENER(handshake_timeout_s),
     "15", 1, 600, NULL,
     "Longest time that a TLS handshake may take."},
    {"listen", "connections_max", CONFIG_INTEGER, RESTART, IN_LISTENER(connections_max), "20000", 1,
     1000000, NULL, "Most connections of this listener at once; the rest waits in the kernel's queue."},
    {"listen", "accepts_per_second", CONFIG_INTEGER, RESTART, IN_LISTENER(accepts_per_second),
     "500", 1, 100000, NULL,
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

    {"silence", "mode", CONFIG_CHOICE, RELOAD, IN(silence.mode), "learned", 0, 0, "fixed learned",
     "How a silent water meter is judged: by the fixed rule of litres and hours, or by the habits "
     "of the household."},
    {"silence", "litres", CONFIG_INTEGER, RELOAD, IN(silence.litres), "10", 1, 10000, NULL,
     "Fixed rule: less water than this within hours is a silence."},
    {"silence", "hours", CONFIG_INTEGER, RELOAD, IN(silence.hours), "12", 1, 168, NULL,
     "Fixed rule: the time looked back on."},
    {"silence", "rate", CONFIG_REAL, RELOAD, IN(silence.rate), "6.5", 0.1, 100, NULL,
     "Learned rule: false alarms in a year that one household may give from silences shorter than "
     "a day. Fewer means later."},
    {"silence", "leak", CONFIG_YES_NO, RELOAD, IN(silence.leak), "yes", 0, 0, NULL,
     "Learned rule: whether a steady leak is subtracted before water counts as a sign of life."},
    {"silence", "report_interval_s", CONFIG_INTEGER, RELOAD, IN(silence.report_interval_s), "3600",
     1, DAY_S, NULL, "How often a meter reports."},
    {"silence", "grace_s", CONFIG_INTEGER, RELOAD, IN(silence.grace_s), "900", 0, DAY_S, NULL,
     "How late a report may be before its absence counts."},

    {"supervise", "call_box_s", CONFIG_INTEGER, RELOAD, IN(supervise.call_box_s), "90000", 1,
     30 * DAY_S, NULL, "A call box not heard from for so long is lost."},
    {"supervise", "wristband_s", CONFIG_INTEGER, RELOAD, IN(supervise.wristband_s), "1800", 1,
     30 * DAY_S, NULL, "A wristband or other portable device not heard from for so long is lost."},
    {"supervise", "meter_s", CONFIG_INTEGER, RELOAD, IN(supervise.meter_s), "14400", 1,
     30 * DAY_S, NULL,
     "A water meter not heard from for so long is lost; no less than its report interval."},
    {"supervise", "hold_off_s", CONFIG_INTEGER, RELOAD, IN(supervise.hold_off_s), "300", 0, DAY_S,
     NULL, "A device must stay lost, or stay back, for so long before it is said to be."},
    {"supervise", "startup_grace_s", CONFIG_INTEGER, RELOAD, IN(supervise.startup_grace_s), "300",
     0, DAY_S, NULL, "After a start no device is lost before this time has passed."},

    {"http", "address", CONFIG_ADDRESS, RESTART, IN(http.address), "127.0.0.1", 0, 0, NULL,
     "Address for metrics and health. There is no log-in: keep it on loopback."},
    {"http", "port", CONFIG_INTEGER, RESTART, IN(http.port), "9464", 0, 65535, NULL,
     "Port for metrics and health; 0 serves none."},

    {"control", "socket", CONFIG_PATH, RESTART, IN(control.socket), "/run/onekey/control.sock", 1,
     107, NULL, "Socket that onekeyctl talks to. The group of the daemon may use it."},

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
};
/* clang-format on */
const int config_key_count = ARRAY_SIZE(config_keys);

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

/* The place of `value` among blank-separated words, -1 if it is not there. */
static int word_index(const char *words, const char *value)
{
    size_t size = strlen(value);
    for (int index = 0; *words != '\0'; index++) {
        size_t length = strcspn(words, " ");
        if (length == size && memcmp(words, value, size) == 0)
            return index;
        words += length;
        words += strspn(words, " ");
    }
    return -1;
}

static const char *set_integer(const struct config_key *key, void *member, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0')
        return "is not a whole number";
    if (errno != 0 || (double)number < key->min || (double)number > key->max)
        return "is out of range";
    *(int32_t *)member = (int32_t)number;
    return NULL;
}

static const char *set_size(const struct config_key *key, void *member, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value)
        return "is not a number of bytes";
    const char *unit = strchr("KMG", *end);
    double bytes = (double)number;
    if (*end != '\0') {
        if (unit == NULL || end[1] != '\0')
            return "is not a number of bytes";
        bytes = ldexp(bytes, 10 * (int)(unit - "KMG" + 1));
    }
    if (errno != 0 || bytes < key->min || bytes > key->max)
        return "is out of range";
    *(int64_t *)member = (int64_t)bytes;
    return NULL;
}

static const char *set_real(const struct config_key *key, void *member, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0')
        return "is not a number";
    if (!(number >= key->min && number <= key->max))
        return "is out of range";
    *(double *)member = number;
    return NULL;
}

static const char *set_yes_no(void *member, const char *value)
{
    int index = word_index("no yes", value);
    if (index < 0)
        return "is neither yes nor no";
    *(bool *)member = index == 1;
    return NULL;
}

static const char *set_choice(const struct config_key *key, void *member, const char *value)
{
    int index = word_index(key->words, value);
    if (index < 0)
        return "is not known";
    *(int32_t *)member = (int32_t)key->min + index;
    return NULL;
}

/* A password must not stand in the file, neither as keyword or parameter nor as user:password@. */
static bool has_password(const char *conninfo)
{
    for (const char *at = conninfo; (at = strstr(at, "password")) != NULL;) {
        at += strlen("password");
        if (at[strspn(at, " \t")] == '=')
            return true;
    }
    const char *authority = strstr(conninfo, "://");
    if (authority == NULL)
        return false;
    authority += 3;
    const char *host = strchr(authority, '@');
    return host != NULL && memchr(authority, ':', (size_t)(host - authority)) != NULL;
}

static bool is_word(const char *value)
{
    for (; *value != '\0'; value++)
        if (!isalnum((unsigned char)*value) && strchr(".-_", *value) == NULL)
            return false;
    return true;
}

static bool is_address(const char *value)
{
    struct in6_addr any;
    return inet_pton(AF_INET, value, &any) == 1 || inet_pton(AF_INET6, value, &any) == 1;
}

static size_t longest(const struct config_key *key)
{
    size_t limit = key->max > 0 ? (size_t)key->max : key->size - 1;
    return limit < CONFIG_VALUE_MAX ? limit : CONFIG_VALUE_MAX;
}

/* What is wrong with a text of this key, NULL if nothing is. */
static const char *judge_text(const struct config_key *key, const char *value)
{
    size_t size = strlen(value);
    if (size < (size_t)key->min)
        return "is empty";
    if (size > longest(key))
        return "is too long";
    if (key->type == CONFIG_PATH && size > 0 && value[0] != '/')
        return "is not an absolute path";
    if (key->type == CONFIG_WORD && !is_word(value))
        return "has a forbidden character";
    if (key->type == CONFIG_ADDRESS && !is_address(value))
        return "is not an address in numbers";
    if (key->type == CONFIG_CODEC && word_index(key->words, value) < 0)
        return "is not known";
    if (key->type == CONFIG_CONNINFO && has_password(value))
        return "holds a password";
    return NULL;
}

static const char *set_text(const struct config_key *key, char *member, const char *value)
{
    const char *wrong = judge_text(key, value);
    if (wrong == NULL) {
        memset(member, 0, key->size);
        memcpy(member, value, strlen(value));
    }
    return wrong;
}

const char *config_table_set(const struct config_key *key, void *base, const char *value)
{
    void *member = (char *)base + key->offset;
    switch (key->type) {
    case CONFIG_INTEGER:
        return set_integer(key, member, value);
    case CONFIG_SIZE:
        return set_size(key, member, value);
    case CONFIG_REAL:
        return set_real(key, member, value);
    case CONFIG_YES_NO:
        return set_yes_no(member, value);
    case CONFIG_CHOICE:
        return set_choice(key, member, value);
    case CONFIG_TEXT:
    case CONFIG_WORD:
    case CONFIG_PATH:
    case CONFIG_ADDRESS:
    case CONFIG_CONNINFO:
    case CONFIG_CODEC:
        return set_text(key, member, value);
    }
    abort(); /* no such type: the table is broken */
}

static void show_size(int64_t bytes, char out[CONFIG_TEXT_MAX])
{
    static const char units[] = "KMG";
    const char *unit = "";
    int count = 0;
    for (; bytes != 0 && bytes % 1024 == 0 && count < 3; count++, bytes /= 1024)
        unit = units + count;
    snprintf(out, CONFIG_TEXT_MAX, "%" PRId64 "%.1s", bytes, unit);
}

static void show_choice(const char *words, int index, char out[CONFIG_TEXT_MAX])
{
    for (; index > 0; index--) {
        words += strcspn(words, " ");
        words += strspn(words, " ");
    }
    snprintf(out, CONFIG_TEXT_MAX, "%.*s", (int)strcspn(words, " "), words);
}

void config_table_show(const struct config_key *key, const void *base, char out[CONFIG_TEXT_MAX])
{
    const void *member = (const char *)base + key->offset;
    if (key->type == CONFIG_INTEGER)
        snprintf(out, CONFIG_TEXT_MAX, "%" PRId32, *(const int32_t *)member);
    else if (key->type == CONFIG_SIZE)
        show_size(*(const int64_t *)member, out);
    else if (key->type == CONFIG_REAL)
        snprintf(out, CONFIG_TEXT_MAX, "%.10g", *(const double *)member);
    else if (key->type == CONFIG_YES_NO)
        snprintf(out, CONFIG_TEXT_MAX, "%s", *(const bool *)member ? "yes" : "no");
    else if (key->type == CONFIG_CHOICE)
        show_choice(key->words, *(const int32_t *)member - (int)key->min, out);
    else
        snprintf(out, CONFIG_TEXT_MAX, "%s", (const char *)member);
}

static void describe_words(const char *words, char out[CONFIG_TEXT_MAX])
{
    int used = snprintf(out, CONFIG_TEXT_MAX, "one of");
    for (const char *comma = " "; *words != '\0'; comma = ", ") {
        int length = (int)strcspn(words, " ");
        used +=
            snprintf(out + used, CONFIG_TEXT_MAX - (size_t)used, "%s%.*s", comma, length, words);
        words += length;
        words += strspn(words, " ");
    }
}

void config_table_describe(const struct config_key *key, char out[CONFIG_TEXT_MAX])
{
    static const char *const kinds[] = {
        [CONFIG_TEXT] = "text",
        [CONFIG_WORD] = "letters, digits, '.', '-' and '_'",
        [CONFIG_PATH] = "an absolute path",
        [CONFIG_ADDRESS] = "an IPv4 or IPv6 address in numbers",
        [CONFIG_CONNINFO] = "a connection string without password (name a passfile)",
        [CONFIG_YES_NO] = "yes or no",
    };
    char low[CONFIG_TEXT_MAX], high[32];
    if (key->words != NULL) {
        describe_words(key->words, out);
    } else if (key->type == CONFIG_INTEGER || key->type == CONFIG_REAL) {
        snprintf(out, CONFIG_TEXT_MAX, "%.10g to %.10g", key->min, key->max);
    } else if (key->type == CONFIG_SIZE) {
        show_size((int64_t)key->min, low);
        snprintf(high, sizeof(high), "%.0fG", key->max / GIB);
        snprintf(out, CONFIG_TEXT_MAX, "%.31s to %s", low, high);
    } else if (key->type == CONFIG_PATH || key->type == CONFIG_ADDRESS ||
               key->type == CONFIG_YES_NO) {
        snprintf(out, CONFIG_TEXT_MAX, "%s", kinds[key->type]);
    } else {
        snprintf(out, CONFIG_TEXT_MAX, "%s, at most %zu characters", kinds[key->type],
                 longest(key));
    }
}
