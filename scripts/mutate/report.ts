/**
 * What is read of StrykerJS' report: https://github.com/stryker-mutator/mutation-testing-elements.
 */
export interface Report {
  readonly files: Readonly<Record<string, ReportedFile>>;
}

interface ReportedFile {
  readonly source: string;
  readonly mutants: readonly ReportedMutant[];
}

interface ReportedMutant {
  readonly status: string;
  readonly replacement: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

/** Both count from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** One change of one file, for people. Two changes of a file may look the same. */
export interface Mutant {
  readonly file: string;
  readonly code: string;
  readonly becomes: string;
}

/** A mutant that no test noticed. */
export interface Survivor extends Mutant {
  readonly line: number;
  readonly path: string;
  /** The whole file with the change. */
  readonly source: string;
}

/** How the mutants of a file ended. */
export interface Counts {
  readonly file: string;
  readonly killed: number;
  /** Noticed as well: the tests waited for ever. */
  readonly timedOut: number;
  readonly survivors: readonly Survivor[];
}

const SOURCES = 'packages/core/src/';

export function countMutants({ files }: Report): Counts[] {
  return Object.entries(files).map(([path, { source, mutants }]) => {
    const having = (...statuses: string[]) =>
      mutants.filter(({ status }) => statuses.includes(status));
    return {
      file: path.replace(SOURCES, ''),
      // An error outside of a test is a "RuntimeError": it fails the run.
      killed: having('Killed', 'RuntimeError').length,
      timedOut: having('Timeout').length,
      survivors: having('Survived', 'NoCoverage').map((mutant) =>
        describeSurvivor(path, source, mutant),
      ),
    };
  });
}

function describeSurvivor(
  path: string,
  source: string,
  { location: { start, end }, replacement }: ReportedMutant,
): Survivor {
  const lines = source.split('\n');
  const indexOf = ({ line, column }: Position) =>
    lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, column - 1);
  const before = source.slice(0, indexOf(start));
  const after = source.slice(indexOf(end));
  const [lineBefore, lineAfter] = [before.split('\n').at(-1), after.split('\n', 1)[0]];
  const inContext = (code: string) =>
    squeeze(`${cutStart(lineBefore)}${shorten(code)}${cutEnd(lineAfter)}`);
  return {
    file: path.replace(SOURCES, ''),
    line: start.line,
    code: inContext(source.slice(before.length, source.length - after.length)),
    becomes: inContext(replacement),
    path,
    source: before + replacement + after,
  };
}

const squeeze = (code: string) => code.replace(/\s+/g, ' ').trim();

function cutStart(line = ''): string {
  const code = line.trimStart();
  return code.length > 50 ? `… ${code.slice(-50).trimStart()}` : code;
}

function cutEnd(line = ''): string {
  const code = line.trimEnd();
  return code.length > 40 ? `${code.slice(0, 40).trimEnd()} …` : code;
}

/** Without its middle, where it is long. */
function shorten(code: string): string {
  const line = squeeze(code);
  return line.length > 90 ? `${line.slice(0, 45).trim()} … ${line.slice(-45).trim()}` : line;
}

/** The rows of the table `| file | code | becomes | why |` in a Markdown text. */
export function readEquivalents(markdown: string): Mutant[] {
  const cell = String.raw`\| \x60(.+?)\x60 +`;
  const rows = markdown.matchAll(new RegExp(`^${cell.repeat(3)}\\| .* \\|$`, 'gm'));
  return [...rows].map(([, ...cells]) => {
    const [file = '', code = '', becomes = ''] = cells.map((text) => text.replaceAll('\\|', '|'));
    return { file, code, becomes };
  });
}

/** The survivors that no row explains. A row explains one mutant. */
export function withoutEquivalents(
  survivors: readonly Survivor[],
  equivalents: readonly Mutant[],
): Survivor[] {
  const nameOf = ({ file, code, becomes }: Mutant) => JSON.stringify([file, code, becomes]);
  const names = equivalents.map(nameOf);
  return survivors.filter((survivor) => {
    const index = names.indexOf(nameOf(survivor));
    if (index >= 0) names.splice(index, 1);
    return index < 0;
  });
}
