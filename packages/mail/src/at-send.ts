import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';
import { dispatchAtSend, type DispatchAtSendOptions } from './dispatch-at-send.ts';
import type { StreamPlugin } from './nodemailer-shapes.ts';

/** The part of a nodemailer transporter (6.9 to 10) that {@link atSend} uses. */
export interface PluggableTransporter {
  // The types of nodemailer differ from version to version.
  // oxlint-disable-next-line typescript/no-explicit-any
  use(step: any, plugin: any): unknown;
}

// A global symbol, because two copies of this package may be loaded.
const installedKey = Symbol.for('@sendonce/mail/at-send');

/**
 * Installs the plugin {@link dispatchAtSend} on nodemailer transporters, and returns the dispatch
 * mode `at-send` for `once()` and `perform()`. So the plugin cannot be forgotten.
 *
 * @param transporters one transporter, or a list of all transporters that the processor may use.
 * @returns `'at-send'`.
 * @throws {OptionError} for a value that is no transporter, for the same transporter twice in a
 *   list, and for options that differ from those of an earlier call for the same transporter.
 *
 * @example
 * once(processor, { ledger, key, dispatch: atSend(transporter) })
 */
export function atSend(
  transporters: PluggableTransporter | readonly PluggableTransporter[],
  options: DispatchAtSendOptions = {},
): 'at-send' {
  const list: readonly unknown[] = Array.isArray(transporters) ? transporters : [transporters];
  if (list.length === 0) {
    throw new OptionError('transporters', 'Expected at least one transporter, got an empty list.');
  }
  const checked = list.map(checkTransporter);
  if (new Set(checked).size < checked.length) {
    throw new OptionError(
      'transporters',
      'Expected each transporter once, got the same one twice.',
    );
  }
  if ('sendMail' in options) {
    throw new OptionError(
      'options',
      'Expected the options of the plugin, got a transporter. Pass several transporters as a list: atSend([one, other]).',
    );
  }
  const plugin = dispatchAtSend(options);
  const wanted = describeOptions(options);
  for (const transporter of checked) checkSameOptions(transporter, wanted);
  for (const transporter of checked) install(transporter, plugin, wanted);
  return 'at-send';
}

interface Installed extends PluggableTransporter {
  [installedKey]?: string;
}

function checkTransporter(value: unknown): Installed {
  const { use, sendMail } = (value ?? {}) as { use?: unknown; sendMail?: unknown };
  if (typeof use === 'function' && typeof sendMail === 'function') return value as Installed;
  throw new OptionError(
    'transporters',
    `Expected a transporter of nodemailer, such as createTransport(…), got ${describe(value)}.`,
  );
}

function checkSameOptions(transporter: Installed, wanted: string): void {
  const before = transporter[installedKey];
  if (before === undefined || before === wanted) return;
  throw new OptionError(
    'options',
    `Expected the options that an earlier call gave this transporter: ${before}. Pass the same options to ` +
      'atSend() for each use of the transporter.',
  );
}

function install(transporter: Installed, plugin: StreamPlugin, wanted: string): void {
  if (transporter[installedKey] !== undefined) return;
  transporter.use('stream', plugin);
  Object.defineProperty(transporter, installedKey, { value: wanted });
}

function describeOptions(options: DispatchAtSendOptions): string {
  const { outsideClaim = 'pass', messageIdDomain, idempotencyHeader, recipients = 'any' } = options;
  return JSON.stringify({ outsideClaim, messageIdDomain, idempotencyHeader, recipients });
}
