import type { Provider } from './provider.ts';
import { incompleteEmail } from './provider-error.ts';
import {
  copyVariables,
  shownPath,
  type TemplateValue,
  type Variables,
} from './template-variables.ts';

/** A template that is stored at the provider. */
export interface ProviderTemplate {
  /**
   * The provider's id, name or alias of the template. A number with Brevo, and with Postmark if it
   * is not an alias. A string with the others.
   */
  readonly id: string | number;
  /**
   * The values that the template shows. A value that JSON would change or leave out is refused: a
   * `Date`, `undefined`, `NaN`, a function, a class instance.
   * @default none
   */
  readonly variables?: { readonly [name: string]: TemplateValue } | undefined;
}

/**
 * The field `template` of an email for a provider transport, which nodemailer's `SendMailOptions`
 * does not have. The provider writes the content, so `html` and `text` are refused.
 *
 * @example
 * const email: SendMailOptions & TemplateMessage = {
 *   from: 'shop@example.com',
 *   to: 'ada@example.com',
 *   template: { id: 'delivery-notice', variables: { order: 7 } },
 * };
 * await transporter.sendMail(email);
 */
export interface TemplateMessage {
  /** The template. Its content is not sent, only its id and variables. */
  readonly template: ProviderTemplate;
}

/** @internal A checked template. */
export interface EmailTemplate {
  readonly id: string | number;
  /** Undefined if there are none. */
  readonly variables: Variables | undefined;
}

/**
 * @internal Reads the field `template` of an email. Undefined if there is none, and if it is one
 * of a plugin that writes the content, such as the name of a Handlebars file.
 * @throws {ProviderError}
 */
export function readTemplate(given: unknown, provider: Provider): EmailTemplate | undefined {
  if (!isTemplate(given)) return undefined;
  const { name, templates } = provider;
  if (templates === undefined) {
    throw incompleteEmail(
      name,
      `it has a "template", and ${name} has none: it needs "html" or "text"`,
    );
  }
  const { id, variables, ...others } = given;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw incompleteEmail(
      name,
      `its "template" has the field "${shownPath([other])}" beside "id", "variables"`,
    );
  }
  if (typeof id === 'number' ? !Number.isSafeInteger(id) || id < 1 : !isName(id)) {
    throw incompleteEmail(name, 'the "id" of its template is neither a name nor a positive number');
  }
  if (!templates.ids.includes(typeof id as 'string' | 'number')) {
    const wanted = templates.ids[0] === 'string' ? 'a string' : 'a number';
    throw incompleteEmail(name, `the "id" of its template is not ${wanted}`);
  }
  return { id, variables: copyVariables(variables, name) };
}

/** @internal Whether a field `template` is meant for the provider. Other plugins have no `id`. */
export function isTemplate(
  given: unknown,
): given is { readonly id: string | number; readonly variables?: unknown } {
  return typeof given === 'object' && given !== null && 'id' in given;
}

function isName(id: unknown): boolean {
  return typeof id === 'string' && id.trim() !== '' && !/\p{Cc}/u.test(id);
}
