// The password, for pages on other machines: it gives the key of the run.

import { get, keepToken, post } from './api.js';
import { errorLine, h } from './dom.js';
import { connect } from './live.js';
import { texts } from './texts.js';

/** A form that is empty unless the server has a password. */
export function loginForm() {
  const input = h('input', { type: 'password', autocomplete: 'current-password', 'aria-label': texts.preview.password, placeholder: texts.preview.password });
  const error = errorLine(input);
  const form = h('form', { class: 'row', hidden: true }, input, h('button', { type: 'submit', class: 'button primary', text: texts.preview.login }), error.element);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      keepToken((await post('/api/login', { password: input.value })).token);
      connect();
    } catch (problem) {
      error.show(problem);
    }
  });
  get('/api/login').then(({ password }) => { form.hidden = !password; }, () => {});
  return form;
}
