/*
 * A notice as a mail (RFC 5322 and MIME). Subject and text travel in base64, and all else comes from
 * the configuration or is made here, so that nothing that is told can add a header, a recipient or the
 * end of the mail.
 */
#ifndef ONEKEY_EDGE_MAIL_MESSAGE_H
#define ONEKEY_EDGE_MAIL_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

struct mail_message {
    const char *from; /* local@host */
    const char *to;   /* addresses separated by blanks */
    const char *subject, *text;
    const char *id; /* letters, digits, '-' and '_'; Message-ID is <ID@host of from> */
    int64_t at_us;
};

/* The whole, lines ended by CRLF; the caller frees it. */
char *mail_message_write(const struct mail_message *message, size_t *size);

#endif
