-- Reports name kinds, outcomes and steps in the reader's language.

alter table onekey.measure_column add column words text collate "C";
comment on column onekey.measure_column.words is 'List of v_word that its values are of; none: they are shown as they are';
alter table onekey.measure add column on_demand boolean not null default false;
comment on column onekey.measure.on_demand is 'Only where it is asked for by name: a list as long as there are tickets';

create table onekey.report_word (
    list text collate "C" not null,
    name text collate "C" not null,
    name_zh text not null,
    name_en text not null,
    primary key (list, name)
);
comment on table onekey.report_word is 'Words of reports that no other table names';
comment on column onekey.report_word.list is 'What they are words of';
comment on column onekey.report_word.name is 'The word as it stands in the rows';
comment on column onekey.report_word.name_zh is 'Shown in Chinese';
comment on column onekey.report_word.name_en is 'Shown in English';
insert into onekey.report_word values
    ('device_kind', 'unknown', '未知设备', 'Unknown'), ('device_kind', 'call_box', '呼叫器', 'Call box'),
    ('device_kind', 'wristband', '手环', 'Wristband'), ('device_kind', 'meter', '水表', 'Meter'),
    ('mode', 'normal', '正常', 'Normal'), ('mode', 'test', '测试', 'Test'), ('mode', 'disaster', '大面积离线', 'Outage'),
    ('stage', 'present', '呈现', 'Show'), ('stage', 'claim', '接单', 'Claim'), ('stage', 'answer', '接通', 'Answer'),
    ('stage', 'dispatch', '派出', 'Dispatch'), ('stage', 'on_scene', '到场', 'On scene'), ('stage', 'verify', '核实', 'Verify'),
    ('stage', 'close', '办结', 'Close'), ('stage', 'pressed_received', '按下到收到', 'Pressed to received'),
    ('stage', 'received_raised', '收到到工单', 'Received to ticket'), ('stage', 'raised_presented', '工单到呈现', 'Ticket to screen'),
    ('stage', 'received_presented', '收到到呈现', 'Received to screen'),
    ('truth', 'true', '是', 'Yes'), ('truth', 'false', '否', 'No');
