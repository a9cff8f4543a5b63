import { Readable } from 'node:stream';

/**
 * @internal Passes a stream on, and asks `mayEnd` between its last chunk and its end. On `false` the
 * stream closes without an end and without an error; when `mayEnd` throws it fails.
 *
 * Pull-driven: nothing is read before the consumer reads. In object mode with one chunk read ahead;
 * in byte mode `mayEnd` would run while 64 KB were still to be written. Not by `Readable.from`: a
 * stream of that kind that is destroyed by its own generator still emits 'end', which is the dot.
 */
export function gateStream(source: Readable, mayEnd: () => Promise<boolean>): Readable {
  const chunks = source[Symbol.asyncIterator]();
  const gated = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read: () => void pull(),
    destroy(error, callback) {
      source.destroy();
      callback(error);
    },
  });
  // At once and not only when pulled: a missing attachment fails before anybody reads.
  source.on('error', (error) => gated.destroy(error));
  // A connection that is gone already takes the stream and never listens to it.
  gated.on('error', () => {});
  return gated;

  async function pull(): Promise<void> {
    try {
      const next = await chunks.next();
      if (next.done && !(await mayEnd())) gated.destroy();
      if (!gated.destroyed) gated.push(next.done ? null : next.value);
    } catch (error) {
      gated.destroy(error as Error);
    }
  }
}
