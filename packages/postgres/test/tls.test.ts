import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startPostgres } from '@sendonce/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { openSchema } from './database.ts';

test('over TLS, with a certificate that is checked, the ledger works', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const options =
    'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1';
  await promisify(execFile)(
    'openssl',
    options.split(' ').concat('-keyout', key, '-out', certificate),
  );
  await chmod(key, 0o600);
  // The server runs as another user if this process is root.
  if (process.getuid?.() === 0) {
    await chmod(folder, 0o755);
    await chown(key, 65_534, 65_534);
  }
  const server = await startPostgres({
    settings: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key },
  });
  onTestFinished(() => server.stop());
  const space = openSchema('tls', server.url);
  onTestFinished(() => space.close());
  const pool = space.pool(server.url, { ssl: { ca: await readFile(certificate, 'utf8') } });
  const ledger = space.ledger(pool);
  const email = deriveKey(createToken());
  expect(await perform(() => 'sent', { ledger, key: email })).toMatchObject({ state: 'sent' });
  expect(await perform(() => 'sent', { ledger, key: email })).toMatchObject({ state: 'duplicate' });
  const { rows } = await pool.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  expect(rows).toEqual([{ ssl: true }]);

  const distrusting = space.ledger(space.pool(server.url, { ssl: true }));
  await expect(distrusting.ready()).rejects.toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
});
