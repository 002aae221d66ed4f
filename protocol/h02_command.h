/* Commands of H02: the seconds between reports, *HQ,identity,S71,hhmmss,22,seconds#. */
#ifndef ONEKEY_PROTOCOL_H02_COMMAND_H
#define ONEKEY_PROTOCOL_H02_COMMAND_H

#include "protocol/codec.h"

/* Members of struct codec. */
bool h02_command(const struct command *command, struct codec_session *session,
                 const struct codec_environment *environment, struct writer *topic,
                 struct writer *out);
enum command_answer h02_command_answer(const struct message *message, const struct command *command,
                                       uint16_t serial, struct writer *text);

#endif
