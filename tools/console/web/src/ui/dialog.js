/* A question over the page. The browser's own modal dialog keeps the focus inside and closes on Escape. */
import { useEffect, useId, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';

/* The one dialog that is open: a component, and what it is about. */
export const opened = signal(null);
export const openDialog = (Component, props = {}) => { opened.value = { Component, props }; };
export const closeDialog = () => { opened.value = null; };

export function DialogPlace() {
  if (!opened.value) return null;
  const { Component, props } = opened.value;
  return html`<${Component} ...${props} />`;
}

/* submit: on Enter or its button; false keeps it open. keys: {'1': run} while it is open and no text is typed. */
export function Dialog({ title, children, submit, submitText, isBusy, isReady = true, keys = {}, wide, tone }) {
  const element = useRef();
  const name = useId();
  useEffect(() => {
    element.current.showModal();
    (element.current.querySelector('[autofocus]') ?? element.current).focus();
  }, []);
  const onKeyDown = (event) => {
    const isText = /^(TEXTAREA|SELECT)$/.test(event.target.tagName)
      || (event.target.tagName === 'INPUT' && !/^(checkbox|radio)$/.test(event.target.type));
    if (event.ctrlKey && event.key === 'Enter') event.currentTarget.querySelector('form').requestSubmit();
    if (event.key === 'Enter' && submit && isReady && !isText && event.target.tagName !== 'BUTTON') {
      event.preventDefault();
      event.currentTarget.querySelector('form').requestSubmit();
    }
    if (isText || event.ctrlKey || event.metaKey || event.altKey) return;
    const run = keys[event.key.toLowerCase()];
    if (run) { event.preventDefault(); run(); }
  };
  const onSubmit = (event) => {
    event.preventDefault();
    if (isReady && !isBusy) submit();
  };
  return html`<dialog ref=${element} class=${wide ? 'wide' : ''} aria-labelledby=${name} tabIndex="-1"
      onKeyDown=${onKeyDown} onCancel=${(event) => { event.preventDefault(); closeDialog(); }} onClose=${closeDialog}>
    <form onSubmit=${onSubmit}>
      <h2 id=${name}>${title}</h2>
      ${children}
      <div class="buttons">
        <button type="button" class="quiet" onClick=${closeDialog}>${t(submit ? 'dialog.cancel' : 'dialog.close')}
          <kbd>Esc</kbd></button>
        ${submit && html`<button type="submit" class="primary ${tone ?? ''}" disabled=${!isReady || isBusy}
          >${isBusy ? t('dialog.sending') : submitText} <kbd>Enter</kbd></button>`}
      </div>
    </form></dialog>`;
}
