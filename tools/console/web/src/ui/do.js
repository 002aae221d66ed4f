/* Sends a change that is no step of a ticket, and says what became of it. */
import { useState } from 'preact/hooks';
import { send } from '../lib/api.js';
import { t, word } from '../lib/i18n.js';
import { toast } from './toast.js';

/* [isBusy, run]: run(method, path, body) resolves with the answer, null if it was refused. */
export function useSend() {
  const [isBusy, setBusy] = useState(false);
  const run = async (method, path, body) => {
    setBusy(true);
    try {
      const value = await send(method, path, body);
      toast(t('send.done'));
      return value ?? {};
    } catch (error) {
      toast(`${word('code', error.code)}${error.status === 400 && error.message ? `：${error.message}` : ''}`, 'bad');
      return null;
    } finally {
      setBusy(false);
    }
  };
  return [isBusy, run];
}
