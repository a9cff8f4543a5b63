import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, type TestContext, test } from 'vitest';
import {
  type Claim,
  deriveKey,
  memoryLedger,
  OptionError,
  perform,
  type PerformEvent,
  type PerformOptions,
} from '../../src/index.ts';

type Post = (url: string, body?: string) => Promise<unknown>;

const byFetch: Post = async (url, body = 'hello') => {
  const answer = await fetch(url, { method: 'POST', body });
  return answer.text();
};

const byHttp: Post = (url, body = 'hello') =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST' }, (answer) => {
      answer.resume();
      answer.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** A server that counts the requests it gets. */
async function serve(t: TestContext) {
  const server = createServer((incoming, answer) => {
    incoming.resume();
    incoming.on('end', () => answer.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}` };
}

let keys = 0;

/** The hosts of the events `repeated` of one email. */
async function repeatedIn(
  effect: Parameters<typeof perform>[0],
  options: Partial<PerformOptions> = {},
): Promise<unknown[]> {
  const events: PerformEvent[] = [];
  const ledger = memoryLedger();
  const key = deriveKey(['watched', keys++]);
  await perform(effect, { ledger, key, onEvent: (event) => events.push(event), ...options });
  return events.filter(({ type }) => type === 'repeated').map(({ note }) => note);
}

test.for<[string, Post]>([
  ['fetch', byFetch],
  ['node:http', byHttp],
])('a second POST to the same address by %s is one event', async ([, post], t) => {
  const { host, url } = await serve(t);
  const thrice = async () => {
    for (const body of ['one', 'two', 'three']) await post(`${url}/emails?order=17`, body);
  };
  expect(await repeatedIn(thrice)).toEqual([host]);
});

test('the event names the host, and the process is warned once', async (t) => {
  const { host, url } = await serve(t);
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.onTestFinished(() => void process.off('warning', onWarning));
  const twice = async () => {
    await byFetch(url);
    await byFetch(url);
  };
  const job = { queue: `queue-of-${host}`, id: '1' };
  expect(await repeatedIn(twice, { job })).toEqual([host]);
  expect(await repeatedIn(twice, { job })).toEqual([host]);
  await new Promise(setImmediate);
  const ours = warnings.filter((one) => 'code' in one && one.code === 'SENDONCE_REPEATED');
  expect(ours.map(({ message }) => message)).toEqual([expect.stringContaining(host)]);
});

test('one POST, other paths, GETs and requests beside the claim are no event', async (t) => {
  const { url } = await serve(t);
  const other = byFetch(`${url}/emails`);
  const once = async () => {
    await other;
    await byFetch(`${url}/emails`);
    await byFetch(`${url}/templates`);
    await fetch(`${url}/emails`);
    await fetch(`${url}/emails`);
  };
  expect(await repeatedIn(once)).toEqual([]);
  await byFetch(`${url}/emails`);
});

test('32 emails at the same time do not count for each other', async (t) => {
  const { url } = await serve(t);
  const all = Array.from({ length: 32 }, () => repeatedIn(() => byHttp(`${url}/emails`)));
  expect((await Promise.all(all)).flat()).toEqual([]);
});

test('in at-send only the requests between dispatch and report count', async (t) => {
  const { host, url } = await serve(t);
  const dispatch = 'at-send';
  const around = repeatedIn(
    async (claim) => {
      await byFetch(url);
      await byFetch(url);
      const email = claim.begin();
      await email.dispatch();
      await byFetch(url);
      email.report({ verdict: 'sent' });
      await byFetch(url);
      await byFetch(url);
    },
    { dispatch },
  );
  expect(await around).toEqual([]);
  const within = repeatedIn(
    async (claim) => {
      const email = claim.begin();
      await email.dispatch();
      await byFetch(url);
      await byFetch(url);
      email.report({ verdict: 'sent' });
    },
    { dispatch },
  );
  expect(await within).toEqual([host]);
});

test('an email that certainly did not leave may be tried again', async (t) => {
  const { url } = await serve(t);
  const again = async (claim: Claim) => {
    for (const verdict of ['refused', 'sent'] as const) {
      const email = claim.begin();
      await email.dispatch();
      await byFetch(url);
      email.report({ verdict });
    }
  };
  expect(await repeatedIn(again, { dispatch: 'at-send' })).toEqual([]);
});

test.for(['refused', 'not-sent', 'rejected'] as const)(
  'an error that means "%s" after a repeated request is a doubt: the first request may have sent',
  async (verdict, t) => {
    const { url } = await serve(t);
    const ledger = memoryLedger();
    const attempt = async (posts: number, options: Partial<PerformOptions> = {}) => {
      const key = deriveKey(['watched', keys++]);
      const fail = async () => {
        for (let count = 0; count < posts; count++) await byFetch(url);
        throw new Error('429');
      };
      await perform(fail, { ledger, key, classify: () => verdict, ...options }).catch(() => {});
      return (await ledger.read(key))?.state;
    };
    const once = verdict === 'rejected' ? 'rejected' : undefined;
    expect(await attempt(1)).toBe(once);
    expect(await attempt(2)).toBe('in-doubt');
    expect(await attempt(2, { onRepeatedRequest: 'ignore' })).toBe(once);
  },
);

test('"ignore" reports nothing', async (t) => {
  const { url } = await serve(t);
  const twice = async () => {
    await byFetch(url);
    await byFetch(url);
  };
  expect(await repeatedIn(twice, { onRepeatedRequest: 'ignore' })).toEqual([]);
});

test('another value is an error', async () => {
  const wrong = repeatedIn(() => {}, { onRepeatedRequest: 'stop' as never });
  await expect(wrong).rejects.toThrow(OptionError);
});
