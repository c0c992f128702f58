// HTTP calls with the key of this run.

import { applyAnswer } from './store.js';
import { texts } from './texts.js';

const STORED = 'rtmatte-token';

export const keepToken = (token) => sessionStorage.setItem(STORED, token);

/** Takes the key out of the address, so that it is not copied with it. '' if there is none. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    keepToken(given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(STORED) ?? '';
}

/** What the server refused: `message`, `hint`, and the `field` that is wrong, if it is one. */
export class ApiError extends Error {
  constructor({ message, hint = '', field = '' }, status = 0) {
    super(message);
    this.hint = hint ?? '';
    this.field = field ?? '';
    this.status = status;
  }
}

const unreachable = () => new ApiError({ message: texts.error.network, hint: texts.error.networkHint });

async function failure(response) {
  const body = await response.json().catch(() => null);
  return new ApiError(body?.error ?? { message: `${response.status} ${response.statusText}` }, response.status);
}

async function request(method, path, body) {
  const headers = { 'X-Rtmatte-Token': takeToken() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const content = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(path, { method, headers, body: content, cache: 'no-store' }).catch(() => null);
  if (!response) throw unreachable();
  if (!response.ok) throw await failure(response);
  return response;
}

const parsed = async (response) => ((response.headers.get('Content-Type') ?? '').includes('json') ? response.json() : null);

export const get = async (path) => parsed(await request('GET', path));
export const getBlob = async (path) => (await request('GET', path)).blob();
export const postForBlob = async (path) => (await request('POST', path)).blob();

/** A change; an answer with the status is shown at once. */
export async function send(method, path, body) {
  const answer = await parsed(await request(method, path, body));
  applyAnswer(answer);
  return answer;
}

export const post = (path, body = {}) => send('POST', path, body);
export const command = (key, value = null) => post('/api/commands', { key, value });

/** Uploads a file; `onProgress` gets the part that is sent. */
export function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest(); // fetch reports no progress of what it sends
    call.open('POST', path);
    call.setRequestHeader('X-Rtmatte-Token', takeToken());
    call.setRequestHeader('Content-Type', 'application/octet-stream');
    call.responseType = 'json';
    call.upload.addEventListener('progress', (event) => onProgress(event.total ? event.loaded / event.total : 0));
    call.addEventListener('error', () => reject(unreachable()));
    call.addEventListener('load', () => {
      const body = call.response;
      if (call.status >= 200 && call.status < 300) resolve(body);
      else reject(new ApiError(body?.error ?? { message: `${call.status} ${call.statusText}` }, call.status));
    });
    call.send(file);
  });
}

/** Runs `work(...given)` one after the other, in the order of the calls. */
export function inOrder(work) {
  let last = Promise.resolve();
  return (...given) => {
    const result = last.then(() => work(...given));
    last = result.catch(() => null);
    return result;
  };
}

/** Runs `work(value)` one at a time; of several values that wait, the last one counts. */
export function newestWins(work) {
  let running = false;
  let waiting = null;
  return async (value) => {
    waiting = { value };
    if (running) return;
    running = true;
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await work(next.value);
      }
    } finally {
      running = false;
    }
  };
}
