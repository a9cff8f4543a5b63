import { randomBytes } from 'node:crypto';
import { type Claim, currentClaim } from '@sendonce/core';
import { isProvider } from '@sendonce/core/mail';
import type { StreamPluginMail } from './nodemailer-shapes.ts';
import { givenByUser, isRaw } from './stable-mime.ts';

type Fields = Partial<Record<'messageId' | 'baseBoundary', unknown>>;

// Global symbols on the objects: two copies of this package may be loaded.
const installedKey = Symbol.for('@sendonce/mail/preset-mime');
const presetKey = Symbol.for('@sendonce/mail/preset-fields');

interface Mailer {
  use?(step: 'compile', plugin: (mail: object, callback: () => void) => void): unknown;
  [installedKey]?: true;
}

/** Hard to guess, because an email would have it if a plugin wrote its headers too early. */
const boundary = randomBytes(16).toString('hex');

/**
 * @internal Gives the later emails of a transporter a Message-ID and a boundary before nodemailer
 * compiles them. stabiliseMime() replaces both afterwards. Without them nodemailer draws random
 * bytes about five times, which costs 67 us of CPU for each email.
 *
 * Called at the first email, so that it runs after the plugins of the user, who may set both.
 */
export function presetLaterEmails(mailer: object): void {
  const pluggable = mailer as Mailer;
  if (pluggable[installedKey] || typeof pluggable.use !== 'function') return;
  Object.defineProperty(pluggable, installedKey, { value: true });
  pluggable.use('compile', (mail, callback) => {
    const claim = currentClaim();
    if (claim) preset(mail as StreamPluginMail, claim);
    callback();
  });
}

function preset({ mailer, data }: StreamPluginMail, claim: Claim): void {
  if (isRaw(data) || isProvider(mailer.transporter)) return;
  const fields = data as Fields;
  const given: Fields = {};
  if (!givenByUser(data, 'messageId', 'message-id'))
    given.messageId = `<${claim.token}@preset.invalid>`;
  if (!fields.baseBoundary) given.baseBoundary = boundary;
  Object.assign(data, given, { [presetKey]: given });
}

/** @internal Takes back what was set, unless another plugin has changed it. */
export function takeBackPreset(data: object): void {
  const fields = data as Fields & { [presetKey]?: Fields };
  const given = fields[presetKey];
  if (!given) return;
  for (const name of ['messageId', 'baseBoundary'] as const) {
    if (given[name] !== undefined && fields[name] === given[name]) delete fields[name];
  }
}
