import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import { startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';

const script = fileURLToPath(new URL('live.ts', import.meta.url));

function live(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const command = ['--import', 'tsx', script, ...args];
    execFile(
      process.execPath,
      command,
      { env: { ...process.env, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

// There is no account here: that the script sees what it should see is shown on the local servers.
test.each([
  ['brevo', brevoDialect],
  ['resend', resendDialect],
] as const)('%s: two requests, one email', async (provider, dialect) => {
  const server = await startProviderServer(dialect);
  onTestFinished(() => server.close());
  const args = ['--provider', provider, '--from', 'shop@example.org', '--to', 'ada@example.org'];
  const env = { [`${provider.toUpperCase()}_API_KEY`]: server.apiKey };
  const { code, stdout, stderr } = await live([...args, '--url', server.url], env);
  expect(stdout).toMatch(/^first request +20\d sent\nthe same again +\d+ sent/);
  expect(stdout).toContain('Both were taken for one email.');
  expect(stdout + stderr).not.toMatch(new RegExp(`${server.apiKey}|ada@`));
  expect(code).toBe(0);
  expect(server.accepted).toHaveLength(1);
});

test('the script reports a provider that sends two emails for one key', async () => {
  const server = await startProviderServer({ ...resendDialect, windowMs: 0 });
  onTestFinished(() => server.close());
  const args = ['--provider', 'resend', '--from', 'shop@example.org', '--to', 'ada@example.org'];
  const env = { RESEND_API_KEY: server.apiKey };
  const { stdout } = await live([...args, '--url', server.url, '--json'], env);
  // Its answers look alike. Only the mailbox shows how many arrived; the script shows the answers.
  expect(JSON.parse(stdout)).toMatchObject({ first: '200 sent', again: '200 sent' });
  expect(server.accepted.length).toBeGreaterThan(1);
});

test('without an API key, or with a word too few: what it needs, and nothing is sent', async () => {
  const { code, stderr } = await live(['--provider', 'resend']);
  expect(code).toBe(2);
  expect(stderr).toContain('RESEND_API_KEY=… pnpm live'.replace('RESEND', '<PROVIDER>'));
});
