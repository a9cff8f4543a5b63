/** @internal The part of nodemailer's `MailMessage` that is used, in all of its versions. */
export interface ProviderMail {
  readonly data: object;
  readonly mailer?: object;
  readonly message: {
    getEnvelope(): { readonly to?: unknown; readonly from?: unknown };
    getAddresses(): Readonly<
      Record<string, readonly { readonly name?: string; readonly address?: string }[] | undefined>
    >;
    getHeader(name: string): unknown;
  };
  normalize(callback: (error?: Error | null) => void): void;
}
