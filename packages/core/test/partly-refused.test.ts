import { expect, test } from 'vitest';
import {
  type EffectReport,
  deriveKey,
  memoryLedger,
  perform,
  type PerformEvent,
} from '../src/index.ts';

async function send(report: EffectReport) {
  const ledger = memoryLedger();
  const key = deriveKey(['partly-refused']);
  const events: PerformEvent[] = [];
  const performed = await perform(
    async (claim) => {
      const email = claim.begin();
      await email.dispatch();
      email.report(report);
    },
    { ledger, key, dispatch: 'at-send', onEvent: (event) => void events.push(event) },
  );
  return { performed, events, record: await ledger.read(key) };
}

test('a sent email records which of its recipients were refused, and reports it', async () => {
  const { performed, events, record } = await send({
    verdict: 'sent',
    refused: 'cc 550, bcc 451 x2',
  });
  expect(performed.state).toBe('sent');
  expect(record).toMatchObject({ state: 'sent', note: 'refused: cc 550, bcc 451 x2' });
  expect(events.map(({ type }) => type)).toEqual([
    'claimed',
    'dispatched',
    'partly-refused',
    'sent',
  ]);
  expect(events[2]?.note).toBe('refused: cc 550, bcc 451 x2');
});

test('a sent email that no recipient refused has no note', async () => {
  const { events, record } = await send({ verdict: 'sent', note: 'sent-already' });
  expect(record).not.toHaveProperty('note');
  expect(events.map(({ type }) => type)).not.toContain('partly-refused');
});

test('an address among the refused recipients is not recorded', async () => {
  const { performed, record } = await send({ verdict: 'sent', refused: 'cc ada@example.org' });
  expect(performed.state).toBe('sent');
  expect(record).not.toHaveProperty('note');
});
