/** What to type into another terminal. */
export function linesToTry(url: string): string {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const json = (body: object) => `--json '${JSON.stringify(body)}'`;
  const order = { to: 'ann@example.org', name: 'Ann', items: ['1 lamp'], arrivesAt: inDays(3) };
  return [
    'Try:',
    `  curl -X PUT ${url}/orders/7/notice ${json(order)}`,
    `  curl ${url}/orders/7/notice`,
    `  curl -X PATCH ${url}/orders/7/notice ${json({ arrivesAt: inDays(5) })}`,
    `  curl -X PATCH ${url}/orders/7/notice ${json({ arrivesAt: inDays(0.9) })}   # leaves at once`,
    `  curl -X DELETE ${url}/orders/7/notice`,
    'Ctrl-C ends it; the notices that are scheduled are kept.',
  ].join('\n');
}
