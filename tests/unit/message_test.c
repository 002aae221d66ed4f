/* The head of a request: what is read from it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/console/http/message.h"

/* Parses a copy on the heap, so that a step beyond its end is seen. */
static int parse(struct message *message, const char *text, char **head)
{
    size_t size = strlen(text);
    *head = malloc(size);
    memcpy(*head, text, size);
    return message_parse(message, *head, size);
}

static int status_of(const char *text)
{
    struct message message;
    char *head;
    int status = parse(&message, text, &head);
    free(head);
    return status;
}

static void a_request_is_read(void **state)
{
    struct message message;
    char *head, value[32];
    (void)state;
    assert_int_equal(parse(&message,
                           "POST /a/b?x=1&name=%E6%A0%B7+c&y HTTP/1.1\r\nHOST: h:1\r\n"
                           "Cookie: a=b; onekey_session=t0k; c\r\nContent-Length: 12\r\n\r\n",
                           &head),
                     0);
    assert_int_equal(message.method, MESSAGE_POST);
    assert_string_equal(message.path, "/a/b");
    assert_string_equal(message_value(&message, "host"), "h:1");
    assert_int_equal(message.content_length, 12);
    assert_true(message.is_keep_alive);
    assert_true(message_argument(message.query, "name", value, sizeof(value)));
    assert_string_equal(value, "样 c");
    assert_false(message_argument(message.query, "y", value, sizeof(value)));
    assert_true(message_cookie(&message, "onekey_session", value, sizeof(value)));
    assert_string_equal(value, "t0k");
    assert_false(message_cookie(&message, "session", value, sizeof(value)));
    assert_false(message_cookie(&message, "onekey_session", value, 3));
    free(head);
}

static void what_no_browser_sends_is_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", 400},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (status_of(cases[i].text) != cases[i].status)
            fail_msg("%s: %d", cases[i].text, status_of(cases[i].text));
}

static void bad_encodings_are_refused(void **state)
{
    static const char *const bad[] = {
        "q=%",      "q=%4",        "q=%zz",          "q=%00",    "q=%0a",
        "q=%c0%af", "q=%ed%a0%80", "q=%f5%80%80%80", "q=%e6%a0", "q=1234567890123456"};
    char value[16];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (message_argument(bad[i], "q", value, sizeof(value)))
            fail_msg("%s was taken", bad[i]);
    assert_false(message_decode_path("/a%2fb", 6, value, sizeof(value)));
    assert_true(message_decode_path("/a%20b", 6, value, sizeof(value)));
    assert_string_equal(value, "/a b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(what_no_browser_sends_is_refused),
        cmocka_unit_test(bad_encodings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
