/** Markup. Only {@link html} makes it, so that a text of the ledger is never treated as markup. */
export interface Html {
  readonly markup: string;
}

/** What a template can contain. Text is escaped; `undefined` and `false` show nothing. */
export type TemplateValue = Html | string | number | undefined | false | readonly TemplateValue[];

const madeHere = new WeakSet<object>();

/**
 * Makes a piece of a page. All values are escaped, except those that {@link html} made.
 * Attributes must be quoted, so that no value can end them.
 *
 * @example html`<p title="${note}">${label}</p>`
 */
export function html(strings: TemplateStringsArray, ...values: readonly TemplateValue[]): Html {
  const markup = strings.reduce(
    (before, string, index) => before + render(values[index - 1]) + string,
  );
  const piece = Object.freeze({ markup });
  madeHere.add(piece);
  return piece;
}

/**
 * Shows a text that others wrote, such as a label. Its direction does not affect the text beside
 * it.
 */
export function textOr(text: string | undefined, otherwise = '–'): Html {
  return text === undefined || text === ''
    ? html`<span class="none">${otherwise}</span>`
    : html`<bdi>${text}</bdi>`;
}

function render(value: TemplateValue): string {
  if (value === undefined || value === false) return '';
  if (isList(value)) return value.map(render).join('');
  if (isHtml(value)) return value.markup;
  // A store of another make may return any value. What is not markup of ours is shown as text.
  return escapeText(String(value));
}

function isHtml(value: TemplateValue): value is Html {
  return typeof value === 'object' && madeHere.has(value);
}

function isList(value: TemplateValue): value is readonly TemplateValue[] {
  return Array.isArray(value);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
