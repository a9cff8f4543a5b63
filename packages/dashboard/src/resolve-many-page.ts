import {
  type FindQueue,
  type NamedDoubt,
  resolveEmails,
  type VerdictProblem,
  type VerdictResult,
} from '@sendonce/core/inspect';
import { isKey } from '@sendonce/core/ledger';
import { askPage } from './confirm-many-page.ts';
import { withDeadline } from './deadline.ts';
import { type Html, html } from './html.ts';
import { type PageContext, renderPage } from './layout.ts';
import { formatDoubts, MAX_AT_ONCE, parseDoubts, readDoubts } from './many-doubts.ts';
import { countEmails, formatNumber } from './numbers.ts';
import type { Viewer } from './options.ts';
import type { ResolveSettings } from './resolve-page.ts';
import { pageResponse } from './responses.ts';
import { isVerdict, readReason, type Verdict } from './verdict-link.ts';

/** What the browser sends from step to step: the server keeps nothing of it. */
interface Run {
  readonly verdict: Verdict;
  readonly why: string;
  readonly isRetried: boolean;
  /** The URL of the list. */
  readonly back: string;
  readonly total: number;
  /** Those that were not reached yet. */
  readonly emails: readonly NamedDoubt[];
  readonly counts: Counts;
  readonly problems: readonly Pick<VerdictProblem, 'key' | 'result'>[];
}

type Counts = Readonly<Record<(typeof countNames)[number], number>>;
const countNames = ['resolved', 'retried', 'notFailed', 'changed'] as const;

/** A step takes about as long: then the page shows how far it is. */
const STEP_MS = 1_000;

interface ManyRequest {
  readonly viewer: Viewer;
  readonly form: URLSearchParams;
  readonly csrf: string;
}

/**
 * Records the verdict for some of the emails of the form, and shows how far it is. The page sends
 * the rest: by its script, or by a button.
 */
export async function resolveManyPage(
  context: PageContext,
  { viewer, form, csrf }: ManyRequest,
  settings: ResolveSettings,
): Promise<Response> {
  const run = readRun(context, form);
  if (typeof run === 'string') {
    const { sources, findQueue } = settings;
    const named = parseDoubts(form.get('emails') ?? '');
    const doubts = await withDeadline(readDoubts(sources, named));
    const question = { doubts, back: readBack(context, form), problem: run };
    return askPage(context, { findQueue, form, csrf }, question);
  }
  const { next, isAway } = await makeStep(run, viewer, settings);
  return runPage(context, next, { csrf, isAway });
}

/** A text: what is wrong with the answer. */
function readRun(context: PageContext, form: URLSearchParams): Run | string {
  const verdict = form.get('verdict');
  const emails = parseDoubts(form.get('emails') ?? '');
  if (!isVerdict(verdict)) return 'Say whether they were sent. Nothing was changed.';
  const isFirst = !form.has('total');
  const count = (form.get('count') ?? '').replaceAll(/[\s,_.]/g, '');
  if (isFirst && count !== String(emails.length)) {
    return `Type the number of emails, ${formatNumber(emails.length)}. Nothing was changed.`;
  }
  const read = (name: string) => Math.min(Number(form.get(name)) || 0, MAX_AT_ONCE);
  const counts = Object.fromEntries(countNames.map((name) => [name, read(name)])) as Counts;
  return {
    verdict,
    why: readReason(form),
    isRetried: form.get('retry') === 'yes',
    back: readBack(context, form),
    total: isFirst ? emails.length : read('total'),
    emails,
    counts,
    problems: parseProblems(form.get('problems') ?? ''),
  };
}

/** Only to the list of this dashboard. */
function readBack({ base }: PageContext, form: URLSearchParams): string {
  const [, query = ''] = (form.get('back') ?? '').split('?');
  return `${base}/doubts${query === '' ? '' : `?${query}`}`;
}

async function makeStep(
  run: Run,
  viewer: Viewer,
  { sources, findQueue, retentionMs }: ResolveSettings,
): Promise<{ readonly next: Run; readonly isAway: boolean }> {
  const { verdict, why, isRetried } = run;
  const done = new Set<string>();
  const { counts, resolved, problems, error } = await resolveEmails(sources, run.emails, {
    verdict,
    by: viewer.name,
    why: why || undefined,
    retentionMs,
    retryIn: isRetried ? safely(findQueue) : undefined,
    signal: AbortSignal.timeout(STEP_MS),
    onResult({ key }, result) {
      // It is safe to give that verdict again.
      if (result !== 'unavailable') done.add(key);
    },
  });
  await withDeadline(sources.journal?.flush() ?? Promise.resolve(), 1000).catch(() => {});
  const before = run.counts;
  const next: Run = {
    ...run,
    emails: run.emails.filter(({ key }) => !done.has(key)),
    counts: {
      resolved: before.resolved + resolved,
      retried: before.retried + counts.retried + counts.resumed,
      notFailed: before.notFailed + counts['not-failed'],
      changed: before.changed + counts.changed + counts.resumed,
    },
    problems: [...run.problems, ...problems.filter(({ result }) => result !== 'unavailable')],
  };
  return { next, isAway: error !== undefined };
}

/** `queues` may be a function of the user. If it throws, the dashboard does not have the queue. */
function safely(findQueue: FindQueue): FindQueue {
  return (name) => {
    try {
      return findQueue(name);
    } catch {
      return undefined;
    }
  };
}

function runPage(
  context: PageContext,
  run: Run,
  { csrf, isAway }: { readonly csrf: string; readonly isAway: boolean },
): Response {
  const { total, emails, back } = run;
  const isDone = emails.length === 0;
  const title = isDone ? 'The verdict is recorded' : 'Recording the verdict';
  const main = html`<h1>One verdict for ${countEmails(total)}</h1>
    <p id="run-state" role="status">${describeState(run, isAway)}</p>
    <div id="run">
      <label for="done">Done</label>
      <progress id="done" max="${total}" value="${total - emails.length}"></progress>
      <span>${formatNumber(total - emails.length)} of ${formatNumber(total)}</span>
      ${renderCounts(run)} ${!isDone && renderMore(context, run, { csrf, isAway })}
      ${renderProblems(context, run)}
      <p><a href="${back}">${isDone ? 'To the emails in doubt' : 'Stop here'}</a></p>
    </div>`;
  const page = renderPage(context, { title, main, hasScript: !isDone });
  return pageResponse(isAway ? 503 : 200, page);
}

/** Spoken when it changes, and not with each email. */
function describeState({ total, emails }: Run, isAway: boolean): string {
  if (isAway) {
    return 'The ledger did not answer. It is safe to continue: a verdict is recorded once.';
  }
  if (emails.length === 0) return 'All are done.';
  const tenths = Math.floor(((total - emails.length) / total) * 10);
  return `${tenths * 10} % are done. Keep this page open; it is safe to stop.`;
}

function renderCounts({ verdict, isRetried, counts }: Run): Html {
  const { resolved, retried, notFailed, changed } = counts;
  return html`<ul>
    <li>
      ${formatNumber(resolved)} ${verdict === 'sent' ? 'resolved as sent' : 'resolved as not sent'}
    </li>
    ${isRetried && html`<li>${formatNumber(retried)} failed jobs run again</li>`}
    ${
      notFailed > 0 &&
      html`<li>${formatNumber(notFailed)} jobs had not failed: they wait, run or are completed</li>`
    }
    ${
      changed > 0 &&
      html`<li>
        ${formatNumber(changed)} had another verdict or outcome meanwhile, and were not changed
      </li>`
    }
  </ul>`;
}

function renderMore(
  { base }: PageContext,
  { verdict, why, isRetried, back, total, emails, counts, problems }: Run,
  { csrf, isAway }: { readonly csrf: string; readonly isAway: boolean },
): Html {
  const fields = {
    csrf,
    verdict,
    why,
    retry: isRetried ? 'yes' : 'no',
    back,
    total,
    emails: formatDoubts(emails),
    ...counts,
    problems: problems.map(({ key, result }) => `${key}.${result}`).join(' '),
  };
  // If the ledger is away, only the viewer continues.
  return html`<form
    id="more"
    class="buttons"
    method="post"
    action="${base}/doubts/resolve"
    data-continue="${isAway ? 'no' : 'yes'}"
  >
    ${Object.entries(fields).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
    )}
    <button>Continue with the other ${formatNumber(emails.length)}</button>
  </form>`;
}

const problemTexts: Readonly<Partial<Record<VerdictResult, string>>> = {
  'not-retried': 'resolved, but its queue did not answer: retry its job yourself',
  'no-job': 'still in doubt: its job is gone or completed, so nothing would send it',
  'no-queue': 'still in doubt: the dashboard does not have its queue',
  'queue-unavailable': 'its queue did not answer: give the verdict again later',
  'known-unsent': 'still in doubt: its sender knows that it was not sent',
  'left-unsent':
    'resolved as not sent before, and its job is gone or not known here: nothing sends it',
  unreadable: 'its record cannot be read',
};

/** A person does not read more of them. */
const MAX_SHOWN = 100;

function renderProblems({ base }: PageContext, { problems }: Run): Html | undefined {
  if (problems.length === 0) return undefined;
  const hidden = problems.length - MAX_SHOWN;
  return html`<h2>${countEmails(problems.length)} to look at</h2>
    <ul>
      ${problems.slice(0, MAX_SHOWN).map(
        ({ key, result }) =>
          html`<li>
            <a href="${base}/email/${key}"><code>${key}</code></a
            >: ${problemTexts[result] ?? result}
          </li>`,
      )}
    </ul>
    ${hidden > 0 && html`<p>and ${formatNumber(hidden)} more</p>`}`;
}

function parseProblems(text: string): Run['problems'] {
  return text
    .split(' ')
    .slice(0, MAX_AT_ONCE)
    .flatMap((word) => {
      const [key, result = ''] = word.split('.');
      const isKnown = Object.hasOwn(problemTexts, result);
      return isKey(key) && isKnown ? [{ key, result: result as VerdictResult }] : [];
    });
}
