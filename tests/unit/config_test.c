#include "daemon/base/attributes.h"
#include "daemon/base/config.h"
#include "daemon/base/config_print.h"
#include "daemon/base/config_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SOUND "[listen watch]\nport = 7700\n"

/* Everything told in one reading, a line each. */
static char told[32768];

static void tell(void *context, const char *text)
{
    assert_ptr_equal(context, told);
    size_t used = strlen(told);
    snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static int read_bytes(struct config *config, const char *text, size_t size)
{
    told[0] = '\0';
    FILE *stream = size == 0 ? fopen("/dev/null", "r") : fmemopen((void *)text, size, "r");
    assert_non_null(stream);
    int errors = config_read(config, stream, "a.conf", told, tell);
    fclose(stream);
    return errors;
}

static int read_text(struct config *config, const char *text)
{
    return read_bytes(config, text, strlen(text));
}

static void every_default_is_allowed(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(read_text(&config, SOUND), 0);
    assert_string_equal(told, "");
    assert_string_equal(config.gateway.name, "gateway-1");
    assert_int_equal(config.gateway.district, 310000);
    assert_string_equal(config.journal.directory, "/var/lib/onekey/journal");
    assert_int_equal(config.journal.segment_bytes, 16 << 20);
    assert_string_equal(config.mqtt.client_id, "gateway-1");
    assert_int_equal(config.silence.scheme.mode, CONFIG_LEARNED);
    assert_int_equal(config.silence.scheme.litres, 10);
    assert_int_equal(config.silence.scheme.hours, 12);
    assert_true(config.silence.scheme.rate == 6.5);
    assert_true(config.silence.leak);
    assert_int_equal(config.silence.scheme.daily_litres, 0);
    assert_int_equal(config.dc09.time_window_before_s, 40);
    assert_int_equal(config.dc09.time_window_after_s, 20);
    assert_int_equal(config.admit.clock_wrong_s, 86400);
    assert_int_equal(config.log.level, 6);
    assert_int_equal(config.listener_count, 1);
    assert_string_equal(config.listeners[0].name, "watch");
    assert_string_equal(config.listeners[0].address, "::");
    assert_string_equal(config.listeners[0].protocol, "any");
    assert_int_equal(config.listeners[0].port, 7700);
    assert_int_equal(config.listeners[0].transport, CONFIG_TCP);
}

static void values_of_every_type_are_read(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(read_text(&config, "\xef\xbb\xbf# a comment\r\n"
                                        "[gateway]\r\nname=west.gate_2\n  district : 310105\n"
                                        "state_directory = /srv/onekey ; inline\n"
                                        "[journal]\nsegment_bytes=2M\ntotal_bytes=5G\n"
                                        "[silence]\nrate = 14.5\nleak = no\nmode=fixed\n"
                                        "[log]\nlevel=debug\n"
                                        "[mqtt]\nenabled=yes\nhost=broker.example\n"
                                        "[listen  box]\nprotocol=sia_dc09\ntransport=tls\nport=1\n"
                                        "certificate=/c\nkey=/k\naddress=127.0.0.1"),
                     0);
    assert_string_equal(told, "");
    assert_string_equal(config.gateway.name, "west.gate_2");
    assert_int_equal(config.gateway.district, 310105);
    assert_string_equal(config.journal.directory, "/srv/onekey/journal");
    assert_int_equal(config.journal.segment_bytes, 2 << 20);
    assert_int_equal(config.journal.total_bytes, INT64_C(5) << 30);
    assert_true(config.silence.scheme.rate == 14.5);
    assert_false(config.silence.leak);
    assert_int_equal(config.silence.scheme.mode, CONFIG_FIXED);
    assert_int_equal(config.log.level, 7);
    assert_true(config.mqtt.enabled);
    assert_string_equal(config.mqtt.client_id, "west.gate_2");
    assert_string_equal(config.listeners[0].name, "box");
    assert_string_equal(config.listeners[0].protocol, "sia_dc09");
    assert_int_equal(config.listeners[0].transport, CONFIG_TLS);
}

static void targets_of_notices_are_read(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(read_text(&config,
                               SOUND "[webhook near]\nurl=http://[::1]:80/x\nsecret_file=/s\n"
                                     "[webhook far]\nurl=https://a.example/?b=c@d\nsecret_file=/s\n"
                                     "include=person\n[mail m]\nserver=127.0.0.1\nsecurity=none\n"
                                     "from=a@b.example\nto=c@d.example e.f+g@h.example\n"
                                     "[exec sms]\nprogram=/bin/true\nat_once=16\n"),
                     0);
    assert_string_equal(told, "");
    assert_int_equal(config.webhook_count, 2);
    assert_string_equal(config.webhooks[1].name, "far");
    assert_int_equal(config.webhooks[0].include, CONFIG_NOBODY);
    assert_int_equal(config.webhooks[1].include, CONFIG_PERSON);
    assert_int_equal(config.mails[0].port, 587);
    assert_int_equal(config.mails[0].security, CONFIG_PLAIN);
    assert_string_equal(config.execs[0].name, "sms");
    assert_int_equal(config.listener_count, 1);
}

static const struct {
    const char *text, *expected;
} wrong[] = {
    {SOUND "[gateway]\nnmae = x\n", "a.conf:4: [gateway] has no key nmae; it has name, district"},
    {SOUND "[getaway]\nname = x\n", "a.conf:3: section [getaway] is not known; the sections are "
                                    "gateway, listen, mqtt, meter-json, journal"},
    {SOUND "[listen]\n", "a.conf:3: [listen ] needs a name; give up to 47"},
    {SOUND "[listen a b]\n", "a.conf:3: [listen a b] needs a name"},
    {SOUND "[webhook w]\nsecret_file = /s\n", "a.conf:3: [webhook w] has no url; give one"},
    {SOUND "[webhook w]\nsecret_file=/s\nurl=http://family.example/\n",
     "a.conf:3: [webhook w] url is not https; give https, or allow_http = yes"},
    {SOUND "[webhook w]\nsecret_file=/s\nurl=http://localhost.family.example/\n",
     "url is not https"},
    {SOUND "[webhook w]\nsecret_file=/s\nurl=ftp://family.example/\n", "url is no https address"},
    {SOUND "[webhook w]\nsecret_file=/s\nurl=https://me:you@family.example/\n",
     "url holds a name or password"},
    {SOUND "[mail m]\nserver=mail.example\nfrom=a@b\nto=a@b x@y,z@w\n",
     "a.conf:3: [mail m] to: 'x@y,z@w' is no mail address; give name@host"},
    {SOUND "[mail m]\nserver=mail.example\nfrom=a@b\nto=<a@b>\n", "'<a@b>' is no mail address"},
    {SOUND "[mail m]\nserver=mail.example\nfrom=a@b\nto=a@b\nsecurity=none\n",
     "security = none is for a loopback address"},
    {SOUND "[mail m]\nserver=mail.example\nfrom=a@b\nto=a@b\nusername=me\n",
     "username and password_file need each other"},
    {SOUND "[exec x]\n", "a.conf:3: [exec x] has no program"},
    {SOUND "[mains]\nhours = 3\n", "a.conf: [mains] hours must be above window_h"},
    {SOUND "[notice]\nmqtt = yes\n", "a.conf: [notice] mqtt needs a broker; enable [mqtt]"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\nidentity=id\n",
     "a.conf:5: [meter-json v] topic =  is no topic; give levels separated by /"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\nidentity=id\ntopic=a/b+/c\n",
     "topic = a/b+/c is no topic"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\nidentity=id\ntopic=a/#\n",
     "topic = a/# is no topic"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\nidentity=id\ntopic=onekey/v1/+\n",
     "topic = onekey/v1/+ takes in the topics of onekey; begin with"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\nidentity=id\ntopic=+/b\n", "takes in the topics"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\nidentity_level=2\ntopic=a/b\n",
     "identity_level = 2 is behind the end of the topic; give 0 to 1"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\ntopic=a/b\n",
     "names no device; give identity_level"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\ntopic=a/b\nidentity=a..b\n",
     "identity = a..b is no path; give keys"},
    {SOUND "[meter-json v]\ntopic=a/b\nidentity=id\n", "would hear nothing; enable [mqtt]"},
    {SOUND "[mqtt]\nenabled=yes\n[meter-json v]\ntopic=a/b\nidentity=id\nunit=gallons\n",
     "unit = gallons is not known; give one of litres, cubic"},
    {SOUND "port = 70000\n",
     "a.conf:3: [listen watch] port = 70000 is out of range; give 1 to 65535"},
    {SOUND "port = 7x\n", "port = 7x is not a whole number; give 1 to 65535"},
    {SOUND "port =\n", "port =  is not a whole number"},
    {SOUND "port = 99999999999999999999\n", "is out of range"},
    {SOUND "address = localhost\n", "address = localhost is not an address in numbers; give an "
                                    "IPv4 or IPv6"},
    {SOUND "protocol = telex\n", "protocol = telex is not known; give one of any, watch, sia_dc09"},
    {SOUND "transport = tc\n", "transport = tc is not known; give one of tcp, tls, udp"},
    {SOUND "certificate = cert.pem\n", "certificate = cert.pem is not an absolute path"},
    {SOUND "[silence]\nleak = maybe\n", "leak = maybe is neither yes nor no; give yes or no"},
    {SOUND "[silence]\nrate = nan\n", "rate = nan is out of range; give 0.1 to 100"},
    {SOUND "[silence]\nrate = 6,5\n", "rate = 6,5 is not a number"},
    {SOUND "[journal]\nsegment_bytes = 1k\n", "segment_bytes = 1k is not a number of bytes"},
    {SOUND "[journal]\nsegment_bytes = 1K\n", "is out of range; give 64K to 1G"},
    {SOUND "[journal]\nsegment_bytes = 9223372036854775807G\n", "is out of range"},
    {SOUND "[gateway]\nname =\n", "name =  is empty"},
    {SOUND "[gateway]\nname = gate 1\n", "name = gate 1 has a forbidden character"},
    {SOUND "[gateway]\nname = a23456789b123456789c123456789d123456789e12345678\n",
     "is too long; give letters, digits, '.', '-' and '_', at most 47 characters"},
    {SOUND "[log]\nlevel = loud\n", "level = loud is not known; give one of critical, error"},
    {SOUND "no equals sign\n", "a.conf:3: not understood; write key = value"},
    {SOUND "[gateway\nname = x\n", "a.conf:3: not understood"},
    {"name = x\n" SOUND, "a.conf:1: name stands before any section"},
    {"", "a.conf: nothing would be received; give a [listen NAME]"},
    {"[listen w]\n", "a.conf:1: [listen w] has no port; give port"},
    {SOUND "transport = tls\n",
     "a.conf:1: [listen watch] transport = tls; give certificate and key"},
    {SOUND "certificate = /c\n", "would not be used; give transport = tls"},
    {SOUND "[listen two]\nport = 7700\n", "a.conf:3: [listen two] port = 7700 is that of [listen "
                                          "watch] too"},
    {SOUND "[journal]\nsegment_bytes=1M\ntotal_bytes=1M\n",
     "total_bytes is less than two segments"},
    {SOUND "[supervise]\nmeter_s=60\n", "meter_s is below [silence] report_interval_s"},
    {SOUND "[supervise]\ninterval_min_s=60\ninterval_max_s=59\n", "interval_min_s is above"},
    {SOUND "[mqtt]\npassword_file=/p\n", "password_file needs a username"},
    {SOUND "[gateway]\nname = a\x1b[31m\n", "name = a?[31m has a forbidden character"},
};

/* Each wrong line on its own: the place, the value and the remedy are told. */
static void each_error_names_place_value_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct config config;
        int errors = read_text(&config, wrong[i].text);
        if (errors != 1 || strstr(told, wrong[i].expected) == NULL)
            fail_msg("%s\n%d errors, told: %swanted: %s", wrong[i].text, errors, told,
                     wrong[i].expected);
    }
}

static void all_errors_are_told(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(read_text(&config, "[gateway]\nx = 1\ndistrict = x\njunk\n[nope]\ny = 1\n"
                                        "[listen a]\nport = 0\n"),
                     6);
    assert_non_null(strstr(told, "a.conf:2: "));
    assert_non_null(strstr(told, "a.conf:3: "));
    assert_non_null(strstr(told, "a.conf:4: "));
    assert_non_null(strstr(told, "a.conf:5: "));
    assert_non_null(strstr(told, "a.conf:8: "));
    assert_non_null(strstr(told, "[listen a] has no port"));
}

static void passwords_are_refused_and_not_repeated(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "host=db password=geheim",
        "host=db password = geheim",
        "postgresql://onekey:geheim@db/onekey",
        "postgresql://db/onekey?password=geheim",
        "sslpassword=geheim",
    };
    static const char *const good[] = {
        "host=db user=onekey passfile=/etc/onekey/pgpass",
        "postgresql://onekey@db:5432/onekey",
        "postgresql://db:5432/onekey",
        "service=onekey",
    };
    char text[256];
    struct config config;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(text, sizeof(text), SOUND "[database]\nconninfo = %s\n", bad[i]);
        assert_int_equal(read_text(&config, text), 1);
        assert_non_null(strstr(told, "conninfo = ... holds a password; give"));
        assert_null(strstr(told, "geheim"));
    }
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        snprintf(text, sizeof(text), SOUND "[database]\nconninfo = %s\n", good[i]);
        assert_int_equal(read_text(&config, text), 0);
        assert_string_equal(config.database.conninfo, good[i]);
    }
}

static void lines_that_are_no_text_are_told(void **state)
{
    (void)state;
    struct config config;
    char text[4096] = SOUND;
    memset(text + strlen(text), 'x', 3000);
    snprintf(text + strlen(text), 64, "\n[log]\nlevel = loud\n");
    assert_int_equal(read_text(&config, text), 2);
    assert_non_null(strstr(told, "a.conf:3: the line is too long"));
    assert_non_null(strstr(told, "a.conf:5: [log] level = loud"));
    text[strlen(SOUND)] = '#'; /* a comment may be as long as it likes */
    assert_int_equal(read_text(&config, text), 1);
    static const char nul[] = SOUND "address =\0 ::1\n";
    assert_int_equal(read_bytes(&config, nul, sizeof(nul) - 1), 1);
    assert_non_null(strstr(told, "a.conf:3: the line holds a NUL byte"));
}

static void listeners_have_a_limit(void **state)
{
    (void)state;
    struct config config;
    char text[4096] = "";
    for (int i = 0; i <= CONFIG_LISTENERS_MAX; i++)
        snprintf(text + strlen(text), 64, "[listen n%d]\nport = %d\n", i, 7000 + i);
    assert_int_equal(read_text(&config, text), 1);
    assert_non_null(strstr(told, "[listen n32] is one too many"));
    assert_int_equal(config.listener_count, CONFIG_LISTENERS_MAX);
}

static void what_is_printed_reads_back_the_same(void **state)
{
    (void)state;
    struct config first, second;
    assert_int_equal(read_text(&first,
                               SOUND "[listen box]\ntransport=udp\nport=9\nprotocol=sia_dc09\n"
                                     "[silence]\nrate=2.57\nmode=fixed\n[log]\nlevel=error\n"
                                     "[journal]\nsegment_bytes=100000\n[mqtt]\nenabled=yes\n"),
                     0);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print(&first, out);
    fclose(out);
    assert_non_null(strstr(text, "[listen box]\n"));
    assert_non_null(strstr(text, "\nsegment_bytes = 100000\n"));
    assert_int_equal(read_bytes(&second, text, size), 0);
    assert_memory_equal(&first, &second, sizeof(first));
    free(text);
}

static void changes_that_need_a_restart_are_named(void **state)
{
    (void)state;
    struct config running, wanted;
    read_text(&running, SOUND "[listen old]\nport=1\n");
    assert_int_equal(read_text(&wanted, SOUND "[silence]\nhours=24\n[log]\nlevel=debug\n"
                                              "[listen old]\nport=1\n"),
                     0);
    told[0] = '\0';
    assert_int_equal(config_differs(&running, &wanted, told, tell), 0);

    assert_int_equal(read_text(&wanted, SOUND "[listen new]\nport=2\n[listen third]\nport=3\n"), 0);
    told[0] = '\0';
    assert_int_equal(config_differs(&running, &wanted, told, tell), 2);
    assert_string_equal(told, "listen old\nlisten third\n");
    told[0] = '\0';
    assert_int_equal(config_differs(&wanted, &running, told, tell), 2);
    assert_string_equal(told, "listen new\nlisten third\n");

    assert_int_equal(read_text(&wanted, SOUND "[listen old]\nport=3\n"
                                              "[gateway]\nstate_directory=/else\n"),
                     0);
    told[0] = '\0';
    assert_int_equal(config_differs(&running, &wanted, told, tell), 3);
    assert_string_equal(told, "gateway.state_directory\njournal.directory\nlisten old.port\n");
    assert_int_equal(config_differs(&wanted, &wanted, told, tell), 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void drop_ins_come_after_in_order(void **state)
{
    (void)state;
    char folder[] = "/tmp/onekey-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    struct config config;
    told[0] = '\0';
    assert_int_equal(config_load(&config, "main.conf", told, tell), 1);
    assert_non_null(strstr(told, "main.conf: cannot be opened: No such file"));

    write_file("main.conf", SOUND "[gateway]\nname=main\ndistrict=1\n");
    assert_int_equal(mkdir("conf.d", 0700), 0);
    write_file("conf.d/20-b.conf", "[gateway]\nname=b\n[listen watch]\nport=7702\n");
    write_file("conf.d/10-a.conf", "[gateway]\nname=a\n");
    write_file("conf.d/30-c.conf.bak", "[gateway]\nname=bak\n");
    write_file("conf.d/.40.conf", "[gateway]\nname=hidden\n");
    char path[64];
    snprintf(path, sizeof(path), "%s/main.conf", folder);
    told[0] = '\0';
    assert_int_equal(config_load(&config, path, told, tell), 0);
    assert_string_equal(config.gateway.name, "b");
    assert_int_equal(config.gateway.district, 1);
    assert_int_equal(config.listener_count, 1);
    assert_int_equal(config.listeners[0].port, 7702);

    write_file("conf.d/20-b.conf", "\n[gateway]\nnome=b\n");
    assert_int_equal(config_load(&config, path, told, tell), 1);
    assert_non_null(strstr(told, "/conf.d/20-b.conf:3: [gateway] has no key nome"));

    static const char *const files[] = {"main.conf", "conf.d/20-b.conf", "conf.d/10-a.conf",
                                        "conf.d/30-c.conf.bak", "conf.d/.40.conf"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        unlink(files[i]);
    rmdir("conf.d");
    assert_int_equal(rmdir(folder), 0);
}

static void every_row_is_described(void **state)
{
    (void)state;
    for (int i = 0; i < config_key_count; i++) {
        char text[CONFIG_TEXT_MAX];
        const struct config_key *key = &config_keys[i];
        config_value_describe(key, text);
        assert_true(strlen(text) > 0);
        assert_int_equal(key->help[strlen(key->help) - 1], '.');
        assert_ptr_equal(config_table_find(key->section, key->key), key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_allowed),
        cmocka_unit_test(values_of_every_type_are_read),
        cmocka_unit_test(targets_of_notices_are_read),
        cmocka_unit_test(each_error_names_place_value_and_remedy),
        cmocka_unit_test(all_errors_are_told),
        cmocka_unit_test(passwords_are_refused_and_not_repeated),
        cmocka_unit_test(lines_that_are_no_text_are_told),
        cmocka_unit_test(listeners_have_a_limit),
        cmocka_unit_test(what_is_printed_reads_back_the_same),
        cmocka_unit_test(changes_that_need_a_restart_are_named),
        cmocka_unit_test(drop_ins_come_after_in_order),
        cmocka_unit_test(every_row_is_described),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
