/** Makes choices that are the same for the same numbers. */
export interface Chooser {
  readonly oneOf: <T>(values: readonly T[]) => T;
  /** True in `share` of the cases, from 0 to 1. */
  readonly chance: (share: number) => boolean;
  /** A whole number from 0 up to, and without, `end`. */
  readonly below: (end: number) => number;
  readonly bytes: (length: number) => Buffer;
}

export function chooser(random: () => number): Chooser {
  const below = (end: number) => Math.floor(random() * end);
  return {
    below,
    oneOf: (values) => values[below(values.length)]!,
    chance: (share) => random() < share,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

/** Changes some bytes of a message, leaves some out, or ends it early. */
export function damage(message: Buffer, { below, chance, bytes }: Chooser): Buffer {
  if (message.length === 0) return message;
  if (chance(0.3)) return message.subarray(0, below(message.length));
  const at = below(message.length);
  const removed = chance(0.5) ? 1 : 0;
  return Buffer.concat([
    message.subarray(0, at),
    bytes(1 + below(3)),
    message.subarray(at + removed),
  ]);
}
