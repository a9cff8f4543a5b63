import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import type { DispatchMode } from '@sendonce/core';
import {
  type Fault,
  type FaultKind,
  type FaultPhase,
  type NamedFault,
  smtpFaults,
} from '@sendonce/testkit';
import type { SendMailOptions, Transporter } from 'nodemailer';
import { describe, expect, it, vi } from 'vitest';
import { classifyMailError } from '../src/index.ts';
import {
  attempt,
  email,
  type Major,
  newJob,
  recordState,
  smtpServer,
  type Test,
  transporterTo,
} from './helpers.ts';

/** What must come of the first attempt. `released`: an error, and the retry delivers. */
type Verdict = 'released' | 'rejected' | 'in-doubt';

const allReleased: Record<FaultKind, Verdict> = {
  close: 'released',
  reset: 'released',
  hang: 'released',
  '4xx': 'released',
  '5xx': 'released',
  'half-reply': 'released',
  garbage: 'released',
};

// By hand, from RFC 5321 and RFC 1047, not from the code under test.
const verdicts: Record<FaultPhase, Record<FaultKind, Verdict>> = {
  connect: allReleased,
  greeting: allReleased,
  ehlo: allReleased,
  mail: allReleased,
  rcpt: allReleased,
  data: allReleased,
  // A server that falls silent in the body still gets all of it, dot included.
  body: { ...allReleased, hang: 'in-doubt' },
  'dot-before-accept': {
    close: 'in-doubt',
    reset: 'in-doubt',
    hang: 'in-doubt',
    '4xx': 'released',
    '5xx': 'rejected',
    'half-reply': 'in-doubt',
    garbage: 'in-doubt',
  },
  'dot-after-accept': {
    close: 'in-doubt',
    reset: 'in-doubt',
    hang: 'in-doubt',
    '4xx': 'released',
    '5xx': 'rejected',
    'half-reply': 'in-doubt',
    garbage: 'in-doubt',
  },
};

// RCPT refuses To, and the copies are accepted. The server discards them, as there is no dot.
const withCopies = { ...verdicts, rcpt: { ...allReleased, '5xx': 'rejected' as const } };
const copies = { cc: 'sales@shop.example', bcc: 'archive@archive.example' };

/**
 * A body that is not complete until the send has failed, so that the fault comes before.
 */
function unfinishedBody(failed: AbortSignal): Readable {
  return Readable.from(
    (async function* () {
      yield 'x '.repeat(2000);
      await sleep(3000, undefined, { signal: failed }).catch(() => {});
      yield 'the end\n';
    })(),
    { objectMode: false },
  );
}

/** Sends an email whose body is on its way when the server strikes; of a silent one all is. */
async function sendInto(
  transporter: Transporter,
  { at, how }: Fault,
  fields: SendMailOptions,
): Promise<unknown> {
  if (at !== 'body' || how === 'hang') return transporter.sendMail(email(fields));
  const failed = new AbortController();
  try {
    return await transporter.sendMail(email({ ...fields, text: unfinishedBody(failed.signal) }));
  } finally {
    failed.abort();
  }
}

interface Case extends NamedFault {
  readonly mode: DispatchMode;
  readonly major: Major;
  readonly pool: boolean;
  readonly hasCopies?: boolean;
}

async function check(
  { fault, accepted, mode, major, pool, hasCopies = false }: Case,
  test: Test,
): Promise<void> {
  const verdict = (hasCopies ? withCopies : verdicts)[fault.at][fault.how];
  const fields = hasCopies ? copies : {};
  const arrived = accepted ? 1 : 0;
  const smtp = await smtpServer(test);
  const silent = fault.how === 'hang';
  const transporter = transporterTo(test, smtp, {
    major,
    pool,
    ...(silent && { timeoutMs: 1500 }),
  });
  const job = newJob();

  smtp.setFault(fault);
  const first = await attempt(job, () => sendInto(transporter, fault, fields), {
    dispatch: mode,
  });
  expect(first.state).toBe(verdict === 'released' ? 'threw' : verdict);
  expect(await recordState(job)).toBe(verdict === 'released' ? 'absent' : verdict);
  // Bytes that were already on their way must have had their chance to arrive.
  await sleep(30);
  expect(smtp.received).toHaveLength(arrived);

  smtp.setFault(undefined);
  const again = silent ? transporterTo(test, smtp, { major, pool }) : transporter;
  const retry = await attempt(job, () => again.sendMail(email(fields)), { dispatch: mode });
  await sleep(10);
  switch (verdict) {
    case 'released':
      expect(retry.state).toBe('sent');
      expect(smtp.received).toHaveLength(1);
      break;
    case 'rejected':
    case 'in-doubt':
      expect(retry.state).toBe(verdict);
      expect(smtp.received).toHaveLength(arrived);
  }
}

vi.setConfig({ maxConcurrency: 20 });

const modes: DispatchMode[] = ['at-send', 'before-processor'];

function cases(major: Major, pool: boolean, faults: readonly NamedFault[]): Case[] {
  return faults.flatMap((fault) => modes.map((mode) => ({ ...fault, mode, major, pool })));
}

// A pool of 6 to 9 reconnects when the server closes before its greeting, and a pool
// of 10 when a used connection is gone: their first attempt succeeds, which no table needs.
const afterGreeting = smtpFaults.filter(({ fault }) => !['connect', 'greeting'].includes(fault.at));
const olderMajors = [6, 7, 8, 9] as const;

describe.concurrent('an email under a fault is never sent twice and never dropped silently', () => {
  it.for(cases(10, false, smtpFaults))('nodemailer 10, $mode: $name', check);
  it.for(cases(10, true, afterGreeting))('nodemailer 10 pooled, $mode: $name', check);
  for (const major of olderMajors) {
    it.for(cases(major, false, smtpFaults))(`nodemailer ${major}, $mode: $name`, check);
    it.for(cases(major, true, afterGreeting))(`nodemailer ${major} pooled, $mode: $name`, check);
  }
});

describe.concurrent('an email with To, Cc and Bcc under a fault', () => {
  const withThree = (major: Major, pool: boolean): Case[] =>
    (pool ? afterGreeting : smtpFaults).map((fault) => {
      return { ...fault, mode: 'at-send', major, pool, hasCopies: true };
    });
  for (const major of [...olderMajors, 10] as const) {
    it.for(withThree(major, false))(`nodemailer ${major}: $name`, check);
    it.for(withThree(major, true))(`nodemailer ${major} pooled: $name`, check);
  }
});

describe.concurrent('without the plugin, classifyMailError', () => {
  const certain: Record<string, Verdict> = {
    'rcpt 4xx': 'released',
    'rcpt 5xx': 'released',
    'mail 5xx': 'released',
    'data 4xx': 'released',
    'dot-before-accept 4xx': 'released',
    'dot-before-accept 5xx': 'rejected',
  };
  // The same error before and after the dot: doubt, also where nothing was sent.
  const names = ['mail close', 'rcpt reset', 'dot-before-accept close', 'dot-after-accept close'];
  const misleading = ['dot-after-accept half-reply 451', 'dot-after-accept garbage'];
  const inDoubt = [...names, ...misleading].map((name): [string, Verdict] => [name, 'in-doubt']);
  const expected = [...Object.entries(certain), ...inDoubt];

  for (const major of [...olderMajors, 10] as const) {
    it.for(expected)(`nodemailer ${major}: %s is %s`, async ([name, verdict], test) => {
      const found = smtpFaults.find((candidate) => candidate.name === name);
      if (!found) throw new Error(`no fault ${name}`);
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major, plugin: false });
      const job = newJob();
      smtp.setFault(found.fault);
      const first = await attempt(job, () => transporter.sendMail(email()), {
        dispatch: 'before-processor',
        classify: classifyMailError,
      });
      expect(first.state).toBe(verdict === 'released' ? 'threw' : verdict);
    });

    it(`nodemailer ${major}: a refused connection sent nothing`, async (test) => {
      const smtp = await smtpServer(test);
      await smtp.close();
      const transporter = transporterTo(test, smtp, { major, plugin: false });
      const error = await transporter.sendMail(email()).catch((caught: unknown) => caught);
      expect(classifyMailError(error)).toBe('not-sent');
    });
  }
});
