/* One event stream for all tabs of a browser. The tab that holds the lock reads it and tells the others; when it
 * goes, another gets the lock and goes on at the same cursor. A leader that is silent is deposed. */
import { signal, computed } from '@preact/signals';
import { now } from './time.js';
import { readStream } from './stream.js';
import { session } from './api.js';

const STALE_MS = 20000;
const QUIET_MS = 15000; // the server pings every 10 s: longer silence is a dead line
const DEPOSE_MS = 25000;
const RETRY_MS = [300, 700, 1500, 2500];
const LOCK = 'onekey.live';

/* By the server's clock: when this tab last heard something. 0: not yet. */
export const heardAt = signal(0);
export const isLive = signal(false);
const isLeader = signal(false);
export const isStale = computed(() => heardAt.value > 0 && now.value - heardAt.value > STALE_MS);

const listeners = new Map();
let cursor = null;
let channel = null;
let stopper = null;
let leaderAt = 0; // when the leading tab last said anything, if only that it has no stream

/* The handler gets the event's data and id. Names: those of the server, and 'link' when the stream is back. */
export function on(event, handler) {
  listeners.set(event, [...(listeners.get(event) ?? []), handler]);
}

function emit(event, data, id) {
  for (const handler of listeners.get(event) ?? []) handler(data, id);
}

function take({ id, event, data }) {
  let content = null;
  try {
    content = data ? JSON.parse(data) : null;
  } catch {
    return; // half a message is none
  }
  const isBack = !isLive.value;
  isLive.value = true;
  emit(event, content, id);
  heardAt.value = now.value;
  if (isBack) emit('link');
}

async function lead(stop) {
  isLeader.value = true;
  for (let failed = 0; !stop.aborted; failed++) {
    const status = await readStream('/api/events', {
      cursor, stop, quiet_ms: QUIET_MS,
      take(message) {
        failed = 0;
        if (message.id) cursor = message.id;
        channel?.postMessage({ ...message, cursor });
        take(message);
      },
    });
    if (stop.aborted) break;
    isLive.value = false;
    channel?.postMessage({ down: true, cursor });
    if (status === 401) session.value = null;
    if (status === 410) cursor = null; // too old to go on from: begin anew
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(failed, RETRY_MS.length - 1)]));
  }
  isLeader.value = false;
}

/* Waits for the lock and leads; deposes a leader from whom nothing is heard, not even that it is cut off. */
async function stand(stop) {
  while (!stop.aborted) {
    const term = new AbortController();
    const waiting = new AbortController();
    const hold = () => lead(AbortSignal.any([stop, term.signal]));
    const watch = setInterval(() => {
      if (!isLeader.value && Date.now() - leaderAt > DEPOSE_MS) waiting.abort();
    }, 2000);
    try {
      await navigator.locks.request(LOCK, { signal: AbortSignal.any([stop, waiting.signal]) }, hold);
    } catch {
      if (waiting.signal.aborted && !stop.aborted)
        await navigator.locks.request(LOCK, { steal: true }, hold).catch(() => {});
    } finally {
      clearInterval(watch);
      term.abort();
    }
  }
}

export function startLive() {
  stopLive();
  stopper = new AbortController();
  leaderAt = Date.now();
  channel = new BroadcastChannel('onekey.live');
  channel.onmessage = ({ data }) => {
    if (data.ask) {
      if (isLeader.value && isLive.value) channel.postMessage({ event: 'ping', data: '', cursor });
      return;
    }
    leaderAt = Date.now();
    cursor = data.cursor;
    if (data.down) isLive.value = false;
    else take(data);
  };
  channel.postMessage({ ask: true }); // so that a new tab need not wait for the next event to know
  stand(stopper.signal);
}

export function stopLive() {
  stopper?.abort();
  channel?.close();
  channel = stopper = null;
  cursor = null;
  heardAt.value = 0;
  isLive.value = false;
}
