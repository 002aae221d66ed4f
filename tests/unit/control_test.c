#include "daemon/base/attributes.h"
#include "daemon/base/error.h"
#include "daemon/edge/control.h"

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define TURNS_MAX 2000 /* of 5 ms */
#define ROWS 50000

static char folder[] = "/tmp/onekey-control-XXXXXX";
static char path[64];
static struct event_base *base;
static struct control *control;
static struct log silent;
static char answer[8 << 20];
static int pieces; /* calls of the long answer */
static size_t rows_made;

static int64_t show_status(void *context, const char *argument, int64_t cursor,
                           struct control_answer *out)
{
    assert_ptr_equal(context, &rows_made);
    assert_string_equal(argument, "");
    assert_int_equal(cursor, 0);
    control_line(out, field_text("state", "run\"ning"), field_number("sessions", 3));
    return CONTROL_DONE;
}

static int64_t show_devices(void *context, const char *argument, int64_t cursor,
                            struct control_answer *out)
{
    (void)context;
    if (*argument != '\0') {
        control_line(out, field_text("device", argument));
        return CONTROL_DONE;
    }
    pieces++;
    for (; cursor < ROWS; cursor++) {
        if (!control_has_room(out))
            return cursor;
        control_line(out, field_number("row", cursor),
                     field_text("filler", "some text to make the line longer than it needs to be"));
        rows_made++;
    }
    return CONTROL_DONE;
}

static int64_t show_long(void *context, const char *argument, int64_t cursor,
                         struct control_answer *out)
{
    static const char text[2 * CONTROL_LINE_MAX];
    (void)context;
    (void)argument;
    (void)cursor;
    control_line(out, field_hex("bytes", text, sizeof(text)));
    return CONTROL_DONE;
}

static const struct control_command commands[] = {
    {"show status", NULL, "The state.", show_status},
    {"show devices", "[IDENTITY]", "The devices.", show_devices},
    {"show long", NULL, "Too much.", show_long},
};

static const struct control_settings settings = {
    .path = path,
    .commands = commands,
    .command_count = ARRAY_SIZE(commands),
    .context = &rows_made,
    .clients_max = 3,
    .stall_timeout_ms = 200,
};

static int start(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    pieces = 0;
    rows_made = 0;
    base = event_base_new();
    return control_open(&control, base, &settings, &silent);
}

static int stop(void **state)
{
    (void)state;
    control_close(control);
    event_base_free(base);
    return access(path, F_OK) == 0;
}

static void turn(void)
{
    event_base_loopexit(base, &(struct timeval){.tv_usec = 5000});
    event_base_loop(base, EVLOOP_ONCE);
}

static int connect_client(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static void say(int fd, const char *request)
{
    assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
}

/* Reads until so many answers have ended, or (0) until the server closes. */
static void hear(int fd, int answers)
{
    size_t used = 0;
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        turn();
        ssize_t count;
        while ((count = recv(fd, answer + used, sizeof(answer) - 1 - used, MSG_DONTWAIT)) > 0)
            used += (size_t)count;
        answer[used] = '\0';
        bool closed = count == 0 || errno != EAGAIN;
        int ended = 0;
        for (const char *at = answer; (at = strstr(at, "}\n\n")) != NULL; at += 3)
            ended++;
        if (answers == 0 ? closed : ended == answers)
            return;
        if (closed)
            fail_msg("closed after: %s", answer);
    }
    fail_msg("no answer");
}

static void answers_are_json_lines(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "show status\nshow devices watch:77\r\n");
    hear(fd, 2);
    assert_string_equal(answer, "{\"state\":\"run\\\"ning\",\"sessions\":3}\n\n"
                                "{\"device\":\"watch:77\"}\n\n");
    say(fd, "show ");
    turn();
    say(fd, "status\n");
    hear(fd, 1);
    assert_string_equal(answer, "{\"state\":\"run\\\"ning\",\"sessions\":3}\n\n");
    close(fd);
}

static void wrong_requests_are_refused_in_words(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "show statuses\n\nshow status now\nshow\nshow long\nhelp\n");
    hear(fd, 6);
    assert_string_equal(
        answer,
        "{\"error\":\"unknown request\",\"remedy\":\"help lists what can be asked\"}\n\n"
        "{\"error\":\"unknown request\",\"remedy\":\"help lists what can be asked\"}\n\n"
        "{\"error\":\"this request takes no argument\",\"remedy\":\"show status\"}\n\n"
        "{\"error\":\"unknown request\",\"remedy\":\"help lists what can be asked\"}\n\n"
        "{\"error\":\"a line is too long to be shown\"}\n\n"
        "{\"command\":\"show status\",\"argument\":\"\",\"help\":\"The state.\"}\n"
        "{\"command\":\"show devices\",\"argument\":\"[IDENTITY]\",\"help\":\"The devices.\"}\n"
        "{\"command\":\"show long\",\"argument\":\"\",\"help\":\"Too much.\"}\n\n");
    close(fd);
}

static void a_long_answer_comes_in_pieces_and_whole(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "show devices\nshow status\n");
    hear(fd, 2);
    assert_true(pieces > 10);
    const char *line = answer;
    for (int i = 0; i < ROWS; i++) {
        json_t *row = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        assert_int_equal(json_integer_value(json_object_get(row, "row")), i);
        json_decref(row);
        line = strchr(line, '\n') + 1;
    }
    assert_string_equal(line, "\n{\"state\":\"run\\\"ning\",\"sessions\":3}\n\n");
    close(fd);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "show devices\n");
    for (int i = 0; i < 100; i++) /* 0.5 s, patience is 0.2 s */
        turn();
    assert_true(rows_made < ROWS); /* it waited for the client instead of filling memory */
    hear(fd, 0);
    assert_null(strstr(answer, "\n\n"));
    close(fd);
}

static void a_client_that_does_not_ask_is_dropped(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "show");
    hear(fd, 0);
    assert_string_equal(answer, "");
    close(fd);
}

static void one_that_has_asked_may_close_its_side(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "show status\nshow devices\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    hear(fd, 0);
    assert_non_null(strstr(answer, "\"sessions\":3}\n\n{\"row\":0,"));
    assert_int_equal(rows_made, ROWS);
    assert_string_equal(answer + strlen(answer) - 3, "}\n\n");
    close(fd);
}

static void an_endless_line_ends_the_client(void **state)
{
    (void)state;
    char request[2 * CONTROL_REQUEST_MAX];
    memset(request, 'x', sizeof(request) - 1);
    request[sizeof(request) - 1] = '\0';
    int fd = connect_client();
    say(fd, request);
    hear(fd, 0);
    assert_string_equal(answer, "");
    close(fd);
}

static void clients_are_limited(void **state)
{
    (void)state;
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = connect_client();
    turn();
    say(fds[2], "show status\n");
    hear(fds[2], 1);
    hear(fds[3], 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    for (int i = 0; i < 10; i++)
        turn();
    int fd = connect_client();
    say(fd, "show status\n");
    hear(fd, 1);
    close(fd);
}

static void only_owner_and_group_may_ask(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0660);
}

static void a_living_socket_is_kept_and_a_dead_one_replaced(void **state)
{
    (void)state;
    struct control *second;
    assert_int_equal(control_open(&second, base, &settings, &silent), ERR_EXISTS);
    int fd = connect_client();
    say(fd, "show status\n");
    hear(fd, 1);
    close(fd);

    /* What a killed daemon leaves behind. */
    char dead[80];
    snprintf(dead, sizeof(dead), "%s.dead", path);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", dead);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    close(fd);
    struct control_settings other = settings;
    other.path = dead;
    assert_int_equal(control_open(&second, base, &other, &silent), 0);
    control_close(second);

    other.path = folder; /* not a socket: left alone */
    assert_int_equal(control_open(&second, base, &other, &silent), ERR_IO);
    assert_int_equal(access(folder, F_OK), 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/control.sock", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_json_lines, start, stop),
        cmocka_unit_test_setup_teardown(wrong_requests_are_refused_in_words, start, stop),
        cmocka_unit_test_setup_teardown(a_long_answer_comes_in_pieces_and_whole, start, stop),
        cmocka_unit_test_setup_teardown(a_client_that_does_not_read_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(a_client_that_does_not_ask_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(one_that_has_asked_may_close_its_side, start, stop),
        cmocka_unit_test_setup_teardown(an_endless_line_ends_the_client, start, stop),
        cmocka_unit_test_setup_teardown(clients_are_limited, start, stop),
        cmocka_unit_test_setup_teardown(only_owner_and_group_may_ask, start, stop),
        cmocka_unit_test_setup_teardown(a_living_socket_is_kept_and_a_dead_one_replaced, start,
                                        stop),
    };
    return cmocka_run_group_tests_name("control", tests, make_folder, remove_folder);
}
