import type { Doubt } from '../doubts.ts';
import { guards } from '../guards.ts';
import type { CellResult } from '../run-cell.ts';
import { type ScenarioId, scenariosFor } from '../scenarios.ts';
import { idOf, renderTables, type ReportOptions, sentence } from './figures.ts';
import { element, escapeHtml, renderPage } from '@sendonce/testkit/html';
import { count } from '../plural.ts';
import { marks, secondEmail } from './marks.ts';
import { style } from './style.ts';
import { renderSwimLanes } from './swim-lanes.ts';

/** The page: one file that needs nothing from elsewhere. */
export function renderReport(options: ReportOptions): string {
  const title = `${count(options.workers, 'worker')}, one email`;
  const body = [
    element('h1', {}, title),
    element('p', {}, escapeHtml(introduction(options))),
    renderTables(options),
    element('p', { class: 'soft' }, escapeHtml(explanation)),
    renderDoubts(options.results.flatMap(({ doubts }) => doubts)),
    element('h2', {}, 'What the pictures show'),
    renderLegend(),
    ...options.scenarios.map((scenario) => renderScenario(options, scenario)),
  ];
  return renderPage({ title, style, body });
}

const introduction = ({ workers, seconds, results }: ReportOptions) =>
  `${count(workers, 'real worker process', 'real worker processes')}, one delayed delivery notice, a real SMTP server that counts. ` +
  `Nothing is scripted: the figures are the emails that the server received. ` +
  `Where there is one job, ${Math.min(workers, ...results.map((one) => one.workers))} workers listen to its queue. ` +
  `${results.length} runs in ${seconds.toFixed(0)} s.`;

const explanation =
  'The expected figure is 1 email everywhere. A ✗ is a duplicate, or a lost email: none arrived and ' +
  'nothing reports it. In doubt: the ledger lists an email whose sender died, or lost its connection, ' +
  'between dispatch and outcome. An email is never sent twice and never dropped silently. If a crash makes ' +
  'it impossible to know whether an email was sent, sendonce lists it for you to resolve.';

function renderScenario({ results, workers }: ReportOptions, scenario: ScenarioId): string {
  const { title, story } = scenariosFor(workers)[scenario];
  const own = results.filter(({ cell }) => cell.scenario === scenario);
  const figures = own.map((result) => renderFigure(result, title)).join('\n');
  return [
    element('h2', { id: scenario }, escapeHtml(title)),
    element('p', {}, escapeHtml(story)),
    element('div', { class: 'grid-of-figures' }, figures),
  ].join('\n');
}

function renderFigure(result: CellResult, scenario: string): string {
  const { cell } = result;
  const guard = guards[cell.guard];
  const name = element('span', { title: guard.how }, escapeHtml(guard.title));
  const caption = element('figcaption', {}, name + sentence(cell));
  const picture = renderSwimLanes(result, `${scenario}, guard ${guard.title}`);
  return element('figure', { id: idOf(cell) }, caption + picture);
}

function renderLegend(): string {
  const bar = (kind: string) =>
    element('rect', { class: `bar ${kind}`, x: -8, y: -5, width: 16, height: 10, rx: 2.5 });
  const items: [shape: string, label: string][] = [
    [bar('run'), 'a run of the processor'],
    [bar('wait'), 'waits for the lock'],
    [bar('frozen'), 'frozen (SIGSTOP)'],
    [bar('blocked'), 'event loop blocked'],
    ...[...Object.values(marks), secondEmail].map(({ shape, label }): [string, string] => [
      shape,
      label,
    ]),
  ];
  const list = items.map(([shape, label]) => {
    const picture = element('svg', { viewBox: '-9 -7 18 14', 'aria-hidden': 'true' }, shape);
    return element('li', {}, picture + element('span', {}, escapeHtml(label)));
  });
  const how =
    'One lane for each worker, time from left to right. Marks of one lane that would cover each ' +
    'other are moved apart; their exact time is in their tooltip.';
  return element('ul', { class: 'legend' }, list.join('')) + element('p', { class: 'soft' }, how);
}

function renderDoubts(doubts: readonly Doubt[]): string {
  if (doubts.length === 0) return '';
  const list = doubts.map(({ cell, record, verdict, retried, arrived }) => {
    const since = new Date(record.atMs).toISOString();
    const text =
      `${element('code', {}, escapeHtml(record.key))} since ${since}, by job ` +
      `${element('code', {}, escapeHtml(record.job?.id ?? '?'))} ` +
      `(${element('a', { href: `#${escapeHtml(cell)}` }, 'picture')}). ` +
      `The log of the mail server says: ${verdict}. After ` +
      `${element('code', {}, `resolveEmail({ ledger }, { key, token, verdict: &#39;${verdict}&#39;, … })`)} ` +
      `the job was retried: ${escapeHtml(retried)}, ${arrived} arrived in all.`;
    return element('li', {}, text);
  });
  return (
    element('h2', {}, 'In doubt, listed and resolved') +
    element('ul', { class: 'doubts' }, list.join(''))
  );
}
