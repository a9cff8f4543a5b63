import { startWorkerProcess } from '@sendonce/testkit';

export interface ScriptEnvironment {
  readonly REDIS_URL: string;
  readonly SMTP_URL: string;
  readonly PREFIX: string;
  readonly REPORT_TO?: string;
}

export interface ScriptEnded {
  readonly code: number | null;
  /** stdout and stderr. */
  readonly said: string;
}

/** Runs the script once in a separate process, as cron does. */
export async function runScript(
  args: readonly string[],
  env: ScriptEnvironment,
): Promise<ScriptEnded> {
  const { exited, output } = await startWorkerProcess({
    file: new URL('./daily-report.ts', import.meta.url),
    args: [...args],
    // The Redis of this example has no append-only file, and the ledger would warn of that.
    env: { ...env, NODE_OPTIONS: '--disable-warning=SENDONCE_DOCTOR' },
  });
  const { code } = await exited;
  return { code, said: output().trimEnd() };
}
