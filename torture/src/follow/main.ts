import { bundleWorker } from '@sendonce/testkit';
import type { Followed } from './emails.ts';
import { markFunctions } from './mark-functions.ts';
import { describeFollowed } from './describe.ts';

/** Prints which functions of core run for an email, in their order. */
const bundle = await bundleWorker(new URL('./emails.ts', import.meta.url), markFunctions);
const { followEmails } = (await import(bundle)) as { followEmails: () => Promise<Followed[]> };
console.log((await followEmails()).map(describeFollowed).join('\n\n'));
