/** Runs what measures; what it throws is told once and decides over nothing. */
export type Quietly = <T>(measure: () => T) => T | undefined;

/** A guard of its own for each telemetry: a broken exporter is one process warning, not one per email. */
export function quietly(): Quietly {
  let told = false;
  return (measure) => {
    try {
      return measure();
    } catch (error) {
      if (!told) {
        told = true;
        process.emitWarning(
          `sendonce telemetry failed, and goes on failing in silence: ${error instanceof Error ? error.message : String(error)}`,
          { type: 'SendonceWarning', code: 'SENDONCE_TELEMETRY' },
        );
      }
      return undefined;
    }
  };
}
