/** Markup that may be shown as it is: only `html` makes it, so nothing read from a ledger can pass for it. */
export interface Html {
  readonly markup: string;
}

/** What may stand in a template; a text is escaped, `undefined` and `false` are nothing. */
export type Shown = Html | string | number | undefined | false | readonly Shown[];

const made = new WeakSet<object>();

/**
 * A piece of a page. All that is put into it is escaped, but what another `html` has made.
 * Attributes must be quoted: inside of them a value ends nothing.
 *
 * @example html`<p title="${note}">${label}</p>`
 */
export function html(strings: TemplateStringsArray, ...values: readonly Shown[]): Html {
  const markup = strings.reduce(
    (before, string, index) => before + markupOf(values[index - 1]) + string,
  );
  const piece = Object.freeze({ markup });
  made.add(piece);
  return piece;
}

/** What others wrote, such as a label: its letters cannot turn around the text beside it. */
export function said(text: string | undefined, otherwise = '–'): Html {
  return text === undefined || text === ''
    ? html`<span class="none">${otherwise}</span>`
    : html`<bdi>${text}</bdi>`;
}

function markupOf(value: Shown): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'number') return String(value);
  if (isList(value)) return value.map(markupOf).join('');
  if (!made.has(value)) throw new TypeError('Only what html`` has made is markup.');
  return value.markup;
}

function isList(value: Shown): value is readonly Shown[] {
  return Array.isArray(value);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
