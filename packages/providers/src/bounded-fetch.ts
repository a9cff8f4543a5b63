import type { Fetch } from './post-once.ts';

/** @internal The largest body of an answer, in bytes after decompression. */
export const longestAnswerBytes = 1024 * 1024;

/** @internal The body of an answer is larger than that of any provider. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
}

/** @internal An answer whose body can be read once. */
export interface BoundedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** @throws {AnswerTooLargeError} @throws if the body is incomplete or late. */
  readonly readText: () => Promise<string>;
}

/**
 * @internal Makes one request. It follows no redirects, which would send the API key to another
 * host. The deadline is for the whole answer, even if the user's `fetch` ignores the signal.
 */
export async function boundedFetch(
  fetch: Fetch,
  url: string,
  { answerWithinMs, ...init }: RequestInit & { readonly answerWithinMs: number },
): Promise<BoundedAnswer> {
  const signal = AbortSignal.timeout(answerWithinMs);
  const response = await orAbort(fetch(url, { ...init, redirect: 'manual', signal }), signal);
  const { status, headers, body } = response;
  return { status, headers, readText: () => readText(body, signal) };
}

/** @internal Reads a body. @throws {AnswerTooLargeError} @throws if it is incomplete or late. */
export async function readText(body: Response['body'], signal: AbortSignal): Promise<string> {
  if (!body) return '';
  const decoder = new TextDecoder();
  // Not getReader(), because the body of node-fetch is a stream of Node.
  const chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let text = '';
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await orAbort(chunks.next(), signal);
      if (done) return text + decoder.decode();
      size += value.byteLength;
      if (size > longestAnswerBytes) throw new AnswerTooLargeError();
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    // Closes the connection if the answer was not read to its end.
    void chunks.return?.().catch(() => {});
  }
}

/** Settles as the promise does, or rejects when the signal is aborted. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
