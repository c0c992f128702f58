// Puts the page together.

import { createBackgrounds } from './backgrounds.js';
import { createCamera } from './camera.js';
import { fillDock } from './dock.js';
import { createDoctor } from './doctor.js';
import { h, installMessages } from './dom.js';
import { fillFacts } from './facts.js';
import { start } from './live.js';
import { createOutputs } from './outputs.js';
import { createPreview, drawFrame } from './preview.js';
import { createQuality } from './quality.js';
import { createSettings, presetPick } from './settings.js';
import { situation, subscribe } from './store.js';
import { installTabs, openTab } from './tabs.js';
import { texts } from './texts.js';
import { themeButton } from './theme.js';

installMessages();

const app = document.getElementById('app');
const part = (name) => app.querySelector(`.${name}`);

part('bar').append(h('div', { class: 'row' }, presetPick(), themeButton()));
part('stage').replaceChildren(createPreview());
fillFacts(part('facts'));
fillDock(part('dock'));
installTabs(part('rail'), part('panel'), {
  background: createBackgrounds,
  camera: createCamera,
  output: createOutputs,
  quality: createQuality,
  settings: createSettings,
  doctor: createDoctor,
});

let faulty = false;
subscribe((state) => {
  const now = situation(state);
  document.title = now === 'running' ? texts.title : `${texts.states[now] ?? now} · ${texts.title}`;
  app.classList.toggle('offline', state.connection !== 'open' && state.connection !== 'connecting');
  if (now === 'fault' && state.fault && !faulty) openTab('doctor'); // what is missing, and how to fix it
  faulty = now === 'fault' && Boolean(state.fault);
});

start(drawFrame);
