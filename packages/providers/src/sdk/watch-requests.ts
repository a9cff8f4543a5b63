import { AsyncLocalStorage } from 'node:async_hooks';
import * as channels from 'node:diagnostics_channel';
import { networkErrorCode, neverConnected } from '../network-error.ts';

/** The requests of one call of an SDK, as Node reports them. */
class CallRequests {
  /** The requests of `fetch`, and how many of them were written to a connection, or failed. */
  private made = 0;
  private written = 0;
  private failed = 0;
  /** How many POSTs left, by their address. The requests of `node:http` are only in here. */
  private readonly posts = new Map<string, number>();
  private code: string | undefined;
  /** A POST left, and no answer to it came. */
  private hasLost = false;

  /** The code of the network, if this call has made requests and none had a connection. */
  get unconnectedCode(): string | undefined {
    const hasLeft = this.written > 0 || this.hasPosted;
    return this.made > 0 && this.failed === this.made && !hasLeft ? this.code : undefined;
  }

  /** Whether a POST left. */
  get hasPosted(): boolean {
    return [...this.posts.values()].some((count) => count > 0);
  }

  /** Whether the same POST left more than once, or another one left and its answer was lost. */
  get isRepeated(): boolean {
    return this.hasLost || [...this.posts.values()].some((count) => count > 1);
  }

  noteLost(method: unknown): void {
    this.hasLost ||= method === 'POST';
  }

  noteMade(): void {
    this.made += 1;
  }

  noteWritten(): void {
    this.written += 1;
  }

  noteFailed(error: unknown): void {
    // Undici 6 says nothing of what it writes to a connection of HTTP/2.
    if (!neverConnected(error)) return;
    this.failed += 1;
    this.code = networkErrorCode(error);
  }

  notePost(method: unknown, address: string, by: 1 | -1 = 1): void {
    if (method === 'POST') this.posts.set(address, (this.posts.get(address) ?? 0) + by);
  }
}

const currentCall = new AsyncLocalStorage<CallRequests>();
const callOf = new WeakMap<object, CallRequests>();
/** The requests of undici that were written, and those whose answer has begun. */
const wasWritten = new WeakSet<object>();
const wasAnswered = new WeakSet<object>();
let isSubscribed = false;

/**
 * @internal Runs the call of an SDK and watches its requests. Some SDKs hide that no connection was
 * made (Resend, Postmark), or repeat a request.
 */
export function watchRequests<R>(call: () => R): {
  readonly returned: R;
  readonly requests: CallRequests;
} {
  if (!isSubscribed) subscribeOnce();
  const requests = new CallRequests();
  return { returned: currentCall.run(requests, call), requests };
}

interface UndiciMessage {
  readonly request: { readonly method: unknown; readonly origin: unknown; readonly path: unknown };
  readonly error?: unknown;
}

interface HttpMessage {
  readonly request: { readonly method: unknown; readonly host: unknown; readonly path: unknown };
  readonly error?: unknown;
}

/** Anybody may publish to a channel, and an error in a subscriber ends the process. */
function subscribe(name: string, note: (message: unknown) => void): void {
  channels.subscribe(name, (message) => {
    try {
      note(message);
    } catch {
      // It tells nothing of a request.
    }
  });
}

function subscribeOnce(): void {
  isSubscribed = true;
  subscribe('undici:request:create', (message) => {
    const { request } = message as UndiciMessage;
    const call = currentCall.getStore();
    if (!call) return;
    callOf.set(request, call);
    call.noteMade();
  });
  // Directly before the first byte is written. With HTTP/2, undici 6 publishes only the second one.
  subscribe('undici:client:sendHeaders', noteWritten);
  subscribe('undici:request:bodySent', noteWritten);
  subscribe('undici:request:headers', (message) => {
    noteWritten(message);
    wasAnswered.add((message as UndiciMessage).request);
  });
  subscribe('undici:request:error', (message) => {
    const { request, error } = message as UndiciMessage;
    const call = callOf.get(request);
    call?.noteFailed(error);
    if (wasWritten.has(request) && !wasAnswered.has(request)) call?.noteLost(request.method);
  });
  subscribe('http.client.request.start', (message) => {
    const { request } = message as HttpMessage;
    const call = currentCall.getStore();
    if (!call) return;
    callOf.set(request, call);
    call.notePost(request.method, addressOf(request));
  });
  subscribe('http.client.request.error', (message) => {
    const { request, error } = message as HttpMessage;
    const call = callOf.get(request);
    if (neverConnected(error)) call?.notePost(request.method, addressOf(request), -1);
    else call?.noteLost(request.method);
  });
}

function noteWritten(message: unknown): void {
  const { request } = message as UndiciMessage;
  const call = callOf.get(request);
  if (!call || wasWritten.has(request)) return;
  wasWritten.add(request);
  call.noteWritten();
  call.notePost(request.method, `${String(request.origin)}${String(request.path)}`);
}

function addressOf({ host, path }: HttpMessage['request']): string {
  return `${String(host)}${String(path)}`;
}
