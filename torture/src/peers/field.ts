import type { Cell } from './run.ts';

/** The text of a cell: `1`, `2`, `0.5`, `0, lost`, `1, person`, `1.05, 2 of 20 person`. */
export function fieldOf({ counts }: Cell): string {
  if (!counts) return '–';
  const { wanted, left, lost, needPerson } = counts;
  const share = (count: number, word: string) =>
    count === 0 ? [] : [count === wanted ? word : `${count} of ${wanted} ${word}`];
  const perEmail = String(Number((left / wanted).toFixed(2)));
  return [perEmail, ...share(lost, 'lost'), ...share(needPerson, 'person')].join(', ');
}

/** Whether a customer got too many emails, or none and no person can see that. */
export function isWrong({ counts }: Cell): boolean {
  return counts !== undefined && (counts.left > counts.wanted || counts.lost > 0);
}

export function needsPerson({ counts }: Cell): boolean {
  return counts !== undefined && counts.needPerson > 0;
}
