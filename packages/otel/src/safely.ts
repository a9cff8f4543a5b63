import { warn } from '@sendonce/core/ledger';

/** Runs code that measures. If it throws, the result is undefined: no email depends on it. */
export type Safely = <T>(measure: () => T) => T | undefined;

/** Makes the {@link Safely} of one telemetry. Only its first failure is a process warning. */
export function createSafely(): Safely {
  let warned = false;
  return (measure) => {
    try {
      return measure();
    } catch (error) {
      if (!warned) {
        warned = true;
        const reason = error instanceof Error ? error.message : String(error);
        warn(
          'SENDONCE_TELEMETRY',
          `sendonce telemetry failed (${reason}). Emails are sent as usual; metrics and spans may be ` +
            'missing. Check the OpenTelemetry SDK. Later failures are not reported.',
        );
      }
      return undefined;
    }
  };
}
