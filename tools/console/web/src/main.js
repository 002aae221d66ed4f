import { render } from 'preact';
import { effect } from '@preact/signals';
import { html } from './lib/html.js';
import { get, session } from './lib/api.js';
import { language, speak, t } from './lib/i18n.js';
import { startLive, stopLive } from './lib/live.js';
import { theme } from './lib/settings.js';
import { startSound, tones } from './lib/sound.js';
import { forgetAll, readAll } from './lib/store.js';
import { startClock } from './lib/time.js';
import { App } from './app.js';

await speak();
startClock();
startSound();
effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  document.title = t('app.title');
});
effect(() => { document.documentElement.dataset.theme = theme.value; });

/* Whoever is logged in gets the stream; whoever is not keeps nothing of what was shown. */
let who = null;
effect(() => {
  const name = session.value?.user.name ?? null;
  if (name === who) return;
  who = name;
  stopLive();
  forgetAll();
  if (name) {
    startLive();
    readAll();
  }
});

get('/api/session').then((value) => { session.value = value; }, () => { session.value = null; });
globalThis.onekeyTones = tones; // what has sounded, for tests
render(html`<${App} />`, document.getElementById('page'));
