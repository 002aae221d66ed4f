#include "daemon/edge/notice_targets.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon/edge/exec.h"
#include "daemon/edge/mail.h"
#include "daemon/edge/notice_mqtt.h"
#include "daemon/edge/webhook.h"

struct limits {
    int32_t include;
    int at_once, timeout_s;
};

static bool add(struct notice_targets *targets, const char *name,
                const struct notice_transport *transport, void *sender, struct limits limits)
{
    struct notice_target *target = &targets->list[targets->count];

    if (!sender)
        return false;
    assert(targets->count < NOTICE_TARGETS_MAX);
    targets->count++;
    snprintf(target->name, sizeof(target->name), "%s", name);
    target->transport = transport;
    target->sender = sender;
    target->include = limits.include;
    target->at_once = limits.at_once;
    if (limits.timeout_s > targets->longest_s)
        targets->longest_s = limits.timeout_s;
    return true;
}

static bool add_webhook(struct notice_targets *targets, struct event_base *base,
                        const struct config_webhook *config, char *error, size_t error_size)
{
    char reason[512] = "";
    struct webhook *webhook = webhook_open(base, config, reason, sizeof(reason));

    snprintf(error, error_size, "[webhook %s] %s", config->name, reason);
    return add(targets, config->name, &webhook_transport, webhook,
               (struct limits){config->include, config->at_once, config->timeout_s});
}

static bool add_mail(struct notice_targets *targets, struct event_base *base,
                     const struct config_mail *config, char *error, size_t error_size)
{
    char reason[512] = "";
    struct mail *mail = mail_open(base, config, reason, sizeof(reason));

    snprintf(error, error_size, "[mail %s] %s", config->name, reason);
    return add(targets, config->name, &mail_transport, mail,
               (struct limits){config->include, 1, config->timeout_s});
}

bool notice_targets_open(struct notice_targets *targets, const struct notices_setup *setup,
                         char *error, size_t error_size)
{
    const struct config *config = setup->config;
    bool ok = true;

    for (int i = 0; ok && i < config->webhook_count; i++)
        ok = add_webhook(targets, setup->base, &config->webhooks[i], error, error_size);
    for (int i = 0; ok && i < config->mail_count; i++)
        ok = add_mail(targets, setup->base, &config->mails[i], error, error_size);
    for (int i = 0; ok && i < config->exec_count; i++)
        ok = add(targets, config->execs[i].name, &exec_transport,
                 exec_open(setup->base, &config->execs[i]),
                 (struct limits){config->execs[i].include, config->execs[i].at_once,
                                 config->execs[i].timeout_s});
    if (ok && config->notice.mqtt && setup->mqtt)
        ok = add(targets, "broker", &mqtt_transport,
                 notice_mqtt_open(setup->base, setup->mqtt, setup->district),
                 (struct limits){config->notice.mqtt_include, NOTICE_MQTT_AT_ONCE,
                                 NOTICE_MQTT_TIMEOUT_S});
    return ok;
}

void notice_targets_close(struct notice_targets *targets)
{
    for (int i = 0; i < targets->count; i++)
        targets->list[i].transport->close(targets->list[i].sender);
}

int notice_targets_room(const struct notice_target *target)
{
    int most = target->is_failing ? 1 : target->at_once;

    return target->busy < most ? most - target->busy : 0;
}
