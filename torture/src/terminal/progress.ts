import type { Progress } from '../progress.ts';

/** One line that changes on a terminal; a line at each tenth, or at each new phase, elsewhere. */
export function progressLine(name: string, stream: NodeJS.WriteStream) {
  let last = '';
  const startedMs = performance.now();
  return {
    show({ phase, done, of }: Progress): void {
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      const share = of === 0 ? 0 : done / of;
      const width = 20;
      const filled = Math.round(share * width);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
      const line = `${name}: ${bar} ${done}/${of} jobs  ${seconds} s  ${phase}`;
      if (stream.isTTY) stream.write(`\r\u001B[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      else if (last !== (last = `${phase} ${Math.floor(share * 10)}`)) stream.write(`${line}\n`);
    },
    clear(): void {
      if (stream.isTTY) stream.write('\r\u001B[K');
    },
  };
}
