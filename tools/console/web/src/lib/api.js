/* The one way to the server. What changes something carries the session's token and a key, so that it can be
 * sent again when the answer was lost: the server does it once. */
import { signal } from '@preact/signals';
import { serverSays } from './time.js';

const WAIT_MS = 10000;
const TRIES = 4;
const AGAIN = new Set([0, 502, 503, 504]);

/* undefined: not known yet; null: nobody is logged in. */
export const session = signal(undefined);

/* status 0: no answer. code: the server's word for it. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? '');
    this.status = status;
    this.code = error?.code ?? (status === 0 ? 'no_answer' : `http_${status}`);
    this.reply = error?.reply ?? null;
    this.retry_after_s = error?.retry_after_s ?? null;
  }
}

async function once(method, path, body, key, wait_ms = WAIT_MS) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET' && session.value) headers['X-CSRF-Token'] = session.value.csrf;
  if (key) headers['Idempotency-Key'] = key;
  let answer;
  let content = null;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(wait_ms),
    });
    content = answer.status === 204 ? {} : await answer.json().catch(() => null);
  } catch {
    throw new ApiError(0, null);
  }
  if (content?.now) serverSays(content.now);
  if (answer.ok) return content;
  if (answer.status === 401 && session.value) session.value = null;
  throw new ApiError(answer.status, {
    ...(content?.error ?? content), reply: content, retry_after_s: Number(answer.headers.get('Retry-After')) || null,
  });
}

async function patient(method, path, body, key, wait_ms) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(method, path, body, key, wait_ms);
    } catch (error) {
      if (attempt === TRIES || !AGAIN.has(error.status)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
    }
  }
}

/* wait_ms: for what takes longer than a screen may. */
export const get = (path, wait_ms) => patient('GET', path, undefined, undefined, wait_ms);
export const send = (method, path, body = {}) => patient(method, path, body, crypto.randomUUID());

/* A step of a ticket: its reply, also when the life of a ticket refuses it (ok false, with a code). */
export async function command(ticketId, name, args = {}) {
  try {
    return await send('POST', `/api/tickets/${ticketId}/${name}`, args);
  } catch (error) {
    if (error.status === 0 || error.status >= 500) return { ok: false, code: error.code };
    return { owner: error.reply?.owner, ...error.reply, ok: false, code: error.reply?.code ?? error.code };
  }
}

/* ?a=1&b=2 of what is given; empty values are left out. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
