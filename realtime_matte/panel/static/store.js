// The one state of the page: what the server sent last, and how the connection is.

/**
 * `connection`: `connecting`, `open`, `reconnecting`, `refused` (the key is of an earlier run) or `no token`.
 * `status`, `fault`, `version`: as in `GET /api/status`; null and empty before the first answer.
 */
let state = { connection: 'connecting', status: null, fault: null, version: '' };
const listeners = new Set();

export const current = () => state;

export function update(changes) {
  const before = state;
  state = { ...state, ...changes };
  for (const listener of listeners) listener(state, before);
}

/** An answer or a push of the server that carries the status. */
export function applyAnswer(answer) {
  if (!answer || !('status' in answer)) return;
  update({ status: answer.status, fault: answer.fault ?? null, version: answer.version ?? state.version });
}

/** Calls `listener(state, before)` now and at each change. */
export function subscribe(listener) {
  listeners.add(listener);
  listener(state, state);
}

/** The word of texts.states that says what goes on. */
export function situation({ connection, status, fault } = state) {
  if (connection === 'refused' || connection === 'no token') return 'refused';
  if (connection !== 'open') return connection;
  if (status) return status.state;
  return fault ? 'fault' : 'starting';
}

/** Whether the server can be asked for changes. */
export const canChange = ({ connection } = state) => connection === 'open';

/** The present value of an option that can change while running. */
export const optionValue = (name) => state.status?.options?.[name];
