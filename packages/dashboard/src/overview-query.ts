/** What the URL of the overview asks for. */
export interface OverviewQuery {
  readonly days: Days;
  /** The id of a cause. Undefined: all emails in doubt. */
  readonly cause: string | undefined;
  /** The page of the emails in doubt, from 1. */
  readonly page: number;
}

export type Days = 1 | 7;

export function readOverviewQuery({ searchParams }: URL): OverviewQuery {
  const [cause = '', page = ''] = [searchParams.get('cause'), searchParams.get('page')].map(
    (text) => text ?? '',
  );
  return {
    days: searchParams.get('days') === '7' ? 7 : 1,
    cause: /^[\w-]{1,16}$/.test(cause) ? cause : undefined,
    page: /^\d{1,4}$/.test(page) ? Number(page) : 1,
  };
}

/** The query of a URL, without what is the default. Also the name of its live topic. */
export function formatOverviewQuery({ days, cause, page }: OverviewQuery): string {
  const query = new URLSearchParams({ days: String(days) });
  if (cause !== undefined) query.set('cause', cause);
  if (page > 1) query.set('page', String(page));
  return `?${query.toString()}`;
}
