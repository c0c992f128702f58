// Elements, icons, short messages and announcements.

import { icons } from './icons.js';
import { texts } from './texts.js';

const SVG = 'http://www.w3.org/2000/svg';
const TOAST_MS = 6000;

/** An element. `props`: attributes, and `text`, `on` ({event: listener}), `props` (properties of the DOM). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  if (tag === 'button') element.type = 'button';
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === 'text') element.textContent = value;
    else if (name === 'props') Object.assign(element, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A decorative icon of icons.js. */
export function icon(name) {
  const paths = icons[name].map((d) => svg('path', { d }));
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, ...paths);
}

/** Shows `icon name` in place of the icon that `element` begins with. */
export function setIcon(element, name) {
  if (element.dataset.icon === name) return;
  element.dataset.icon = name;
  element.querySelector('.icon')?.remove();
  element.prepend(icon(name));
}

let nextId = 0;
export const uniqueId = (prefix) => `${prefix}-${(nextId += 1)}`;

const polite = h('div', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
const toasts = h('div', { class: 'toasts', role: 'alert' });

export function installMessages() {
  document.body.append(polite, toasts);
}

/** Says something to screen readers only. */
export function announce(text) {
  polite.textContent = text;
}

/** A message that goes away by itself. `kind`: `done` or `error`. */
export function toast(message, { hint = '', kind = 'done' } = {}) {
  const close = () => element.remove();
  const element = h(
    'div',
    { class: `toast ${kind}`, on: { click: close } },
    icon(kind === 'error' ? 'warning' : 'check'),
    h('div', {}, h('p', { text: message }), hint && h('p', { class: 'quiet', text: hint })),
  );
  toasts.append(element);
  while (toasts.children.length > 3) toasts.firstChild.remove();
  setTimeout(close, TOAST_MS);
}

export const toastError = (error) => toast(error.message, { hint: error.hint, kind: 'error' });

/** A button with a text. `kind`: more classes. */
export const textButton = (text, click, kind = '') => h('button', { class: `button ${kind}`, text, on: { click } });

/** A round button with an icon; `label` is its name and its tooltip. */
export function roundButton(name, label, click, attributes = {}) {
  return h('button', { class: 'round', 'aria-label': label, title: label, on: { click }, ...attributes }, icon(name));
}

/** A place for what is wrong with `input`. Returns {element, show(problem)}; null clears it. */
export function errorLine(input = null) {
  const element = h('p', { class: 'error', id: uniqueId('error'), role: 'alert', hidden: true });
  const show = (problem) => {
    element.hidden = !problem;
    element.textContent = problem ? [problem.message, problem.hint].filter(Boolean).join('. ') : '';
    if (problem) input?.setAttribute('aria-invalid', 'true');
    else input?.removeAttribute('aria-invalid');
  };
  return { element, show };
}

/** Marks a button as busy while `work` runs; a second click does nothing then. */
export async function whileBusy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}

/** Placeholder of a list: `loading`, `empty`, or an error with a button that tries again. */
export function placeholder(kind, text, retry = null) {
  return h(
    'div',
    { class: `placeholder ${kind}`, role: kind === 'error' ? 'alert' : 'status' },
    kind === 'loading' && h('span', { class: 'spinner', 'aria-hidden': 'true' }),
    h('p', { text }),
    retry && textButton(retry.text, retry.run),
  );
}

export const failed = (error, run) => placeholder('error', error.message, { text: texts.error.retry, run });
