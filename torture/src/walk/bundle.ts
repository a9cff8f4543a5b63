import { bundleProgram } from '@sendonce/testkit';
import { pointMaker } from '../points/rewrite.ts';

export interface WalkerBundle {
  readonly path: string;
  /** The names of all points, without "before" and "after". */
  readonly names: ReadonlySet<string>;
}

let bundled: Promise<WalkerBundle> | undefined;

/** The worker with all its points and its packages in one file, made once. */
export function walkerBundle(): Promise<WalkerBundle> {
  return (bundled ??= makeBundle());
}

async function makeBundle(): Promise<WalkerBundle> {
  const { rewrite, names } = pointMaker();
  const path = await bundleProgram(new URL('./worker.ts', import.meta.url), rewrite);
  return { path, names };
}
