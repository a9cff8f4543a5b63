import { isKey } from '@sendonce/core/ledger';

/** A page or a file of the dashboard. */
export type Route =
  | { readonly name: 'overview' | 'find' | 'doubts' | 'events' | 'style' | 'script' | 'icon' }
  | { readonly name: 'confirm-many' | 'resolve-many' }
  | { readonly name: 'email' | 'resolve'; readonly key: string };

export interface MatchedRoute {
  readonly route: Route;
  readonly methods: readonly string[];
}

const readMethods = ['GET', 'HEAD'] as const;

const fixedRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/', { name: 'overview' }],
  ['/find', { name: 'find' }],
  ['/doubts', { name: 'doubts' }],
  ['/events', { name: 'events' }],
  ['/style.css', { name: 'style' }],
  ['/script.js', { name: 'script' }],
  ['/icon.svg', { name: 'icon' }],
]);

const formRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/doubts/confirm', { name: 'confirm-many' }],
  ['/doubts/resolve', { name: 'resolve-many' }],
]);

/**
 * Finds the route of a path of a URL. Such a path has no dots left, and an encoded character
 * matches no route.
 */
export function matchRoute(path: string): MatchedRoute | undefined {
  const route = fixedRoutes.get(path);
  if (route) return { route, methods: readMethods };
  const formRoute = formRoutes.get(path);
  if (formRoute) return { route: formRoute, methods: ['POST'] };
  const [, key, resolve] = /^\/email\/([^/]+)(\/resolve)?$/.exec(path) ?? [];
  if (!isKey(key)) return undefined;
  if (resolve === undefined) return { route: { name: 'email', key }, methods: readMethods };
  return { route: { name: 'resolve', key }, methods: ['POST'] };
}

/** The path below the mount. Undefined for a path outside of it. @internal */
export function pathInside(base: string, pathname: string): string | undefined {
  if (pathname === base) return '/';
  return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined;
}
