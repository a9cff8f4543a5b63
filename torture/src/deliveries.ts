import { startSmtpServer, type SmtpServer } from '@sendonce/testkit';
import {
  type ProviderServer,
  startProviderServer,
} from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import { numberIn } from './email.ts';
import type { History } from './history.ts';
import type { WorkerPlan } from './messages.ts';

/** A mail server and a provider that count what they take responsibility for. */
export interface Deliveries {
  readonly smtp: SmtpServer;
  readonly provider: ProviderServer;
  /** The part of a worker's plan that describes them. */
  readonly reachedBy: Pick<WorkerPlan, 'smtpPort' | 'provider'>;
  /** How often an email has left. */
  countOf(email: number): number;
  readonly close: () => Promise<void>;
}

export async function startDeliveries(history: History): Promise<Deliveries> {
  const counts = new Map<number, number>();
  const count = (email: number, what: string, who: string) => {
    counts.set(email, (counts.get(email) ?? 0) + 1);
    history.note({ email, who, what });
  };
  const smtp = await startSmtpServer();
  smtp.onEmail(({ to, messageId }) => {
    count(numberIn(to.join()), `accepted ${messageId}`, 'mail server');
    // Counted: 10,000 bodies need not be kept.
    smtp.received.length = 0;
  });
  const provider = await startProviderServer(resendDialect);
  provider.onEmail(({ body, id, key }) =>
    count(numberIn(JSON.stringify(body['to'])), `accepted ${id} for key ${key}`, 'provider'),
  );
  return {
    smtp,
    provider,
    reachedBy: { smtpPort: smtp.port, provider: { url: provider.url, apiKey: provider.apiKey } },
    countOf: (email) => counts.get(email) ?? 0,
    async close() {
      await smtp.close();
      await provider.close();
    },
  };
}
