import type { SharedOptions } from '../perform-options.ts';
import { warnOnce } from '../warn.ts';
import type { EffectFunction } from './active-claim.ts';

/** Runs in place of the effect, which may send where no claim sees it. */
export const skipForTest: EffectFunction<never> = ({ claim }) => claim.skip('test-mode');

/** The options without what could send: no claim that dispatches, and no replay. */
export function optionsForTest(options: SharedOptions): SharedOptions {
  warnOnce(
    'SENDONCE_TEST_MODE',
    '',
    'sendonce: "testMode" is on in this process, so no email leaves: no processor with this option runs, and its ' +
      'emails are recorded as skipped. Remove the option where customers should get emails.',
  );
  return { ...options, testMode: false, dispatch: 'at-send', replayWithinMs: undefined };
}
