export { checkAddress } from './addresses.ts';
export { classifyMailError, mailErrorNote, type MailPhase } from './classify-mail-error.ts';
export { dispatchAtSend, type DispatchAtSendOptions } from './dispatch-at-send.ts';
export type { StreamPlugin, StreamPluginMail, StreamPluginMessage } from './nodemailer-shapes.ts';
