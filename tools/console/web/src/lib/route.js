/* Where the page is: the part of the address after #, so that every screen can be linked and gone back from. */
import { signal } from '@preact/signals';

const parse = () => location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
export const route = signal(parse());
addEventListener('hashchange', () => { route.value = parse(); });

export function go(...parts) {
  const hash = `#/${parts.map(encodeURIComponent).join('/')}`;
  if (location.hash !== hash) location.hash = hash;
  route.value = parts.map(String);
}
