/**
 * Compares the throughput of this checkout with that of another one, in alternating processes:
 *
 *     npx tsx bench/compare.ts /tmp/before --rounds 5
 */
import { findRedis } from '@sendonce/testkit';
import { runCommand } from '@sendonce/testkit/command-line';
import { type CompareArguments, compareHelp, parseCompareArguments } from './compare/arguments.ts';
import { type Sides, measureRounds } from './compare/measure-rounds.ts';
import { renderComparison } from './compare/render.ts';
import { measureCheckout } from './compare/run-checkout.ts';
import { createProgress } from './progress.ts';

const here = new URL('..', import.meta.url);

process.exitCode = await runCommand({
  parse: parseCompareArguments,
  help: compareHelp,
  run: compare,
});

async function compare(args: CompareArguments): Promise<number> {
  const progress = createProgress(process.stderr);
  // One server for both sides, so that the server is no difference.
  const redis = await findRedis();
  try {
    const sides: Sides = {
      before: (cell) => measureCheckout(args.before, { ...cell, redisUrl: redis.url }),
      after: (cell) => measureCheckout(here, { ...cell, redisUrl: redis.url }),
    };
    const pairs = await measureRounds(args, sides, progress);
    progress.clear();
    process.stdout.write(renderComparison(pairs));
    return 0;
  } finally {
    progress.clear();
    await redis.stop();
  }
}
