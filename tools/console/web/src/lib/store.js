/* What the page knows of tickets: rows by number, each a signal, and per lane the order of those it has read.
 * Rows come in pages as people scroll and by the event stream; nothing is ever dropped for its age. */
import { signal, computed, batch } from '@preact/signals';
import { get, query, session } from './api.js';
import { on } from './live.js';
import { now, serverSays } from './time.js';

export const LANES = ['alarms', 'silence', 'services', 'devices', 'care', 'held'];
const PAGE = 100;
const REREAD_MAX = 500; // after a cut, at most this much of a lane is read again at once
const FRESH_S = 60;

export const dictionary = signal(null);
export const summary = signal(null);
export const duty = signal([]);
export const isDutyKnown = signal(false);
export const unstored = signal([]);
export const isDatabaseUp = signal(true);
export const notices = signal([]);
/* Counts every change of any row or order: what looks at all of them depends on this. */
export const changes = signal(0);

const rows = new Map();
const heard = new Map(); // the change at which the stream last told of a ticket
const fresh = new Map(); // since when a ticket that nobody here has looked at is known
const lanes = Object.fromEntries(LANES.map((name) => [name, { ids: signal([]), more: null, state: signal('waiting') }]));

export const lane = (name) => lanes[name];
export const row = (id) => rows.get(Number(id));
export const isFresh = (id) => fresh.has(id) && now.value - fresh.get(id) < FRESH_S * 1000;
export const seen = (id) => fresh.delete(Number(id));

const laneOf = (ticket) => (ticket.state === 'closed' ? null : ticket.lane);

export const isUnclaimed = (ticket) => ticket.state !== 'closed' && !ticket.claimed_by && !ticket.held_until;
/* The escalation asked for more noise. */
export const isLoud = (ticket) => ticket.ring_level > 0 && isUnclaimed(ticket);

function precedes(a, b) {
  return a.priority - b.priority || Date.parse(a.received_at) - Date.parse(b.received_at) || a.id - b.id;
}

function place(ids, ticket) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (precedes(rows.get(ids[middle]).peek(), ticket) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function keep(ticket) {
  const known = rows.get(ticket.id);
  if (known) known.value = ticket;
  else rows.set(ticket.id, signal(ticket));
}

/* Puts a row where it belongs: into its lane if that is read so far, out of all others. */
function settle(ticket) {
  const target = laneOf(ticket);
  for (const [name, { ids }] of Object.entries(lanes))
    if (ids.peek().includes(ticket.id)) ids.value = ids.peek().filter((id) => id !== ticket.id);
  keep(ticket);
  if (!target) return;
  const { ids, more } = lanes[target];
  const at = place(ids.peek(), ticket);
  if (at === ids.peek().length && more) return; // beyond what is read: it comes with its page
  ids.value = ids.peek().toSpliced(at, 0, ticket.id);
}

function changed(ticket) {
  batch(() => {
    changes.value++;
    heard.set(ticket.id, changes.value);
    if (!rows.has(ticket.id) && ticket.state === 'open') fresh.set(ticket.id, now.value);
    settle(ticket);
  });
}

/* One more page of a lane; `from` null begins it anew. */
async function readPage(name, from, limit) {
  const target = lanes[name];
  const began = changes.value;
  target.state.value = 'loading';
  try {
    const page = await get(`/api/queue${query({ lane: name, limit, after: from })}`);
    batch(() => {
      const kept = from ? target.ids.peek() : [];
      for (const ticket of page.rows) if (!((heard.get(ticket.id) ?? 0) > began)) keep(ticket);
      const here = page.rows.map(({ id }) => id).filter((id) => laneOf(rows.get(id).peek()) === name);
      const late = from ? [] : target.ids.peek().filter((id) => (heard.get(id) ?? 0) > began);
      target.more = page.next ?? null;
      target.ids.value = [...new Set([...kept, ...here, ...late])]
        .sort((a, b) => precedes(rows.get(a).peek(), rows.get(b).peek()));
      target.state.value = 'ready';
      changes.value++;
    });
  } catch (error) {
    target.state.value = 'failed';
    throw error;
  }
}

export function readMore(name) {
  const { more, state } = lanes[name];
  if (more && state.peek() !== 'loading') readPage(name, more, PAGE).catch(() => {});
}

export const hasMore = (name) => lanes[name].more !== null;

/* All that the page shows at first, and again after the stream was cut. */
export async function readAll() {
  const parts = LANES.map((name) =>
    readPage(name, null, Math.min(Math.max(PAGE, lanes[name].ids.peek().length), REREAD_MAX)));
  const single = async (path, take) => {
    const before = told.get(take);
    const value = await get(path);
    if (told.get(take) === before) take(value); // else an event has come since, and holds
  };
  parts.push(single('/api/summary', takeSummary));
  parts.push(single('/api/on-duty', takeDuty));
  parts.push(single('/api/unstored', takeUnstored));
  if (!dictionary.value) parts.push(single('/api/dictionary', (value) => { dictionary.value = value; }));
  return Promise.allSettled(parts);
}

/* How often the stream has told each of these. */
const told = new Map();

function hear(take) {
  return (value) => {
    told.set(take, (told.get(take) ?? 0) + 1);
    take(value);
  };
}

function takeSummary(value) {
  summary.value = value;
}

function takeDuty({ on_duty }) {
  duty.value = on_duty;
  isDutyKnown.value = true;
}

function takeUnstored(value) {
  unstored.value = value.alarms;
}

export function forgetAll() {
  batch(() => {
    rows.clear();
    heard.clear();
    fresh.clear();
    for (const { ids, state } of Object.values(lanes)) { ids.value = []; state.value = 'waiting'; }
    summary.value = null;
    notices.value = [];
    isDutyKnown.value = false;
    unstored.value = [];
  });
}

export const hearDuty = hear(takeDuty);

/* How many open tickets a lane has: what is read if that is all, else what the server counted a moment ago. */
export function count(name) {
  const { ids, more, state } = lanes[name];
  const read = ids.value.length;
  return state.value === 'ready' && more === null ? read : summary.value?.lanes[name]?.total ?? read;
}

/* The first of each lane that nobody has, for the sound. */
export const waiting = computed(() => {
  changes.value;
  return ['alarms', 'silence', 'services', 'devices']
    .map((name) => lanes[name].ids.value.find((id) => isUnclaimed(rows.get(id).value)))
    .filter((id) => id !== undefined).map((id) => rows.get(id).value);
});

export const myShift = computed(() => duty.value.find(({ name }) => name === session.value?.user.name) ?? null);
export const may = (command) => session.value?.may.includes(command) ?? false;

on('hello', (hello) => {
  serverSays(hello.now);
  isDatabaseUp.value = hello.database;
  if (hello.resync) readAll();
});
on('ping', (ping) => ping && serverSays(ping.now));
on('ticket', changed);
on('summary', hear(takeSummary));
on('shift', hearDuty);
on('unstored', hear(takeUnstored));
on('database', ({ up }) => { isDatabaseUp.value = up; });
on('notice', (notice) => { notices.value = [notice, ...notices.value].slice(0, 50); });
on('link', readAll);
