import {
  type ChosenDoubt,
  type DoubtCount,
  type NamedDoubt,
  countDoubts,
  describeCause,
} from '@sendonce/core/inspect';
import type { Sources } from '@sendonce/core';
import { isKey } from '@sendonce/core/ledger';
import { type Html, html, textOr } from './html.ts';
import { formatNumber } from './numbers.ts';

/** What the forms about many emails are signed for. No key is as short. */
export const MANY_SCOPE = 'doubts';

/**
 * The command line resolves more. Their names are in the form, which body parsers limit to 100 KB.
 */
export const MAX_AT_ONCE = 2000;
export const MAX_MANY_BYTES = 160 * 1024;

/** Names doubts in a form: their keys and tokens, so that a verdict decides no other doubt. */
export function formatDoubts(doubts: readonly Pick<NamedDoubt, 'key' | 'token'>[]): string {
  return doubts.map(({ key, token }) => `${key}.${encodeURIComponent(token)}`).join(' ');
}

/** Each doubt once. What names none is left out. */
export function parseDoubts(text: string): readonly NamedDoubt[] {
  const doubts = new Map<string, NamedDoubt>();
  for (const word of text.split(' ').slice(0, MAX_AT_ONCE)) {
    const [key = '', token = ''] = word.split('.');
    if (isKey(key) && token !== '') doubts.set(key, { key, token: decode(token) });
  }
  return [...doubts.values()];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads doubts again. Those that have ended meanwhile, or are others now, are left out. */
export async function readDoubts(
  { ledger }: Sources,
  named: readonly NamedDoubt[],
): Promise<readonly ChosenDoubt[]> {
  const read = await Promise.all(
    named.map(async ({ key, token }) => {
      const record = await ledger.read(key);
      if (record?.state !== 'in-doubt' || record.token !== token) return [];
      const { atMs, job } = record;
      return [{ key, token, atMs, job, cause: describeCause(record) }];
    }),
  );
  return read.flat();
}

/** How many emails have each cause, queue and age. */
export function renderDoubtCounts(doubts: readonly ChosenDoubt[]): Html {
  const { causes, queues, ages } = countDoubts(doubts);
  return html`<div class="wide" role="region" aria-label="How many" tabindex="0">
    <table>
      <caption class="unseen">
        How many emails have each cause, queue and age
      </caption>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Value</th>
          <th scope="col" class="number">Emails</th>
        </tr>
      </thead>
      <tbody>
        ${renderCounts('Cause', causes)} ${renderCounts('Queue', queues)}
        ${renderCounts('Dispatched', ages)}
      </tbody>
    </table>
  </div>`;
}

const MAX_COUNTS = 8;

function renderCounts(title: string, counts: readonly DoubtCount[]): Html {
  const rest = counts.slice(MAX_COUNTS).reduce((sum, { count }) => sum + count, 0);
  const shown = [
    ...counts.slice(0, MAX_COUNTS),
    ...(rest > 0 ? [{ name: 'others', count: rest }] : []),
  ];
  return html`${shown.map(
    ({ name, count }) =>
      html`<tr>
        <th scope="row">${title}</th>
        <td>${textOr(name)}${title === 'Dispatched' && ' ago'}</td>
        <td class="number">${formatNumber(count)}</td>
      </tr>`,
  )}`;
}
