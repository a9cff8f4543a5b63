import { type GuardId, guards } from '../guards.ts';
import { count } from '../plural.ts';
import type { Cell, CellResult } from '../run-cell.ts';
import { type ScenarioId, scenariosFor } from '../scenarios.ts';
import { markOf, resultOf } from '../verdict.ts';
import { element, escapeHtml, renderTable } from '@sendonce/testkit/html';

export interface ReportOptions {
  readonly results: readonly CellResult[];
  readonly scenarios: readonly ScenarioId[];
  readonly guards: readonly GuardId[];
  readonly workers: number;
  readonly seconds: number;
}

/** The table, guards down and scenarios across, and the other way round for a narrow screen. */
export function renderTables(options: ReportOptions): string {
  return renderWide(options) + renderTall(options);
}

function renderWide({ results, scenarios, guards: rows, workers }: ReportOptions): string {
  const titles = scenariosFor(workers);
  const head = ['guard', ...scenarios.map((id) => linked(`#${id}`, titles[id].title))];
  const body = rows.map((guard) => [
    escapeHtml(guards[guard].title),
    ...scenarios.map((scenario) => field(resultOf(results, scenario, guard))),
  ]);
  return renderTable(head, body, 'wide');
}

function renderTall({ results, scenarios, guards: columns, workers }: ReportOptions): string {
  const titles = scenariosFor(workers);
  const head = ['', ...columns.map((guard) => escapeHtml(guards[guard].title))];
  const body = scenarios.map((scenario) => [
    linked(`#${scenario}`, titles[scenario].title),
    ...columns.map((guard) => field(resultOf(results, scenario, guard))),
  ]);
  return renderTable(head, body, 'tall');
}

function field(result: CellResult | undefined): string {
  if (!result) return '';
  const { cell } = result;
  const notes = notesOf(cell).map(([name, text]) => element('small', { class: name }, text));
  const figure = element('span', { class: tone(cell) }, `${markOf(cell)} ${cell.arrived}`);
  return element('a', { href: `#${idOf(cell)}` }, figure + notes.join(''));
}

/** `32 emails`, `1 email, 1 in doubt`: beside the picture of the cell. */
export function sentence(cell: Cell): string {
  const emails = `${markOf(cell)} ${count(cell.arrived, 'email')}`;
  const notes = notesOf(cell).map(([name, text]) => element('span', { class: name }, `, ${text}`));
  return element('span', { class: tone(cell) }, emails + notes.join(''));
}

export function idOf({ scenario, guard }: Cell): string {
  return `${scenario}-${guard}`;
}

function notesOf(cell: Cell): [name: string, text: string][] {
  const notes: [string, string][] = [];
  if (cell.atRest === false) notes.push(['doubt', 'not at rest']);
  if (cell.lost > 0) notes.push(['bad', `${cell.lost} lost`]);
  if (cell.inDoubt > 0) notes.push(['doubt', `${cell.inDoubt} in doubt`]);
  return notes;
}

function tone(cell: Cell): string {
  return { '✓': 'good', '✗': 'bad', '?': 'doubt' }[markOf(cell)];
}

function linked(href: string, text: string): string {
  return element('a', { href }, escapeHtml(text));
}
