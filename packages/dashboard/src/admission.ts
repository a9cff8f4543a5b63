import { readHost } from './csrf.ts';
import type { Settings, Viewer } from './options.ts';
import { recallOriginal } from './original.ts';

export type Admission =
  | { readonly viewer: Viewer }
  /** Why the request is denied, as a sentence for a page. */
  | { readonly deniedBecause: string };

/**
 * Finds out who asks, and whether they may look. Without `authorize` only this machine may, and
 * only look.
 */
export async function admit(request: Request, { authorize }: Settings): Promise<Admission> {
  const original = recallOriginal(request);
  if (!authorize) {
    const isLocal =
      isLoopbackHost(readHost(request)) &&
      isLoopbackAddress(original?.remoteAddress) &&
      !isForwarded(request);
    return isLocal ? { viewer: { name: 'this machine' } } : { deniedBecause: onlyLocal };
  }
  const viewer = await authorize(request, original?.request);
  // The name is recorded with each verdict, so a viewer without a name is denied.
  if (typeof viewer?.name === 'string' && viewer.name !== '') {
    return { viewer: { name: viewer.name, mayResolve: viewer.mayResolve === true } };
  }
  return {
    deniedBecause:
      'You may not look at this dashboard: its "authorize" did not accept the request. Sign in to the application first.',
  };
}

const onlyLocal =
  'Without "authorize" the dashboard answers this machine only: through nodeHandler or fastifyPlugin, under localhost, ' +
  '127.0.0.1 or [::1], and not through a proxy. A call of fetch(), as under Hono, does not show where a request is from. ' +
  'Give dashboard() the option "authorize".';

/** Stops DNS rebinding: a page of another site can only send its own name as the Host. */
function isLoopbackHost(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}

/**
 * An address that is not known, as of a Unix socket or in a call of `fetch`, may be any machine's.
 */
function isLoopbackAddress(remoteAddress: string | undefined): boolean {
  return remoteAddress !== undefined && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(remoteAddress);
}

/** A proxy on this machine asks under localhost on behalf of other machines. */
function isForwarded({ headers }: Request): boolean {
  return [...headers.keys()].some((name) =>
    /^(x-forwarded|x-original|x-amzn|x-envoy|forwarded$|via$)|(real|client|connecting)-ip$/.test(
      name,
    ),
  );
}
