import { readFileSync } from 'node:fs';
import { deleteNamespace, eventually, namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrivingFor, ask, killRunning, type Started, startApp, startMailbox } from './app.ts';

const ns = namespace('table-notice');
const refused = new Set<string>();
let app: Started;
let url: string;
let mailbox: Awaited<ReturnType<typeof startMailbox>>;
let orders = 0;

beforeAll(async () => {
  mailbox = await startMailbox(refused);
  app = await startApp({ REDIS_URL: redisUrl(), SMTP_URL: mailbox.smtp.url, NAMESPACE: ns });
  url = await app.url();
});

afterAll(async () => {
  // Ends the emails that hang, which the worker would wait for.
  await mailbox.smtp.close();
  await app.end('SIGTERM');
  await deleteNamespace(redisUrl(), ns);
  killRunning();
});

const verbs = ['PUT', 'PATCH', 'DELETE', 'GET'] as const;
type Verb = (typeof verbs)[number];

/** The table of the README, cell by cell. */
function cells(): { state: string; verb: Verb; cell: string }[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = readme.slice(readme.indexOf('| the notice is')).split('\n\n')[0]?.split('\n') ?? [];
  return rows.slice(2).flatMap((row) => {
    const [states = '', ...answers] = row.split('|').slice(1, -1);
    return states.split(',').flatMap((state) =>
      verbs.map((verb, column) => {
        return { state: state.trim(), verb, cell: (answers[column] ?? '').trim() };
      }),
    );
  });
}

interface Scene {
  readonly id: string;
  readonly to: string;
  readonly body: { readonly to: string; readonly name: string; readonly arrivesAt: string };
}

function openScene(dueInMs: number): Scene {
  const id = `order-${(orders += 1)}`;
  const to = `${id}@example.org`;
  return { id, to, body: { to, name: 'Ann', arrivesAt: arrivingFor(dueInMs) } };
}

async function send({ id, body }: Scene, until: string): Promise<void> {
  await ask(url, 'PUT', id, body);
  await eventually(async () => {
    expect((await ask(url, 'GET', id)).body['state']).toBe(until);
  });
}

const ways: Record<string, (scene: Scene) => Promise<unknown>> = {
  unknown: async () => {},
  scheduled: async ({ id, body }) => ask(url, 'PUT', id, body),
  async 'being sent'(scene) {
    mailbox.smtp.setFault({ at: 'dot-after-accept', how: 'hang' });
    await send(scene, 'sending');
    await eventually(() => expect(mailbox.countTo(scene.to)).toBe(1));
  },
  sent: (scene) => send(scene, 'sent'),
  async rejected(scene) {
    mailbox.smtp.setFault({ at: 'dot-before-accept', how: '5xx' });
    await send(scene, 'rejected');
  },
  async 'in doubt'(scene) {
    mailbox.smtp.setFault({ at: 'dot-after-accept', how: 'reset' });
    await send(scene, 'in-doubt');
  },
  async cancelled({ id, body }) {
    await ask(url, 'PUT', id, body);
    await ask(url, 'DELETE', id);
  },
  async failed(scene) {
    refused.add(scene.to);
    await send(scene, 'failed');
  },
};

const bodyFor = (verb: Verb, { body }: Scene) => {
  if (verb === 'PATCH') return { arrivesAt: arrivingFor(90_000) };
  return verb === 'PUT' ? body : undefined;
};

test.each(cells())(
  'a notice that is $state: $verb answers $cell',
  async ({ state, verb, cell }) => {
    const waits = ['unknown', 'scheduled', 'cancelled'].includes(state);
    const scene = openScene(waits ? 60_000 : 0);
    await ways[state]?.(scene);
    const [first] = cell.match(/\d{3}/) ?? [];
    expect((await ask(url, verb, scene.id, bodyFor(verb, scene))).status).toBe(Number(first));
    if (cell.includes('other data: 409')) {
      const other = { ...scene.body, name: 'Bob' };
      expect(await ask(url, 'PUT', scene.id, other)).toMatchObject({
        status: 409,
        body: { state: 'conflict', fields: ['name'] },
      });
    }
    if (cell.includes('occurrence')) {
      expect((await ask(url, 'PUT', `${scene.id}?occurrence=2`, scene.body)).status).toBe(201);
    }
  },
);

test('no state is left out', () => {
  expect([...new Set(cells().map(({ state }) => state))]).toEqual(Object.keys(ways));
});
