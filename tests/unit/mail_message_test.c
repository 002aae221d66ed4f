/* Mails: what is told can add nothing to the frame that carries it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/edge/base64.h"
#include "daemon/edge/mail_message.h"

#define AT_US INT64_C(1795316880000000) /* Sun, 22 Nov 2026 03:08:00 UTC */

static char *write_mail(const char *subject, const char *text)
{
    struct mail_message message = {.from = "onekey@gate.example",
                                   .to = "a@b.example  c@d.example",
                                   .subject = subject,
                                   .text = text,
                                   .id = "k-1",
                                   .at_us = AT_US};
    size_t size;
    char *whole = mail_message_write(&message, &size);

    assert_int_equal(strlen(whole), size);
    return whole;
}

static void a_mail_has_its_headers_and_its_text(void **state)
{
    char *whole = write_mail("Hello", "text");

    (void)state;
    assert_string_equal(whole, "From: onekey@gate.example\r\n"
                               "To: a@b.example,\r\n c@d.example\r\n"
                               "Subject: =?UTF-8?B?SGVsbG8=?=\r\n"
                               "Date: Sun, 22 Nov 2026 03:08:00 +0000\r\n"
                               "Message-ID: <k-1@gate.example>\r\n"
                               "MIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=UTF-8\r\n"
                               "Content-Transfer-Encoding: base64\r\n"
                               "Auto-Submitted: auto-generated\r\n"
                               "\r\n"
                               "dGV4dA==\r\n");
    free(whole);
}

/* Lines, each at most 76 characters and ended by CRLF. */
static int count_lines(const char *whole)
{
    int lines = 0;

    for (const char *end; *whole; whole = end + 2, lines++) {
        end = strstr(whole, "\r\n");
        assert_non_null(end);
        assert_true(end - whole <= 76);
        assert_null(memchr(whole, '\n', (size_t)(end - whole)));
        assert_null(memchr(whole, '\r', (size_t)(end - whole)));
    }
    return lines;
}

static void nothing_that_is_told_becomes_a_header_or_the_end(void **state)
{
    static const char *const evil[] = {
        "x\r\nBcc: all@evil.example",
        "x\nX-Evil: 1",
        "x\r\n\r\n.\r\nMAIL FROM:<evil@evil.example>",
        "?=\r\nTo: evil@evil.example\r\n=?UTF-8?B?",
        "\r\n.\r\n",
    };
    char *plain = write_mail("x", "x");
    int lines = count_lines(plain);

    (void)state;
    free(plain);
    for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
        char *whole = write_mail(evil[i], evil[i]);

        assert_int_equal(count_lines(whole), lines);
        assert_null(strstr(whole, "evil"));
        assert_null(strstr(whole, "\r\n."));
        free(whole);
    }
}

static void long_subjects_are_cut_between_characters(void **state)
{
    char subject[3 * 100 + 2] = "x", *whole, *word;

    (void)state;
    for (int i = 0; i < 100; i++)
        memcpy(subject + 1 + 3 * i, "\xe5\x91\xbc", 4);
    whole = write_mail(subject, subject);
    count_lines(whole);
    for (word = whole; (word = strstr(word, "=?UTF-8?B?"));) {
        char text[76] = "";
        uint8_t bytes[64];
        size_t size;

        word += strlen("=?UTF-8?B?");
        memcpy(text, word, strcspn(word, "?"));
        assert_true(base64_read(text, bytes, sizeof(bytes), &size));
        assert_int_not_equal(bytes[0] & 0xC0, 0x80);
        assert_int_equal(bytes[size - 1], 0xbc);
    }
    free(whole);
}

static void what_is_no_utf8_is_carried_all_the_same(void **state)
{
    char subject[200], *whole;

    (void)state;
    memset(subject, 0x80, sizeof(subject) - 1);
    subject[sizeof(subject) - 1] = '\0';
    whole = write_mail(subject, "");
    count_lines(whole);
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_has_its_headers_and_its_text),
        cmocka_unit_test(nothing_that_is_told_becomes_a_header_or_the_end),
        cmocka_unit_test(long_subjects_are_cut_between_characters),
        cmocka_unit_test(what_is_no_utf8_is_carried_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
