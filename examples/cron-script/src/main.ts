import { type Servers, withServers } from '@sendonce/testkit';
import { runScript } from './run-script.ts';

await withServers('cron', async (servers) => {
  const { smtp } = servers;
  const monday = ['--day', '2026-01-05'];
  const tuesday = ['--day', '2026-01-06'];
  console.log('\nexit  what, and what the script says');

  await Promise.all([
    cron('Monday at 6:00, one machine', monday, servers),
    cron('Monday at 6:00, the other machine', monday, servers),
  ]);
  await cron('Monday, a person runs it by hand', monday, servers);
  const onMonday = smtp.received.length;

  smtp.setFault({ at: 'dot-after-accept', how: 'reset' });
  await cron('Tuesday, and the connection breaks after the final dot', tuesday, servers);
  const json = await cron('Tuesday, the other machine', [...tuesday, '--json'], servers);
  const { messageId } = JSON.parse(json) as { messageId: string };
  const wasSent = smtp.received.some((email) => email.messageId === messageId);
  const verdict = wasSent ? 'sent' : 'not-sent';
  await cron(
    `Tuesday, a person finds it in the mail server's log: ${verdict}`,
    [...tuesday, '--resolve', verdict],
    servers,
  );
  const onTuesday = smtp.received.length - onMonday;

  console.log(`\nemails: Monday ${onMonday}, Tuesday ${onTuesday}`);
  process.exitCode = onMonday === 1 && onTuesday === 1 ? 0 : 1;
});

/** Starts the script, and returns what it said. */
async function cron(what: string, args: string[], servers: Servers): Promise<string> {
  const { redisUrl, prefix, smtp } = servers;
  const env = { REDIS_URL: redisUrl, SMTP_URL: smtp.url, PREFIX: prefix };
  const { code, said } = await runScript(args, env);
  console.log(`${String(code).padStart(4)}  ${what}\n      ${said}`);
  return said;
}
