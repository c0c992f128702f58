// The tabs of the settings. A tab's content is made when it is first shown.

import { h, icon } from './dom.js';
import { texts } from './texts.js';

const STORED = 'rtmatte-tab';
const NEXT = new Set(['ArrowRight', 'ArrowDown']);
const PREVIOUS = new Set(['ArrowLeft', 'ArrowUp']);

let select = () => {};

/** Shows the tab `name` from anywhere on the page. */
export const openTab = (name) => select(name);

/** `makers`: {name: () => ({element, shown})}; `shown()` runs each time that the tab is opened. */
export function installTabs(rail, panel, makers) {
  const names = Object.keys(makers);
  const made = {};
  const tabs = names.map((name) =>
    h(
      'button',
      {
        role: 'tab', class: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`,
        on: { click: () => select(name), keydown: (event) => move(event, names, name) },
      },
      icon(name),
      h('span', { text: texts.tabs[name] }),
    ),
  );
  const panels = names.map((name) =>
    h('section', { role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}`, tabindex: '0', hidden: true }),
  );
  rail.append(h('div', { role: 'tablist', 'aria-label': texts.tabs.label, class: 'tabs' }, tabs));
  panel.append(...panels);

  select = (name) => {
    names.forEach((other, index) => {
      const active = other === name;
      tabs[index].setAttribute('aria-selected', String(active));
      tabs[index].tabIndex = active ? 0 : -1;
      panels[index].hidden = !active;
      if (active && !made[name]) {
        made[name] = makers[name]();
        panels[index].append(made[name].element);
      }
    });
    sessionStorage.setItem(STORED, name);
    panel.scrollTop = 0;
    made[name].shown?.();
  };
  const stored = sessionStorage.getItem(STORED);
  select(names.includes(stored) ? stored : names[0]);
}

function move(event, names, name) {
  const at = names.indexOf(name);
  const to = { Home: 0, End: names.length - 1 }[event.key]
    ?? (NEXT.has(event.key) ? at + 1 : PREVIOUS.has(event.key) ? at - 1 : null);
  if (to === null) return;
  event.preventDefault();
  const next = names[(to + names.length) % names.length];
  select(next);
  document.getElementById(`tab-${next}`).focus();
}
