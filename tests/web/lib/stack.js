/* A private stack (tools/dev/stack) with an invented district: its database, its people, devices that press. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, chmodSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const BUILD = join(ROOT, process.env.BUILD ?? 'build');
const HOUSEHOLDS = '60';
const STACK_S = 180;

export class Stack {
  pressed = new Map(); // identity -> second of its last press

  /* prepare: what is to be changed in the folder of CSV files before they are loaded. */
  up(prepare = () => {}) {
    this.parent = mkdtempSync('/tmp/onekey-web-');
    chmodSync(this.parent, 0o755);
    this.folder = join(this.parent, 's');
    mkdirSync(this.folder);
    this.command('up');
    this.values = Object.fromEntries(readFileSync(join(this.folder, 'env'), 'utf8').trim().split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    this.url = this.values.CONSOLE_URL;
    const data = join(this.parent, 'data');
    execFileSync(join(ROOT, 'tools/dev/sample-district'), [data, HOUSEHOLDS]);
    prepare(data);
    this.command('load', data);
  }

  down() {
    this.command('down');
    rmSync(this.parent, { recursive: true, force: true });
  }

  command(name, ...rest) {
    const done = spawnSync(join(ROOT, 'tools/dev/stack'), [name, this.folder, ...rest],
      { encoding: 'utf8', timeout: STACK_S * 1000 });
    if (done.status !== 0) throw new Error(`stack ${name} ${rest.join(' ')}: ${done.stderr}${done.stdout}`);
  }

  /* Rows of text fields. */
  sql(query) {
    const done = spawnSync('psql', ['-XqAt', '-F', '\x1f', '-v', 'ON_ERROR_STOP=1', '-c', query],
      { encoding: 'utf8', env: { ...process.env, ...this.values } });
    if (done.status !== 0) throw new Error(done.stderr);
    return done.stdout.split('\n').slice(0, -1).map((line) => line.split('\x1f'));
  }

  value(query) { return this.sql(query)[0]?.[0]; }

  /* name and password of who works here: operator, supervisor, administrator, or one added by add(). */
  person(role) {
    return { name: this.values[`CONSOLE_${role.toUpperCase()}`], password: this.values[`CONSOLE_${role.toUpperCase()}_PASSWORD`] };
  }

  add(name, role, fullName = name) {
    const password = 'sample-words-for-tests';
    const done = spawnSync(join(BUILD, 'bin/onekeyctl'), ['--config', this.values.ONEKEY_CONF, 'user', 'add', name, role,
      '--full-name', fullName, '--password-file', '-'], { input: `${password}\n`, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
    return { name, password };
  }

  /* Sends bytes to a listener; resolves with the first that came back. */
  frame(protocol, bytes) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(this.values[`PORT_${protocol.toUpperCase()}`]), '127.0.0.1', () => socket.write(bytes));
      const timer = setTimeout(() => { socket.destroy(); reject(new Error(`no answer to ${bytes}`)); }, 30000);
      socket.once('data', (data) => { clearTimeout(timer); socket.destroy(); resolve(data.toString()); });
      socket.once('error', reject);
    });
  }

  /* A wristband presses, never twice in one second of its clock: that would be a retransmission. */
  press(identity, status = '00010000') {
    const second = Math.max(Math.floor(Date.now() / 1000), (this.pressed.get(identity) ?? 0) + 1);
    this.pressed.set(identity, second);
    const at = new Date(second * 1000).toISOString();
    const [year, month, day] = at.slice(2, 10).split('-');
    const content = `AL,${day}${month}${year},${at.slice(11, 19).replaceAll(':', '')},V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,${status}`;
    return this.frame('watch', `[3G*${identity}*${content.length.toString(16).padStart(4, '0')}*${content}]`);
  }

  /* The identity of the wristband of household n, which must not be a multiple of 3: those have none. */
  wristband(n) { return `90${String(n).padStart(8, '0')}`; }

  /* The number of the open ticket of a device. */
  ticketOf(identity, kind = 'panic') {
    return Number(this.value(`select id from onekey.ticket where identity = '${identity}' and kind = '${kind}'
      and state <> 'closed'`));
  }

  /* Raises a ticket as a gateway would, from a detail of one's own; resolves with its number. */
  raise(identity, kind, detail = {}, { protocol = 'meter_json', service = 'none', flags = '' } = {}) {
    this.number = (this.number ?? 0) + 1;
    const quoted = (text) => `'${String(text).replaceAll("'", "''")}'`;
    return Number(this.value(`select ticket_id from onekey.raise_tickets('web', ${quoted(this.values.DISTRICT)},
      array[${this.number}], array[${quoted(protocol)}], array[${quoted(identity)}], array[${quoted(kind)}],
      array[${quoted(service)}], array[${quoted(flags)}], array[null::timestamptz], array[clock_timestamp()],
      array[null::bytea], array[${quoted(JSON.stringify(detail))}::jsonb])`));
  }
}
