#include "daemon/base/config_check.h"

#include "daemon/base/attributes.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check {
    const struct config *config;
    void *context;
    void (*on_wrong)(void *context, const struct config_kind *kind, int index, const char *text);
    const char *section; /* of the kind being checked, and which of it */
    int index;
};

static void complain(const struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);
static void complain(const struct check *check, const char *format, ...)
{
    char text[2 * CONFIG_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->on_wrong(check->context,
                    check->section == NULL ? NULL : config_table_kind(check->section), check->index,
                    text);
}

static void must_be_given(const struct check *check, const char *name, const char *key,
                          const char *value)
{
    if (value[0] == '\0')
        complain(check, "[%s %s] has no %s; give one", check->section, name, key);
}

static void check_listener(const struct check *check, const struct config_listener *listener)
{
    bool has_files = listener->certificate[0] != '\0' || listener->key[0] != '\0' ||
                     listener->client_ca[0] != '\0';
    if (listener->port == 0)
        complain(check, "[listen %s] has no port; give port = 1 to 65535", listener->name);
    if (listener->transport == CONFIG_TLS &&
        (listener->certificate[0] == '\0' || listener->key[0] == '\0'))
        complain(check, "[listen %s] transport = tls; give certificate and key", listener->name);
    if (listener->transport != CONFIG_TLS && has_files)
        complain(check,
                 "[listen %s] has a certificate, key or client_ca that would not be used; "
                 "give transport = tls",
                 listener->name);
    if (listener->client_identity != CONFIG_NO_IDENTITY && listener->client_ca[0] == '\0')
        complain(check,
                 "[listen %s] client_identity asks for certificates that no authority vouches for; "
                 "give client_ca",
                 listener->name);
    for (int i = 0; i < check->index; i++) {
        const struct config_listener *other = &check->config->listeners[i];
        bool both_udp = (other->transport == CONFIG_UDP) == (listener->transport == CONFIG_UDP);
        if (both_udp && listener->port != 0 && other->port == listener->port &&
            strcmp(other->address, listener->address) == 0)
            complain(check, "[listen %s] port = %d is that of [listen %s] too; give another",
                     listener->name, listener->port, other->name);
    }
}

/* Whether a host, ended by NUL or one of `ends`, is this machine. */
static bool is_loopback(const char *host, const char *ends)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]", "::1"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t size = strlen(names[i]);
        if (strncmp(host, names[i], size) == 0 &&
            (host[size] == '\0' || strchr(ends, host[size]) != NULL))
            return true;
    }
    return false;
}

static bool is_graphic(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isascii((unsigned char)*text) || !isgraph((unsigned char)*text))
            return false;
    return true;
}

static void check_url(const struct check *check, const struct config_webhook *webhook)
{
    static const char plain[] = "http://", secure[] = "https://";
    bool is_plain = strncmp(webhook->url, plain, strlen(plain)) == 0;
    const char *host = webhook->url + (is_plain ? strlen(plain) : strlen(secure));
    if (webhook->url[0] == '\0')
        return;
    if ((!is_plain && strncmp(webhook->url, secure, strlen(secure)) != 0) ||
        !is_graphic(webhook->url))
        complain(check, "[webhook %s] url is no https address; give https://HOST/PATH",
                 webhook->name);
    else if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
        complain(check, "[webhook %s] url holds a name or password; the signature is what counts",
                 webhook->name);
    else if (is_plain && !webhook->allow_http && !is_loopback(host, ":/?"))
        complain(check, "[webhook %s] url is not https; give https, or allow_http = yes",
                 webhook->name);
}

static void check_webhook(const struct check *check, const struct config_webhook *webhook)
{
    must_be_given(check, webhook->name, "url", webhook->url);
    must_be_given(check, webhook->name, "secret_file", webhook->secret_file);
    check_url(check, webhook);
}

/* local@host of letters, digits and the few marks that need no quoting: nothing that could end a
 * line, a command or a list. */
static bool is_mail_address(const char *text, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t local = 0, host;
    while (local < size && (strchr(letters, text[local]) != NULL || strchr("._%+-", text[local])))
        local++;
    if (local == 0 || local >= size || text[local] != '@')
        return false;
    for (host = local + 1; host < size; host++)
        if (strchr(letters, text[host]) == NULL && strchr(".-", text[host]) == NULL)
            return false;
    return size > local + 1;
}

static void check_addresses(const struct check *check, const struct config_mail *mail,
                            const char *key, const char *list)
{
    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if (!is_mail_address(at, size))
            complain(check, "[mail %s] %s: '%.*s' is no mail address; give name@host", mail->name,
                     key, (int)size, at);
        at += size;
    }
}

static void check_mail(const struct check *check, const struct config_mail *mail)
{
    must_be_given(check, mail->name, "server", mail->server);
    must_be_given(check, mail->name, "from", mail->from);
    must_be_given(check, mail->name, "to", mail->to);
    check_addresses(check, mail, "from", mail->from);
    check_addresses(check, mail, "to", mail->to);
    if (strchr(mail->from, ' ') != NULL)
        complain(check, "[mail %s] from is more than one address; give one", mail->name);
    if (mail->server[strcspn(mail->server, "/@?# ")] != '\0')
        complain(check, "[mail %s] server is no host name; give a name or an address", mail->name);
    else if (mail->security == CONFIG_PLAIN && !is_loopback(mail->server, ""))
        complain(check, "[mail %s] security = none is for a loopback address; give starttls or tls",
                 mail->name);
    if ((mail->username[0] == '\0') != (mail->password_file[0] == '\0'))
        complain(check, "[mail %s] username and password_file need each other; give both",
                 mail->name);
}

static void on_wrong_mapping(void *context, const char *text)
{
    complain(context, "%s", text);
}

static void check_notice(const struct check *check)
{
    const struct config *config = check->config;
    if (config->notice.mqtt && !config->mqtt.enabled)
        complain(check, "[notice] mqtt needs a broker; enable [mqtt]");
    if (config->notice.first_retry_s > config->notice.longest_retry_s)
        complain(check, "[notice] first_retry_s is above longest_retry_s; lower it");
}

static void check_whole(const struct check *check)
{
    const struct config *config = check->config;
    if (config->listener_count == 0 && !config->mqtt.enabled)
        complain(check, "nothing would be received; give a [listen NAME] or enable [mqtt]");
    if (config->journal.total_bytes < 2 * config->journal.segment_bytes)
        complain(check, "[journal] total_bytes is less than two segments; raise it");
    if (config->supervise.meter_s < config->silence.report_interval_s)
        complain(check, "[supervise] meter_s is below [silence] report_interval_s, so that every "
                        "meter would be lost; raise it");
    if (config->supervise.interval_min_s > config->supervise.interval_max_s)
        complain(check, "[supervise] interval_min_s is above interval_max_s; lower it");
    if ((config->console.certificate[0] == '\0') != (config->console.key[0] == '\0'))
        complain(check, "[console] has a certificate or a key without the other; give both");
    if (config->mqtt.password_file[0] != '\0' && config->mqtt.username[0] == '\0')
        complain(check, "[mqtt] password_file needs a username; give one");
    if (config->battery.restored_percent <= config->battery.low_percent)
        complain(check, "[battery] restored_percent must be above low_percent; raise it");
    if (config->mains.hours <= config->mains.window_h)
        complain(check, "[mains] hours must be above window_h: an outage is as old as that when it "
                        "is found; raise it");
    check_notice(check);
}

void config_check(const struct config *config, void *context,
                  void (*on_wrong)(void *context, const struct config_kind *kind, int index,
                                   const char *text))
{
    struct check check = {.config = config, .context = context, .on_wrong = on_wrong};
    check.section = "listen";
    for (check.index = 0; check.index < config->listener_count; check.index++)
        check_listener(&check, &config->listeners[check.index]);
    check.section = "webhook";
    for (check.index = 0; check.index < config->webhook_count; check.index++)
        check_webhook(&check, &config->webhooks[check.index]);
    check.section = "mail";
    for (check.index = 0; check.index < config->mail_count; check.index++)
        check_mail(&check, &config->mails[check.index]);
    check.section = "exec";
    for (check.index = 0; check.index < config->exec_count; check.index++)
        must_be_given(&check, config->execs[check.index].name, "program",
                      config->execs[check.index].program);
    check.section = "meter-json";
    for (check.index = 0; check.index < config->mapping_count; check.index++)
        config_check_json_mapping(&config->mappings[check.index], config->mqtt.enabled, &check,
                                  on_wrong_mapping);
    check.section = NULL;
    check_whole(&check);
}
