import { zValidator } from '@hono/zod-validator';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { ZodType } from 'zod';
import {
  type Answer,
  cancelledAnswer,
  movedAnswer,
  scheduledAnswer,
  statusAnswer,
} from './answers.ts';
import { forLog, NoticeRefused, Unavailable } from './errors.ts';
import type { Notices } from './notices.ts';
import { delayBody, occurrenceQuery, orderBody, orderParams } from './order.ts';

const PATH = '/orders/:orderId/notice';
const RETRY_AFTER_S = '5';

/** The HTTP API: one notice per order, with PUT, PATCH, DELETE and GET. */
export function createApi(notices: Notices): Hono {
  const which = [checked('param', orderParams), checked('query', occurrenceQuery)] as const;
  const api = new Hono();
  api.use(bodyLimit({ maxSize: 64 * 1024 }));
  api.put(PATH, ...which, checked('json', orderBody), async (c) => {
    const id = { ...c.req.valid('param'), ...c.req.valid('query') };
    return say(c, scheduledAnswer(await notices.schedule(id, c.req.valid('json'))));
  });
  api.patch(PATH, ...which, checked('json', delayBody), async (c) => {
    const id = { ...c.req.valid('param'), ...c.req.valid('query') };
    return say(c, movedAnswer(await notices.move(id, c.req.valid('json').arrivesAt)));
  });
  api.delete(PATH, ...which, async (c) => {
    const id = { ...c.req.valid('param'), ...c.req.valid('query') };
    return say(c, cancelledAnswer(await notices.cancel(id)));
  });
  api.get(PATH, ...which, async (c) => {
    const id = { ...c.req.valid('param'), ...c.req.valid('query') };
    return say(c, statusAnswer(await notices.status(id)));
  });
  api.notFound((c) => fail(c, 404, { error: 'not-found', message: `Expected ${PATH}.` }));
  api.onError(errorAnswer);
  return api;
}

/** Says which field is wrong and what was expected; never what was there. */
function checked<S extends ZodType, Target extends 'json' | 'param' | 'query'>(
  target: Target,
  schema: S,
) {
  return zValidator(target, schema, (result, c) => {
    if (result.success) return;
    if (target === 'json' && !c.req.header('content-type')?.includes('json')) {
      return fail(c, 415, {
        error: 'not-json',
        message: 'Expected content-type: application/json.',
      });
    }
    const { code, path, message } = result.error.issues[0] ?? { code: '', path: [], message: '' };
    // That message quotes the caller's own names.
    const text = code === 'unrecognized_keys' ? 'Expected no other fields' : message;
    return fail(c, 400, { error: 'invalid', field: path.join('.') || target, message: `${text}.` });
  });
}

function errorAnswer(error: Error, c: Context): Response {
  if (error instanceof NoticeRefused) {
    const { field, message } = error;
    return fail(c, 422, { error: 'refused', field, message: `${message} Nothing was changed.` });
  }
  if (error instanceof Unavailable) {
    console.error(forLog(error));
    c.header('Retry-After', RETRY_AFTER_S);
    return fail(c, 503, {
      error: 'unavailable',
      message: `Redis does not answer. ${error.message}`,
    });
  }
  if (error instanceof HTTPException) {
    // JSON that cannot be parsed, a body that is too large: Hono's own.
    return fail(c, error.status, { error: 'bad-request', message: 'Expected a small JSON body.' });
  }
  console.error(forLog(error));
  return fail(c, 500, { error: 'internal', message: 'A bug. The log says where.' });
}

interface Failure {
  readonly error: string;
  readonly message: string;
  readonly field?: string;
}

function say(c: Context, { status, body }: Answer): Response {
  return json(c, status, body);
}

function fail(c: Context, status: number, failure: Failure): Response {
  return json(c, status, failure);
}

/** With a line end: the API is tried out by curl. */
function json(c: Context, status: number, body: object): Response {
  c.header('Content-Type', 'application/json');
  return c.newResponse(`${JSON.stringify(body)}\n`, status as 200);
}
