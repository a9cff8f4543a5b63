/**
 * The entries of one version in several changelogs of changesets, under their headings. An entry
 * that several packages have is there once; "Updated dependencies" says nothing, as all have one
 * version.
 */
export function mergeNotes(version: string, changelogs: readonly string[]): string {
  const entries = new Map<string, Set<string>>();
  for (const changelog of changelogs) {
    for (const [heading, list] of headingsOf(sectionOf(version, changelog))) {
      const merged = entries.get(heading) ?? new Set();
      for (const entry of list) if (!entry.startsWith('- Updated dependencies')) merged.add(entry);
      entries.set(heading, merged);
    }
  }
  return [...entries]
    .filter(([, list]) => list.size > 0)
    .map(([heading, list]) => `### ${heading}\n\n${[...list].join('\n')}`)
    .join('\n\n');
}

function sectionOf(version: string, changelog: string): string {
  const sections = changelog.split(/^## /m);
  return sections.find((section) => section.startsWith(`${version}\n`)) ?? '';
}

function headingsOf(section: string): [heading: string, entries: string[]][] {
  return section
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      const entries = lines.join('\n').split(/^(?=- )/m);
      return [heading, entries.map((entry) => entry.trim()).filter((entry) => entry !== '')];
    });
}
