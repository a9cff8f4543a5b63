import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';
import { dispatchAtSend, type DispatchAtSendOptions } from './dispatch-at-send.ts';
import type { StreamPlugin } from './nodemailer-shapes.ts';

/** The little of a nodemailer transporter (6.9 to 10) that is used here. */
export interface PluggableTransporter {
  // Its own types name the message of its version.
  // oxlint-disable-next-line typescript/no-explicit-any
  use(step: any, plugin: any): unknown;
}

// Under a global symbol: two copies of this package may be loaded.
const installedKey = Symbol.for('@sendonce/mail/at-send');

/**
 * The dispatch mode `at-send` of `once()` and `perform()`: installs {@link dispatchAtSend} on each
 * transporter that may send the email, so that it cannot be forgotten.
 *
 * @param transporters one transporter, or a list of all that the processor may use.
 * @returns the mode, `'at-send'`.
 * @throws {OptionError} for anything that is no transporter, for the same one twice in a list, and for
 *   one that an earlier call gave other options.
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
      'Expected the options of the plugin, got a transporter. Give several transporters as a list: atSend([one, other]).',
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
    `The transporter has the plugin with other options: ${before}. Give atSend() the same options wherever ` +
      'the transporter is used.',
  );
}

function install(transporter: Installed, plugin: StreamPlugin, wanted: string): void {
  if (transporter[installedKey] !== undefined) return;
  transporter.use('stream', plugin);
  Object.defineProperty(transporter, installedKey, { value: wanted });
}

function describeOptions(options: DispatchAtSendOptions): string {
  const { outsideClaim = 'pass', messageIdDomain, idempotencyHeader } = options;
  return JSON.stringify({ outsideClaim, messageIdDomain, idempotencyHeader });
}
