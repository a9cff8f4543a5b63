import type { LedgerRecord, Resolver, ResolverVerdict } from '@sendonce/core';
import { checkDuration, DAY_MS, checkNames, type OptionNames } from '@sendonce/core/ledger';
import { azureApiVersion } from './azure.ts';
import { type AzureAccount, azureHeaders, checkAzureAccount } from './azure-signature.ts';
import { toUuid } from './idempotency-key.ts';
import { checkLookUpOptions, lookUp, type LookUpOptions } from './look-up.ts';
import type { HttpAnswer } from './post-once.ts';
import { field, isObject } from './read-answer.ts';

/** The options of {@link azureLookUp}. */
export interface AzureLookUpOptions
  extends AzureAccount, Pick<LookUpOptions, 'answerWithinMs' | 'fetch'> {
  /**
   * How long after its dispatch an email that Azure does not have counts as `not-sent`, in
   * milliseconds. After one day it is `unknown` again, because Azure does not document how long it
   * keeps operations. The value must be longer than a request can take, a sender can be frozen, and
   * clocks can differ.
   * @default never: the email stays in doubt
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
 * Returns a resolver that asks Azure Communication Services about an email in doubt. It asks for
 * the `Operation-Id` that {@link azureTransport} gave the email, at the same endpoint. An accepted
 * email is `sent`. A failed or cancelled operation is `unknown`, because Azure does not document
 * whether it accepts the same `Operation-Id` again.
 *
 * Written from Azure's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const resolver = azureLookUp({ endpoint, accessKey })
 * @throws {OptionError} for a wrong option. The message never shows the access key.
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
  // Only Azure's own 404 counts, not that of a proxy.
  const notFound = status === 404 && isObject(field(json, 'error'));
  if (!notFound || notFoundAfterMs === undefined) return 'unknown';
  const agoMs = Date.now() - atMs;
  return agoMs >= notFoundAfterMs && agoMs < DAY_MS ? 'not-sent' : 'unknown';
}
