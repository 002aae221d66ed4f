#include "daemon/edge/mqtt.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "tests/unit/broker.h"
#include "tests/unit/plain_client.h"

#define ALARM "test/device/7/alarm"
#define ANSWER "test/device/7/answer"

/* Numbers messages 1, 2, ... and remembers them; refuses the payload in `refuse`. */
struct gateway {
    struct event_base *base;
    struct random random;
    struct mqtt *mqtt;
    uint64_t number;
    const char *refuse;
    bool owe_nothing;
    int states; /* calls of on_state */
    char heard[4000];
};

static uint64_t on_message(void *context, const struct mqtt_message *message)
{
    struct gateway *gateway = context;
    char line[100];
    snprintf(line, sizeof(line), "%.*s\n", (int)message->size, (const char *)message->payload);
    if (gateway->refuse && strncmp(line, gateway->refuse, strlen(gateway->refuse)) == 0) {
        gateway->refuse = NULL;
        return MQTT_REFUSED;
    }
    strncat(gateway->heard, line, sizeof(gateway->heard) - strlen(gateway->heard) - 1);
    return gateway->owe_nothing ? MQTT_NOTHING : ++gateway->number;
}

static void on_state(void *context, bool connected)
{
    struct gateway *gateway = context;
    gateway->states++;
    assert_true(connected == (gateway->states % 2 == 1));
}

/* Each test has a session of its own. */
static const char *client_id;

static struct mqtt_options options_for(struct gateway *gateway, uint16_t port)
{
    return (struct mqtt_options){
        .host = "127.0.0.1",
        .port = port,
        .client_id = client_id,
        .keepalive_s = 60,
        .reconnect_min_ms = 20,
        .reconnect_max_ms = 200,
        .on_message = on_message,
        .on_state = on_state,
        .context = gateway,
        .random = &gateway->random,
    };
}

static void gateway_start_with(struct gateway *gateway, struct mqtt_options options)
{
    char error[200] = "";
    memset(gateway, 0, sizeof(*gateway));
    gateway->base = event_base_new();
    random_init(&gateway->random, 1);
    char topic[] = "test/device/+/alarm"; /* not needed beyond the call */
    const char *const topics[] = {topic};
    options.topics = topics;
    options.topic_count = ARRAY_SIZE(topics);
    gateway->mqtt = mqtt_open(gateway->base, &options, error, sizeof(error));
    assert_string_equal(error, "");
    memset(topic, 'x', sizeof(topic));
}

static void gateway_start(struct gateway *gateway, uint16_t port)
{
    gateway_start_with(gateway, options_for(gateway, port));
    assert_true(LOOP_UNTIL(gateway->base, mqtt_is_connected(gateway->mqtt)));
}

static void gateway_stop(struct gateway *gateway)
{
    mqtt_close(gateway->mqtt);
    event_base_free(gateway->base);
}

static bool is_heard(const struct gateway *gateway, const char *lines)
{
    return strcmp(gateway->heard, lines) == 0;
}

/* --- a gateway that is killed --- */

struct victim {
    pid_t process;
    int reports; /* what it has heard, line by line, "connected" first */
};

static void victim_live(uint16_t port, bool release, int reports)
{
    struct gateway gateway;
    size_t told = 0;
    gateway_start_with(&gateway, options_for(&gateway, port));
    for (bool connected = false, answered = true;;) {
        loop_once(gateway.base);
        if (release)
            mqtt_durable(gateway.mqtt, gateway.number);
        if (!connected && (connected = mqtt_is_connected(gateway.mqtt)))
            dprintf(reports, "connected\n");
        size_t heard = strlen(gateway.heard);
        dprintf(reports, "%s", gateway.heard + told);
        answered &= heard == told;
        told = heard;
        /* Behind the acknowledgements: who hears it knows that the broker has them. */
        answered = answered || mqtt_publish(gateway.mqtt, ANSWER, "released", 8, 1, false);
    }
}

static struct victim victim_start(uint16_t port, bool release)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct victim victim = {fork(), ends[0]};
    if (victim.process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        victim_live(port, release, ends[1]);
    }
    close(ends[1]);
    return victim;
}

static void victim_kill(struct victim *victim)
{
    kill(victim->process, SIGKILL);
    waitpid(victim->process, NULL, 0);
    close(victim->reports);
}

/* Its next line, "" if none comes. */
static const char *victim_line(const struct victim *victim)
{
    static char line[100];
    size_t size = 0;
    struct pollfd ready = {victim->reports, POLLIN, 0};
    while (size < sizeof(line) - 1 && poll(&ready, 1, 10000) == 1 &&
           read(victim->reports, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    return line;
}

static void test_killed_before_release_hears_it_again(void **state)
{
    client_id = __func__;
    struct broker *broker = *state;
    struct plain_client device;
    plain_open(&device, broker->port, ANSWER);

    struct victim first = victim_start(broker->port, false);
    assert_string_equal(victim_line(&first), "connected");
    plain_publish(&device, ALARM, "one");
    assert_string_equal(victim_line(&first), "one");
    victim_kill(&first);
    assert_int_equal(device.heard, 0); /* its own publish was withheld as well */

    struct victim second = victim_start(broker->port, true);
    const char *line = victim_line(&second); /* may come before or after "connected" */
    assert_true(strcmp(line, "one") == 0 || strcmp(victim_line(&second), "one") == 0);
    assert_true(PLAIN_UNTIL(&device, device.heard == 1));
    victim_kill(&second);

    struct victim third = victim_start(broker->port, true);
    assert_string_equal(victim_line(&third), "connected");
    plain_publish(&device, ALARM, "two");
    assert_string_equal(victim_line(&third), "two"); /* and not "one" again */
    assert_true(PLAIN_UNTIL(&device, device.heard == 2));
    victim_kill(&third);
    plain_close(&device);
}

/* --- one that lives --- */

static void test_batches_wait_for_their_highest_number(void **state)
{
    client_id = __func__;
    struct broker *broker = *state;
    struct plain_client device;
    struct gateway gateway;
    plain_open(&device, broker->port, ANSWER);
    gateway_start(&gateway, broker->port);
    plain_publish(&device, ALARM, "one");
    assert_true(LOOP_UNTIL(gateway.base, is_heard(&gateway, "one\n")));

    /* While the first is not durable nothing more is taken and nothing leaves. */
    plain_publish(&device, ALARM, "two");
    assert_true(mqtt_publish(gateway.mqtt, ANSWER, "later", 5, 1, false));
    assert_false(LOOP_UNTIL_WITHIN(gateway.base, 0.2, !is_heard(&gateway, "one\n")));
    mosquitto_loop(device.client, 10, 1);
    assert_int_equal(device.heard, 0);

    mqtt_durable(gateway.mqtt, 1);
    assert_true(LOOP_UNTIL(gateway.base, is_heard(&gateway, "one\ntwo\n")));
    assert_true(PLAIN_UNTIL(&device, device.heard == 1));
    assert_string_equal(device.last, "later");
    mqtt_durable(gateway.mqtt, 2);
    gateway_stop(&gateway);
    plain_close(&device);
}

static void test_nothing_owed_waits_for_nothing(void **state)
{
    client_id = __func__;
    struct broker *broker = *state;
    struct plain_client device;
    struct gateway gateway;
    plain_open(&device, broker->port, ANSWER);
    gateway_start(&gateway, broker->port);
    gateway.owe_nothing = true;
    plain_publish(&device, ALARM, "one");
    plain_publish(&device, ALARM, "two");
    assert_true(LOOP_UNTIL(gateway.base, is_heard(&gateway, "one\ntwo\n")));
    assert_true(mqtt_publish(gateway.mqtt, ANSWER, "now", 3, 0, false));
    loop_once(gateway.base);
    assert_true(PLAIN_UNTIL(&device, device.heard == 1));
    gateway_stop(&gateway);
    plain_close(&device);
}

/* The refused message takes those of its batch with it: all come again, also what was accepted. */
static void test_refused_is_delivered_again(void **state)
{
    client_id = __func__;
    struct broker *broker = *state;
    struct plain_client device;
    struct gateway gateway;
    plain_open(&device, broker->port, NULL);
    gateway_start(&gateway, broker->port);
    gateway.refuse = "two";
    mqtt_pause_reading(gateway.mqtt, true);
    plain_publish(&device, ALARM, "one");
    plain_publish(&device, ALARM, "two");
    plain_publish(&device, ALARM, "three");
    assert_false(LOOP_UNTIL_WITHIN(gateway.base, 0.1, gateway.number > 0));
    mqtt_pause_reading(gateway.mqtt, false);
    assert_true(LOOP_UNTIL(gateway.base, mqtt_counters(gateway.mqtt)->refused == 1));
    assert_true(is_heard(&gateway, "one\n"));
    assert_false(mqtt_is_connected(gateway.mqtt));
    mqtt_durable(gateway.mqtt, gateway.number); /* too late for that connection */

    assert_true(LOOP_UNTIL(gateway.base, (mqtt_durable(gateway.mqtt, gateway.number),
                                          is_heard(&gateway, "one\none\ntwo\nthree\n"))));
    assert_true(LOOP_UNTIL(gateway.base, mqtt_is_connected(gateway.mqtt)));
    assert_int_equal(mqtt_counters(gateway.mqtt)->losses, 1);
    gateway_stop(&gateway);
    plain_close(&device);
}

static void test_broker_comes_and_goes(void **state)
{
    client_id = __func__;
    struct broker own;
    struct gateway gateway;
    (void)state;
    broker_start(&own, "allow_anonymous true\n");
    broker_kill(&own);
    gateway_start_with(&gateway, options_for(&gateway, own.port));
    assert_false(LOOP_UNTIL_WITHIN(gateway.base, 0.3, mqtt_is_connected(gateway.mqtt)));
    assert_false(mqtt_publish(gateway.mqtt, ANSWER, "x", 1, 1, false));

    broker_run(&own);
    assert_true(LOOP_UNTIL(gateway.base, mqtt_is_connected(gateway.mqtt)));
    assert_int_equal(gateway.states, 1);
    broker_kill(&own);
    assert_true(LOOP_UNTIL(gateway.base, !mqtt_is_connected(gateway.mqtt)));
    assert_int_equal(gateway.states, 2);
    broker_run(&own);
    assert_true(LOOP_UNTIL(gateway.base, mqtt_is_connected(gateway.mqtt)));
    assert_int_equal(mqtt_counters(gateway.mqtt)->connects, 2);
    gateway_stop(&gateway);
    broker_stop(&own);
}

static void write_text(const char *folder, const char *name, const char *text, char path[200])
{
    snprintf(path, 200, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_tls_and_password(void **state)
{
    client_id = __func__;
    char folder[64], passwords[200], password[200], wrong[200], more[800];
    struct broker own;
    struct gateway gateway;
    (void)state;
    folder_make(folder);
    struct identity identity =
        identity_make(folder, "broker", "broker", "IP:127.0.0.1,DNS:localhost", NULL);
    write_text(folder, "passwords", "gateway:open sesame\n", passwords);
    write_text(folder, "password", "open sesame\n", password);
    write_text(folder, "wrong", "close sesame\n", wrong);
    pid_t process = fork();
    if (process == 0) {
        execlp("mosquitto_passwd", "mosquitto_passwd", "-U", passwords, NULL);
        _exit(127);
    }
    waitpid(process, NULL, 0);
    snprintf(more, sizeof(more),
             "allow_anonymous false\npassword_file %s\ncertfile %s\nkeyfile %s\n%s", passwords,
             identity.certificate_path, identity.key_path, geteuid() == 0 ? "user root\n" : "");
    broker_start(&own, more);

    struct mqtt_options options = options_for(&gateway, own.port);
    options.ca_path = identity.certificate_path;
    options.username = "gateway";
    options.password_path = wrong;
    gateway_start_with(&gateway, options);
    assert_false(LOOP_UNTIL_WITHIN(gateway.base, 0.5, mqtt_is_connected(gateway.mqtt)));
    gateway_stop(&gateway);

    options.password_path = password;
    gateway_start_with(&gateway, options);
    assert_true(LOOP_UNTIL(gateway.base, mqtt_is_connected(gateway.mqtt)));
    assert_true(mqtt_publish(gateway.mqtt, ALARM, "to myself", 9, 1, false));
    assert_true(LOOP_UNTIL(gateway.base, is_heard(&gateway, "to myself\n")));
    mqtt_durable(gateway.mqtt, 1);
    gateway_stop(&gateway);

    char error[200] = "";
    options.password_path = "/nonexistent/password";
    struct event_base *base = event_base_new();
    assert_null(mqtt_open(base, &options, error, sizeof(error)));
    event_base_free(base);
    assert_non_null(strstr(error, "/nonexistent/password: No such file"));
    broker_stop(&own);
    folder_remove(folder);
    identity_free(&identity);
}

/* --- what it says of itself, to a broker of ours that only listens --- */

static bool contains(const uint8_t *data, ssize_t size, const char *part, size_t part_size)
{
    return size > 0 && memmem(data, (size_t)size, part, part_size) != NULL;
}

static void test_connect_asks_for_a_lasting_session(void **state)
{
    client_id = __func__;
    struct sockaddr_in where = {.sin_family = AF_INET};
    struct gateway gateway;
    uint8_t packet[300];
    ssize_t size = -1;
    (void)state;
    uint16_t port = free_port();
    int fd, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&where, sizeof(where)), 0);
    listen(listener, 1);
    struct mqtt_options options = options_for(&gateway, port);
    options.receive_maximum = 0x0123;
    gateway_start_with(&gateway, options);
    assert_true(LOOP_UNTIL(gateway.base, (fd = accept(listener, NULL, NULL)) >= 0));
    assert_true(
        LOOP_UNTIL(gateway.base, (size = recv(fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0));
    assert_int_equal(packet[0], 0x10);                              /* CONNECT */
    assert_true(contains(packet, size, "\0\4MQTT\5\0", 8));         /* 5; no clean start */
    assert_true(contains(packet, size, "\x11\xff\xff\xff\xff", 5)); /* never expires */
    assert_true(contains(packet, size, "\x21\x01\x23", 3));         /* receive maximum */
    assert_true(contains(packet, size, "\0\x27test_connect_asks_for_a_lasting_session",
                         41)); /* client id */
    close(fd);
    assert_true(LOOP_UNTIL(gateway.base, (fd = accept(listener, NULL, NULL)) >= 0));
    size = -1;
    assert_true(
        LOOP_UNTIL(gateway.base, (size = recv(fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0));
    assert_true(contains(packet, size, "\x11\xff\xff\xff\xff", 5)); /* and so again */
    gateway_stop(&gateway);
    close(fd);
    close(listener);
}

/* A broker that takes the connection and then says nothing to our TLS must not keep the loop busy. */
static void test_silent_broker_costs_nothing(void **state)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    struct gateway gateway;
    char folder[64];
    int turns = 0, listener = socket(AF_INET, SOCK_STREAM, 0);
    client_id = __func__;
    (void)state;
    folder_make(folder);
    struct identity identity = identity_make(folder, "broker", "broker", NULL, NULL);
    uint16_t port = free_port();
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&where, sizeof(where)), 0);
    listen(listener, 1);
    struct mqtt_options options = options_for(&gateway, port);
    options.ca_path = identity.certificate_path;
    gateway_start_with(&gateway, options);
    LOOP_UNTIL_WITHIN(gateway.base, 0.3, (turns++, false));
    assert_in_range(turns, 1, 100);
    gateway_stop(&gateway);
    close(listener);
    folder_remove(folder);
    identity_free(&identity);
}

static int set_up(void **state)
{
    static struct broker broker;
    broker_start(&broker, "allow_anonymous true\n");
    *state = &broker;
    return 0;
}

static int tear_down(void **state)
{
    broker_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest with_broker[] = {
        cmocka_unit_test(test_killed_before_release_hears_it_again),
        cmocka_unit_test(test_batches_wait_for_their_highest_number),
        cmocka_unit_test(test_nothing_owed_waits_for_nothing),
        cmocka_unit_test(test_refused_is_delivered_again),
        cmocka_unit_test(test_broker_comes_and_goes),
        cmocka_unit_test(test_tls_and_password),
        cmocka_unit_test(test_connect_asks_for_a_lasting_session),
        cmocka_unit_test(test_silent_broker_costs_nothing),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!broker_is_installed()) {
        printf("1..1\nok 1 - mqtt # SKIP no " BROKER_PROGRAM "\n");
        return 0;
    }
    return cmocka_run_group_tests(with_broker, set_up, tear_down);
}
