import { readFileSync } from 'node:fs';
import { deriveKey } from '@sendonce/core';
import { freePort } from '@sendonce/testkit';
import type { FaultName } from '@sendonce/testkit/providers/provider-faults';
import { startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { describe, expect, it } from 'vitest';
import { once } from '../../../bullmq/src/index.ts';
import { type Stage, startStage } from '../../../bullmq/test/stage.ts';
import { classifySdkError } from '../../src/index.ts';
import type { NoticeJob } from './processors/notice.ts';
import { type Process, type SdkCase, sdks } from './sdks.ts';

/** What the provider does with the first request. The second one, if there is one, is accepted. */
const faults: readonly (readonly [title: string, fault: FaultName | 'no-server' | undefined])[] = [
  ['ok', undefined],
  ['401', 'unauthorized'],
  ['422', 'unprocessable'],
  ['429', 'too-many'],
  ['500, accepted', 'error-after'],
  ['reset, accepted', 'reset-after'],
  ['200 cut off', 'cut-off-after'],
  ['200, no JSON', 'not-json-after'],
  ['hangs, accepted', 'hang-after'],
  ['no connection', 'no-server'],
];

const modes = ['sendWith', 'default mode'] as const;
type Mode = (typeof modes)[number];

const sent = '1 email, completed, sent';
const rejected = '0 emails, failed, rejected';
const doubt = '1 email, failed, in doubt';
const usual: Record<string, string> = {
  ok: sent,
  '401': `${sent}, 2nd attempt`,
  '422': rejected,
  '429': `${sent}, 2nd attempt`,
  'no connection': '0 emails, failed, no record',
};

/** Where an SDK shows less than it knows. */
const differing: Record<string, Partial<Record<Mode, Record<string, string>>>> = {
  // A 200 that is not the provider's JSON is a result for these.
  '@getbrevo/brevo': { 'default mode': { '200, no JSON': sent } },
  '@sendgrid/mail': { 'default mode': { '200, no JSON': sent } },
  postmark: {
    'default mode': { '200, no JSON': sent, 'no connection': '0 emails, failed, in doubt' },
  },
  'mailgun.js': { 'default mode': { '200, no JSON': sent } },
  resend: { 'default mode': { 'no connection': '0 emails, failed, in doubt' } },
  // The error is that of any client of AWS.
  '@aws-sdk/client-sesv2': { 'default mode': { 'no connection': '0 emails, failed, in doubt' } },
};

const wanted = (sdk: SdkCase, mode: Mode, title: string) =>
  differing[sdk.name]?.[mode]?.[title] ?? usual[title] ?? doubt;

/** Fault, mode, outcome: the SDKs. */
const seenOutcomes = new Map<string, Map<string, string[]>>();

function keepOutcome(title: string, mode: Mode, sdk: string, outcome: string): void {
  const cell = seenOutcomes.get(`${title}: ${mode}`) ?? new Map<string, string[]>();
  seenOutcomes.set(`${title}: ${mode}`, cell);
  cell.set(outcome, [...(cell.get(outcome) ?? []), sdk]);
}

/** What most SDKs do, and which do something else. */
function cellOf(title: string, mode: Mode): string {
  const outcomes = [...(seenOutcomes.get(`${title}: ${mode}`) ?? [])].toSorted(
    ([, one], [, other]) => other.length - one.length,
  );
  return outcomes
    .map(([outcome, names], index) => (index === 0 ? outcome : `${names.join(', ')}: ${outcome}`))
    .join('; ');
}

describe.each(sdks)('$name', (sdk) => {
  describe.each(modes)('%s', (mode) => {
    it.each(faults)('%s', async (title, fault) => {
      const stage = startStage();
      const server = await startProviderServer(sdk.dialect);
      stage.onEnd(() => server.close());
      const url =
        fault === 'no-server'
          ? `http://127.0.0.1:${await freePort()}`
          : server.url.replace(sdk.dialect.path, '');
      if (fault !== 'no-server') server.setFault(fault);
      const { before, after } = sdk.processors(url);
      const job = await runJob(stage, mode, mode === 'sendWith' ? after : before);

      const seen = await describeOutcome(stage, server.accepted.length, job);
      keepOutcome(title, mode, sdk.name, seen);
      expect(seen).toBe(wanted(sdk, mode, title));
      // One request for each attempt.
      if (fault !== 'no-server') expect(server.posts).toBe(job.attemptsMade);
      if (mode === 'sendWith' && job.failedReason !== undefined) {
        expect(job.failedReason).not.toMatch(/@|secret|sorry/);
        expect(job.failedReason).toMatch(/not sent|in doubt/);
      }
    });
  });
});

const keyOf = (orderId: number) => ['notice', orderId];

type Ended = Awaited<ReturnType<Stage['ended']>>;

async function runJob(stage: Stage, mode: Mode, processor: Process): Promise<Ended> {
  const { ledger } = stage;
  const key = ({ data }: NoticeJob) => keyOf(data.orderId);
  stage.worker(
    mode === 'sendWith'
      ? once(processor, { ledger, key, dispatch: 'at-send' })
      : once(processor, { ledger, key, classify: classifySdkError }),
  );
  const data = { orderId: 17, to: 'customer@customer.example' };
  return stage.ended(await stage.queue().add('notice', data, { attempts: 2 }));
}

async function describeOutcome(stage: Stage, accepted: number, job: Ended): Promise<string> {
  const found = await stage.ledger.read(deriveKey(keyOf(17)));
  const emails = `${accepted} ${accepted === 1 ? 'email' : 'emails'}`;
  const record = found?.state.replace('in-doubt', 'in doubt') ?? 'no record';
  const attempt = job.state === 'completed' && job.attemptsMade > 1 ? ', 2nd attempt' : '';
  return `${emails}, ${job.state}, ${record}${attempt}`;
}

describe('the processors, before and after', () => {
  it.each(sdks)('$name: at most four more lines', ({ file }) => {
    const text = readFileSync(new URL(`processors/${file}`, import.meta.url), 'utf8');
    const [before, after] = ['before', 'after'].map(
      (region) =>
        text.split(`// #region ${region}\n`)[1]?.split('// #endregion')[0]?.split('\n') ?? [],
    );
    expect(after!.length - before!.length).toBeLessThanOrEqual(4);
  });
});

it('the table is that of docs/providers.md', () => {
  const rows = faults.map(([title]) => [title, ...modes.map((mode) => cellOf(title, mode))]);
  const page = readFileSync(new URL('../../../../docs/providers.md', import.meta.url), 'utf8');
  const lines = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  for (const row of rows) expect(lines).toContainEqual(['', ...row, '']);
});
