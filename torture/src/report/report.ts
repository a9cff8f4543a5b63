import { element, escapeHtml, renderPage, renderTable } from '@sendonce/testkit/html';
import type { Run } from '../run.ts';
import type { SystemName } from '../systems/names.ts';
import { faultsOf } from '../terminal/summary.ts';
import { style } from './style.ts';
import { renderTimeline } from './timeline.ts';

/** More than these would tell the same again. */
const MOST_TIMELINES = 20;

/** The page: what was done, how often, the verdict, and a timeline of each violation. */
export function renderReport(
  runs: readonly Run[],
  commandOf: (system: SystemName) => string,
): string {
  const title = 'Under fire: what happened to every email';
  const body = [
    element('h1', {}, title),
    element('p', {}, escapeHtml(introduction)),
    verdicts(runs),
    ...runs.map((run) => renderRun(run, commandOf(run.system))),
  ];
  return renderPage({ title, style, body });
}

const introduction =
  'Real worker processes, BullMQ, Redis with an append-only file, a mail server and a provider that ' +
  'count. The faults are listed below. An email is never sent twice and never dropped silently. If a ' +
  'crash makes it impossible to know whether an email was sent, the ledger lists it as in doubt.';

function verdicts(runs: readonly Run[]): string {
  const head = [
    '',
    'emails',
    'sent once',
    'rejected',
    'skipped',
    'cancelled',
    'in doubt, listed',
    'violations',
  ];
  const rows = runs.map((run) => {
    const { violations, emails, sentOnce, rejected, skipped, cancelled, inDoubtListed } = run;
    const verdict = violations.length > 0 ? 'bad' : 'good';
    return [
      element('a', { href: `#${run.system}` }, run.system),
      ...[emails, sentOnce, rejected, skipped, cancelled].map(String),
      element('span', { class: 'doubt' }, String(inDoubtListed)),
      element('span', { class: verdict }, String(violations.length)),
    ];
  });
  return renderTable(head, rows);
}

function renderRun(run: Run, command: string): string {
  const { system, workers, jobs, tookMs, servers, violations } = run;
  const what = `${workers} workers, ${jobs} jobs, ${(tookMs / 1_000).toFixed(0)} s. ${servers.join('. ')}.`;
  const faults = faultsOf(run).map(([name, count]) => [escapeHtml(name), String(count)]);
  const shown = violations.slice(0, MOST_TIMELINES);
  const more =
    violations.length > shown.length
      ? element('p', { class: 'soft' }, `${violations.length - shown.length} more violations.`)
      : '';
  return [
    element('h2', { id: system }, system),
    element('p', { class: 'soft' }, escapeHtml(what)),
    element('p', {}, element('code', {}, escapeHtml(command))),
    renderTable(['fault', 'times'], faults),
    ...shown.map(renderTimeline),
    more,
  ].join('\n');
}
