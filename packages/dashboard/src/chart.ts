import type { HourCounts } from '@sendonce/core';
import { type Html, html } from './html.ts';
import { HOUR_MS } from './times.ts';
import { numberOf } from './words.ts';

/** What the bars are made of, from below. */
const series = [
  { name: 'sent', words: 'sent', of: ({ counts }: HourCounts) => counts.sent ?? 0 },
  {
    name: 'prevented',
    words: 'duplicates prevented',
    of: ({ counts }: HourCounts) => counts.duplicate ?? 0,
  },
  {
    name: 'trouble',
    words: 'in doubt, rejected, cancelled',
    of: ({ counts }: HourCounts) =>
      (counts['in-doubt'] ?? 0) + (counts.rejected ?? 0) + (counts.cancelled ?? 0),
  },
] as const;

// In the units of the drawing, which grows with the page.
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [960, 200, 56, 12, 24];
const PLOT = { width: WIDTH - LEFT - 8, height: HEIGHT - TOP - BOTTOM };

/** Bars by the hour, and the same as a table. */
export function chartOf(hours: readonly HourCounts[], fromMs: number, slots: number): Html {
  const most = Math.max(...hours.map(totalOf), 0);
  const top = roundTop(most);
  const busiest = hours.find((hour) => totalOf(hour) === most);
  const summary = !busiest
    ? 'Nothing happened.'
    : `The busiest hour began at ${clockOf(busiest.hourMs, true)} UTC, with ${numberOf(most)}.`;
  return html`<figure>
    <figcaption>
      <span>By the hour, UTC</span>
      ${series.map(({ name, words }) => html`<span class="key ${name}">${words}</span>`)}
    </figcaption>
    <div class="plot">
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        role="img"
        aria-label="Bars by the hour. ${summary} The table below has the numbers."
      >
        ${[top, top / 2, 0].map((value) => gridLine(value, top))} ${hourMarks(fromMs, slots)}
        ${hours.map((hour) => bar(hour, { fromMs, slots, top }))}
      </svg>
    </div>
  </figure>`;
}

/** The same in numbers, for those who cannot see the bars, or want to know. */
export function tableOf(hours: readonly HourCounts[]): Html {
  const columns = ['sent', 'duplicate', 'in-doubt', 'rejected', 'cancelled'] as const;
  return html`<details id="hours">
    <summary>The numbers as a table</summary>
    <div class="wide" role="region" aria-label="By the hour" tabindex="0">
      <table>
        <caption>
          By the hour; hours in which nothing happened are left out
        </caption>
        <thead>
          <tr>
            <th scope="col">Hour (UTC)</th>
            ${['Sent', 'Duplicates prevented', 'In doubt', 'Rejected', 'Cancelled'].map(
              (name) => html`<th scope="col" class="number">${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${hours.toReversed().map(
            ({ hourMs, counts }) =>
              html`<tr>
                <th scope="row">
                  <time datetime="${new Date(hourMs).toISOString()}">${clockOf(hourMs, true)}</time>
                </th>
                ${columns.map((type) => html`<td class="number">${numberOf(counts[type] ?? 0)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

interface Scale {
  readonly fromMs: number;
  readonly slots: number;
  readonly top: number;
}

function bar(hour: HourCounts, { fromMs, slots, top }: Scale): Html {
  const slot = (hour.hourMs - fromMs) / HOUR_MS;
  if (slot < 0 || slot >= slots) return html``;
  const step = PLOT.width / slots;
  const width = Math.max(1, step * (slots > 48 ? 0.8 : 0.62));
  const x = LEFT + slot * step + (step - width) / 2;
  let y = TOP + PLOT.height;
  const parts = series.map(({ name, of }) => {
    const count = of(hour);
    if (count === 0) return undefined;
    // One among thousands is seen too.
    const height = Math.max(1.5, (count / top) * PLOT.height);
    y -= height;
    return html`<rect
      class="${name}"
      x="${fixed(x)}"
      y="${fixed(y)}"
      width="${fixed(width)}"
      height="${fixed(height)}"
    />`;
  });
  const told = series
    .filter(({ of }) => of(hour) > 0)
    .map(({ words, of }) => `${numberOf(of(hour))} ${words}`);
  return html`<g>
    <title>${clockOf(hour.hourMs, true)}: ${told.join(', ')}</title>
    ${parts}
  </g>`;
}

function gridLine(value: number, top: number): Html {
  const y = fixed(TOP + PLOT.height * (1 - value / top));
  return html`<line class="grid" x1="${LEFT}" x2="${WIDTH - 8}" y1="${y}" y2="${y}" />
    <text x="${LEFT - 8}" y="${y}" dy="0.32em" text-anchor="end">${numberOf(value)}</text>`;
}

/** Every sixth hour, or every day. */
function hourMarks(fromMs: number, slots: number): Html[] {
  const every = slots > 48 ? 24 : 6;
  return Array.from({ length: slots }, (_, slot) => slot).flatMap((slot) => {
    const hourMs = fromMs + slot * HOUR_MS;
    if ((hourMs / HOUR_MS) % every !== 0) return [];
    const x = fixed(LEFT + ((slot + (every === 24 ? 0 : 0.5)) * PLOT.width) / slots);
    const text = every === 24 ? new Date(hourMs).toISOString().slice(5, 10) : clockOf(hourMs);
    return [html`<text x="${x}" y="${HEIGHT - 6}" text-anchor="middle">${text}</text>`];
  });
}

function totalOf(hour: HourCounts): number {
  return series.reduce((sum, { of }) => sum + of(hour), 0);
}

/** The end of the axis, half of which is a whole number: 2, 4, 6, 8, 10, 20, 40, … */
function roundTop(most: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of [2, 4, 6, 8, 10]) if (step * power >= most) return step * power;
  }
}

function clockOf(hourMs: number, withDay = false): string {
  const iso = new Date(hourMs).toISOString();
  return withDay ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 16);
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
