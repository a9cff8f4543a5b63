import { Readable } from 'node:stream';
import { NotSentError } from '@sendonce/core';

/**
 * @internal Passes a stream on, and asks `mayEnd` between its last chunk and its end. On `false`
 * the stream closes without an end and without an error; when `mayEnd` throws it fails.
 *
 * It passes on what there is, as soon as it is there, and does not gather full pieces: a connection
 * that breaks in the body must be known before `mayEnd` is asked, or "surely not sent" would become
 * a doubt.
 *
 * Pull-driven, in object mode with one chunk read ahead: in byte mode `mayEnd` would run while 64
 * KB were still to be written. By hand and not by `Readable.from` or an async iterator: a stream of
 * that kind that is destroyed by its own generator still emits 'end', which is the dot, and the
 * iterator's promises and listeners cost each email 0.1 ms of CPU.
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
  // At once and not only when pulled: a missing attachment fails before anything is read.
  source.on('error', (error) => gated.destroy(error));
  source.on('close', () => {
    if (source.readableEnded) return;
    gated.destroy(new NotSentError('The message broke off before its end. It was not sent.'));
  });
  // A connection that is gone already takes the stream and never listens to it.
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
