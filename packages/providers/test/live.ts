/**
 * Sends one email twice under one idempotency key, to an account of your own, and says whether the
 * provider behaved as it documents. Opt-in: it needs an API key in the environment, and sends for
 * real.
 *
 *     RESEND_API_KEY=… pnpm live --provider resend --from shop@yours.example --to
 *     delivered@resend.dev
 */
import { parseArgs } from 'node:util';
import { deriveKey, memoryLedger, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { createTransport } from 'nodemailer';
import * as mail from '../src/index.ts';

const providers = {
  brevo: mail.brevoTransport,
  resend: mail.resendTransport,
  sparkpost: mail.sparkPostTransport,
  lettermint: mail.lettermintTransport,
} as const;
type Name = keyof typeof providers;

const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: '' },
    from: { type: 'string' },
    to: { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const name = values.provider.toLowerCase();
const apiKey = process.env[`${name.toUpperCase()}_API_KEY`];
if (!(name in providers) || !values.from || !values.to || !apiKey) {
  console.error(
    `Usage: <PROVIDER>_API_KEY=… pnpm live --provider ${Object.keys(providers).join('|')} --from address --to address [--json]\n` +
      'Sends two requests for one email, for real, and expects one email.',
  );
  process.exit(2);
}

const transport = providers[name as Name]({ apiKey, ...(values.url && { url: values.url }) });
const transporter = createTransport(transport);
const { from, to } = values;
const run = createToken();

/** One request under the key of this run, by a ledger that has forgotten the one before. */
async function request(subject: string): Promise<string> {
  const key = deriveKey(['live', run]);
  const email = { from, to, subject, text: `Run ${run}: this email should arrive once.` };
  try {
    const performed = await perform(() => transporter.sendMail(email), {
      ledger: memoryLedger(),
      key,
      dispatch: 'at-send',
    });
    if (performed.state === 'sent') return performed.value.response;
    return `${performed.state}: ${(performed as { error?: Error }).error?.message ?? ''}`;
  } catch (error) {
    return `failed: ${(error as Error).message}`;
  }
}

const subject = `sendonce live test ${run}`;
const answers = {
  first: await request(subject),
  again: await request(subject),
  changed: await request(`${subject}, changed`),
};
const good = answers.first.endsWith(' sent') && / sent(-already)?$/.test(answers.again);
if (values.json) console.log(JSON.stringify({ provider: name, run, ...answers, good }));
else {
  console.log(`first request        ${answers.first}`);
  console.log(`the same again       ${answers.again}`);
  console.log(`with other content   ${answers.changed}`);
  console.log(
    good
      ? `Both were taken for one email. Look into the mailbox: one email of run ${run} is wanted.`
      : 'That is not what the documentation of the provider says.',
  );
}
process.exitCode = good ? 0 : 1;
