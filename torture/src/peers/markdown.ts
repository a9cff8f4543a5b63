import { systems } from '../systems/index.ts';
import type { SystemName } from '../systems/names.ts';
import { type Fault, type FaultName, faults } from './faults.ts';
import { fieldOf } from './field.ts';
import type { PeersRun } from './run.ts';
import { machine, packagesOf } from './versions.ts';

export interface PageOptions extends PeersRun {
  readonly systems: readonly SystemName[];
  readonly faults: readonly FaultName[];
  readonly emails: number;
  readonly tookMs: number;
}

const begin = '<!-- written by pnpm torture:peers --write -->';
const end = '<!-- until here -->';

/** Puts the tables between the markers of the page. */
export function writeInto(page: string, options: PageOptions): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`The page has no "${begin}" … "${end}".`);
  return `${before}${begin}\n\n${tables(options)}\n\n${end}${after}`;
}

function tables(options: PageOptions): string {
  const { cells, servers, emails, tookMs } = options;
  const chosen: readonly Fault[] = options.faults.map((name) => faults[name]);
  const results = tableOf(
    ['', ...options.systems.map((name) => systems[name].title)],
    options.faults.map((fault) => [
      faults[fault].title,
      ...options.systems.map((system) => {
        const cell = cells.find((one) => one.system === system && one.fault === fault);
        return cell ? fieldOf(cell) : '';
      }),
    ]),
  );
  const stories = tableOf(
    ['fault', 'what happens', 'wanted'],
    chosen.map(({ title, story, wanted }) => [title, story, wanted]),
  );
  const fewer = chosen
    .filter(({ emailsAtMost = emails }) => emailsAtMost < emails)
    .map(({ title, emailsAtMost }) => `, ${emailsAtMost} in "${title}"`);
  const date = new Date().toISOString().slice(0, 10);
  const seconds = Math.round(tookMs / 1_000);
  return [
    `Written by \`pnpm torture:peers --emails ${emails} --write\` on ${date}, in ${seconds} s. Emails in each field: ${emails}${fewer.join('')}.`,
    `Node ${process.version.slice(1)}; ${servers.join('; ')}; ${machine()};`,
    `${packagesOf(options.systems).join(', ')}.`,
    `\n${results}\n\n${stories}`,
  ].join('\n');
}

/** Aligned, as the formatter wants it. */
function tableOf(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((_, at) =>
    Math.max(3, ...[heading, ...rows].map((fields) => fields[at]!.length)),
  );
  const line = (fields: readonly string[]) =>
    `| ${fields.map((field, at) => field.padEnd(widths[at]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(heading), rule, ...rows.map(line)].join('\n');
}
