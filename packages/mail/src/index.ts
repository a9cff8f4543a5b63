export { checkAddress } from './addresses.ts';
export { atSend, type PluggableTransporter } from './at-send.ts';
export { classifyMailError, mailErrorNote, type MailPhase } from './classify-mail-error.ts';
export { dispatchAtSend, type DispatchAtSendOptions } from './dispatch-at-send.ts';
export { MailTransportError } from './mail-transport-error.ts';
export type { StreamPlugin, StreamPluginMail, StreamPluginMessage } from './nodemailer-shapes.ts';
export { ahaSendTransport, type AhaSendOptions } from './providers/ahasend.ts';
export { azureLookUp, type AzureLookUpOptions } from './providers/azure-look-up.ts';
export type { AzureAccount } from './providers/azure-signature.ts';
export { azureTransport, type AzureOptions } from './providers/azure.ts';
export { brevoLookUp } from './providers/brevo-look-up.ts';
export { brevoTransport } from './providers/brevo.ts';
export { lettermintTransport } from './providers/lettermint.ts';
export { loopsTransport, type LoopsOptions, type LoopsParts } from './providers/loops.ts';
export type { LookUpOptions } from './providers/look-up.ts';
export type { OutcomeState } from './providers/outcome.ts';
export { postmarkLookUp, type PostmarkLookUpOptions } from './providers/postmark-look-up.ts';
export { postmarkTransport, type PostmarkOptions } from './providers/postmark.ts';
export { ProviderError } from './providers/provider-error.ts';
export type { KeyedProviderOptions, ProviderOptions } from './providers/provider-options.ts';
export type {
  ProviderMessage,
  ProviderSentInfo,
  ProviderTransport,
} from './providers/provider-transport.ts';
export { resendTransport } from './providers/resend.ts';
export { sendGridLookUp } from './providers/sendgrid-look-up.ts';
export { sendGridTransport } from './providers/sendgrid.ts';
export { sesTransport, type SesOptions } from './providers/ses.ts';
export { sparkPostTransport } from './providers/sparkpost.ts';
