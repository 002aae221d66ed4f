/* Signatures of webhooks: an independent vector, and secrets that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/edge/webhook_signature.h"

static char path[] = "/tmp/webhook-secret-XXXXXX";

static bool read_secret(const char *text, struct webhook_secret *secret, char *error, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return webhook_signature_read(path, secret, error, size);
}

/* Computed with Python's hmac module over "msg_test-1.1700000000.BODY". */
static void the_signature_is_that_of_another_program(void **state)
{
    static const char body[] =
        "{\"type\":\"ticket.escalated\",\"data\":{\"note\":\"\xe4\xb8\x80\"}}";
    struct webhook_secret secret;
    char out[WEBHOOK_SIGNATURE_SIZE], error[200];

    (void)state;
    assert_true(read_secret("whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=\r\n", &secret,
                            error, sizeof(error)));
    assert_int_equal(secret.size, 32);
    webhook_signature_write(&secret, "msg_test-1", 1700000000, body, strlen(body), out);
    assert_string_equal(out, "v1,Jx+mq7j2yBhqyELbSCx2vzjCG5ulj7ZXbKn1olG9cXI=");
    webhook_signature_write(&secret, "msg_test-1", 1700000001, body, strlen(body), out);
    assert_string_not_equal(out, "v1,Jx+mq7j2yBhqyELbSCx2vzjCG5ulj7ZXbKn1olG9cXI=");
}

static void what_is_no_secret_is_refused_and_not_repeated(void **state)
{
    static const char *const wrong[] = {
        "",
        "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=",
        "whsec_",
        "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY",
        "whsec_MDEy MzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=",
        "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG0=",
        "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXYwMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1"
        "djAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2",
    };
    struct webhook_secret secret;
    char error[300];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(read_secret(wrong[i], &secret, error, sizeof(error)));
        assert_non_null(strstr(error, path));
        assert_null(strstr(error, "MDEy"));
    }
    assert_false(webhook_signature_read("/nowhere/secret", &secret, error, sizeof(error)));
}

static void base64_goes_there_and_back(void **state)
{
    uint8_t in[60], out[64];
    char text[BASE64_SIZE(sizeof(in))];
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 37);
    for (size_t i = 1; i <= sizeof(in); i++) {
        base64_write(in, i, text);
        assert_int_equal(strlen(text) + 1, BASE64_SIZE(i));
        assert_true(base64_read(text, out, sizeof(out), &size));
        assert_int_equal(size, i);
        assert_memory_equal(in, out, i);
    }
    assert_false(base64_read(text, out, 59, &size));
    assert_false(base64_read("AA=A", out, sizeof(out), &size));
    assert_false(base64_read("A===", out, sizeof(out), &size));
}

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_that_of_another_program),
        cmocka_unit_test(what_is_no_secret_is_refused_and_not_repeated),
        cmocka_unit_test(base64_goes_there_and_back),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
