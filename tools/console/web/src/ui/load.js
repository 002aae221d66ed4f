/* Something that is read from the server, with its states: useLoad(path) and <Loaded>. */
import { useEffect, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { get } from '../lib/api.js';
import { on } from '../lib/live.js';
import { signal } from '@preact/signals';
import { Failed, Loading } from './states.js';

const links = signal(0);
on('link', () => { links.value++; });

/* {value, error, again}. Reads anew when the path changes and when the stream is back after a cut; every_s: also
 * that often; wait_ms: for what takes long. A path of null reads nothing. */
export function useLoad(path, every_s, wait_ms) {
  const [state, setState] = useState({ value: null, error: null, path: null });
  const [round, setRound] = useState(0);
  const again = () => setRound((n) => n + 1);
  useEffect(() => {
    if (!path) return undefined;
    let isWanted = true;
    get(path, wait_ms).then(
      (value) => isWanted && setState({ value, error: null, path }),
      (error) => isWanted && setState((old) => ({ value: old.path === path ? old.value : null, error, path })));
    const timer = every_s && setTimeout(again, every_s * 1000);
    return () => { isWanted = false; clearTimeout(timer); };
  }, [path, round, links.value]);
  return { value: state.path === path ? state.value : null, error: state.path === path ? state.error : null, again };
}

/* children: a function of the value. What was read once stays while a later try fails. */
export function Loaded({ load, what, children }) {
  if (load.value) return children(load.value);
  return load.error ? html`<${Failed} error=${load.error} again=${load.again} />` : html`<${Loading} what=${what} />`;
}
