/* What people read of a report: values in words, and the header. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

const char *text_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static char *print_number(double value, const char *unit)
{
    char text[64];
    int digits = strcmp(unit, "seconds") == 0 || strcmp(unit, "hours") == 0 ? 1 : 2;

    if (value == (double)(long long)value)
        digits = 0;
    snprintf(text, sizeof(text), "%.*f", digits, value);
    return strdup(text);
}

char *text_value(const json_t *column, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        const char *word = text_member(json_object_get(column, "words"), json_string_value(value));
        text = strdup(word[0] != '\0' ? word : json_string_value(value));
    } else if (json_is_boolean(value)) {
        const char *code = json_is_true(value) ? "true" : "false";
        const char *word = text_member(json_object_get(column, "words"), code);
        text = strdup(word[0] != '\0' ? word : code);
    } else if (json_is_number(value)) {
        text = print_number(json_number_value(value), text_member(column, "unit"));
    } else {
        text = strdup("");
    }
    if (text == NULL)
        abort(); /* out of memory */
    return text;
}

json_t *text_header(const json_t *report, bool is_chinese)
{
    char window[64], tickets[32];
    const char *area = text_member(report, "area");

    snprintf(window, sizeof(window), "[%s 00:00, %s 00:00)", text_member(report, "from"),
             text_member(report, "until"));
    snprintf(tickets, sizeof(tickets), "%lld",
             (long long)json_integer_value(json_object_get(report, "tickets")));
    return json_pack("[[ss][ss][ss][ss][ss][ss][ss]]", is_chinese ? "区" : "District",
                     text_member(report, "district"), is_chinese ? "范围" : "Area",
                     area[0] != '\0' ? area
                     : is_chinese    ? "全区"
                                     : "all",
                     is_chinese ? "统计窗口" : "Window", window, is_chinese ? "时区" : "Time zone",
                     text_member(report, "zone"), is_chinese ? "工单数 n" : "Tickets n", tickets,
                     is_chinese ? "口径版本" : "Definitions", text_member(report, "definitions"),
                     is_chinese ? "生成时间" : "Made at", text_member(report, "made_at"));
}
