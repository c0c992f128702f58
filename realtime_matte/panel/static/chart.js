// Time of each stage over the last seconds, stacked, with the time between two frames as a line.

import { h, svg } from './dom.js';
import { texts } from './texts.js';

const STAGES = ['fit', 'matte', 'refine', 'background', 'composite', 'send']; // `wait` is no work
const SAMPLES = 80;
const WIDTH = 320;
const HEIGHT = 96;

/** A chart. Returns {element, add(stagesS, intervalS)}; times in seconds. */
export function createChart() {
  const areas = STAGES.map((stage) => svg('path', { class: `stage-${stage}` }));
  const line = svg('line', { class: 'budget', x1: 0, x2: WIDTH });
  const drawing = svg('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' }, ...areas, line);
  const values = Object.fromEntries(STAGES.map((stage) => [stage, h('td', { text: '' })]));
  const total = h('td', { text: '' });
  const rows = STAGES.map((stage) => h('tr', {},
    h('th', { scope: 'row' }, h('span', { class: `key stage-${stage}` }), texts.quality.stage[stage]), values[stage]));
  const table = h('table', { class: 'stages' }, h('tbody', {}, rows, h('tr', { class: 'total' }, h('th', { scope: 'row', text: texts.quality.total }), total)));
  const budget = h('p', { class: 'help' });
  const samples = [];

  function add(stages, interval) {
    samples.push(STAGES.map((stage) => (stages[stage] ?? 0) * 1000));
    if (samples.length > SAMPLES) samples.shift();
    const sums = samples.map((sample) => sample.reduce((sum, ms) => sum + ms, 0));
    const top = Math.max(...sums, interval * 1000, 1) * 1.08;
    areas.forEach((area, index) => area.setAttribute('d', band(samples, index, top)));
    const height = String(HEIGHT * (1 - (interval * 1000) / top));
    line.setAttribute('y1', height);
    line.setAttribute('y2', height);
    STAGES.forEach((stage) => { values[stage].textContent = texts.quality.msOf(((stages[stage] ?? 0) * 1000).toFixed(1)); });
    total.textContent = texts.quality.msOf(sums.at(-1).toFixed(1));
    drawing.setAttribute('aria-label', texts.quality.stagesLabel(sums.at(-1).toFixed(1)));
    budget.textContent = interval ? texts.quality.budget((interval * 1000).toFixed(1)) : '';
  }
  return { element: h('div', { class: 'times' }, drawing, budget, table), add };
}

/** The area of one stage on top of those below it, newest at the right. */
function band(samples, index, top) {
  const x = (at) => (WIDTH * (SAMPLES - samples.length + at)) / (SAMPLES - 1);
  const level = (sample, end) => HEIGHT * (1 - sample.slice(0, end).reduce((sum, ms) => sum + ms, 0) / top);
  const upper = samples.map((sample, at) => `${x(at).toFixed(1)},${level(sample, index + 1).toFixed(1)}`);
  const lower = samples.map((sample, at) => `${x(at).toFixed(1)},${level(sample, index).toFixed(1)}`);
  return `M${upper.join('L')}L${lower.reverse().join('L')}Z`;
}
