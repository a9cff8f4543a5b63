import { bundleWorker } from '@sendonce/testkit';
import { describe, expect, test } from 'vitest';
import type { Followed } from '../src/follow/emails.ts';
import { returnsOf, stopsOf } from '../src/follow/describe.ts';
import { markFunctions } from '../src/follow/mark-functions.ts';

describe('following one attempt through core', async () => {
  const bundle = await bundleWorker(
    new URL('../src/follow/emails.ts', import.meta.url),
    markFunctions,
  );
  const { followEmails } = (await import(bundle)) as { followEmails: () => Promise<Followed[]> };
  const followed = await followEmails();

  test.each(followed)(
    'an email that is $email enters no file twice but perform.ts',
    ({ steps }) => {
      const inAttempt = steps.filter(
        ([file]) => file.startsWith('attempt/') || file === 'the sender',
      );
      const stops = stopsOf(inAttempt);
      expect(stops.length).toBeGreaterThan(2);
      expect(returnsOf(stops)).toEqual([]);
    },
  );

  test('a file that is entered again is found', () => {
    const again = [
      ['attempt/acquire.ts', 'acquire()'],
      ['attempt/decide.ts', 'decide()'],
      ['attempt/acquire.ts', 'claim()'],
    ] as const;
    expect(returnsOf(stopsOf(again))).toEqual(['attempt/acquire.ts']);
  });
});
