"""onekeyctl import and tickets. All data here is invented."""
import json
import os
import select
import subprocess
import tempfile

from database import PROGRAM, equal, holds, signal

AREAS = ("\ufeffcode,parent,level,name_zh,name_en\r\nD,,district,样例区,Sample\r\n"
         "T9,D,street_town,\"样例, 街道\",\"the \"\"ninth\"\"\"\r\n\r\nN9,T9,neighbourhood,样例居委,\r\n")
HOUSEHOLDS = ("address,code,area,resident,birth_year,living_alone,phone,conditions,notes,lon,lat\n"
              "\"Sample Lane 9\nsecond entrance\",H9,N9,Sample Nine,1939,yes,000-123,,\"tab\there \\ there\",121.5,31.25\n"
              "Sample Lane 8,H8,N9,Sample Eight,,否,,,,,\n")


def refused(db, kind, text):
    """Imports what is wrong; returns what is said of it, without the name of the file and the last line."""
    before = db.sql("select * from onekey.area; select * from onekey.household; select * from onekey.device;"
                    " select * from onekey.contact")
    done = db.ctl("import", kind, "-", text=text)
    equal(done.returncode, 1)
    lines = done.stderr.splitlines()
    holds("nothing was imported", lines[-1])
    equal(db.sql("select * from onekey.area; select * from onekey.household; select * from onekey.device;"
                 " select * from onekey.contact"), before)
    return [line.removeprefix("-:") for line in lines[:-1]]


def imported(db, kind, text, *options):
    done = db.ctl("import", kind, "-", *options, text=text)
    equal((done.returncode, done.stderr), (0, ""))
    return done.stdout.removeprefix("-: ").strip()


def test_a_district_is_imported_and_imported_again(db):
    equal(imported(db, "areas", AREAS), "3 areas: 2 new, 1 changed")
    equal(db.sql("select path, name_zh, name_en from onekey.v_area where code in ('T9', 'N9') order by path"),
          'D/T9|样例, 街道|the "ninth"\nD/T9/N9|样例居委|')
    equal(imported(db, "households", HOUSEHOLDS), "2 households: 2 new, 0 changed")
    equal(db.sql("select replace(address, E'\\n', '/'), living_alone, replace(notes, E'\\t', '<tab>'), longitude, latitude"
                 " from onekey.household where code = 'H9'"),
          "Sample Lane 9/second entrance|t|tab<tab>here \\ there|121.5|31.25")
    equal(db.sql("select h.living_alone, h.phone is null, h.longitude is null, r.birth_year is null, r.name"
                 " from onekey.household h join onekey.resident r on r.household_id = h.id where h.code = 'H8'"),
          "f|t|t|t|Sample Eight")
    equal(imported(db, "contacts", "household,order,role,name,phone\nH9,1,family,Sample A,000-1\n"
                                   "H9,2,key_holder,Sample B,000-22\n".replace("000-1", "000-111")),
          "2 contacts: 2 new, 0 changed")
    hours = "household,order,role,name,phone,available_from,available_until,available_days\n"
    equal(imported(db, "contacts", hours + "H9,1,family,Sample A,000-111,20:00,08:00,1 2 3\n"), "1 contacts: 0 new, 1 changed")
    equal(imported(db, "contacts", "household,order,role,name,phone\nH9,1,family,Sample A,000-112\n"), "1 contacts: 0 new, 1 changed")
    equal(db.sql("select phone, available_from, available_until, available_days from onekey.contact where name = 'Sample A'"),
          "000-112|20:00:00|08:00:00|{1,2,3}")
    equal(refused(db, "contacts", hours + "H9,1,family,A,000-111,8,24:00,\nH9,2,family,B,000-111,08:00,,mo\n"),
          ['2: column available_from: "8" is no time of day; write 08:00, or leave both times empty for all day',
           '2: column available_until: "24:00" is no time of day; write 20:00, or leave both times empty for all day',
           '3: column available_days: "mo" is no list of days; write days as numbers, 1 for Monday: 1 2 3 4 5; empty: every day',
           '3: column available_until: goes with available_from; give both times, or neither'])
    equal(imported(db, "devices", "protocol,identity,kind,household,report_interval_s,secret\n"
                                  "watch,w9,wristband,H9,,\nmeter_json,m9,meter,H9,3600,00ff\nwatch,spare,wristband,,,\n"),
          "3 devices: 3 new, 0 changed")
    equal(imported(db, "households", HOUSEHOLDS.replace("Sample Eight", "Sample Acht")),
          "2 households: 0 new, 1 changed")
    equal(imported(db, "devices", "protocol,identity,kind,household,report_interval_s,secret,carrier,supervision\n"
                                  "watch,w9,wristband,H8,600,,46000,180s\n"), "1 devices: 0 new, 1 changed")
    equal(db.sql("select supervision_s, carrier, parent_area_id = (select id from onekey.area where code = 'T9')"
                 " from onekey.registry('D') where identity in ('w9', 'm9') order by identity"), "||t\n180|46000|t")
    equal(db.raises(signal(1, "panic", "w9"))[0][1:], (1, "open", True))
    equal(db.sql("select household, area from onekey.v_open_tickets"), "H8|样例区 样例, 街道 样例居委")


def test_a_dry_run_stores_nothing(db):
    holds("dry run", imported(db, "areas", AREAS, "--dry-run"))
    equal(db.sql("select count(*) from onekey.area"), "2")


def test_a_file_says_how_silence_is_judged(db):
    head = "code,area,address,resident,birth_year,living_alone,phone,conditions,notes,lon,lat"
    own = head + ",silence_scheme,silence_litres,silence_hours\n"

    def judged(file, code="H5"):
        said = imported(db, "households", file)
        return said.partition(": ")[2], db.sql("select silence_scheme, silence_litres, silence_hours from onekey.household"
                                               f" where code = '{code}'")
    home = "H5,T,Sample Lane 5,Sample Five,,,,,,,"
    equal(judged(own + home + ",frail,20,8.5\n"), ("1 new, 0 changed", "frail|20|8.5"))
    equal(judged(own + home + ",frail,20,8.5\n"), ("0 new, 0 changed", "frail|20|8.5"))
    equal(judged(head + "\n" + home + "\n"), ("0 new, 0 changed", "frail|20|8.5"))
    equal(judged(own + home + ",,30,\n"), ("0 new, 1 changed", "frail|30|8.5"))
    equal(judged(own + home + ",-,-,\n"), ("0 new, 1 changed", "||8.5"))
    shown = json.loads(db.ctl("--json", "silence", "show", "H5").stdout)
    equal(shown["settings"], {"scheme": None, "litres": None, "hours": 8.5})
    holds("8.5", db.ctl("silence", "show", "H5").stdout)
    equal(refused(db, "households", own + home + ",too bad,0.5,many\n"),
          ['2: column silence_hours: "many" is no number of hours from 1 to 168; correct it, use - for that of the'
           ' scheme, or leave it empty',
           '2: column silence_litres: "0.5" is no number of litres from 1 to 655; correct it, use - for that of the'
           ' scheme, or leave it empty',
           '2: column silence_scheme: "too bad" is no name of a scheme; use letters, digits, ".", "-" and "_", 47 at'
           ' most, - for that of the configuration, or leave it empty'])


def test_every_error_names_line_column_value_and_remedy(db):
    equal(refused(db, "households",
                  "code,area,address,resident,birth_year,living_alone,phone,conditions,notes,lon,lat\n"
                  "H7,nowhere,,Sample,19,maybe,call me,,,200,\n"
                  "H7,T,a,b,,,,,,,\n"),
          ['2: column address: is empty; give the address',
           '2: column area: "nowhere" is no area of district D; import the areas first, or correct the code',
           '2: column birth_year: "19" is no year from 1880 to now; give four digits, or leave it empty',
           '2: column lat: is empty, and lon is not; give both or none',
           '2: column living_alone: "maybe" is neither yes nor no; use yes or no, or leave it empty',
           '2: column lon: "200" is no longitude; use WGS-84 degrees from -180 to 180',
           '2: column phone: "call me" is no telephone number; use digits, or leave it empty',
           '3: column code: "H7" stands in line 2 already; remove one of them'])
    equal(refused(db, "devices", "protocol,identity,kind,household,report_interval_s,secret,supervision,carrier\n"
                                 "wach,,toaster,H77,0,,7h,sixteen_letters_\n"),
          ['2: column carrier: "sixteen_letters_" is longer than 15 bytes; give a short name of the network, or leave it'
           ' empty',
           '2: column household: "H77" is no household of district D; import the households first, or leave it empty'
           ' for a device in store',
           '2: column identity: is empty; give what the device calls itself',
           '2: column kind: "toaster" is no kind of device; use call_box, wristband or meter',
           db_protocols(db),
           '2: column report_interval_s: "0" is no number of seconds from 1 to 2678400; give the seconds between two'
           ' reports, or leave it empty',
           '2: column supervision: "7h" is no level of supervision; use 25h, 5h, 180s or 90s, or leave it empty'])
    equal(refused(db, "contacts", "household,order,role,name,phone\nH1,0,family,A,000-111\nH1,1,,B,\nH1,1,x,C,000-1\n"),
          ['2: column order: "0" is no number from 1 to 99; number the contacts of a household from 1',
           '3: column phone: is empty; give the number to call',
           '3: column role: is empty; say who it is, such as family, key_holder or neighbourhood',
           '4: column order: "1" stands in line 3 already for this household; number the contacts of a household from 1'])
    equal(refused(db, "areas", "code,parent,level,name_zh,name_en\nD,T,district,样例,\nX,T,street_town,样例,\n"
                               "Y,Z,neighbourhood,,\nV,D,village,样例,\nT,D,neighbourhood,样例,\nW,,street_town,样例,\n"),
          ['2: column parent: "T" is given for a district; leave it empty',
           '3: column parent: "T" is not of a higher level; name the area above',
           '4: column name_zh: is empty; give the Chinese name',
           '4: column parent: "Z" is no area; add a row for it, or correct the code',
           '5: column level: "village" is no level; use district, street_town or neighbourhood',
           '6: column level: "neighbourhood" differs from the level it had, street_town; give another area another code',
           '7: column parent: is empty; give the code of the area it belongs to'])
    equal(refused(db, "areas", "code,parent,level,name_zh,name_en\nX,Y,street_town,样例,\nY,X,street_town,样例,\n"),
          ['2: column parent: "Y" is not of a higher level; name the area above',
           '3: column parent: "X" is not of a higher level; name the area above'])


def db_protocols(db):
    message = refused(db, "devices", "protocol,identity,kind,household,report_interval_s,secret\nwach,x,meter,,,\n")[0]
    holds('2: column protocol: "wach" is no protocol; use one of ', message)
    holds("watch", message.split("use one of")[1])
    return message


def test_what_is_no_csv_is_told(db):
    head = "protocol,identity,kind,household,report_interval_s,secret\n"
    for text, said in [
            ("", ["1: the file is empty; begin it with a heading"]),
            ("protocol,identity,kind,colour,kind,household,secret\n",
             ['1: "colour" is no column of this file; the columns are '
              'protocol,identity,kind,household,report_interval_s,secret,supervision,carrier',
              "1: column kind: stands there twice; remove one",
              "1: column report_interval_s: is missing; add it; its values may be empty where nothing is known"]),
            (head + "watch,1,meter\nwatch,1,meter,,,,,\n",
             ["2: has fewer fields than the heading; put values that hold a comma into quotes",
              "3: has more fields than the heading; put values that hold a comma into quotes"]),
            (head + 'watch,"1,meter,,,\n', ['2: column identity: begins with a quote that is never closed; close it']),
            (head + 'watch,"1"2,meter,,,\nwatch,1"2,meter,,,\n',
             ["2: column identity: goes on behind its closing quote; double the quotes within the value",
              "3: column identity: has a quote in a value without quotes; put the value into quotes and double those"
              " within"]),
            (head + "watch,\x07,meter,,,\n", ["2: column identity: holds a control character; remove it"])]:
        equal(refused(db, "devices", text), said)


def test_other_encodings_are_refused_with_their_line(db):
    head = b"household,order,role,name,phone\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bad.csv")
        for bad in ["样例".encode("gb18030"), b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe4\xb8"]:
            with open(path, "wb") as file:
                file.write(head + b"H1,1,family,Sample,000-111\nH1,2,family," + bad + b",000-111\n")
            done = db.ctl("import", "contacts", path)
            equal(done.returncode, 1)
            holds(f"{path}:3: column name: is not UTF-8; save the file as UTF-8", done.stderr)
        with open(path, "wb") as file:
            file.write(head + b"H1,1,family,Sam\0ple,000-111\n")
        holds("control character", db.ctl("import", "contacts", path).stderr)
    equal(db.sql("select count(*) from onekey.contact"), "0")


def test_many_errors_are_counted_and_not_all_shown(db):
    lines = db.ctl("import", "contacts", "-", text="household,order,role,name,phone\n" + "x,1,a,b,000\n" * 250)
    equal(len(lines.stderr.splitlines()), 102)
    holds("499 errors; nothing was imported", lines.stderr)
    holds("and 399 more", lines.stderr)


def test_several_districts_must_be_told_apart(db):
    db.sql("insert into onekey.area (district, code, level, name_zh) values ('E', 'E', 'district', '另一样例区')")
    text = "household,order,role,name,phone\nH1,1,family,Sample,000-111\n"
    done = db.ctl("import", "contacts", "-", text=text)
    holds("there are several districts: D, E", done.stderr)
    equal(imported(db, "contacts", text, "--district", "D"), "1 contacts: 1 new, 0 changed")
    holds("is no household of district E", db.ctl("import", "contacts", "-", "--district", "E", text=text).stderr)


def test_wrong_use_is_told(db):
    for arguments in [["import"], ["import", "cats", "x.csv"], ["import", "areas"], ["tickets", "more"],
                      ["tickets", "--loud"]]:
        equal(db.ctl(*arguments).returncode, 2)
    holds("cannot read /no/such.csv", db.ctl("import", "areas", "/no/such.csv").stderr)


def test_tickets_are_listed_for_people_and_programs(db):
    db.raises(signal(1, "low_battery"), signal(2, "panic"), signal(3, "leak", "ghost\x1b[31m"))
    db.sql("update onekey.ticket set state = 'closed', outcome = 'x', closed_at = now() where kind = 'leak'")
    rows = [json.loads(line) for line in db.ctl("tickets", "--open", "--json").stdout.splitlines()]
    equal([(row["kind"], row["household"], row["resident"], row["flags"]) for row in rows],
          [("panic", "H1", "Sample One", []), ("low_battery", "H1", "Sample One", [])])
    people = db.ctl("tickets").stdout
    equal(len(people.splitlines()), 4)
    assert "\x1b" not in people, people


def test_following_prints_each_change(db):
    db.raises(signal(1, "low_battery"))
    process = subprocess.Popen([PROGRAM, "tickets", "--open", "--follow", "--json"], stdout=subprocess.PIPE, text=True,
                               bufsize=1, env=db.server.environment(db.name))

    def line():
        assert select.select([process.stdout], [], [], 20)[0], "nothing came"
        return json.loads(process.stdout.readline())

    try:
        equal(line()["kind"], "low_battery")
        db.raises(signal(2, "panic"))
        row = line()
        equal((row["kind"], row["signal_count"]), ("panic", 1))
        db.raises(signal(3, "panic"))
        equal(line()["signal_count"], 2)
        db.raises(signal(4, "battery_restored"))
        equal(line()["state"], "closed")
    finally:
        process.terminate()
        process.wait(10)
