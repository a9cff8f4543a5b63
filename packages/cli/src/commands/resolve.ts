import { userInfo } from 'node:os';
import { type LedgerRecord, resolveEmail } from '@sendonce/core';
import { type FoundEmail, readEmail, retryJob } from '@sendonce/core/inspect';
import { type Command, type Given, textOf } from '../command.ts';
import type { Desk } from '../desk.ts';
import { exit, harmless, type Terminal, UsageError } from '../terminal.ts';
import { inWords, moment } from '../words.ts';
import { lookUp, nothingFound, picture, whichEmail } from './show.ts';

type Verdict = 'sent' | 'not-sent';

export const resolve: Command = {
  name: 'resolve',
  usage: 'resolve <email> --sent | --not-sent',
  summary: 'end a doubt by what you found out; who and why are recorded',
  details: `${whichEmail}

  --sent          it left: kept as sent, and its job completes when it runs again
  --not-sent      it surely did not leave: the next attempt sends it. Also for one that was rejected, when the cause is mended
  --retry         give its failed job to a worker again
  --why <text>    how you know; kept with the email, so no address in it
  --by <name>     who you are (default: the user of this machine)
  --yes           do not ask

  Exit code 1 where it is not in doubt (any more): it then says what stands there.`,
  options: {
    sent: { type: 'boolean' },
    'not-sent': { type: 'boolean' },
    retry: { type: 'boolean' },
    why: { type: 'string' },
    by: { type: 'string' },
    yes: { type: 'boolean', short: 'y' },
  },
  async run(given, terminal, open) {
    const verdict = verdictOf(given);
    const desk = await open();
    const emails = await lookUp(given, desk);
    const email = emails.find(({ record }) => mayResolve(record, verdict)) ?? emails[0];
    if (!email) return tell({ state: 'not-found' }, nothingFound(given), given, terminal);
    const { record } = email;
    if (emails.filter((one) => mayResolve(one.record, verdict)).length > 1) {
      throw new UsageError(
        `Several emails go by that name: ${emails.map(({ key }) => key).join(', ')}. Give the key.`,
      );
    }
    if (!record || !mayResolve(record, verdict)) return standing(email, given, terminal);
    if (!(await confirmed(email, verdict, given, terminal))) {
      terminal.err('Nothing was changed.');
      return exit.no;
    }
    return decide(record, verdict, given, terminal, desk);
  },
};

/** A rejected email may be tried again, too. */
function mayResolve(record: LedgerRecord | undefined, verdict: Verdict): boolean {
  return record?.state === 'in-doubt' || (record?.state === 'rejected' && verdict === 'not-sent');
}

function verdictOf({ values }: Given): Verdict {
  const { sent, 'not-sent': notSent } = values;
  if (sent === notSent) {
    throw new UsageError('Give either --sent (it left) or --not-sent (it surely did not).');
  }
  return sent ? 'sent' : 'not-sent';
}

async function confirmed(
  email: FoundEmail,
  verdict: Verdict,
  given: Given,
  terminal: Terminal,
): Promise<boolean> {
  if (given.values['yes']) return true;
  if (!terminal.ask)
    throw new UsageError('Nobody can be asked here: give --yes to decide without.');
  terminal.err(picture(email, terminal));
  const what = verdict === 'sent' ? 'It was sent' : 'It was not sent, and may be sent again';
  const answer = await terminal.ask(`\n${what}. Record that? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

async function decide(
  record: LedgerRecord,
  verdict: Verdict,
  given: Given,
  terminal: Terminal,
  desk: Desk,
): Promise<number> {
  const { key, token } = record;
  const by = textOf(given, 'by') ?? userInfo().username;
  const reply = await resolveEmail(desk, { key, token, verdict, by, why: textOf(given, 'why') });
  if (reply.state === 'not-in-doubt') {
    return standing(await readEmail(desk, key), given, terminal);
  }
  const job = given.values['retry'] ? await retry(record, desk) : undefined;
  const next = verdict === 'sent' ? 'kept as sent' : 'the next attempt sends it';
  const told = job === undefined ? '' : ` ${jobInWords[job]}`;
  return tell(
    { state: 'resolved', key, verdict, ...(job && { job }) },
    `Resolved: ${next}.${told}`,
    given,
    terminal,
  );
}

const jobInWords = {
  retried: 'Its job runs again.',
  'not-failed': 'Its job has not failed: it comes by itself, or is completed.',
  'no-job': 'Its job is gone, or in a queue that is not known here: schedule the email again.',
} as const;

async function retry(record: LedgerRecord, desk: Desk) {
  const queue = record.job && desk.queue?.(record.job.queue);
  return queue ? retryJob(queue, record) : 'no-job';
}

/** Somebody was faster, or it never was in doubt. */
function standing(found: FoundEmail, given: Given, terminal: Terminal): number {
  const { record } = found;
  const since = record ? `, since ${moment(record.atMs)}` : '';
  const by = record?.by === undefined ? '' : `, by ${record.by}`;
  const text = `It is not in doubt, and nothing was changed. It is ${harmless(inWords(found) + by + since)}.`;
  return tell({ state: 'not-in-doubt', record }, text, given, terminal);
}

function tell(
  result: { readonly state: string; readonly [more: string]: unknown },
  text: string,
  { json }: Given,
  terminal: Terminal,
): number {
  const done = result.state === 'resolved';
  if (json) terminal.out(JSON.stringify(result));
  else if (done) terminal.out(text);
  else terminal.err(text);
  return done ? exit.ok : exit.no;
}
