let aheadMs = 0;

/**
 * Milliseconds of this process, for "how long ago": they never run backwards, as the wall clock may,
 * and go on while the machine is suspended, where `performance.now()` stands still.
 */
export function nowMs(): number {
  const steadyMs = performance.timeOrigin + performance.now();
  // A step of the wall clock counts as time that has passed: too old is the safe side.
  aheadMs = Math.max(aheadMs, Date.now() - steadyMs);
  return steadyMs + aheadMs;
}
