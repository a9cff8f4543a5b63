import { createHmac } from 'node:crypto';
import { createToken } from '@sendonce/core/ledger';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { dashboard, nodeHandler, type Viewer } from '../src/index.ts';
import { expectUntouched, key, other, scene } from './scene.ts';
import { byHeader, doubtfulEmail, serve, startStage } from './stage.ts';

describe('a verdict', () => {
  test('is taken from the form: the doubt ends, the job is retried once', async () => {
    const { stage, post, queue } = await scene();
    const answered = await post();
    expect(answered.status).toBe(303);
    expect(answered.headers.get('location')).toContain(
      `/email/${key}?decided=not-sent&job=retried`,
    );
    expect(await stage.ledger.read(key)).toBeUndefined();
    expect(queue.retried).toBe(1);
    const [last] = (await stage.journal.history(key)).slice(-1);
    expect(last).toMatchObject({ type: 'resolved-not-sent', by: 'ada', note: 'the log' });
  });

  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from a sister site', {}, { 'sec-fetch-site': 'same-site' }],
    ['typed into the address bar', {}, { 'sec-fetch-site': 'none' }],
    [
      'from another origin, by an old browser',
      {},
      { 'sec-fetch-site': '', origin: 'http://evil.example' },
    ],
    ['from a sandboxed frame', {}, { 'sec-fetch-site': '', origin: 'null' }],
    ['from nowhere', {}, { 'sec-fetch-site': '' }],
    ['without the token of the form', { csrf: '' }, {}],
    [
      'with a wrong token of the form',
      { csrf: createHmac('sha256', 'x').update('y').digest('base64url') },
      {},
    ],
  ])('%s is refused', async (_, fields, headers) => {
    const { stage, ask, csrf, token } = await scene();
    const form = { token, verdict: 'not-sent', confirmed: 'yes', csrf: await csrf(), ...fields };
    const sent = Object.fromEntries(
      Object.entries({ 'sec-fetch-site': 'same-origin', ...headers }).filter(
        ([, value]) => value !== '',
      ),
    );
    const body = new URLSearchParams(form);
    const answered = await ask(`/email/${key}/resolve`, { method: 'POST', body, headers: sent });
    expect(answered.status).toBe(403);
    await expectUntouched(stage);
  });

  test('from an old browser, of the same origin, is taken', async () => {
    const { stage, ask, csrf, token } = await scene();
    const body = new URLSearchParams({
      token,
      verdict: 'sent',
      confirmed: 'yes',
      csrf: await csrf(),
    });
    const headers = { origin: 'https://shop.example' };
    const answered = await ask(`/email/${key}/resolve`, { method: 'POST', body, headers });
    expect(answered.status).toBe(303);
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'sent', resolvedBy: 'ada' });
  });

  test('with the token of another person, or of another email, is refused', async () => {
    const { stage, post, csrf } = await scene();
    expect((await post({ csrf: await csrf('grace') })).status).toBe(403);
    await doubtfulEmail(stage, other);
    const ofOther = await stage.ledger.read(other);
    const { ledger } = stage;
    const secret = 's'.repeat(32);
    const board = dashboard({ ledger, authorize: byHeader, secret });
    const headers = { 'x-user': 'ada', 'sec-fetch-site': 'same-origin' };
    const page = await board.fetch(new Request(`http://a/email/${other}`, { headers }));
    const csrfOfOther = /name="csrf" value="([\w-]+)"/.exec(await page.text())?.[1] ?? '';
    const body = () =>
      new URLSearchParams({
        token: ofOther!.token,
        verdict: 'sent',
        confirmed: 'yes',
        csrf: csrfOfOther,
      });
    const at = (path: string) =>
      board.fetch(new Request(`http://a${path}`, { method: 'POST', body: body(), headers }));
    expect((await at(`/email/${key}/resolve`)).status).toBe(403);
    await expectUntouched(stage);
    // The same form, where it belongs.
    expect((await at(`/email/${other}/resolve`)).status).toBe(303);
  });

  test.each([
    ['who may only look', 'bob'],
    ['whom authorize does not know', ''],
  ])('of a viewer %s is refused, with the right token too', async (_, user) => {
    const secret = 'one secret for all processes, long';
    const authorize = (request: Request): Viewer | undefined =>
      request.headers.get('x-user') === '' ? undefined : byHeader(request);
    const { stage, post } = await scene({ secret, authorize });
    const csrf = createHmac('sha256', secret)
      .update(JSON.stringify([user, key]))
      .digest('base64url');
    expect((await post({ csrf }, {}, user)).status).toBe(403);
    await expectUntouched(stage);
  });

  test('without authorize is never taken, and no form is shown', async () => {
    const stage = startStage();
    const token = await doubtfulEmail(stage, key);
    const { ledger, journal } = stage;
    const secret = 'one secret for all processes, long';
    const origin = await serve(nodeHandler(dashboard({ ledger, journal, secret })));
    const url = `${origin}/email/${key}`;
    const shown = await (await fetch(url)).text();
    expect(shown).toContain('in doubt');
    expect(shown).not.toContain('method="post"');
    const csrf = createHmac('sha256', secret)
      .update(JSON.stringify(['this machine', key]))
      .digest('base64url');
    const body = new URLSearchParams({ token, verdict: 'sent', confirmed: 'yes', csrf });
    const headers = { origin };
    const answered = await fetch(`${url}/resolve`, { method: 'POST', body, headers });
    expect(answered.status).toBe(403);
    await expectUntouched(stage);
  });

  test('about an earlier doubt decides no later one', async () => {
    const { stage, post } = await scene();
    expect((await post({ token: createToken() })).status).toBe(409);
    await expectUntouched(stage);
  });

  test('that is not one of the two, or has another content type, is refused', async () => {
    const { stage, ask, post } = await scene();
    expect((await post({ verdict: 'maybe' })).status).toBe(400);
    const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const answered = await ask(`/email/${key}/resolve`, { method: 'POST', body: '{}', headers });
    expect(answered.status).toBe(415);
    await expectUntouched(stage);
  });

  test('in a form that is cut off is refused, without a warning of the process', async () => {
    const { stage, ask } = await scene();
    const warned = vi.spyOn(process, 'emitWarning');
    onTestFinished(() => warned.mockRestore());
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('aborted')),
    });
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    };
    const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
    expect((await ask(`/email/${key}/resolve`, init)).status).toBe(400);
    expect(warned).not.toHaveBeenCalled();
    await expectUntouched(stage);
  });

  test('in an oversized form is refused, and the rest of it is not read', async () => {
    const { stage, ask } = await scene();
    let asked = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        asked += 1;
        // Endless: a reader never comes to its end.
        controller.enqueue(new Uint8Array(4096).fill(97));
      },
    });
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    };
    const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
    expect((await ask(`/email/${key}/resolve`, init)).status).toBe(413);
    expect(asked).toBeLessThan(9);
    await expectUntouched(stage);
  });
});
