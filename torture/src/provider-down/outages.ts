import type { OnceOptions } from '@sendonce/bullmq';
import { postmarkTransport, type ProviderTransport, resendTransport } from '@sendonce/providers';
import { postmarkDialect } from '@sendonce/testkit/providers/postmark-server';
import type { FaultName } from '@sendonce/testkit/providers/provider-faults';
import type { Dialect, ProviderServer } from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import type { Job } from 'bullmq';

/** How a provider is down. */
export interface Outage {
  readonly name: string;
  /** Undefined: no one listens. */
  readonly fault: FaultName | undefined;
  /** What a person finds out about the emails in doubt, in the provider's log. */
  readonly verdict: 'sent' | 'not-sent';
}

export const outages: readonly Outage[] = [
  { name: 'no connection', fault: undefined, verdict: 'not-sent' },
  { name: '401: the API key has expired', fault: 'unauthorized', verdict: 'not-sent' },
  { name: '503 with Retry-After', fault: 'unavailable-until', verdict: 'not-sent' },
  { name: '503, nothing accepted', fault: 'unavailable', verdict: 'not-sent' },
  { name: '500, although it accepted', fault: 'error-after', verdict: 'sent' },
];

/** The provider, and what once() does about a doubt. */
export interface Setting {
  readonly name: string;
  readonly dialect: Dialect;
  readonly transport: (server: Pick<ProviderServer, 'url' | 'apiKey'>) => ProviderTransport;
  readonly options: (transport: ProviderTransport) => Partial<OnceOptions<Job>>;
}

export const settings: readonly Setting[] = [
  {
    name: 'Resend, replayed',
    dialect: resendDialect,
    transport: ({ url, apiKey }) => resendTransport({ url, apiKey }),
    options: ({ windowMs }) => ({ replayWithinMs: windowMs, onRefused: 'delay' }),
  },
  {
    name: 'Postmark (no key)',
    dialect: postmarkDialect,
    transport: ({ url, apiKey }) => postmarkTransport({ url, apiKey }),
    options: () => ({ onRefused: 'delay' }),
  },
];
