/**
 * Throws where a tag is not closed, closed in the wrong order, or has an attribute that is not
 * quoted, and where a text holds a bare `<`, `>` or `&`.
 */
export function checkHtml(html: string): void {
  const open: string[] = [];
  const ids = new Set<string>();
  const body = html.replace(/^<!doctype html>/, '').replace(/<style>[^<]*<\/style>/, '');
  let rest = body;
  for (;;) {
    const tag = /<(\/?)([a-z][a-z0-9]*)((?: [\w:-]+="[^"<>]*")*)>/i.exec(rest);
    checkText(tag ? rest.slice(0, tag.index) : rest);
    if (!tag) break;
    const [whole, slash, name = '', attributes = ''] = tag;
    rest = rest.slice(tag.index + whole.length);
    const id = / id="([^"]*)"/.exec(attributes)?.[1];
    if (id !== undefined && ids.has(id)) throw new Error(`two elements have the id "${id}"`);
    if (id !== undefined) ids.add(id);
    if (name === 'meta') continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) throw new Error(`</${name}> closes nothing that is open`);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  for (const [, target = ''] of body.matchAll(/ href="#([^"]*)"/g)) {
    if (!ids.has(target)) throw new Error(`a link points at "#${target}", which is not there`);
  }
}

function checkText(text: string): void {
  const bare = /[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/.exec(text);
  if (bare) throw new Error(`bare "${bare[0]}" in: ${text.slice(0, 80)}`);
}
