/* Language, light and dark, volume, single keys. */
import { html } from '../lib/html.js';
import { send, session } from '../lib/api.js';
import { LANGUAGES, language, speak, t } from '../lib/i18n.js';
import { singleKeys } from '../lib/keys.js';
import { THEMES, theme } from '../lib/settings.js';
import { testSound, volume } from '../lib/sound.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';

export function LanguageSwitch() {
  return html`<div class="segments" role="group" aria-label=${t('settings.language')}>
    ${LANGUAGES.map(([name, label]) => html`<button type="button" key=${name} lang=${name}
      aria-pressed=${language.value === name} onClick=${() => speak(name)}>${label}</button>`)}</div>`;
}

async function logOut() {
  await send('DELETE', '/api/session').catch(() => {});
  closeDialog();
  session.value = null;
}

function SettingsDialog() {
  const { user, version } = session.value;
  return html`<${Dialog} title=${t('settings.title')}>
    <p><b>${user.full_name}</b> · ${user.name} · ${t(`role.${user.role}`)}</p>
    <div class="setting"><span>${t('settings.language')}</span><${LanguageSwitch} /></div>
    <div class="setting"><span>${t('settings.theme')}</span>
      <div class="segments" role="group" aria-label=${t('settings.theme')}>${THEMES.map((name) => html`
        <button type="button" key=${name} aria-pressed=${theme.value === name}
          onClick=${() => { theme.value = name; }}>${t(`theme.${name}`)}</button>`)}</div></div>
    <label class="setting"><span>${t('settings.volume')}</span>
      <input type="range" min="0.2" max="1" step="0.1" value=${volume.value}
        onChange=${({ target }) => { volume.value = Number(target.value); testSound(); }} /></label>
    <label class="setting"><span>${t('settings.keys')}<small>${t('settings.keys_then')}</small></span>
      <input type="checkbox" checked=${singleKeys.value}
        onChange=${({ target }) => { singleKeys.value = target.checked; }} /></label>
    <div class="setting"><span>${t('settings.version', { version })}</span>
      <button type="button" onClick=${logOut}>${t('settings.log_out')}</button></div>
  </${Dialog}>`;
}

export const openSettings = () => openDialog(SettingsDialog);
