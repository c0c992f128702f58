// The WebSocket: status that is pushed, preview frames that are asked for. It connects again by itself.

import { takeToken } from './api.js';
import { applyAnswer, current, update } from './store.js';

const REFUSED = 4401;
const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 4000;
const SILENCE_MS = 6000; // the server sends a status every 2 s at least

let socket = null;
let retryMs = FIRST_RETRY_MS;
let retry = 0;
let silence = 0;
let onFrame = () => {};

/** Starts; `showFrame(blob)` gets each preview frame. */
export function start(showFrame) {
  onFrame = showFrame;
  if (takeToken()) connect();
  else update({ connection: 'no token' });
  document.addEventListener('visibilitychange', () => document.hidden || hurry());
}

/** Asks for the next preview frame. Returns whether it could be asked for. */
export function requestFrame(width) {
  if (socket?.readyState !== WebSocket.OPEN || current().connection !== 'open') return false;
  socket.send(JSON.stringify({ type: 'next', width }));
  return true;
}

export function connect() {
  clearTimeout(retry);
  const opened = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`);
  socket = opened;
  watch();
  opened.addEventListener('open', () => opened.send(JSON.stringify({ token: takeToken() })));
  opened.addEventListener('message', ({ data }) => opened === socket && receive(data));
  opened.addEventListener('close', ({ code }) => opened === socket && lost(code));
}

function receive(data) {
  watch();
  if (typeof data !== 'string') {
    onFrame(data);
    return;
  }
  const message = JSON.parse(data);
  if (message.type !== 'status') return;
  retryMs = FIRST_RETRY_MS;
  if (current().connection !== 'open') update({ connection: 'open' });
  applyAnswer(message);
}

function lost(code) {
  clearTimeout(silence);
  socket = null;
  if (code === REFUSED) {
    update({ connection: 'refused' });
    return;
  }
  if (current().connection === 'open') update({ connection: 'reconnecting' });
  retry = setTimeout(connect, retryMs);
  retryMs = Math.min(retryMs * 1.6, LAST_RETRY_MS);
}

/** A connection that is silent is a lost one, even if nothing closed it. */
function watch() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    const silent = socket;
    lost(0);
    silent?.close();
  }, SILENCE_MS);
}

function hurry() {
  if (socket || current().connection === 'refused' || !takeToken()) return;
  retryMs = FIRST_RETRY_MS;
  connect();
}
