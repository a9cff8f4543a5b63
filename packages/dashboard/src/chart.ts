import type { HourCounts } from '@sendonce/core';
import { HOUR_MS } from '@sendonce/core/ledger';
import { formatAxisNumber, formatNumber } from './numbers.ts';
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

// In pixels. The width is that of the page: lengths along it are in percent.
const [HEIGHT, AXIS_WIDTH, TOP, BOTTOM] = [200, 56, 12, 24];
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** A bar for each hour. The axis is beside the part that scrolls, so it is always visible. */
export function renderChart(hours: readonly HourCounts[], fromMs: number, slots: number): Html {
  const max = Math.max(...hours.map(countAll), 0);
  const top = roundUp(max);
  const busiest = hours.find((hour) => countAll(hour) === max);
  const summary = !busiest
    ? 'Nothing happened.'
    : `The busiest hour began at ${formatHour(busiest.hourMs, true)} UTC, with ${formatNumber(max)}.`;
  const values = [top, top / 2, 0];
  return html`<figure>
    <figcaption>
      <span>In UTC</span>
      ${series.map(({ name, title }) => html`<span class="key ${name}">${title}</span>`)}
    </figcaption>
    <div class="chart">
      <svg class="axis" width="${AXIS_WIDTH}" height="${HEIGHT}" aria-hidden="true">
        ${values.map((value) => renderAxisValue(value, top))}
      </svg>
      <div class="plot" role="region" aria-label="Bars by the hour" tabindex="0">
        <svg
          class="${isLong(slots) ? 'bars long' : 'bars'}"
          height="${HEIGHT}"
          role="img"
          aria-label="Bars by the hour. ${summary} The table below has the numbers."
        >
          ${values.map((value) => renderGridLine(value, top))} ${renderHourMarks(fromMs, slots)}
          ${hours.map((hour) => renderBar(hour, { fromMs, slots, top }))}
        </svg>
      </div>
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
  const step = 100 / slots;
  const width = step * (isLong(slots) ? 0.8 : 0.62);
  const x = slot * step + (step - width) / 2;
  let y = TOP + PLOT_HEIGHT;
  const parts = series.map(({ name, countIn }) => {
    const count = countIn(hour);
    if (count === 0) return undefined;
    // High enough to be visible even if it is one of thousands.
    const height = Math.max(1.5, (count / top) * PLOT_HEIGHT);
    y -= height;
    return html`<rect
      class="${name}"
      x="${formatLength(x)}%"
      y="${formatLength(y)}"
      width="${formatLength(width)}%"
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

function renderAxisValue(value: number, top: number): Html {
  const y = scaleHeight(value, top);
  return html`<text x="${AXIS_WIDTH - 8}" y="${y}" dy="0.32em" text-anchor="end">
    ${formatAxisNumber(value)}
  </text>`;
}

function renderGridLine(value: number, top: number): Html {
  const y = scaleHeight(value, top);
  return html`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}" />`;
}

function scaleHeight(value: number, top: number): string {
  return formatLength(TOP + PLOT_HEIGHT * (1 - value / top));
}

/** A mark at every sixth hour, or at every day. */
function renderHourMarks(fromMs: number, slots: number): Html[] {
  const hoursApart = isLong(slots) ? 24 : 6;
  return Array.from({ length: slots }, (_, slot) => slot).flatMap((slot) => {
    const hourMs = fromMs + slot * HOUR_MS;
    if ((hourMs / HOUR_MS) % hoursApart !== 0) return [];
    const x = formatLength(((slot + (isLong(slots) ? 0 : 0.5)) * 100) / slots);
    const text = isLong(slots) ? new Date(hourMs).toISOString().slice(5, 10) : formatHour(hourMs);
    // A text in the middle of the first or last hour would be cut off.
    const anchor = slot === 0 ? 'start' : slot === slots - 1 ? 'end' : 'middle';
    return [html`<text x="${x}%" y="${HEIGHT - 6}" text-anchor="${anchor}">${text}</text>`];
  });
}

/**
 * Whether the bars are of more than two days, so that they need more width than a telephone has.
 */
function isLong(slots: number): boolean {
  return slots > 48;
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
