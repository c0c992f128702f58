// Light and dark: as the system has it, or as chosen here.

import { icon, roundButton } from './dom.js';
import { texts } from './texts.js';

const STORED = 'rtmatte-theme';
const ICONS = { auto: 'auto', light: 'sun', dark: 'moon' };
const THEMES = Object.keys(ICONS);

/** The button of the top bar: automatic, light, dark, and again from the start. */
export function themeButton() {
  const button = roundButton('auto', '', () => apply(THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length]), { id: 'theme' });
  let chosen = '';
  const apply = (theme) => {
    chosen = theme in ICONS ? theme : 'auto';
    localStorage.setItem(STORED, chosen);
    document.documentElement.dataset.theme = chosen;
    button.replaceChildren(icon(ICONS[chosen]));
    button.title = texts.theme.label(texts.theme[chosen]);
    button.setAttribute('aria-label', button.title);
  };
  apply(localStorage.getItem(STORED));
  return button;
}
