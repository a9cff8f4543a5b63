import { hash128 } from '@sendonce/core/ledger';
import { type Html, html } from './html.ts';

/** The parts of a page that change while it is open, by their ids. */
export type Parts<Name extends string = string> = Readonly<Record<Name, Html>>;

/** A page replaces a part only if its version differs, so that the reader's place is kept. */
export function hashVersion({ markup }: Html): string {
  return hash128(markup).slice(0, 12);
}

/** A part in its page. */
export function livePart<Name extends string>(parts: Parts<Name>, name: Name): Html {
  const part = parts[name];
  return html`<div id="${name}" class="part" data-version="${hashVersion(part)}">${part}</div>`;
}

/** A part that is one sentence. A screen reader speaks it when it changes. */
export function spokenPart<Name extends string>(parts: Parts<Name>, name: Name): Html {
  const part = parts[name];
  return html`<p id="${name}" class="spoken" role="status" data-version="${hashVersion(part)}">
    ${part}
  </p>`;
}
