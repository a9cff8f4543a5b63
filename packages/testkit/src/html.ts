const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is safe between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One element; the attributes are escaped, the content is HTML already. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeHtml(String(value))}"`);
  return `<${name}${written.join('')}>${content}</${name}>`;
}

export interface Page {
  readonly title: string;
  readonly style: string;
  /** The parts of the body: HTML already. */
  readonly body: readonly string[];
}

/** A page that needs nothing from elsewhere. */
export function renderPage({ title, style, body }: Page): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    element('title', {}, title),
    element('style', {}, style),
    '</head>',
    element('body', {}, `\n${body.join('\n')}\n`),
    '</html>',
    '',
  ].join('\n');
}
