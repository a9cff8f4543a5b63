import { createTransport } from 'nodemailer';
import type { Transport as Transport6 } from 'types-nodemailer6';
import type { Transport as Transport8 } from 'types-nodemailer8';
import { describe, expect, it } from 'vitest';
import {
  ahaSendTransport,
  brevoTransport,
  loopsTransport,
  postmarkTransport,
  resendTransport,
} from '../src/index.ts';
import { toUuid } from '../src/idempotency-key.ts';
import { providers } from './helpers.ts';

const secret = 'secret-key';

function bad(option: string, run: () => unknown): void {
  expect(run).toThrow(
    expect.objectContaining({ code: 'SENDONCE_OPTION', option, mayHaveLeft: 'no' }),
  );
  expect(run).not.toThrow(secret);
}

describe.for(providers)('$name', ({ create, dialect, optionNames }) => {
  it.for([
    ['apiKey', { apiKey: '' }],
    ['apiKey', { apiKey: '  ' }],
    ['apiKey', { apiKey: undefined as never }],
    ['apiKey', { apiKey: 7 as never }],
    ['apiKey', { apiKey: `${secret}\r\nX: y` }],
    ['apiKey', { apiKey: `${secret}ä` }],
    ['url', { url: 'nonsense' }],
    ['url', { url: '' }],
    ['url', { url: 'ftp://x.example/' }],
    ['url', { url: `https://user:${secret}@x.example/` }],
    ['url', { url: 'https://x.example/#a' }],
    ['answerWithinMs', { answerWithinMs: 0 }],
    ['answerWithinMs', { answerWithinMs: 1.5 }],
    ['answerWithinMs', { answerWithinMs: 2 ** 31 }],
    ['fetch', { fetch: 'fetch' as never }],
  ] as const)('%s is checked: %j', ([option, options]) => {
    bad(optionNames?.[option] ?? option, () => create({ apiKey: secret, ...options }));
  });

  it.runIf(dialect.windowMs > 0)('the window is checked', () => {
    for (const windowMs of [0, -1, Number.NaN, 1.5, '1' as never, 25 * 3_600_000]) {
      bad('windowMs', () => create({ apiKey: secret, windowMs }));
    }
    expect(create({ apiKey: secret, windowMs: 1000 }).windowMs).toBe(1000);
    expect(create({ apiKey: secret }).windowMs).toBe(dialect.windowMs);
  });

  it.runIf(dialect.windowMs === 0)('has no window', () => {
    expect(create({ apiKey: secret }).windowMs).toBeUndefined();
  });

  it('the transport does not show the API key', () => {
    const transport = create({ apiKey: secret });
    expect(JSON.stringify(transport)).not.toContain(secret);
    expect(Object.values(transport)).not.toContain(secret);
  });
});

describe('options of one provider', () => {
  it('are checked', () => {
    bad('options', () => brevoTransport(undefined as never));
    bad('windowMs', () => brevoTransport({ apiKey: secret, windowMs: 31 * 60_000 }));
    bad('accountId', () => ahaSendTransport({ apiKey: secret } as never));
    bad('accountId', () => ahaSendTransport({ apiKey: secret, accountId: '../x' }));
    bad('transactionalId', () => loopsTransport({ apiKey: secret, transactionalId: ' ' }));
    const dataVariables = {} as never;
    bad('dataVariables', () =>
      loopsTransport({ apiKey: secret, transactionalId: 'a', dataVariables }),
    );
    bad('messageStream', () => postmarkTransport({ apiKey: secret, messageStream: '' }));
  });

  it('a key that is no 128 bits makes no UUID', () => {
    expect(() => toUuid('short')).toThrow(/128 bits/);
  });
});

it('the types fit nodemailer 10 and @types/nodemailer 6 and 8', () => {
  const transport = resendTransport({ apiKey: secret });
  const for6: Transport6 = transport;
  const for8: Transport8 = transport;
  expect([for6, for8]).toHaveLength(2);
  const transporter = createTransport(transport);
  const send = async (): Promise<string | undefined> => (await transporter.sendMail({})).messageId;
  expect(send).toBeTypeOf('function');
});
