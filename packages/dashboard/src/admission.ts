import { hostOf } from './csrf.ts';
import type { Settings, Viewer } from './options.ts';
import { originalOf } from './original.ts';

export type Admission =
  | { readonly viewer: Viewer }
  /** Why not, as a sentence for a page. */
  | { readonly refused: string };

/** Who looks, if anybody may. Without `authorize` that is this machine, and it only looks. */
export async function admit(request: Request, { authorize }: Settings): Promise<Admission> {
  const original = originalOf(request);
  if (!authorize) {
    const local =
      isLoopbackHost(hostOf(request)) && isLocal(original?.remoteAddress) && !isForwarded(request);
    return local ? { viewer: { name: 'somebody on this machine' } } : { refused: onlyLocal };
  }
  const viewer = await authorize(request, original?.request);
  // A name is written with each verdict: an object without one is a mistake of ours to refuse, not to guess.
  if (typeof viewer?.name === 'string' && viewer.name !== '') {
    return { viewer: { name: viewer.name, mayResolve: viewer.mayResolve === true } };
  }
  return {
    refused:
      'You may not look at this page: "authorize" of the dashboard knows nobody by this request.',
  };
}

const onlyLocal =
  'Without "authorize" the dashboard answers this machine only, under localhost, 127.0.0.1 or [::1] and not through ' +
  'a proxy. Give dashboard() the option "authorize" to let others look.';

/** A name that a page of another site could lead here by its own DNS is none of these. */
function isLoopbackHost(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}

/** Where an adapter tells the other end of the connection: anybody can send a Host. */
function isLocal(remoteAddress: string | undefined): boolean {
  return remoteAddress === undefined || /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(remoteAddress);
}

/** A proxy on this machine asks under localhost for the whole world. */
function isForwarded({ headers }: Request): boolean {
  return ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some((name) =>
    headers.has(name),
  );
}
