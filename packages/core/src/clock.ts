let aheadMs = 0;

/**
 * Milliseconds of this process, for "how long ago". They never run backwards, as the wall clock
 * may, and they advance while the machine is suspended, as `performance.now()` does not.
 */
export function nowMs(): number {
  const steadyMs = performance.timeOrigin + performance.now();
  // A step of the wall clock counts as time that has passed: an answer that seems too old is safe.
  aheadMs = Math.max(aheadMs, Date.now() - steadyMs);
  return steadyMs + aheadMs;
}
