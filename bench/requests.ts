/**
 * Measures what watching the POSTs of a claim costs (`onRepeatedRequest`): the CPU time of one POST
 * to a local server, with nothing watched, watched outside of a claim, and watched within one. The
 * server is another process. Each variant runs in a separate process, by turns.
 *
 *     npx tsx bench/requests.ts [requests, default 4000] [rounds, default 7]
 */
import { execFileSync, fork } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { deriveKey, memoryLedger, perform } from '@sendonce/core';
import { median } from '@sendonce/testkit';

const self = fileURLToPath(import.meta.url);
const variants = ['nothing watched', 'outside of a claim', 'within a claim'] as const;
const clients = { fetch: postByFetch, 'node:http': postByHttp };
type Client = keyof typeof clients;

const [command, ...rest] = process.argv.slice(2);
if (command === 'serve') await serve();
else if (command === 'measure') {
  const [variant, client, url, requests] = rest as [
    (typeof variants)[number],
    Client,
    string,
    string,
  ];
  console.log(await measure(variant, clients[client], url, Number(requests)));
} else await main(Number(command ?? 4000), Number(rest[0] ?? 7));

async function main(requests: number, rounds: number): Promise<void> {
  const server = fork(self, ['serve']);
  const [url] = (await once(server, 'message')) as [string];
  for (const client of Object.keys(clients)) {
    const measured = variants.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, variant] of variants.entries()) {
        const args = [...process.execArgv, self, 'measure', variant, client, url, String(requests)];
        measured[index]!.push(Number(execFileSync(process.execPath, args, { encoding: 'utf8' })));
      }
    }
    for (const [index, variant] of variants.entries()) {
      const ratios = measured[index]!.map((us, round) => us / measured[0]![round]!);
      const all = measured[index]!.toSorted((a, b) => a - b);
      console.log(
        `${client.padEnd(9)}  ${variant.padEnd(18)}  ${median(all).toFixed(1).padStart(6)} us of CPU per POST ` +
          `(${all[0]!.toFixed(1)} to ${all.at(-1)!.toFixed(1)}), ratio ${median(ratios).toFixed(2)}`,
      );
    }
  }
  server.disconnect();
  await measureChannel();
}

/** The channel alone, without a request: what a subscriber adds to each POST. */
async function measureChannel(): Promise<void> {
  const requests = channel('undici:request:create');
  const message = {
    request: { method: 'POST', origin: 'https://api.example.com', path: '/emails' },
  };
  const messages = 300_000;
  const time = () => {
    const startedMs = performance.now();
    for (let count = 0; count < messages; count++) requests.publish(message);
    return `${(((performance.now() - startedMs) * 1000) / messages).toFixed(3)} us`;
  };
  // The first time of each is that of code that is not compiled yet.
  const report = (variant: string) =>
    console.log(`channel    ${variant.padEnd(18)}  ${(time(), time())}`);
  const ledger = memoryLedger();
  report('nothing watched');
  await perform(async () => {}, { ledger, key: deriveKey(['channel', 1]) });
  report('outside of a claim');
  await perform(async () => report('within a claim'), { ledger, key: deriveKey(['channel', 2]) });
}

async function serve(): Promise<void> {
  const server = createServer((incoming, answer) => {
    incoming.resume();
    incoming.on('end', () => answer.end('{}'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}/emails`);
  process.once('disconnect', () => process.exit());
}

async function measure(
  variant: (typeof variants)[number],
  post: (url: string) => Promise<unknown>,
  url: string,
  requests: number,
): Promise<string> {
  const ledger = memoryLedger();
  let emails = 0;
  const inClaim = (run: () => Promise<unknown>, onRepeatedRequest: 'warn' | 'ignore') =>
    perform(run, { ledger, key: deriveKey(['request', emails++]), onRepeatedRequest });
  // The claims cost the same in all variants. Only the last one sends within them.
  const onRepeatedRequest = variant === 'nothing watched' ? 'ignore' : 'warn';
  const one = async () => {
    if (variant === 'within a claim') return inClaim(() => post(url), onRepeatedRequest);
    await inClaim(async () => {}, onRepeatedRequest);
    return post(url);
  };
  for (let count = 0; count < requests / 4; count++) await one();
  const before = process.cpuUsage();
  for (let count = 0; count < requests; count++) await one();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / requests).toFixed(2);
}

async function postByFetch(url: string): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', body: 'hello' });
  return answer.text();
}

function postByHttp(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST' }, (answer) => {
      answer.resume();
      answer.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end('hello');
  });
}
