import { AnswerTooLargeError, type BoundedAnswer, boundedFetch } from './bounded-fetch.ts';
import { networkErrorCode, neverConnected } from './network-error.ts';

/** The `fetch` of Node. */
export type Fetch = typeof globalThis.fetch;

/** @internal */
export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly answerWithinMs: number;
  readonly fetch: Fetch;
}

/**
 * @internal An HTTP answer. `json` is undefined if the body is not JSON or is incomplete.
 */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly json: unknown;
}

/** @internal There was no answer. `left` says whether the request may have been sent. */
export interface NoAnswer {
  readonly left: boolean;
  readonly code: string;
}

/**
 * @internal Makes exactly one POST. It never throws: it returns the answer, or that there was none.
 *
 * The body is a stream, because fetch repeats other POSTs after a 421 (measured on Node 20.20).
 * Each email has a separate connection: if a shared one was just closed by the server, every email
 * that is written to it would be in doubt.
 */
export async function postOnce(post: Post): Promise<HttpAnswer | NoAnswer> {
  const bytes = new TextEncoder().encode(post.body);
  let answer: BoundedAnswer;
  try {
    answer = await boundedFetch(post.fetch, post.url, {
      method: 'POST',
      answerWithinMs: post.answerWithinMs,
      headers: {
        ...post.headers,
        accept: 'application/json',
        connection: 'close',
        'content-length': String(bytes.length),
        'content-type': 'application/json',
      },
      body: toStream(bytes),
      duplex: 'half',
    });
  } catch (error) {
    return { left: !neverConnected(error), code: networkErrorCode(error) };
  }
  return readAnswerOnce(answer);
}

function toStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function readAnswerOnce({
  status,
  headers,
  readText,
}: BoundedAnswer): Promise<HttpAnswer | NoAnswer> {
  let json: unknown;
  try {
    json = JSON.parse(await readText());
  } catch (error) {
    // It is not the answer of a provider, so its status means nothing.
    if (error instanceof AnswerTooLargeError) return { left: true, code: 'too-large' };
    // The answer is incomplete or not JSON. Only the status is used.
  }
  return { status, headers, json };
}
