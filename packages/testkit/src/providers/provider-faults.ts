import type { ServerResponse } from 'node:http';
import { type Dialect, type Reply, send } from './provider-server.ts';

/** What can go wrong. `-after`: the email was accepted. */
export const faultNames = [
  'reset-before-reading',
  'reset-in-body',
  'reset-after',
  'bad-request',
  'unauthorized',
  'forbidden',
  'not-found',
  'unprocessable',
  'refusal-cut-off',
  'refusal-not-json',
  'in-progress',
  'conflict',
  'too-many',
  'timed-out-at-gateway',
  'misdirected',
  'error-before',
  'error-after',
  'bad-gateway-after',
  'unavailable',
  'unavailable-until',
  'cut-off-after',
  'not-json-after',
  'no-id-after',
  'reset-in-answer-after',
  'redirect',
  'hang-before',
  'hang-after',
  'slow',
] as const;

export type FaultName = (typeof faultNames)[number];

interface Struck {
  readonly response: ServerResponse;
  readonly dialect: Dialect;
  readonly errorReply: (status: number) => Reply;
  /** Accepts the email, if it is acceptable. */
  readonly accept: () => Reply;
  /** Marks the key as in progress, and returns what ends it. */
  readonly hold: () => () => void;
}

const statuses: Partial<Record<FaultName, number>> = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  unprocessable: 422,
  'timed-out-at-gateway': 408,
  misdirected: 421,
  'error-before': 500,
  unavailable: 503,
};

export function strike(fault: FaultName, struck: Struck): void {
  const { response, dialect, errorReply } = struck;
  const status = statuses[fault];
  if (status !== undefined) return send(response, errorReply(status));
  const later = { 'retry-after': '7' };
  switch (fault) {
    case 'too-many':
      return send(response, { ...errorReply(429), headers: later });
    case 'unavailable-until':
      return send(response, { ...errorReply(503), headers: later });
    case 'in-progress':
      return send(response, dialect.inProgress ?? errorReply(409));
    case 'conflict':
      return send(response, dialect.conflict ?? errorReply(409));
    case 'refusal-cut-off':
      return cutOff(response, 400, JSON.stringify(dialect.error(400)));
    case 'refusal-not-json':
      return html(response, 400);
    case 'redirect':
      response.writeHead(307, { location: dialect.path });
      return void response.end();
    case 'hang-before':
      struck.hold();
      return;
    case 'slow': {
      const done = struck.hold();
      return void setTimeout(() => {
        done();
        send(response, struck.accept());
      }, 80);
    }
    default:
      return afterAccepting(fault, struck);
  }
}

function afterAccepting(fault: FaultName, { response, accept, errorReply }: Struck): void {
  const reply = accept();
  switch (fault) {
    case 'error-after':
      return send(response, errorReply(500));
    case 'bad-gateway-after':
      return html(response, 502);
    case 'cut-off-after':
      return cutOff(response, reply.status, JSON.stringify(reply.body ?? {}));
    case 'not-json-after':
      return html(response, 200);
    case 'no-id-after':
      return send(response, { status: 200, body: {} });
    case 'reset-in-answer-after':
      response.writeHead(reply.status, { 'content-length': '100' });
      response.write('{"');
      return void setTimeout(() => response.socket?.resetAndDestroy(), 20);
    case 'hang-after':
      return;
    default:
      response.socket?.resetAndDestroy();
  }
}

/** Promises more than it sends. */
function cutOff(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-length': String(body.length) });
  response.write(body.slice(0, -1));
  setTimeout(() => response.socket?.end(), 10);
}

function html(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end('<html>customer@customer.example</html>');
}
