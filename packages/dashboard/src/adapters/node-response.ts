import type { IncomingMessage, ServerResponse } from 'node:http';

/** Writes a response. Its stream is cancelled when the client has gone. */
export async function sendResponse(
  response: Response,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  // The rest of a form that was refused is not read. HTTP/2 has no such header: it ends the stream.
  if (!req.complete && req.httpVersionMajor < 2) res.setHeader('connection', 'close');
  const reader = response.body?.getReader();
  if (!reader) return void res.end();
  const stop = () => void reader.cancel().catch(() => {});
  // The client may have gone before.
  if (res.destroyed) return stop();
  res.once('close', stop);
  res.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || res.destroyed) break;
    if (!res.write(value)) await waitForDrain(res);
  }
  res.end();
}

/** Resolves when the client has read, or has gone. */
function waitForDrain(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      res.off('drain', finish).off('close', finish);
      resolve();
    };
    res.on('drain', finish).on('close', finish);
  });
}
