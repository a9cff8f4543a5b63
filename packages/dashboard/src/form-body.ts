import { withTimeout } from '@sendonce/core/ledger';

/** More than any form about one email has. */
export const MAX_FORM_BYTES = 16 * 1024;

export type FormBody = { readonly form: URLSearchParams } | { readonly status: 400 | 413 | 415 };

const READ_TIMEOUT_MS = 10_000;

/**
 * Reads the fields of a form. It stops as soon as the form is too large, and gives up if the form
 * is cut off or takes too long.
 */
export async function readForm(request: Request, maxBytes = MAX_FORM_BYTES): Promise<FormBody> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return { status: 415 };
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return { status: 413 };
  return withTimeout(
    readFields(request, maxBytes),
    READ_TIMEOUT_MS,
    () => ({ status: 400 }) as const,
  ).catch(() => ({ status: 400 }));
}

async function readFields(request: Request, maxBytes: number): Promise<FormBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      // Not awaited, because a sender that never ends its form may not answer the cancellation
      // either.
      reader?.cancel().catch(() => {});
      return { status: 413 };
    }
    chunks.push(value);
  }
  return { form: new URLSearchParams(Buffer.concat(chunks).toString('utf8')) };
}
