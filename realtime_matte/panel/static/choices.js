// A list to choose one or several things from, asked for from the server.

import { errorLine, failed, h, placeholder } from './dom.js';
import { texts } from './texts.js';

/**
 * `several`: switches, not radio buttons. `load()`: asks the server; what it returns is passed to `items`.
 * `items(loaded)`: a list of {value, title, about, note, fault, checked}. `change(value, checked)`: a promise.
 * `words`: {label, loading, none}. `empty`: the button of an empty list, {text, run}.
 * Returns {element, load(), show()}; `show` draws the list with the state as it is now.
 */
export function createChoices({ name, several = false, load, items, change, words, empty }) {
  const list = h('div', { class: 'choices', role: several ? 'group' : 'radiogroup', 'aria-label': words.label }, placeholder('loading', words.loading));
  const error = errorLine();
  let loaded = null;
  let drawn = '';

  async function reload() {
    try {
      loaded = await load();
      show();
    } catch (problem) {
      if (!loaded) list.replaceChildren(failed(problem, reload));
    }
  }

  function show() {
    if (!loaded || list.getAttribute('aria-busy')) return;
    const all = items(loaded);
    const key = JSON.stringify(all);
    if (key === drawn) return;
    drawn = key;
    const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
    list.replaceChildren(...(all.length ? all.map(row) : [placeholder('empty', words.none, empty)]));
    if (focused) list.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
  }

  function row({ value, title, about, note, fault, checked }) {
    const kind = several ? { type: 'checkbox', role: 'switch', class: 'switch' } : { type: 'radio', name };
    const input = h('input', { ...kind, value, props: { checked }, on: { change: () => choose(value, input.checked) } });
    const texted = h('span', { class: 'words' }, h('span', { class: 'title', text: title }),
      about && h('span', { class: 'quiet', text: about }), fault && h('span', { class: 'error', text: fault }));
    const figure = note && h('span', { class: 'figure', text: note });
    return h('label', { class: 'choice' }, several ? [texted, figure, input] : [input, texted, figure]);
  }

  async function choose(value, checked) {
    error.show(null);
    list.setAttribute('aria-busy', 'true');
    try {
      await change(value, checked, loaded);
    } catch (problem) {
      error.show(problem);
    } finally {
      list.removeAttribute('aria-busy');
      drawn = ''; // a refused choice goes back to what is in use
      await reload();
    }
  }

  return { element: h('div', {}, list, error.element), load: reload, show };
}
