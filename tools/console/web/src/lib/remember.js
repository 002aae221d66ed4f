/* What this browser remembers for its user: settings and drafts. A browser that forbids storage forgets. */
import { signal, effect } from '@preact/signals';

const PREFIX = 'onekey.';

export function recall(name, otherwise = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    if (value === null || value === '') localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    /* Full or forbidden: nothing depends on it. */
  }
}

/* A signal that is the same after a reload, and in the browser's other tabs. */
export function remembered(name, otherwise) {
  const value = signal(recall(name, otherwise));
  addEventListener('storage', (event) => {
    if (event.key === PREFIX + name) value.value = recall(name, otherwise);
  });
  effect(() => remember(name, value.value));
  return value;
}
