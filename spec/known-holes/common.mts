import {
  memoryLedger,
  perform,
  deriveKey,
  NotSentError,
  LedgerUnavailableError,
} from '/work/main/packages/core/src/index.ts';
export { memoryLedger, perform, deriveKey, NotSentError, LedgerUnavailableError };
export const sleep = (ms: number) => new Promise<void>((r) => setTimeout(r, ms));
export const gate = () => {
  let open!: () => void;
  const passed = new Promise<void>((r) => (open = r));
  return { open, passed };
};
const t0 = Date.now();
export const say = (...a: unknown[]) => console.log(String(Date.now() - t0).padStart(5), ...a);
/** A provider that knows a key for `windowMs` after the first request. */
export function provider(windowMs: number) {
  let known = -Infinity;
  let emails = 0;
  return {
    get emails() {
      return emails;
    },
    post(who: string) {
      if (performance.now() - known < windowMs)
        return say(`  provider: ${who} repeats a known key, no email`);
      known = performance.now();
      emails++;
      say(`  provider: ${who}: EMAIL ${emails} LEAVES`);
    },
  };
}
