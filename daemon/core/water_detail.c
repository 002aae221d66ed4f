/* What is told of a meter in JSON: with a ticket, and with the copy of its profile. */
#include "daemon/core/gateway_state.h"

static void write_name(struct writer *out, const char *name)
{
    writer_text(out, out->size == 0 ? "{\"" : ",\"");
    writer_text(out, name);
    writer_text(out, "\":");
}

static void write_number(struct writer *out, const char *name, int64_t value)
{
    write_name(out, name);
    writer_decimal(out, value);
}

static void write_hundredths(struct writer *out, const char *name, float value)
{
    write_name(out, name);
    writer_fixed(out, (int64_t)(value * 100), 2);
}

static void write_curve(struct writer *out, const char *name, const float *values, int digits)
{
    float scale = digits == 2 ? 100 : 10;

    write_name(out, name);
    for (int i = 0; i < 24; i++) {
        writer_text(out, i == 0 ? "[" : ",");
        if (values[i] < 0)
            writer_text(out, "null");
        else
            writer_fixed(out, (int64_t)(values[i] * scale), digits);
    }
    writer_text(out, "]");
}

static const char *rule_name(uint32_t bit)
{
    return silence_rule_name((enum silence_rule)bit);
}

static const char *reason_name(uint32_t bit)
{
    return silence_reason_name((enum silence_reason)bit);
}

/* The names of the bits set, of at most `count`. */
static void write_names(struct writer *out, const char *name, uint32_t bits, uint32_t count,
                        const char *(*name_of)(uint32_t bit))
{
    const char *separator = "[\"";

    write_name(out, name);
    for (uint32_t bit = 1; bit < 1u << count; bit <<= 1) {
        if (!(bits & bit))
            continue;
        writer_text(out, separator);
        writer_text(out, name_of(bit));
        writer_text(out, "\"");
        separator = ",\"";
    }
    writer_text(out, separator[0] == '[' ? "[]" : "]");
}

void water_detail_write(const struct gateway *gateway, uint32_t device,
                        const struct silence_verdict *verdict, uint32_t rules, struct writer *out)
{
    struct silence_settings own;
    struct silence_detail detail;

    silence_describe(&gateway->water[device], explain_settings(gateway, device, &own),
                     gateway->now.wall_us, &detail);
    write_names(out, "rules", rules, SILENCE_RULE_COUNT, rule_name);
    if (verdict->reasons)
        write_names(out, "reasons", verdict->reasons, SILENCE_REASON_COUNT, reason_name);
    write_number(out, "since_us", verdict->since_us);
    write_number(out, "known_us", detail.known_us);
    write_number(out, "last_use_us", detail.last_use_us);
    write_number(out, "last_use_ml", detail.last_use_ml);
    write_hundredths(out, "quiet_hours", detail.quiet_hours);
    write_hundredths(out, "effective_hours", detail.effective_hours);
    write_hundredths(out, "threshold_hours", detail.theta_hours);
    write_hundredths(out, "usual_chance", detail.usual_chance);
    write_number(out, "false_before", detail.false_count);
    write_number(out, "true_before", detail.true_count);
    write_curve(out, "expected", detail.expected, 2);
    write_curve(out, "actual_l", detail.actual_l, 1);
    writer_text(out, "}");
}

void water_detail_write_profile(const struct gateway *gateway, uint32_t device, struct writer *out)
{
    struct silence_settings own;
    const struct silence_settings *settings = explain_settings(gateway, device, &own);
    const struct silence *silence = &gateway->water[device];
    struct silence_detail detail;
    float weekday[24], weekend[24];
    int64_t deadline_us = silence_deadline(silence, settings);

    silence_describe(silence, settings, gateway->now.wall_us, &detail);
    silence_habits(silence, weekday, weekend);
    write_names(out, "rules_on", settings->rules, SILENCE_RULE_COUNT, rule_name);
    write_names(out, "rules_open", detail.rules, SILENCE_RULE_COUNT, rule_name);
    write_names(out, "reasons", detail.reasons, SILENCE_REASON_COUNT, reason_name);
    write_name(out, "scheme");
    writer_text(out, "\""); /* letters, digits, '.', '-' and '_': the configuration's words */
    writer_text(out, explain_scheme(gateway, device));
    writer_text(out, "\"");
    write_number(out, "fixed_ml", settings->fixed_ml);
    write_number(out, "fixed_window_s", settings->fixed_window_us / US_PER_SECOND);
    write_number(out, "offset_s", settings->offset_s);
    write_number(out, "known_us", detail.known_us);
    write_number(out, "since_us", detail.since_us);
    write_number(out, "deadline_us", deadline_us == INT64_MAX ? 0 : deadline_us);
    write_number(out, "last_use_us", detail.last_use_us);
    write_number(out, "last_use_ml", detail.last_use_ml);
    write_hundredths(out, "effective_hours", detail.effective_hours);
    write_hundredths(out, "threshold_hours", detail.theta_hours);
    write_hundredths(out, "moved_by_outcomes_hours", detail.bias_hours);
    write_number(out, "false_before", detail.false_count);
    write_number(out, "true_before", detail.true_count);
    write_curve(out, "weekday", weekday, 2);
    write_curve(out, "weekend", weekend, 2);
    writer_text(out, "}");
}
