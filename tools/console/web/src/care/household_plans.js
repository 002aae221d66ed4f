/* The section of a home's panel about care; what it shows is fetched when a home is shown. */
import { useEffect, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { may } from '../lib/store.js';

export function HouseholdPlans({ home, residents }) {
  const [part, setPart] = useState({});
  const isFor = may('care') || may('set_care_plan');
  useEffect(() => {
    let isWanted = true;
    if (isFor) import('./plans.js').then(({ Plans }) => isWanted && setPart({ Plans }), () => {});
    return () => { isWanted = false; };
  }, [isFor]);
  if (!isFor || !part.Plans) return null;
  return html`<section><h3>${t('plans.title')}</h3><${part.Plans} home=${home} residents=${residents} key=${home} /></section>`;
}
