import type { CellResult } from '../run-cell.ts';
import { element, escapeHtml } from '@sendonce/testkit/html';
import { type Bar, type Lane, type LaneMark, lanesOf } from './lanes.ts';
import { marks, secondEmail } from './marks.ts';

const WIDTH = 400;
const LEFT = 66;
const RIGHT = 12;
const TOP = 18;
/** Marks closer than this would cover each other. */
const APART = 11;

/** The picture of one cell: a lane for each worker, time from left to right. */
export function renderSwimLanes(result: CellResult, title: string): string {
  const lanes = lanesOf(result.events, result);
  const totalMs = Math.max(result.endMs - result.startMs, 500);
  const scale = (ms: number) => LEFT + (ms / totalMs) * (WIDTH - LEFT - RIGHT);
  const laneHeight = lanes.length > 10 ? 13 : 18;
  const idle = result.workers - lanes.length;
  const idleTop = TOP + lanes.length * laneHeight + 6;
  const bottom = idle > 0 ? idleTop + Math.max(12, idle * 2.5) : idleTop;
  const drawn = [
    ...axis(totalMs, scale, bottom),
    ...lanes.map((lane, index) => renderLane(lane, TOP + (index + 0.5) * laneHeight, scale)),
    ...idleLanes(idle, idleTop),
  ];
  const attributes = {
    viewBox: `0 0 ${WIDTH} ${bottom + 4}`,
    role: 'img',
    'aria-label': title,
  };
  return element('svg', attributes, drawn.join(''));
}

type Scale = (ms: number) => number;

function axis(totalMs: number, scale: Scale, bottom: number): string[] {
  const stepMs = totalMs > 6000 ? 2000 : totalMs > 2500 ? 1000 : totalMs > 1200 ? 500 : 200;
  const ticks: string[] = [];
  for (let ms = 0; ms <= totalMs; ms += stepMs) {
    const x = round(scale(ms));
    ticks.push(element('line', { class: 'grid', x1: x, x2: x, y1: TOP - 4, y2: bottom }));
    ticks.push(element('text', { class: 'tick', x, y: 10 }, `${ms / 1000} s`));
  }
  return ticks;
}

function renderLane(lane: Lane, y: number, scale: Scale): string {
  const placed = placeMarks(lane.marks, scale);
  const label = element(
    'text',
    { class: 'lane', x: LEFT - 8, y: y + 3.5 },
    `worker ${lane.worker}`,
  );
  const base = element('line', { class: 'base', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y });
  const bars = lane.bars.map((bar) => renderBar(bar, y, scale, placed));
  const signs = placed.map(({ mark, x }) => {
    const { shape, label: what } = mark.again ? secondEmail : marks[mark.kind];
    const tooltip = element('title', {}, escapeHtml(`${what}, ${Math.round(mark.atMs)} ms`));
    return element('g', { transform: `translate(${round(x)} ${y})` }, tooltip + shape);
  });
  return [label, base, ...bars, ...signs].join('');
}

interface PlacedMark {
  readonly mark: LaneMark;
  readonly x: number;
}

/** In their order, each at its time, or moved to the right where it would cover the one before. */
function placeMarks(laneMarks: readonly LaneMark[], scale: Scale): PlacedMark[] {
  const placed: PlacedMark[] = [];
  for (const mark of laneMarks) {
    const last = placed.at(-1)?.x ?? -Infinity;
    placed.push({ mark, x: Math.max(scale(mark.atMs), last + APART) });
  }
  // Many marks at the end: back from the edge.
  let limit = WIDTH - 6;
  return placed.toReversed().map(({ mark, x }) => {
    const fitting = Math.min(x, limit);
    limit = fitting - APART;
    return { mark, x: fitting };
  });
}

function renderBar(bar: Bar, y: number, scale: Scale, placed: readonly PlacedMark[]): string {
  const from = scale(bar.fromMs);
  // Long enough for the marks that it holds.
  const held = placed.filter(({ mark }) => mark.atMs >= bar.fromMs && mark.atMs <= bar.toMs);
  const least = bar.kind === 'run' ? Math.max(0, ...held.map(({ x }) => x + 5)) : 0;
  const width = Math.max(3, scale(bar.toMs) - from, least - from);
  return element('rect', {
    class: `bar ${bar.kind}`,
    x: round(from),
    y: y - 5.5,
    width: round(Math.min(width, WIDTH - 2 - from)),
    height: 11,
    rx: 2.5,
  });
}

function idleLanes(idle: number, top: number): string[] {
  if (idle <= 0) return [];
  const height = Math.max(12, idle * 2.5);
  const label = element(
    'text',
    { class: 'lane', x: LEFT - 8, y: top + height / 2 + 3 },
    `${idle} idle`,
  );
  const lines = Array.from({ length: idle }, (_, index) => {
    const y = round(top + ((index + 0.5) * height) / idle);
    return element('line', { class: 'base', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y });
  });
  return [label, ...lines];
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
