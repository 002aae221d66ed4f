#include "daemon/edge/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edge/mail_message.h"
#include "daemon/edge/secret_file.h"
#include "daemon/edge/transfers.h"

#define RECEIVERS_MAX 64
#define TEXT_SIZE 8192

struct mail {
    struct transfers *transfers;
    struct config_mail config;
    char url[CONFIG_PATH_SIZE + 32];
    char password[SECRET_SIZE];
    char receivers[CONFIG_PATH_SIZE];  /* each ended by NUL, */
    const char *to[RECEIVERS_MAX + 1]; /* and where each begins */
    struct notice_waiter waiters[1];
};

static void split_receivers(struct mail *mail)
{
    int count = 0;
    char *rest;

    memcpy(mail->receivers, mail->config.to, sizeof(mail->receivers));
    for (char *one = strtok_r(mail->receivers, " ", &rest); one && count < RECEIVERS_MAX;
         one = strtok_r(NULL, " ", &rest))
        mail->to[count++] = one;
}

static void close_mail(void *sender)
{
    struct mail *mail = sender;

    transfers_close(mail->transfers);
    explicit_bzero(mail->password, sizeof(mail->password));
    free(mail);
}

struct mail *mail_open(struct event_base *base, const struct config_mail *config, char *error,
                       size_t error_size)
{
    struct mail *mail = calloc(1, sizeof(*mail));
    const char *ca_path = config->ca_file[0] ? config->ca_file : NULL;
    bool is_v6 = strchr(config->server, ':') && config->server[0] != '[';

    if (!mail)
        abort();
    mail->config = *config;
    snprintf(mail->url, sizeof(mail->url), "%s://%s%s%s:%d",
             config->security == CONFIG_SMTPS ? "smtps" : "smtp", is_v6 ? "[" : "", config->server,
             is_v6 ? "]" : "", config->port);
    split_receivers(mail);
    if ((!config->password_file[0] ||
         secret_file_read(config->password_file, mail->password, error, error_size)) &&
        (mail->transfers = transfers_open(base, ca_path, error, error_size)))
        return mail;
    close_mail(mail);
    return NULL;
}

static void on_done(void *context, const struct transfer_result *result)
{
    if (result->is_whole && result->status / 100 == 2)
        notice_answer(context, NOTICE_DELIVERED, 0, "SMTP %ld", result->status);
    else if (result->status / 100 == 5 && !result->is_denied)
        notice_answer(context, NOTICE_REFUSED, 0, "SMTP %ld", result->status);
    else
        notice_answer(context, NOTICE_LATER, 0, "%s (SMTP %ld)", result->text, result->status);
}

/* In the language of the target; both: Chinese, then English. */
static void choose(const struct mail *mail, const char *zh, const char *en, const char *between,
                   char out[TEXT_SIZE])
{
    int language = mail->config.language;

    snprintf(out, TEXT_SIZE, "%s%s%s", language == CONFIG_ENGLISH ? "" : zh,
             language == CONFIG_BOTH ? between : "", language == CONFIG_CHINESE ? "" : en);
}

static void send_mail(void *sender, const struct notice *notice, notice_on_result *on_result,
                      void *context)
{
    struct mail *mail = sender;
    char subject[TEXT_SIZE], text[TEXT_SIZE];
    struct mail_message message = {.from = mail->config.from,
                                   .to = mail->config.to,
                                   .subject = subject,
                                   .text = text,
                                   .id = notice->message_id,
                                   .at_us = notice->created_us};
    struct transfer_request request = {
        .url = mail->url,
        .from = mail->config.from,
        .to = mail->to,
        .username = mail->config.username[0] ? mail->config.username : NULL,
        .password = mail->password,
        .starttls = mail->config.security == CONFIG_STARTTLS,
        .timeout_s = mail->config.timeout_s,
    };
    char *whole;

    choose(mail, notice->subject_zh, notice->subject_en, " / ", subject);
    choose(mail, notice->text_zh, notice->text_en, "\n\n", text);
    whole = mail_message_write(&message, &request.size);
    request.body = whole;
    transfers_start(mail->transfers, &request, on_done,
                    notice_wait(mail->waiters, 1, mail, on_result, context));
    explicit_bzero(whole, request.size);
    free(whole);
}

const struct notice_transport mail_transport = {"mail", send_mail, close_mail};
