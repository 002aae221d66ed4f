/* Single keys. What registers last is asked first; nothing is taken while someone types or a dialog is open. They
 * can be switched off (WCAG 2.1.4): then the same keys work together with Alt. */
import { useEffect, useRef } from 'preact/hooks';
import { remembered } from './remember.js';

export const singleKeys = remembered('single_keys', true);
const takers = [];

const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey === singleKeys.value || event.isComposing) return;
  if (document.querySelector('dialog[open]') || isTyping(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  for (const taker of takers.toReversed()) {
    const run = taker.current[key];
    if (run && run(event) !== false) {
      event.preventDefault();
      return;
    }
  }
});

/* keys: {c: run, Enter: run}; a run that returns false leaves the key to others. */
export function useKeys(keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    takers.push(latest);
    return () => takers.splice(takers.indexOf(latest), 1);
  }, []);
}
