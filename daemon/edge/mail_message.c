#include "daemon/edge/mail_message.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/instant.h"
#include "daemon/edge/base64.h"

#define WORD_BYTES 39 /* of an encoded word: with "Subject: " it fits a line of 76 */
#define LINE_BYTES 57 /* of a line of the text: 76 characters */

/* The bytes of a piece of at most `limit` that cuts no character of UTF-8 in two. */
static size_t piece_size(const char *text, size_t limit)
{
    size_t size = strlen(text);

    if (size <= limit)
        return size;
    for (size = limit; size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80;)
        size--;
    return size > 0 ? size : limit; /* no UTF-8 at all */
}

static void write_base64(FILE *out, const char *text, size_t size)
{
    char encoded[BASE64_SIZE(LINE_BYTES)];

    base64_write(text, size, encoded);
    fputs(encoded, out);
}

/* RFC 2047, section 2. */
static void write_words(FILE *out, const char *text)
{
    for (bool is_first = true; is_first || *text; is_first = false) {
        size_t size = piece_size(text, WORD_BYTES);

        fputs(is_first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?", out);
        write_base64(out, text, size);
        fputs("?=", out);
        text += size;
    }
}

/* RFC 5322, section 3.3; its names of days and months are English everywhere. */
static void write_date(FILE *out, int64_t at_us)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(at_us / US_PER_SECOND);
    struct tm at = {0};

    gmtime_r(&seconds, &at);
    fprintf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d +0000\r\n", days + 3 * at.tm_wday,
            at.tm_mday, months + 3 * at.tm_mon, at.tm_year + 1900, at.tm_hour, at.tm_min,
            at.tm_sec);
}

static void write_receivers(FILE *out, const char *to)
{
    fputs("To: ", out);
    for (const char *comma = ""; *to; comma = ",\r\n ") {
        size_t size = strcspn(to, " ");

        fprintf(out, "%s%.*s", comma, (int)size, to);
        to += size;
        to += strspn(to, " ");
    }
    fputs("\r\n", out);
}

static void write_text(FILE *out, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t size = left < LINE_BYTES ? left : LINE_BYTES;

        write_base64(out, text, size);
        fputs("\r\n", out);
        text += size;
        left -= size;
    }
}

char *mail_message_write(const struct mail_message *message, size_t *size)
{
    char *whole = NULL;
    FILE *out = open_memstream(&whole, size);
    const char *host = strchr(message->from, '@');

    if (!out)
        abort(); /* out of memory */
    fprintf(out, "From: %s\r\n", message->from);
    write_receivers(out, message->to);
    fputs("Subject: ", out);
    write_words(out, message->subject);
    fputs("\r\n", out);
    write_date(out, message->at_us);
    fprintf(out, "Message-ID: <%s%s>\r\n", message->id, host ? host : "@localhost");
    fputs("MIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=UTF-8\r\n"
          "Content-Transfer-Encoding: base64\r\n"
          "Auto-Submitted: auto-generated\r\n"
          "\r\n",
          out);
    write_text(out, message->text);
    if (fclose(out) != 0)
        abort();
    return whole;
}
