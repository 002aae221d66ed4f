/* Server-sent events read by hand, because a browser's EventSource cannot begin at a given cursor: the tab
 * that takes over from another must go on where that one was. */

/* Cuts text into events; `take` gets {id, event, data} of each. */
function parser(take) {
  let rest = '';
  let current = { event: 'message', data: [] };
  return (text) => {
    rest += text;
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (current.data.length || current.comment)
          take({ id: current.id, event: current.comment ? 'ping' : current.event, data: current.data.join('\n') });
        current = { event: 'message', data: [] };
      } else if (line.startsWith(':')) {
        current.comment = current.data.length === 0;
      } else {
        const colon = line.indexOf(':');
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (name === 'data') { current.data.push(value); current.comment = false; }
        else if (name === 'event') current.event = value;
        else if (name === 'id') current.id = value;
      }
    }
  };
}

/* Reads until the stream ends, fails, or is quiet for longer than quiet_ms. Resolves with the HTTP status;
 * 0: no connection. */
export async function readStream(path, { cursor, take, quiet_ms, stop }) {
  const ended = new AbortController();
  const end = () => ended.abort();
  stop.addEventListener('abort', end, { once: true });
  let timer = setTimeout(end, quiet_ms);
  let status = 0;
  try {
    const headers = { Accept: 'text/event-stream' };
    if (cursor) headers['Last-Event-ID'] = cursor;
    const answer = await fetch(path, { headers, cache: 'no-store', credentials: 'same-origin', signal: ended.signal });
    status = answer.status;
    if (!answer.ok) return status;
    const feed = parser(take);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return status;
      clearTimeout(timer);
      timer = setTimeout(end, quiet_ms);
      feed(value);
    }
  } catch {
    return status;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', end);
    ended.abort();
  }
}
