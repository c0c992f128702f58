// The live preview: what was sent last, a composite or the standby card. Nothing else ever reaches the page.

import { command } from './api.js';
import { loginForm } from './login.js';
import { h, icon, roundButton, textButton, toastError, whileBusy } from './dom.js';
import { requestFrame } from './live.js';
import { current, situation, subscribe } from './store.js';
import { openTab } from './tabs.js';
import { texts } from './texts.js';

const WIDTHS = [320, 480, 640, 960, 1280];
const UNANSWERED_MS = 5000; // then the request is taken for lost
const FLIPPED = 'rtmatte-flipped';

const canvas = h('canvas', { class: 'image', role: 'img', 'aria-label': texts.preview.label, width: 640, height: 360 });
const context = canvas.getContext('2d', { alpha: false });
const overlay = h('div', { class: 'overlay' });
const badge = h('span', { class: 'badge' });
const timer = h('span', { class: 'badge recording', hidden: true });
const frame = h('div', { class: 'preview empty' }, canvas, overlay, h('div', { class: 'badges' }, badge, timer));

let askedAt = 0; // 0: no request is outstanding
let overlayKind = '';

/** The preview with its buttons, to be placed in the stage. */
export function createPreview() {
  frame.append(buttons());
  subscribe(show);
  document.addEventListener('visibilitychange', ask);
  return frame;
}

/** Draws a preview frame, then asks for the next one. */
export async function drawFrame(blob) {
  const bitmap = await createImageBitmap(blob).catch(() => null);
  if (bitmap) {
    draw(bitmap);
    bitmap.close();
  }
  askedAt = 0;
  ask();
}

/** A short flash, as of a shutter. */
export function flash() {
  frame.classList.remove('flash');
  void frame.offsetWidth; // starts the animation again
  frame.classList.add('flash');
}

function draw(bitmap) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    frame.style.setProperty('--ratio', String(bitmap.width / bitmap.height));
  }
  context.drawImage(bitmap, 0, 0);
  if (frame.classList.contains('empty')) {
    frame.classList.remove('empty');
    show(current());
  }
}

function ask() {
  if (document.hidden || (askedAt && performance.now() - askedAt < UNANSWERED_MS)) return;
  const needed = canvas.clientWidth * devicePixelRatio;
  const width = WIDTHS.find((candidate) => candidate >= needed) ?? WIDTHS.at(-1);
  askedAt = requestFrame(width) ? performance.now() : 0;
}

function show(state, before = state) {
  if (state.connection !== before.connection) askedAt = 0; // requests of the lost connection are never answered
  const now = situation(state);
  badge.textContent = texts.states[now] ?? now;
  badge.dataset.state = now;
  frame.classList.toggle('mirrored', now === 'running' && isFlipped());
  frame.classList.toggle('stale', state.connection !== 'open' || !state.status);
  showOverlay(state);
  ask();
}

function showOverlay(state) {
  const kind = overlayFor(state);
  if (kind === overlayKind) return;
  overlayKind = kind;
  const content = kind === '' ? [] : (OVERLAYS[kind] ?? fault)(state);
  overlay.replaceChildren(...content);
  overlay.hidden = !content.length;
}

function overlayFor({ connection, status, fault: problem }) {
  if (connection !== 'open') return connection;
  if (!status) return problem ? `fault ${problem.message}` : 'starting';
  return frame.classList.contains('empty') ? 'waiting' : '';
}

const spinner = () => h('span', { class: 'spinner', 'aria-hidden': 'true' });
const lines = (title, hint) => [h('h2', { text: title }), hint && h('p', { text: hint })].filter(Boolean);

const OVERLAYS = {
  connecting: () => [spinner(), ...lines(texts.preview.connecting)],
  starting: () => [spinner(), ...lines(texts.preview.starting)],
  waiting: () => [spinner(), ...lines(texts.preview.waiting)],
  reconnecting: () => [spinner(), ...lines(texts.preview.reconnecting, texts.preview.reconnectingHint)],
  refused: () => [icon('warning'), ...lines(texts.preview.refused, texts.preview.refusedHint), loginForm()],
  'no token': () => [icon('warning'), ...lines(texts.preview.noToken, texts.preview.noTokenHint), loginForm()],
};

/** What is shown while no pipeline runs. */
function fault({ fault: { message, hint } }) {
  const again = textButton(texts.preview.retry, () => whileBusy(again, () => command('restart').catch(toastError)), 'primary');
  const doctor = textButton(texts.preview.showDoctor, () => openTab('doctor'));
  return [icon('warning'), ...lines(message, hint), h('div', { class: 'row' }, again, doctor)];
}

/** Shows the time of a recording, or hides it. */
export function showTimer(text) {
  timer.hidden = !text;
  timer.textContent = text;
}

function buttons() {
  const press = () => flip.setAttribute('aria-pressed', String(isFlipped()));
  const flip = roundButton('flip', texts.preview.flip, () => {
    sessionStorage.setItem(FLIPPED, isFlipped() ? 'no' : 'yes');
    press();
    show(current());
  });
  press();
  const full = roundButton('expand', texts.preview.fullscreen, () =>
    (document.fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen()));
  return h('div', { class: 'preview-buttons' }, flip, full);
}

const isFlipped = () => sessionStorage.getItem(FLIPPED) === 'yes';
