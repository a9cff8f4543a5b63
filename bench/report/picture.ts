import { element, escapeHtml } from '@sendonce/testkit/html';
import type { Arguments } from '../arguments.ts';
import { type ProcessorName, setupNames } from '../names.ts';
import { type Cell, type Results, setups } from '../results.ts';
import { systems } from '../systems/index.ts';
import { style } from './style.ts';

const LABELS = 226;
const PANEL = 250;
const GAP = 26;
const TOP = 96;
const LANE = 8;
const EDGE = 16;

const titles: Readonly<Record<ProcessorName, string>> = {
  noop: 'processor that does nothing',
  '5ms': 'processor that waits 5 ms',
  smtp: 'SMTP over loopback',
  'smtp-50ms': 'SMTP, 50 ms to accept',
};

/** Each its own form, for those who do not see the colours. Drawn around 0,0. */
const forms = [
  element('circle', { r: 3.6 }),
  element('path', { d: 'M-3.3-3.3h6.6v6.6h-6.6z' }),
  element('path', { d: 'M0-4.2L4 3.2H-4z' }),
  element('path', { d: 'M0-4.4L4.4 0L0 4.4L-4.4 0z' }),
];

/**
 * The ratios to bare BullMQ: a panel for each processor, a row for each system, a mark for each
 * setup.
 */
export function renderPicture({ cells, machine }: Results, args: Arguments): string {
  const rowHeight = args.setups.length * LANE + 10;
  const bottom = TOP + args.systems.length * rowHeight;
  // Never so narrow that the legend and the last lines are cut.
  const width = Math.max(580, LABELS + args.processors.length * (PANEL + GAP) + EDGE);
  const height = bottom + 72;
  const most = Math.max(1.05, ...cells.map(({ to }) => to));
  const rows = args.systems.map((system, index) => {
    const y = TOP + index * rowHeight;
    const x = LABELS - 14;
    const stripe = { class: 'stripe', x: 0, y, width, height: rowHeight };
    return (
      (index % 2 === 0 ? element('rect', stripe) : '') +
      text(systems[system].title, { class: 'row', x, y: y + rowHeight / 2 + 4.5 })
    );
  });
  const panels = args.processors.map((processor, index) => {
    const left = LABELS + index * (PANEL + GAP);
    const scale = (ratio: number) => round(left + (ratio / most) * PANEL);
    const marks = cells
      .filter((cell) => cell.processor === processor)
      .map((cell) => {
        const setup = args.setups.findIndex(
          (name) => setups[name].concurrency === cell.concurrency,
        );
        const row = args.systems.indexOf(cell.system);
        return mark(cell, scale, TOP + row * rowHeight + 5 + (setup + 0.5) * LANE);
      });
    return axis(titles[processor], { left, scale, bottom }) + marks.join('');
  });
  const { cpu, cores, node } = machine;
  const drawn = [
    element('style', {}, style),
    element('rect', { class: 'page', width, height }),
    text('Throughput as a ratio to bare BullMQ', { class: 'title', x: EDGE, y: 28 }),
    legend(args),
    ...rows,
    ...panels,
    text(
      `1 = bare BullMQ in the same round. Median of the rounds (${args.rounds}); line: lowest to highest.`,
      {
        class: 'soft',
        x: EDGE,
        y: height - 30,
      },
    ),
    text(`${cores} × ${cpu}, Node ${node}.`, { class: 'soft', x: EDGE, y: height - 13 }),
  ];
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': 'Throughput of each system as a ratio to bare BullMQ',
  };
  return `${element('svg', attributes, drawn.join('\n'))}\n`;
}

function axis(
  title: string,
  { left, scale, bottom }: { left: number; scale: (ratio: number) => number; bottom: number },
): string {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((ratio) => {
    const x = scale(ratio);
    const line = { class: ratio === 1 ? 'bare' : 'grid', x1: x, x2: x, y1: TOP, y2: bottom };
    return element('line', line) + text(String(ratio), { class: 'soft tick', x, y: bottom + 17 });
  });
  return text(title, { class: 'panel', x: left, y: TOP - 12 }) + ticks.join('');
}

function mark(cell: Cell, scale: (ratio: number) => number, y: number): string {
  const { concurrency, ratio, from, to, system } = cell;
  const index = setupNames.findIndex((name) => setups[name].concurrency === concurrency);
  const tooltip = `${systems[system].title}, ${setups[setupNames[index]!].title}: ${ratio} (${from}-${to})`;
  return element(
    'g',
    { class: `s${index}` },
    element('title', {}, escapeHtml(tooltip)) +
      element('line', { class: 'spread', x1: scale(from), x2: scale(to), y1: y, y2: y }) +
      element('g', { transform: `translate(${scale(ratio)} ${y})` }, forms[index]),
  );
}

function legend({ setups: shown }: Arguments): string {
  return shown
    .map((name, place) => {
      const index = setupNames.indexOf(name);
      const x = EDGE + 6 + place * 130;
      const form = element(
        'g',
        { class: `s${index}`, transform: `translate(${x} 48)` },
        forms[index],
      );
      return form + text(setups[name].title, { class: 'soft', x: x + 11, y: 52 });
    })
    .join('');
}

function text(content: string, attributes: Record<string, string | number>): string {
  return element('text', attributes, escapeHtml(content));
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
