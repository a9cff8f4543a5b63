import { setTimeout as sleep } from 'node:timers/promises';
import { once, skipEmail } from '@sendonce/bullmq';
import { type Ledger, LedgerUnavailableError, type Resolver } from '@sendonce/core';
import { dispatchAtSend } from '@sendonce/mail';
import { fetchCall, sendWith } from '@sendonce/providers';
import { keyOf, type Route } from '../email.ts';
import type { NoticeProcessor, Opened, Tools } from '../system.ts';
import { systems } from '../systems/index.ts';
import { isLedgerName } from '../systems/names.ts';
import { openLedger } from '../systems/open-ledger.ts';
import type { Question } from './messages.ts';
import type { Scenario, Verb } from './scenarios.ts';

/** What a scenario can ask of the process that it runs in, and of its parent. */
export interface Means {
  readonly closeByForce: () => void;
  readonly ask: (question: Question) => Promise<number>;
}

/** Within the 24 hours for which Resend remembers a key. */
const REPLAY_WITHIN_MS = 20 * 60_000;
const HOUR_MS = 60 * 60_000;
/** Short enough that a stalled network is noticed within a lease. */
const IMPATIENT_MS = 400;

/** The processor of a scenario under once(), or under what a peer has. */
export async function openScenario(
  scenario: Scenario,
  tools: Tools,
  means: Means,
): Promise<Opened> {
  const { plan, transporters, tell } = tools;
  if (!isLedgerName(plan.system)) return systems[plan.system].open(tools);

  const { ledger, close } = openLedger(plan.system, plan.storeUrls, {
    prefix: plan.storePrefix,
    ...(scenario.network && { answerWithinMs: IMPATIENT_MS }),
  });
  if (scenario.silentAt) makeSilent(ledger, scenario.silentAt);
  // What happens beside and before the first email of a process is walked in one scenario: in each
  // of them it would be the same again.
  if (!scenario.first) {
    delete ledger.doctor;
    await ledger.read('A'.repeat(22)).catch(() => {});
  }
  if (scenario.transport === 'not SMTP') hide(transporters['at-send']);
  if (scenario.transport === 'sendWith') sendByCalls(transporters.provider, plan.provider);
  transporters['at-send'].use('stream', dispatchAtSend());
  const { leaseMs, retentionMs } = plan.timing;
  const processor = once(behave(scenario, tools, means), {
    ledger,
    key: (job) => keyOf(job.data),
    leaseMs,
    retentionMs,
    dispatch: scenario.route === 'before-processor' ? 'before-processor' : 'at-send',
    onEvent: ({ type, token, job }) => tell(job, type, token),
    ...(scenario.route === 'provider' && { replayWithinMs: REPLAY_WITHIN_MS }),
    ...(scenario.conflict && { fingerprint: (job) => ({ copy: job.id }) }),
    ...(scenario.notAfter && { notAfter: limitOf(scenario) }),
    ...(scenario.onRefused && { onRefused: scenario.onRefused }),
    ...(scenario.resolver && { resolver: resolverOf(scenario, means) }),
  });
  return { processor, close };
}

function behave(
  { processor: does, network }: Scenario,
  { processor, plan }: Tools,
  { closeByForce, ask }: Means,
): NoticeProcessor {
  const longMs = plan.timing.leaseMs * 1.3;
  const long = () => sleep(longMs);
  return async (job, token, signal) => {
    // A stall is no attempt made, but one started.
    const [firstTry, firstRun] = [job.attemptsMade === 0, job.attemptsStarted === 1];
    if (does === 'throws before the send' && firstTry) throw new Error('The order is locked.');
    if (does === 'skips') return skipEmail('unsubscribed');
    if (does === 'returns without a send') return undefined;
    if (does === 'sends after its return') {
      setTimeout(() => void processor(job, token, signal).catch(() => {}), 200);
      return undefined;
    }
    if (does === 'is closed by force' && firstRun) closeByForce();
    if (does === 'takes long before the send' && firstRun) await long();
    if (does === 'is closed by force' && firstRun) await long();
    if (does === 'blocks the event loop' && firstRun) block(longMs);
    if (does === 'is cancelled before the send') await ask('cancel it');
    if (network && firstRun)
      await ask(network === 'is cut' ? 'cut the network' : 'stop the network');
    const result = await processor(job, token, signal);
    if (does === 'takes long after the send' && firstRun) await long();
    if (does === 'throws after the send' && firstTry) throw new Error('The order is gone.');
    if (does === 'returns what is not JSON') return { ...result, size: 1n } as typeof result;
    return result;
  };
}

function block(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

function limitOf({ notAfter }: Scenario): () => number {
  const inMs = notAfter === 'is over' ? -1 : HOUR_MS;
  return () => Date.now() + inMs;
}

function resolverOf({ resolver }: Scenario, { ask }: Means): Resolver {
  let throws = resolver === 'throws, then knows';
  return async () => {
    if (throws) {
      throws = false;
      throw new Error('The log cannot be read.');
    }
    return (await ask('how often did it leave?')) > 0 ? 'sent' : 'not-sent';
  };
}

/** The reply to the first call is lost, the second one does not arrive. */
function makeSilent(ledger: Ledger, verb: Verb): void {
  const verbs = ledger as unknown as Record<Verb, (request: unknown) => Promise<unknown>>;
  const answers = verbs[verb];
  let calls = 0;
  verbs[verb] = async (request) => {
    calls += 1;
    if (calls === 1) await answers(request);
    if (calls <= 2) throw new LedgerUnavailableError(`No answer to ${verb}.`);
    return answers(request);
  };
}

/** The same provider, by a plain request in the place of its transport. */
function sendByCalls(
  transporter: Tools['transporters'][Route],
  { url, apiKey }: Tools['plan']['provider'],
): void {
  const sendMail = async (email: object) => {
    const response = await sendWith(fetchCall, ({ idempotencyKey }) =>
      fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'idempotency-key': idempotencyKey },
        body: JSON.stringify(email),
      }),
    );
    return { messageId: ((await response?.json()) as { id: string } | undefined)?.id };
  };
  Object.assign(transporter, { sendMail });
}

/** The same SMTP connection behind an unknown transport. */
function hide(transporter: Tools['transporters'][Route]): void {
  const smtp = transporter.transporter;
  transporter.transporter = {
    name: 'walk',
    version: '1',
    send: (mail, callback) => smtp.send(mail, callback),
  };
}
