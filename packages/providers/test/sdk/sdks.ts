import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import { mailgunDialect } from '@sendonce/testkit/providers/mailgun-server';
import { postmarkDialect } from '@sendonce/testkit/providers/postmark-server';
import type { Dialect } from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import { sendGridDialect } from '@sendonce/testkit/providers/sendgrid-server';
import { sesDialect } from '@sendonce/testkit/providers/ses-server';
import * as brevo from './processors/brevo.ts';
import * as mailgun from './processors/mailgun.ts';
import type { NoticeJob } from './processors/notice.ts';
import * as postmark from './processors/postmark.ts';
import * as resend from './processors/resend.ts';
import * as sendGrid from './processors/sendgrid.ts';
import * as ses from './processors/ses.ts';

export type Process = (job: NoticeJob) => Promise<unknown>;

/** A real SDK, and the same processor before and after it was wrapped. */
export interface SdkCase {
  readonly name: string;
  readonly file: string;
  readonly dialect: Dialect;
  /** The processors, with a client of the SDK that posts to the URL. */
  readonly processors: (url: string) => { readonly before: Process; readonly after: Process };
}

interface SdkFile<Client> {
  readonly connect: (url: string, apiKey: string) => Client;
  readonly before: (client: Client) => Process;
  readonly after: (client: Client) => Process;
}

function sdkCase<Client>(
  name: string,
  file: string,
  dialect: Dialect,
  { connect, before, after }: SdkFile<Client>,
): SdkCase {
  return {
    name,
    file,
    dialect,
    processors(url) {
      const client = connect(url, dialect.apiKey);
      return { before: before(client), after: after(client) };
    },
  };
}

export const sdks: readonly SdkCase[] = [
  sdkCase('resend', 'resend.ts', resendDialect, resend),
  sdkCase('@getbrevo/brevo', 'brevo.ts', brevoDialect, brevo),
  sdkCase('@sendgrid/mail', 'sendgrid.ts', sendGridDialect, sendGrid),
  sdkCase('postmark', 'postmark.ts', postmarkDialect, postmark),
  sdkCase('@aws-sdk/client-sesv2', 'ses.ts', sesDialect, ses),
  sdkCase('mailgun.js', 'mailgun.ts', mailgunDialect, mailgun),
];
