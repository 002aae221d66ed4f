#include "daemon/edge/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/instant.h"
#include "daemon/edge/transfers.h"
#include "daemon/edge/webhook_signature.h"

#define HEADER_SIZE 256
#define HTTP_GONE 410

struct webhook {
    struct transfers *transfers;
    struct config_webhook config;
    struct webhook_secret secret;
    struct notice_waiter waiters[CONFIG_AT_ONCE_MAX];
};

static void close_webhook(void *sender)
{
    struct webhook *webhook = sender;

    transfers_close(webhook->transfers);
    explicit_bzero(&webhook->secret, sizeof(webhook->secret));
    free(webhook);
}

struct webhook *webhook_open(struct event_base *base, const struct config_webhook *config,
                             char *error, size_t error_size)
{
    struct webhook *webhook = calloc(1, sizeof(*webhook));
    const char *ca_path = config->ca_file[0] ? config->ca_file : NULL;

    if (!webhook)
        abort();
    webhook->config = *config;
    if (webhook_signature_read(config->secret_file, &webhook->secret, error, error_size) &&
        (webhook->transfers = transfers_open(base, ca_path, error, error_size)))
        return webhook;
    close_webhook(webhook);
    return NULL;
}

static void on_done(void *context, const struct transfer_result *result)
{
    if (!result->is_whole)
        notice_answer(context, NOTICE_LATER, 0, "%s", result->text);
    else if (result->status / 100 == 2)
        notice_answer(context, NOTICE_DELIVERED, 0, "HTTP %ld", result->status);
    else if (result->status == HTTP_GONE)
        notice_answer(context, NOTICE_REFUSED, 0, "HTTP %ld", result->status);
    else
        notice_answer(context, NOTICE_LATER, result->retry_s, "HTTP %ld%s", result->status,
                      result->status / 100 == 3 ? ": redirects are not followed" : "");
}

static void send_webhook(void *sender, const struct notice *notice, notice_on_result *on_result,
                         void *context)
{
    struct webhook *webhook = sender;
    char signature[WEBHOOK_SIGNATURE_SIZE];
    char id[HEADER_SIZE], at[HEADER_SIZE], signed_by[HEADER_SIZE];
    const char *headers[] = {"Content-Type: application/json",
                             "User-Agent: onekeyd",
                             "Expect:",
                             id,
                             at,
                             signed_by,
                             NULL};
    int64_t now_s = notice->now_us / US_PER_SECOND;

    webhook_signature_write(&webhook->secret, notice->message_id, now_s, notice->body, notice->size,
                            signature);
    snprintf(id, sizeof(id), "webhook-id: %s", notice->message_id);
    snprintf(at, sizeof(at), "webhook-timestamp: %" PRId64, now_s);
    snprintf(signed_by, sizeof(signed_by), "webhook-signature: %s", signature);
    transfers_start(webhook->transfers,
                    &(struct transfer_request){
                        .url = webhook->config.url,
                        .headers = headers,
                        .body = notice->body,
                        .size = notice->size,
                        .timeout_s = webhook->config.timeout_s,
                    },
                    on_done,
                    notice_wait(webhook->waiters, CONFIG_AT_ONCE_MAX, webhook, on_result, context));
}

const struct notice_transport webhook_transport = {"webhook", send_webhook, close_webhook};
