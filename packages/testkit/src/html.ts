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

/**
 * A table whose first column has the names of the rows. All cells are HTML already.
 *
 * @param name the class of the table, if it has one.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  name?: string,
): string {
  const columns = head.map((cell) => element('th', { scope: 'col' }, cell)).join('');
  const body = rows.map(([first = '', ...cells]) => {
    const fields = cells.map((cell) => element('td', {}, cell)).join('');
    return element('tr', {}, element('th', { scope: 'row' }, first) + fields);
  });
  const content =
    element('thead', {}, element('tr', {}, columns)) + element('tbody', {}, body.join('\n'));
  return element('table', { class: name }, content);
}

/** The style that all pages share; light and dark by the reader's own setting. */
const baseStyle = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1d2329; --soft: #5a6570; --line: #d9dfe5; --card: #f6f8fa;
  --blue: #0a5fb0; --good: #0f7b3e; --bad: #c4232e; --doubt: #95630a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e4e9ee; --soft: #9aa7b4; --line: #303942; --card: #1b2127;
    --blue: #6db3f8; --good: #4fce84; --bad: #ff7a7d; --doubt: #e9b44c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1320px; padding: 24px 16px 64px;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 1.25rem; margin: 40px 0 4px; }
p { max-width: 72ch; margin: 4px 0 12px; }
.soft { color: var(--soft); }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.88em; }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; }
table { border-collapse: collapse; margin: 16px 0; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th + th, td { text-align: right; }
th { text-align: left; }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: 700; }
.doubt { color: var(--doubt); font-weight: 400; }
figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--soft); }
svg .lane { text-anchor: end; }
svg .tick { text-anchor: middle; }
svg .base { stroke: var(--line); }
`;

export interface Page {
  readonly title: string;
  /** What the page needs beside the style that all pages share. */
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
    element('style', {}, baseStyle + style),
    '</head>',
    element('body', {}, `\n${body.join('\n')}\n`),
    '</html>',
    '',
  ].join('\n');
}
