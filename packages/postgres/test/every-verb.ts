import type { Attempt, Ledger } from '@sendonce/core';
import { listed } from './database.ts';

/** Every verb of the ledger about one email, by its name. */
export const everyVerb: readonly (readonly [
  verb: string,
  ask: (ledger: Ledger, attempt: Attempt) => Promise<unknown>,
])[] = [
  ['claim', (ledger, attempt) => ledger.claim(attempt)],
  ['claim with dispatch', (ledger, attempt) => ledger.claim({ ...attempt, dispatched: true })],
  ['dispatch', (ledger, attempt) => ledger.dispatch(attempt)],
  ['settle sent', (ledger, attempt) => ledger.settle({ ...attempt, outcome: 'sent' })],
  ['settle rejected', (ledger, attempt) => ledger.settle({ ...attempt, outcome: 'rejected' })],
  ['settle in doubt', (ledger, attempt) => ledger.settle({ ...attempt, outcome: 'in-doubt' })],
  ['release', (ledger, attempt) => ledger.release(attempt)],
  ['heartbeat', (ledger, attempt) => ledger.heartbeat([attempt])],
  ['read', (ledger, attempt) => ledger.read(attempt.key)],
  [
    'resolve sent',
    (ledger, attempt) => ledger.resolve({ ...attempt, by: 'a person', verdict: 'sent' }),
  ],
  [
    'resolve not sent',
    (ledger, attempt) => ledger.resolve({ ...attempt, by: 'a person', verdict: 'not-sent' }),
  ],
  ['cancel', (ledger, { key, retentionMs }) => ledger.cancel({ key, retentionMs })],
  ['list open', (ledger) => listed(ledger, 'open')],
  ['list in doubt', (ledger) => listed(ledger, 'in-doubt')],
];
