import type { Sources } from '@sendonce/core';
import { lastLabel, listAtMost } from '@sendonce/core/inspect';

const MAX_EMAILS = 20;
const MAX_SUGGESTIONS = 5;
/** What people write before a number. `#` stands for the number. */
const commonShapes = ['order #', 'Order #', 'order ##', 'invoice #', '##'];

/**
 * Labels that a person may have meant: `order 4010` for `4010`. Each is the label of an email. The
 * labels of open emails show how labels are written here.
 */
export async function suggestLabels(sources: Sources, query: string): Promise<readonly string[]> {
  const { journal } = sources;
  const number = /\d[\w.-]*/.exec(query)?.[0];
  if (!journal || number === undefined) return [];
  const labels = await loadOpenLabels(sources);
  const shapes = labels.map((label) => label.replace(/\d[\w.-]*/, '#'));
  const candidates = [
    number,
    ...[...shapes, ...commonShapes].map((shape) => shape.replace(/#(?!#)/, () => number)),
  ];
  const others = [...new Set(candidates)].filter((label) => label !== query);
  const found = await Promise.all(
    others.map(async (label) => ((await journal.find(label)).length > 0 ? [label] : [])),
  );
  return found.flat().slice(0, MAX_SUGGESTIONS);
}

async function loadOpenLabels({ ledger, journal }: Sources): Promise<readonly string[]> {
  const { records } = await listAtMost(ledger, 'open', MAX_EMAILS);
  const histories = await Promise.all(
    records.map(async ({ key }) => (await journal?.history(key)) ?? []),
  );
  return histories.flatMap((history) => lastLabel(history) ?? []);
}
