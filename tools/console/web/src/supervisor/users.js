/* People: role, areas, whether they may log in. Nobody is ever deleted, for the record names them. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { moment, now } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { Table } from '../ui/table.js';
import { useSend } from '../ui/do.js';

const isLocked = ({ locked_until }) => locked_until && Date.parse(locked_until) > now.value;
const roleName = (role) => nameOf(dictionary.value?.roles.find(({ name }) => name === role)) || role;
const areaName = (code) => nameOf(dictionary.value?.areas.find((area) => area.code === code)) || code;

function UserDialog({ user, done }) {
  const [isBusy, run] = useSend();
  const [values, setValues] = useState(user ?? { name: '', full_name: '', role: 'operator', areas: [], is_active: true });
  const [password, setPassword] = useState('');
  const set = (name) => ({ target }) => setValues({ ...values, [name]: target.type === 'checkbox' ? target.checked : target.value });
  const setAreas = ({ target }) => setValues({ ...values, areas: [...target.selectedOptions].map(({ value }) => value) });
  const isReady = /^[a-z0-9_.-]{1,64}$/.test(values.name) && values.full_name.trim() && (user || password);
  const submit = async () => {
    const { name, full_name, role, areas, is_active } = values;
    const sent = user
      ? await run('POST', `/api/users/${encodeURIComponent(name)}`,
        { full_name, role, areas, is_active, ...(password && { password }) })
      : await run('POST', '/api/users', { name, full_name, role, areas, password });
    if (sent) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${user ? t('users.change', { name: user.name }) : t('users.add')} submit=${submit}
      submitText=${t('dialog.save')} isReady=${Boolean(isReady)} isBusy=${isBusy}>
    <div class="fields"><label class="field">${t('users.name')}<input value=${values.name} disabled=${Boolean(user)}
        autofocus=${!user} autocomplete="off" onInput=${set('name')} /><small>${t('users.name_hint')}</small></label>
      <label class="field">${t('users.full_name')}<input value=${values.full_name} autofocus=${Boolean(user)}
        onInput=${set('full_name')} /></label></div>
    <div class="fields"><label class="field">${t('users.role')}<select value=${values.role} onChange=${set('role')}>
        ${(dictionary.value?.roles ?? []).map((role) => html`<option key=${role.name} value=${role.name}
          selected=${values.role === role.name}>${nameOf(role)}</option>`)}</select></label>
      <label class="field">${t(user ? 'users.password_new' : 'users.password')}<input type="password" value=${password}
        autocomplete="new-password" onInput=${({ target }) => setPassword(target.value)} /></label></div>
    <label class="field">${t('users.areas')}<select multiple size="6" onChange=${setAreas}>
      ${(dictionary.value?.areas ?? []).map((area) => html`<option key=${area.code} value=${area.code}
        selected=${values.areas.includes(area.code)}>${nameOf(area)}</option>`)}</select>
      <small>${t('users.areas_hint')}</small></label>
    ${user && html`<label class="setting"><span>${t('users.active')}</span>
      <input type="checkbox" checked=${values.is_active} onChange=${set('is_active')} /></label>`}</${Dialog}>`;
}

export function Page() {
  const load = useLoad('/api/users');
  const [isBusy, run] = useSend();
  const unlock = async (user) => {
    if (await run('POST', `/api/users/${encodeURIComponent(user.name)}`, { unlock: true })) load.again();
  };
  const change = (user) => openDialog(UserDialog, { user, done: load.again });
  return html`<div class="page"><header><h1>${t('page.users')}</h1>
      <button class="primary" onClick=${() => change(null)}>${t('users.add')}</button></header>
    <${Loaded} load=${load} what=${t('page.users')}>${({ rows }) => html`
      <${Table} caption=${t('page.users')} rows=${rows} keyOf=${({ name }) => name} empty=${t('users.none')} columns=${[
        [t('users.name'), (user) => user.name],
        [t('users.full_name'), (user) => html`<b>${user.full_name}</b>`],
        [t('users.role'), (user) => roleName(user.role)],
        [t('users.areas'), (user) => user.areas.map(areaName).join('、') || t('users.everywhere')],
        [t('users.state'), (user) => !user.is_active ? t('users.inactive') : isLocked(user)
          ? t('users.locked', { at: moment(user.locked_until) }) : user.has_password ? t('users.may') : t('users.no_password')],
        [t('table.actions'), (user) => html`<span class="actions">
          <button class="small" onClick=${() => change(user)}>${t('table.change')}</button>
          ${isLocked(user) && html`<button class="small" disabled=${isBusy} onClick=${() => unlock(user)}>${t('users.unlock')}</button>`}
        </span>`],
      ]} />`}</${Loaded}></div>`;
}
