const TrueDate = Date;
let aheadMs = 0;

/**
 * Replaces the clock of this process by one that can be set; the monotonic one stays, as on any
 * machine.
 */
export function installClock(): void {
  globalThis.Date = class extends TrueDate {
    constructor(...parts: [] | [value: number | string | Date]) {
      if (parts.length === 0) super(TrueDate.now() + aheadMs);
      else super(...(parts as [number]));
    }
    static override now(): number {
      return TrueDate.now() + aheadMs;
    }
  } as DateConstructor;
}

export function setClock(ahead: number): void {
  aheadMs = ahead;
}

/** What the others' clocks show. */
export function trueNowMs(): number {
  return TrueDate.now();
}
