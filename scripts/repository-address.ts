/** Replaces the address of a repository on GitHub: its pages, its raw files and its site. */
export function withAddress(text: string, from: string, to: string): string {
  return formsOf(from).reduce(
    (changed, form, index) =>
      // `sendonce` is also the beginning of other names.
      changed.replaceAll(
        new RegExp(`${form.replaceAll('.', '\\.')}(?![\\w-])`, 'g'),
        formsOf(to)[index]!,
      ),
    text,
  );
}

function formsOf(address: string): string[] {
  const [owner, name] = address.replace('https://github.com/', '').split('/');
  return [
    `github.com/${owner}/${name}`,
    `raw.githubusercontent.com/${owner}/${name}`,
    `${owner}.github.io/${name}`,
  ];
}
