import type { LedgerRecord } from '@sendonce/core';
import { describe, expect, test } from 'vitest';
import { decodeRecord, encodeFields, encodeRecord } from '../src/record.ts';

const key = 'X1faUx3NbocEVz5hQ09Cxg';
const token = 'Zr7QkW1x3m-_Ab9c';
const job = { queue: 'notices', id: '17' };

const everything: LedgerRecord = {
  key,
  token,
  state: 'sent',
  atMs: 1_795_000_000_000,
  job,
  digest: 'x7-',
  messageId: '<a@example.org>',
  fingerprint: 'f',
  result: '{"id":1}',
  note: 'ETIMEDOUT',
  by: 'nightly report',
  lateNotSent: true,
  resolvedBy: 'Ada: the mail log',
};

describe('a stored record', () => {
  test('begins with its version, its state, its token and its time; fields are behind newlines', () => {
    const { digest: _d, messageId: _m, fingerprint: _f, result: _r, ...rest } = everything;
    const { note: _n, by: _b, lateNotSent: _l, resolvedBy: _w, ...sent } = rest;
    expect(encodeRecord(sent)).toBe(`1S${token}1795000000000\nnotices\n17`);
    expect(encodeRecord(everything)).toBe(
      `1S${token}1795000000000\nnotices\n17\nx7-\n<a@example.org>\nf\n{"id":1}\nETIMEDOUT\nnightly report\n1\nAda: the mail log`,
    );
  });

  test('leaves out the empty fields at its end', () => {
    expect(encodeFields({})).toBe('');
    expect(encodeFields({ job, result: '' })).toBe('\nnotices\n17');
    expect(encodeFields({ result: '1' })).toBe('\n\n\n\n\n\n1');
  });

  test('is decoded to what was encoded, with all fields and with none', () => {
    const { key, token, state, atMs } = everything;
    for (const record of [everything, { key, token, state, atMs }]) {
      expect(decodeRecord(key, encodeRecord(record), { remainingMs: 0 }).record).toEqual(record);
    }
  });

  test('of a time with fewer digits has as many, so that all that follows keeps its place', () => {
    const early = { ...everything, atMs: 7 };
    expect(encodeRecord(early)).toContain(`${token}0000000000007\n`);
    expect(decodeRecord(key, encodeRecord(early), { remainingMs: 0 }).record).toEqual(early);
  });

  test.each([
    ['what looks as if it were escaped', String.raw`\e \m \n \\e ${'x'.repeat(40)}`],
    ['backslashes at both ends', String.raw`\\a\\b\\`],
    ['line breaks', '\na\n\nb\n'],
    ['dollars', '$& $1 $$'],
    ['other scripts', 'Žofie 雪 🎉'],
  ])('keeps texts as they were: %s', (_what, text) => {
    const texts = { fingerprint: text, by: text, messageId: text, note: text, result: text };
    const record = { ...everything, ...texts, job: { queue: text, id: text }, resolvedBy: text };
    expect(decodeRecord(key, encodeRecord(record), { remainingMs: 0 }).record).toEqual(record);
  });

  test.each([
    [
      'a newer format',
      `2S${token}1795000000000`,
      /it has format 2, this version .* reads format 1/,
    ],
    ['no format', `S${token}1795000000000\n\n\n\n\n`, /it has no format version, this version/],
    ['a cut time', `1S${token}179500000`, /it has format 1, but is damaged/],
    ['a cut token', '1SZr7', /it has format 1, but is damaged/],
    ['an unknown state', `1Z${token}1795000000000`, /it has format 1, but is damaged/],
    ['more than a time', `1S${token}17950000000000`, /it has format 1, but is damaged/],
    ['something else', '{"state":"sent"}', /it is no record of sendonce/],
    ['nothing', '', /it is no record of sendonce/],
  ])('of %s is unreadable, and the error says what it is', (_what, value, message) => {
    const decode = () => decodeRecord(key, value, { remainingMs: 0 });
    expect(decode).toThrow(expect.objectContaining({ code: 'SENDONCE_UNREADABLE_RECORD' }));
    expect(decode).toThrow(message);
  });
});
