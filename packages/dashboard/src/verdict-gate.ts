import { isFormToken, isSameOrigin } from './csrf.ts';
import { MAX_FORM_BYTES, readForm } from './form-body.ts';
import type { Settings, Viewer } from './options.ts';

/** A form that asks for a verdict. */
export interface VerdictRequest {
  readonly viewer: Viewer;
  readonly request: Request;
  /** What the token of the form was made for: the key of an email, or the list of doubts. */
  readonly scope: string;
  /** @default that of a form about one email */
  readonly maxBytes?: number | undefined;
}

export type AdmittedForm =
  | { readonly form: URLSearchParams; readonly csrf: string }
  /** The form is not genuine. It may only be old. */
  | { readonly isStale: true }
  | { readonly status: number; readonly problem: string };

/** Reads the form of a viewer who may resolve, from a page of this dashboard. */
export async function admitForm(
  { viewer, request, scope, maxBytes = MAX_FORM_BYTES }: VerdictRequest,
  { secret }: Pick<Settings, 'secret'>,
): Promise<AdmittedForm> {
  const deny = (status: number, problem: string) => ({ status, problem });
  if (!viewer.mayResolve) {
    return deny(
      403,
      'You may look, but not resolve: "authorize" of the dashboard did not grant you mayResolve.',
    );
  }
  if (!isSameOrigin(request)) {
    return deny(403, 'This form did not come from a page of this dashboard.');
  }
  const body = await readForm(request, maxBytes);
  if ('status' in body) return deny(body.status, formProblems(maxBytes)[body.status]);
  const { form } = body;
  const csrf = form.get('csrf') ?? '';
  return isFormToken(secret, [viewer.name, scope, csrf]) ? { form, csrf } : { isStale: true };
}

const formProblems = (maxBytes: number) => ({
  400: 'The form is incomplete. Open the page again.',
  413: `The form is larger than ${maxBytes} bytes.`,
  415: 'Expected a form: application/x-www-form-urlencoded.',
});
