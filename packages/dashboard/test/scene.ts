import { deriveKey } from '@sendonce/core';
import { expect } from 'vitest';
import { dashboard, type DashboardOptions } from '../src/index.ts';
import { byHeader, doubtfulEmail, failedJob, type Stage, startStage } from './stage.ts';

export const key = deriveKey(['notice', 7]);
export const other = deriveKey(['notice', 8]);

/** A dashboard over one email in doubt, and how to ask it. */
export async function scene(options: Partial<DashboardOptions> = {}, label?: string) {
  const stage = startStage();
  const token = await doubtfulEmail(stage, key, { ...(label !== undefined && { label }) });
  const { ledger, journal } = stage;
  const queue = failedJob();
  const board = dashboard({ ledger, journal, queues: [queue], authorize: byHeader, ...options });
  const ask = (path: string, init: RequestInit = {}, user = 'ada') =>
    board.fetch(
      new Request(`http://shop.example${path}`, {
        redirect: 'manual',
        ...init,
        headers: {
          host: 'shop.example',
          'x-user': user,
          ...(init.headers as Record<string, string>),
        },
      }),
    );
  const csrf = async (user = 'ada') =>
    /name="csrf" value="([\w-]+)"/.exec(await (await ask(`/email/${key}`, {}, user)).text())?.[1] ??
    '';
  const post = async (
    changes: Record<string, string> = {},
    headers: Record<string, string> = {},
    user = 'ada',
  ) => {
    const fields = {
      token,
      verdict: 'not-sent',
      why: 'the log',
      confirmed: 'yes',
      csrf: await csrf(),
      ...changes,
    };
    const sameOrigin = { 'sec-fetch-site': 'same-origin' };
    const body = new URLSearchParams(fields);
    return ask(
      `/email/${key}/resolve`,
      { method: 'POST', body, headers: { ...sameOrigin, ...headers } },
      user,
    );
  };
  return { stage, token, queue, board, ask, csrf, post };
}

export async function expectUntouched({ ledger }: Stage): Promise<void> {
  expect(await ledger.read(key)).toMatchObject({ state: 'in-doubt' });
}
