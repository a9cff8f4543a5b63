import type { Tarball } from './tarball.ts';

/** Prints how many files of each kind are in a package, with their sizes. */
export function printContents(name: string, { files }: Tarball): void {
  const kinds = new Map<string, { count: number; bytes: number }>();
  for (const [path, text] of files) {
    const kind = kindOf(path);
    const { count, bytes } = kinds.get(kind) ?? { count: 0, bytes: 0 };
    kinds.set(kind, { count: count + 1, bytes: bytes + Buffer.byteLength(text) });
  }
  console.log(`\n${name}`);
  print(
    [...kinds].map(([kind, { count, bytes }]) => [kind, String(count), kilobytes(bytes)]),
    ['left', 'right', 'right'],
  );
}

/** A row for each package: its files, its size as it is downloaded, and as it is unpacked. */
export function printTable(read: readonly { name: string; tarball: Tarball }[]): void {
  const rows = read.map(({ name, tarball: { size, files } }) => {
    const unpacked = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return [name, String(files.size), kilobytes(size), kilobytes(unpacked)];
  });
  console.log('');
  print([['package', 'files', 'packed', 'unpacked'], ...rows], ['left', 'right', 'right', 'right']);
  console.log('');
}

function kindOf(path: string): string {
  const [, end] = /^dist\/.*?(\.(?:d\.ts|js)(?:\.map)?)$/.exec(path) ?? [];
  if (end !== undefined) return `dist/**/*${end}`;
  return path.startsWith('src/') ? 'src/**/*.ts' : path;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function print(rows: readonly string[][], sides: readonly ('left' | 'right')[]): void {
  const widths = sides.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      sides[column] === 'left' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    console.log(`  ${cells.join('  ')}`);
  }
}
