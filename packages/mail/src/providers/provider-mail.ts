import type { StreamPluginMessage } from '../nodemailer-shapes.ts';

/** @internal The parts of nodemailer's MailMessage that the types of some versions leave out. */
export interface ProviderMail {
  readonly data: object;
  readonly mailer?: object;
  readonly message: StreamPluginMessage & {
    getAddresses(): Readonly<
      Record<string, readonly { readonly name?: string; readonly address?: string }[] | undefined>
    >;
    getHeader(name: string): unknown;
  };
  normalize(callback: (error?: Error | null) => void): void;
}
