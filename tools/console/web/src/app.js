/* Which page is shown, inside the frame that all of them share. */
import { useEffect, useState } from 'preact/hooks';
import { html } from './lib/html.js';
import { session } from './lib/api.js';
import { t } from './lib/i18n.js';
import { useKeys } from './lib/keys.js';
import { route } from './lib/route.js';
import { may } from './lib/store.js';
import { Banners } from './frame/banners.js';
import { openHelp } from './frame/help.js';
import { Login } from './frame/login.js';
import { TopBar } from './frame/top_bar.js';
import { Desk } from './operator/desk.js';
import { openSearch } from './operator/search.js';
import { DialogPlace } from './ui/dialog.js';
import { Empty, Failed, Loading } from './ui/states.js';
import { Toasts } from './ui/toast.js';

/* Pages of the supervisor come when they are opened; may: who is offered them. */
const PAGES = [
  { name: 'desk', may: () => may('read_ticket') },
  { name: 'wall', may: () => may('read_ticket'), load: () => import('./supervisor/wall.js') },
  { name: 'care', may: () => may('care'), load: () => import('./care/care.js') },
  { name: 'figures', may: () => may('read_report'), load: () => import('./figures/figures.js') },
  { name: 'audits', may: () => may('audit_calls'), load: () => import('./care/audits.js') },
  { name: 'duty', may: () => may('shift_others') || may('set_user'), load: () => import('./supervisor/duty.js') },
  { name: 'homes', may: () => may('read_household'), load: () => import('./supervisor/homes.js') },
  { name: 'limits', may: () => may('set_limits'), load: () => import('./supervisor/limits.js') },
  { name: 'users', may: () => may('set_user'), load: () => import('./supervisor/users.js') },
  { name: 'audit', may: () => may('read_audit'), load: () => import('./supervisor/audit.js') },
];

function Part({ page }) {
  const [part, setPart] = useState({});
  useEffect(() => {
    let isWanted = true;
    setPart({});
    page.load().then(({ Page }) => isWanted && setPart({ Page }), (error) => isWanted && setPart({ error }));
    return () => { isWanted = false; };
  }, [page]);
  if (part.Page) return html`<${part.Page} />`;
  return part.error ? html`<${Failed} error=${part.error} again=${() => location.reload()} />`
    : html`<${Loading} what=${t(`page.${page.name}`)} />`;
}

export function App() {
  useKeys({ '?': openHelp, '/': () => (session.value ? openSearch() : false) });
  if (session.value === undefined) return html`<${Loading} what=${t('app.title')} />`;
  if (session.value === null) return html`<${Login} /><${Toasts} />`;
  const offered = PAGES.filter((page) => page.may());
  const page = PAGES.find(({ name }) => name === (route.value[0] || 'desk'));
  return html`<div class="app page-${page?.name}">
    <${TopBar} pages=${offered} current=${page} /><${Banners} />
    <main>${!page || !offered.includes(page)
      ? html`<${Empty} title=${t('state.refused')}><p>${t('state.refused_then')}</p></${Empty}>`
      : page.load ? html`<${Part} page=${page} key=${page.name} />` : html`<${Desk} />`}</main>
    <${DialogPlace} /><${Toasts} /></div>`;
}
