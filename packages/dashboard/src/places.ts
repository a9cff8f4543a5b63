/** What there is under the mount. */
export type Place =
  | { readonly name: 'overview' | 'find' | 'events' | 'style' | 'script' | 'icon' }
  | { readonly name: 'email' | 'resolve'; readonly key: string };

export interface FoundPlace {
  readonly place: Place;
  readonly methods: readonly string[];
}

const read = ['GET', 'HEAD'] as const;

const fixed: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['/', { name: 'overview' }],
  ['/find', { name: 'find' }],
  ['/events', { name: 'events' }],
  ['/style.css', { name: 'style' }],
  ['/script.js', { name: 'script' }],
  ['/icon.svg', { name: 'icon' }],
]);

/** The path is what a URL has made of it: without dots, and what is encoded in it meets nothing here. */
export function placeOf(path: string): FoundPlace | undefined {
  const place = fixed.get(path);
  if (place) return { place, methods: read };
  const [, key, resolve] = /^\/email\/([\w-]{22})(\/resolve)?$/.exec(path) ?? [];
  if (key === undefined) return undefined;
  if (resolve === undefined) return { place: { name: 'email', key }, methods: read };
  return { place: { name: 'resolve', key }, methods: ['POST'] };
}
