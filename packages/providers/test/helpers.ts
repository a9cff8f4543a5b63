import { deriveKey, memoryLedger } from '@sendonce/core';
import { dispatchAtSend } from '@sendonce/mail';
import type { SendMailOptions, Transporter } from 'nodemailer';
import {
  ahaSendTransport,
  azureTransport,
  brevoTransport,
  lettermintTransport,
  loopsTransport,
  plunkTransport,
  postmarkTransport,
  type ProviderOptions,
  type ProviderSentInfo,
  type ProviderTransport,
  resendTransport,
  sendGridTransport,
  sesTransport,
  sparkPostTransport,
} from '../src/index.ts';
import {
  attempt,
  email,
  type Ended,
  type Job,
  type Major,
  nodemailerOf,
  type Test,
} from '../../mail/test/helpers.ts';
import { ahaSendDialect } from '@sendonce/testkit/providers/ahasend-server';
import { azureDialect } from '@sendonce/testkit/providers/azure-server';
import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import { lettermintDialect } from '@sendonce/testkit/providers/lettermint-server';
import { loopsDialect } from '@sendonce/testkit/providers/loops-server';
import { plunkDialect } from '@sendonce/testkit/providers/plunk-server';
import { postmarkDialect } from '@sendonce/testkit/providers/postmark-server';
import type { FaultName } from '@sendonce/testkit/providers/provider-faults';
import {
  type Dialect,
  type ProviderServer,
  startProviderServer,
} from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import { sendGridDialect } from '@sendonce/testkit/providers/sendgrid-server';
import { sesAccount, sesDialect } from '@sendonce/testkit/providers/ses-server';
import { sparkPostDialect } from '@sendonce/testkit/providers/sparkpost-server';

export interface ProviderCase {
  readonly name: string;
  readonly dialect: Dialect;
  readonly create: (options: ProviderOptions & { windowMs?: number }) => ProviderTransport;
  /** What it calls the options `apiKey` and `url`. */
  readonly optionNames?: Readonly<Record<string, string>>;
  /** It sends HTML alone: the emails of the tests get their text as `html`. */
  readonly htmlOnly?: boolean;
}

export const providers: readonly ProviderCase[] = [
  { name: 'Brevo', dialect: brevoDialect, create: brevoTransport },
  { name: 'Resend', dialect: resendDialect, create: resendTransport },
  { name: 'SparkPost', dialect: sparkPostDialect, create: sparkPostTransport },
  { name: 'Lettermint', dialect: lettermintDialect, create: lettermintTransport },
  {
    name: 'AhaSend',
    dialect: ahaSendDialect,
    create: (options) => ahaSendTransport({ accountId: 'shop', ...options }),
  },
  {
    name: 'Loops',
    dialect: loopsDialect,
    create: (options) => loopsTransport({ transactionalId: 'notice', ...options }),
  },
  { name: 'Plunk', dialect: plunkDialect, create: plunkTransport, htmlOnly: true },
  { name: 'Postmark', dialect: postmarkDialect, create: postmarkTransport },
  { name: 'SendGrid', dialect: sendGridDialect, create: sendGridTransport },
  {
    name: 'Azure',
    dialect: azureDialect,
    create: ({ apiKey, url = 'https://shop.communication.azure.com', ...options }) =>
      azureTransport({
        ...options,
        accessKey: apiKey,
        endpoint: url.replace(azureDialect.path, ''),
      }),
    optionNames: { apiKey: 'accessKey', url: 'endpoint' },
  },
  {
    name: 'SES',
    dialect: sesDialect,
    create: ({ apiKey, ...options }) =>
      sesTransport({ ...options, ...sesAccount, secretAccessKey: apiKey }),
    optionNames: { apiKey: 'secretAccessKey' },
  },
];

export function providerNamed(name: string): ProviderCase {
  const found = providers.find((provider) => provider.name === name);
  if (!found) throw new Error(`no provider ${name}`);
  return found;
}

/** How many emails are accepted in spite of a fault. */
export function accepts(fault: FaultName): number {
  return fault.endsWith('-after') || fault === 'slow' ? 1 : 0;
}

/** Whether a second request with the key does not learn whether the first one sent the email. */
export function isSilent({ name }: ProviderCase, fault: FaultName): boolean {
  // Loops says that the key was used, and nothing about the first request.
  if (name === 'Loops') return accepts(fault) > 0;
  // Plunk keeps no status if the connection broke, and a 5xx does not say whether it was sent.
  return name === 'Plunk' && plunkSilence.test(fault);
}

const plunkSilence =
  /^(error|unavailable|bad-gateway)|^(reset|cut-off|hang|reset-in-answer)-after$/;

export interface Setup {
  readonly server: ProviderServer;
  readonly transport: ProviderTransport;
  readonly transporter: Transporter<ProviderSentInfo>;
}

export interface SetupOptions extends Partial<ProviderOptions> {
  readonly major?: Major;
  readonly plugin?: boolean;
}

/** A provider, and a transporter to it; both end with the test. */
export async function setUp(
  test: Test,
  provider: ProviderCase,
  { major = 10, plugin = false, ...options }: SetupOptions = {},
): Promise<Setup> {
  const server = await startProviderServer(provider.dialect);
  test.onTestFinished(() => server.close());
  const { url, apiKey } = server;
  const transport = provider.create({ apiKey, url, answerWithinMs: 5000, ...options });
  const transporter = nodemailerOf(major).createTransport(transport);
  if (provider.htmlOnly) transporter.use('compile', textAsHtml);
  if (plugin) transporter.use('stream', dispatchAtSend());
  return { server, transport, transporter };
}

function textAsHtml({ data }: { data: SendMailOptions }, callback: () => void): void {
  if (typeof data.text === 'string' && !data.html) data.html = data.text;
  delete data.text;
  callback();
}

export interface Tried {
  readonly job: Job;
  readonly state: Ended['state'];
  readonly error: unknown;
  readonly info: ProviderSentInfo | undefined;
}

let keys = 0;

/** One attempt of one email under a claim; `key` for a replay, by a ledger that has forgotten. */
export async function trySend(
  { transporter }: Pick<Setup, 'transporter'>,
  { key = deriveKey(['provider', keys++]), mail }: { key?: string; mail?: SendMailOptions } = {},
): Promise<Tried> {
  const job = { ledger: memoryLedger(), key };
  let info: ProviderSentInfo | undefined;
  let thrown: unknown;
  const { state, error } = await attempt(job, async () => {
    try {
      info = await transporter.sendMail(email(mail));
    } catch (error) {
      thrown = error;
      throw error;
    }
  });
  return { job, state, error: thrown ?? error, info };
}
