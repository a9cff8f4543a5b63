/** What an adapter knows about a request and a `Request` cannot carry. */
export interface Original {
  /** The framework's own request, which may have a user. */
  readonly request: unknown;
  readonly remoteAddress: string | undefined;
}

const originals = new WeakMap<Request, Original>();

export function rememberOriginal(request: Request, original: Original): void {
  originals.set(request, original);
}

export function recallOriginal(request: Request): Original | undefined {
  return originals.get(request);
}
