import type { HourCounts } from '@sendonce/core';
import { HOUR_MS } from '@sendonce/core/ledger';
import { formatNumber } from './numbers.ts';
import { type Html, html } from './html.ts';

/** The parts of a bar, from bottom to top. */
const series = [
  { name: 'sent', title: 'sent', countIn: ({ counts }: HourCounts) => counts.sent ?? 0 },
  {
    name: 'prevented',
    title: 'duplicates prevented',
    countIn: ({ counts }: HourCounts) => counts.duplicate ?? 0,
  },
  {
    name: 'trouble',
    title: 'in doubt, rejected, cancelled',
    countIn: ({ counts }: HourCounts) =>
      (counts['in-doubt'] ?? 0) + (counts.rejected ?? 0) + (counts.cancelled ?? 0),
  },
] as const;

// In units of the drawing, which is scaled to the width of the page.
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [960, 200, 56, 12, 24];
const PLOT = { width: WIDTH - LEFT - 8, height: HEIGHT - TOP - BOTTOM };

/** A bar for each hour. */
export function renderChart(hours: readonly HourCounts[], fromMs: number, slots: number): Html {
  const max = Math.max(...hours.map(countAll), 0);
  const top = roundUp(max);
  const busiest = hours.find((hour) => countAll(hour) === max);
  const summary = !busiest
    ? 'Nothing happened.'
    : `The busiest hour began at ${formatHour(busiest.hourMs, true)} UTC, with ${formatNumber(max)}.`;
  return html`<figure>
    <figcaption>
      <span>By the hour, UTC</span>
      ${series.map(({ name, title }) => html`<span class="key ${name}">${title}</span>`)}
    </figcaption>
    <div class="plot">
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        role="img"
        aria-label="Bars by the hour. ${summary} The table below has the numbers."
      >
        ${[top, top / 2, 0].map((value) => renderGridLine(value, top))}
        ${renderHourMarks(fromMs, slots)}
        ${hours.map((hour) => renderBar(hour, { fromMs, slots, top }))}
      </svg>
    </div>
  </figure>`;
}

/** The numbers of the chart, for readers who cannot see the bars or want to know exactly. */
export function renderHoursTable(hours: readonly HourCounts[]): Html {
  const columns = ['sent', 'duplicate', 'in-doubt', 'rejected', 'skipped', 'cancelled'] as const;
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
            ${['Sent', 'Duplicates prevented', 'In doubt', 'Rejected', 'Skipped', 'Cancelled'].map(
              (name) => html`<th scope="col" class="number">${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${hours.toReversed().map(
            ({ hourMs, counts }) =>
              html`<tr>
                <th scope="row">
                  <time datetime="${new Date(hourMs).toISOString()}"
                    >${formatHour(hourMs, true)}</time
                  >
                </th>
                ${columns.map((type) => html`<td class="number">${formatNumber(counts[type] ?? 0)}</td>`)}
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

function renderBar(hour: HourCounts, { fromMs, slots, top }: Scale): Html {
  const slot = (hour.hourMs - fromMs) / HOUR_MS;
  if (slot < 0 || slot >= slots) return html``;
  const step = PLOT.width / slots;
  const width = Math.max(1, step * (slots > 48 ? 0.8 : 0.62));
  const x = LEFT + slot * step + (step - width) / 2;
  let y = TOP + PLOT.height;
  const parts = series.map(({ name, countIn }) => {
    const count = countIn(hour);
    if (count === 0) return undefined;
    // High enough to be visible even if it is one of thousands.
    const height = Math.max(1.5, (count / top) * PLOT.height);
    y -= height;
    return html`<rect
      class="${name}"
      x="${formatLength(x)}"
      y="${formatLength(y)}"
      width="${formatLength(width)}"
      height="${formatLength(height)}"
    />`;
  });
  const counts = series
    .filter(({ countIn }) => countIn(hour) > 0)
    .map(({ title, countIn }) => `${formatNumber(countIn(hour))} ${title}`);
  return html`<g>
    <title>${formatHour(hour.hourMs, true)}: ${counts.join(', ')}</title>
    ${parts}
  </g>`;
}

function renderGridLine(value: number, top: number): Html {
  const y = formatLength(TOP + PLOT.height * (1 - value / top));
  return html`<line class="grid" x1="${LEFT}" x2="${WIDTH - 8}" y1="${y}" y2="${y}" />
    <text x="${LEFT - 8}" y="${y}" dy="0.32em" text-anchor="end">${formatNumber(value)}</text>`;
}

/** A mark at every sixth hour, or at every day. */
function renderHourMarks(fromMs: number, slots: number): Html[] {
  const hoursApart = slots > 48 ? 24 : 6;
  return Array.from({ length: slots }, (_, slot) => slot).flatMap((slot) => {
    const hourMs = fromMs + slot * HOUR_MS;
    if ((hourMs / HOUR_MS) % hoursApart !== 0) return [];
    const x = formatLength(LEFT + ((slot + (hoursApart === 24 ? 0 : 0.5)) * PLOT.width) / slots);
    const text =
      hoursApart === 24 ? new Date(hourMs).toISOString().slice(5, 10) : formatHour(hourMs);
    return [html`<text x="${x}" y="${HEIGHT - 6}" text-anchor="middle">${text}</text>`];
  });
}

function countAll(hour: HourCounts): number {
  return series.reduce((sum, { countIn }) => sum + countIn(hour), 0);
}

/** The end of the axis. Half of it is a whole number: 2, 4, 6, 8, 10, 20, 40, … */
function roundUp(max: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of [2, 4, 6, 8, 10]) if (step * power >= max) return step * power;
  }
}

function formatHour(hourMs: number, withDay = false): string {
  const iso = new Date(hourMs).toISOString();
  return withDay ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 16);
}

function formatLength(value: number): string {
  return String(Math.round(value * 100) / 100);
}
