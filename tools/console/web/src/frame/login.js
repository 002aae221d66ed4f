/* The log-in: its button also lets the browser sound. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { ApiError, send, session } from '../lib/api.js';
import { recall, remember } from '../lib/remember.js';
import { t } from '../lib/i18n.js';
import { arm } from '../lib/sound.js';
import { span } from '../lib/time.js';
import { LanguageSwitch } from './settings.js';

function reason(error) {
  if (!(error instanceof ApiError) || error.status === 0 || error.status >= 500) return t('login.no_server');
  if (error.status === 429) return t('login.throttled', { time: span(error.retry_after_s ?? 60) });
  return t('login.wrong');
}

export function Login() {
  const [name, setName] = useState(recall('name', ''));
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    arm();
    try {
      const value = await send('POST', '/api/session', { name: name.trim(), password });
      remember('name', name.trim());
      session.value = value;
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return html`<main class="login"><form onSubmit=${submit}>
    <h1>${t('app.title')}</h1><p>${t('login.subtitle')}</p>
    <label class="field">${t('login.name')}
      <input name="name" autocomplete="username" required value=${name} autofocus=${!name}
        onInput=${({ target }) => setName(target.value)} /></label>
    <label class="field">${t('login.password')}
      <input name="password" type="password" autocomplete="current-password" required value=${password}
        autofocus=${Boolean(name)} onInput=${({ target }) => setPassword(target.value)} /></label>
    <div role="alert">${problem && html`<p class="problem">${reason(problem)}</p>`}</div>
    <button class="primary large" type="submit" disabled=${isBusy}>${t('login.do')}</button>
    <p class="hint">${t('login.sound')}</p>
    <${LanguageSwitch} />
  </form></main>`;
}
