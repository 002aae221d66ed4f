-- Commands to devices: what somebody asks of one, and what came of it. A gateway that has the device at hand takes
-- and sends it (db/functions/32_device_commands.sql).

create table onekey.device_command (
    district text collate "C" not null,
    id bigint generated always as identity,
    device_id bigint not null,
    kind text not null check (kind in ('locate', 'interval', 'sos_numbers', 'acknowledge')),
    arguments jsonb not null default '{}' check (jsonb_typeof(arguments) = 'object'),
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    state text not null default 'waiting'
        check (state in ('waiting', 'sent', 'done', 'refused', 'expired', 'failed')),
    attempts integer not null default 0,
    gateway text,
    sent_at timestamptz,
    finished_at timestamptz,
    answer text check (length(answer) <= 200),
    primary key (district, id),
    foreign key (district, device_id) references onekey.device (district, id) on delete cascade,
    check ((finished_at is null) = (state in ('waiting', 'sent')))
);
comment on table onekey.device_command is 'What was asked of devices, and what came of it';
comment on column onekey.device_command.district is 'Code of the district';
comment on column onekey.device_command.id is 'Number of the command';
comment on column onekey.device_command.device_id is 'The device';
comment on column onekey.device_command.kind is 'What it is to do: say where it is, report so often, call these numbers, show that help is coming';
comment on column onekey.device_command.arguments is 'interval: {"seconds": 600}; sos_numbers: {"numbers": ["13800000000"]}';
comment on column onekey.device_command.asked_by is 'Who asked';
comment on column onekey.device_command.asked_at is 'When';
comment on column onekey.device_command.expires_at is 'If no gateway could send it by then, nobody does';
comment on column onekey.device_command.state is
    'waiting for the device; sent, and not answered yet; done; refused by the device, its protocol or the gateway; expired unsent; failed: sent and never answered';
comment on column onekey.device_command.attempts is 'How often a gateway has taken it in order to send it';
comment on column onekey.device_command.gateway is 'The gateway that took it last';
comment on column onekey.device_command.sent_at is 'When it did so';
comment on column onekey.device_command.finished_at is 'When it came to its end';
comment on column onekey.device_command.answer is 'What the device said, or why it was not done';
create index device_command_open on onekey.device_command (district, device_id, id) where state in ('waiting', 'sent');
create index device_command_device on onekey.device_command (district, device_id, id);

-- ask_device: what does no harm; command_device: what changes the device's settings.
insert into onekey.role_command
values ('operator', 'ask_device'), ('supervisor', 'ask_device'), ('administrator', 'ask_device'),
       ('supervisor', 'command_device'), ('administrator', 'command_device');
