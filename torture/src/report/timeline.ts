import { element, escapeHtml } from '@sendonce/testkit/html';
import type { Violation } from '../check.ts';
import { type HistoryEvent, lineOf } from '../history.ts';

const WIDTH = 960;
const LEFT = 110;
const LANE = 26;

/** One lane for each process or server, time from left to right; below it the same in words. */
export function renderTimeline({ email, verdict, found, history }: Violation): string {
  const lanes = [...new Set(history.map(({ who }) => who))].toSorted();
  const firstMs = history[0]?.atMs ?? 0;
  const spanMs = Math.max(1, (history.at(-1)?.atMs ?? 0) - firstMs);
  const height = lanes.length * LANE + 24;
  const x = (atMs: number) => LEFT + ((atMs - firstMs) / spanMs) * (WIDTH - LEFT - 20);
  const y = (who: string) => lanes.indexOf(who) * LANE + 16;
  const rows = lanes.map(
    (who) =>
      element('text', { class: 'lane', x: LEFT - 10, y: y(who) + 4 }, escapeHtml(who)) +
      element('line', { class: 'base', x1: LEFT, y1: y(who), x2: WIDTH - 10, y2: y(who) }),
  );
  const marks = history.map((event) =>
    element(
      'circle',
      { class: kindOf(event), cx: x(event.atMs).toFixed(1), cy: y(event.who), r: 5 },
      element('title', {}, escapeHtml(lineOf(event))),
    ),
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const atMs = firstMs + share * spanMs;
    const text = `${(atMs / 1_000).toFixed(2)} s`;
    return element('text', { class: 'tick', x: x(atMs).toFixed(1), y: height - 2 }, text);
  });
  const picture = element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': `Timeline of email ${email}` },
    [...rows, ...marks, ...ticks].join(''),
  );
  const words = element('pre', {}, escapeHtml(history.map(lineOf).join('\n')));
  const caption = element(
    'figcaption',
    {},
    `${element('span', { class: 'bad' }, escapeHtml(verdict))} email ${email}: ${escapeHtml(found)}`,
  );
  return element(
    'figure',
    {},
    caption + picture + element('details', {}, `<summary>In words</summary>${words}`),
  );
}

/** What a mark looks like. */
function kindOf({ who, what, email }: HistoryEvent): string {
  if (what.startsWith('accepted')) return 'email';
  if (email === undefined || who === 'faults') return 'fault';
  if (what.startsWith('threw')) return 'threw';
  return what === 'dispatched' ? 'dispatched' : 'step';
}
