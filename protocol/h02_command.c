#include "protocol/h02_command.h"

#include "protocol/calendar.h"

bool h02_command(const struct command *command, struct codec_session *session,
                 const struct codec_environment *environment, struct writer *topic,
                 struct writer *out)
{
    struct civil now = calendar_to_civil(environment->now_us);

    (void)topic;
    if (command->kind != COMMAND_REPORT_INTERVAL || command->value <= 0 || !session->identity[0])
        return false;
    writer_text(out, "*HQ,");
    writer_text(out, session->identity);
    writer_text(out, ",S71,");
    writer_decimal_padded(out, (uint64_t)now.hour, 2);
    writer_decimal_padded(out, (uint64_t)now.minute, 2);
    writer_decimal_padded(out, (uint64_t)now.second, 2);
    writer_text(out, ",22,");
    writer_decimal(out, command->value);
    writer_u8(out, '#');
    return !out->overflow;
}

/* *HQ,identity,V4,S71,DONE,... or ERROR */
enum command_answer h02_command_answer(const struct message *message, const struct command *command,
                                       uint16_t serial, struct writer *text)
{
    struct bytes rest = bytes_part(message->body, 0, bytes_find(message->body, '#'));
    struct bytes field[5] = {{NULL, 0}};

    (void)command, (void)serial;
    for (int i = 0; i < 5 && bytes_next_field(&rest, ',', &field[i]); i++)
        ;
    if (!bytes_equal_text(field[2], "V4") || !bytes_equal_text(field[3], "S71"))
        return COMMAND_UNANSWERED;
    writer_text(text, "S71 ");
    writer_bytes(text, bytes_part(field[4], 0, 20));
    return bytes_equal_text(field[4], "ERROR") ? COMMAND_REFUSED : COMMAND_DONE;
}
