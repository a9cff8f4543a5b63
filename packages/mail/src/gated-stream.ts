import { Readable } from 'node:stream';
import { NotSentError } from '@sendonce/core';

/**
 * @internal Copies a stream, and calls `mayEnd` between its last chunk and its end. If it resolves
 * with `false`, the stream closes without an end and without an error. If it throws, the stream
 * fails.
 *
 * Each chunk is passed on at once. A connection that breaks in the body must fail before `mayEnd`
 * is called, otherwise an email that was certainly not sent would be in doubt.
 *
 * The stream is in object mode and reads one chunk ahead: in byte mode, `mayEnd` would run while 64
 * KB were still unwritten. It does not use `Readable.from` or an async iterator, because such a
 * stream still emits 'end', which writes the dot, if its own generator destroys it. The promises
 * and listeners of an iterator would also cost each email 0.1 ms of CPU.
 */
export function gateStream(source: Readable, mayEnd: () => Promise<boolean>): Readable {
  let wanted = false;
  const gated = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      wanted = true;
      pass();
    },
    destroy(error, callback) {
      source.destroy();
      callback(error);
    },
  });
  source.on('readable', pass);
  source.on('end', pass);
  // Not only when data are requested: a missing attachment fails before anything is read.
  source.on('error', (error) => gated.destroy(error));
  source.on('close', () => {
    if (source.readableEnded) return;
    gated.destroy(new NotSentError('The message ended before it was complete. It was not sent.'));
  });
  // A connection that is already closed never listens to the stream.
  gated.on('error', () => {});
  return gated;

  function pass(): void {
    if (!wanted || gated.destroyed) return;
    const chunk: unknown = source.read();
    if (chunk === null && !source.readableEnded) return;
    wanted = false;
    if (chunk === null) void end();
    else gated.push(chunk);
  }

  async function end(): Promise<void> {
    try {
      if (!(await mayEnd())) gated.destroy();
      if (!gated.destroyed) gated.push(null);
    } catch (error) {
      gated.destroy(error as Error);
    }
  }
}
