import { subscribe } from 'node:diagnostics_channel';
import { runningClaim } from '../claim.ts';

/** The part of a request that both `node:http` and undici (and so `fetch`) publish. */
interface SeenRequest {
  readonly method?: unknown;
  readonly path?: unknown;
  /** Of undici: `https://api.example.com`. */
  readonly origin?: string | URL | undefined;
  /** Of `node:http`. */
  getHeader?(name: 'host'): unknown;
}

// One for all copies of this package in the process: with two, each request would count twice.
const watchingKey = Symbol.for('@sendonce/core/watches-requests');
const shared = globalThis as { [watchingKey]?: true };

/**
 * Counts the POSTs under each claim, by Node's `diagnostics_channel`: it sees those that an SDK
 * repeats alone. Not those of HTTP/2 and of other processes. Until the first claim nothing is
 * subscribed, and the channels cost nothing.
 *
 * Sources: https://nodejs.org/api/diagnostics_channel.html#http (`http.client.request.start`),
 * https://undici.nodejs.org/#/docs/api/DiagnosticsChannel (`undici:request:create`).
 */
export function watchRequests(): void {
  if (shared[watchingKey]) return;
  shared[watchingKey] = true;
  // Both publish in the asynchronous context of the caller (measured on Node 20, 22 and 24, also
  // for requests that wait for a connection).
  subscribe('http.client.request.start', noteRequest);
  subscribe('undici:request:create', noteRequest);
}

function noteRequest(message: unknown): void {
  const claim = runningClaim();
  if (!claim?.noteRequest) return;
  try {
    const { request } = message as { readonly request: SeenRequest };
    if (request.method !== 'POST') return;
    claim.noteRequest(hostOf(request), String(request.path));
  } catch {
    // Anybody may publish to these channels, and an error in a subscriber ends the process.
  }
}

/** The host, with its port if it is an unusual one. */
function hostOf(request: SeenRequest): string {
  const url = String(request.origin ?? '');
  return URL.canParse(url) ? new URL(url).host : String(request.getHeader?.('host'));
}

/** The POSTs of one email. */
export class RequestCount {
  /** Whether one was repeated. */
  wasRepeated = false;
  private readonly urls = new Set<string>();

  /** Whether this is the first repeated request. */
  add(host: string, path: string): boolean {
    const url = `${host} ${path}`;
    const isRepeated = this.urls.has(url) && !this.wasRepeated;
    this.urls.add(url);
    this.wasRepeated ||= isRepeated;
    return isRepeated;
  }
}
