export { checkAddress } from '@sendonce/core/mail';
export { atSend, type PluggableTransporter } from './at-send.ts';
export { classifyMailError, mailErrorNote, type MailPhase } from './classify-mail-error.ts';
export { dispatchAtSend, type DispatchAtSendOptions } from './dispatch-at-send.ts';
export { MailTransportError } from './mail-transport-error.ts';
export type { StreamPlugin, StreamPluginMail, StreamPluginMessage } from './nodemailer-shapes.ts';
