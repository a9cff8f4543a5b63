/** More than any form of ours is. */
export const MOST_BYTES = 16 * 1024;

export type FormBody = { readonly form: URLSearchParams } | { readonly status: 413 | 415 };

/** The fields of a form, of which no more is read than a form of ours can have. */
export async function readForm(request: Request): Promise<FormBody> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return { status: 415 };
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BYTES) return { status: 413 };
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) break;
    size += value.byteLength;
    if (size > MOST_BYTES) {
      // Without waiting: a sender that never ends would not end that either.
      reader?.cancel().catch(() => {});
      return { status: 413 };
    }
    chunks.push(value);
  }
  return { form: new URLSearchParams(Buffer.concat(chunks).toString('utf8')) };
}
