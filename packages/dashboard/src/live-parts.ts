import { hash128 } from '@sendonce/core/ledger';
import { type Html, html } from './html.ts';

/** The parts of a page that change while somebody looks, by their names. */
export type Parts<Name extends string = string> = Readonly<Record<Name, Html>>;

/** Tells whether a page shows this very text: what did not change is not replaced under the reader. */
export function versionOf({ markup }: Html): string {
  return hash128(markup).slice(0, 12);
}

/** The place of a part in its page. */
export function livePart<Name extends string>(parts: Parts<Name>, name: Name): Html {
  const part = parts[name];
  return html`<div id="${name}" class="part" data-version="${versionOf(part)}">${part}</div>`;
}

/** What a part says in a sentence is spoken when it changes. */
export function spokenPart<Name extends string>(parts: Parts<Name>, name: Name): Html {
  const part = parts[name];
  return html`<p id="${name}" class="spoken" role="status" data-version="${versionOf(part)}">
    ${part}
  </p>`;
}
