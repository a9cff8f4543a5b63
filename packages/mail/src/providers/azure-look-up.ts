import type { LedgerRecord, Resolver, ResolverVerdict } from '@sendonce/core';
import { checkDuration, DAY_MS, checkNames, type OptionNames } from '@sendonce/core/ledger';
import { azureApiVersion } from './azure.ts';
import { type AzureAccount, azureHeaders, checkAzureAccount } from './azure-signature.ts';
import { toUuid } from './idempotency-key.ts';
import { checkLookUpOptions, lookUp, type LookUpOptions } from './look-up.ts';
import type { HttpAnswer } from './post-once.ts';
import { field, isObject } from './read-answer.ts';

export interface AzureLookUpOptions
  extends AzureAccount, Pick<LookUpOptions, 'answerWithinMs' | 'fetch'> {
  /**
   * An email that Azure does not know is `not-sent` from so long after its dispatch, in
   * milliseconds, and up to a day after it: how long Azure remembers is not documented. Longer than
   * a request can be on its way, a sender can be frozen, and clocks can differ.
   * @default never
   */
  readonly notFoundAfterMs?: number | undefined;
}

const NAMES: OptionNames<AzureLookUpOptions> = {
  endpoint: true,
  accessKey: true,
  answerWithinMs: true,
  fetch: true,
  notFoundAfterMs: true,
};

/**
 * A resolver that asks Azure by the `Operation-Id` that `azureTransport()` gave the email, at the
 * same endpoint. Accepted is `sent`, as for the transport. A failed or cancelled operation is left
 * to a person: whether Azure takes the same `Operation-Id` again is not documented.
 *
 * Built from Azure's documentation as it was in November 2026 and tested against a local server
 * that behaves as it says; never run against a live account.
 *
 * @example
 * const resolver = azureLookUp({ endpoint, accessKey })
 * @throws {OptionError} which never shows the access key.
 */
export function azureLookUp(options: AzureLookUpOptions): Resolver {
  checkNames('azureLookUp()', options, NAMES);
  const { accessKey, notFoundAfterMs } = options;
  const endpoint = checkAzureAccount(options);
  const settings = checkLookUpOptions({ ...options, url: endpoint, apiKey: accessKey }, endpoint);
  if (notFoundAfterMs !== undefined) checkDuration('notFoundAfterMs', notFoundAfterMs);
  return lookUp(settings, async (record, get) => {
    const url = `${endpoint}/emails/operations/${toUuid(record.key)}?api-version=${azureApiVersion}`;
    const signed = { method: 'GET', url, body: '', accessKey } as const;
    const answer = await get(url, azureHeaders({ ...signed, date: new Date() }));
    return read(answer, record, notFoundAfterMs);
  });
}

const accepted: readonly unknown[] = ['NotStarted', 'Running', 'Succeeded'];

function read(
  { status, json }: HttpAnswer,
  { key, atMs }: LedgerRecord,
  notFoundAfterMs: number | undefined,
): ResolverVerdict {
  if (status === 200 && field(json, 'id') === toUuid(key)) {
    return accepted.includes(field(json, 'status')) ? 'sent' : 'unknown';
  }
  // Azure's own answer, and not that of a proxy.
  const notFound = status === 404 && isObject(field(json, 'error'));
  if (!notFound || notFoundAfterMs === undefined) return 'unknown';
  const agoMs = Date.now() - atMs;
  return agoMs >= notFoundAfterMs && agoMs < DAY_MS ? 'not-sent' : 'unknown';
}
