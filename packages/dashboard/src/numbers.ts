/** `1,234` */
export function formatNumber(count: number): string {
  return count.toLocaleString('en');
}

/** `1 email`, `2 emails` */
export function countEmails(count: number): string {
  return `${formatNumber(count)} ${count === 1 ? 'email' : 'emails'}`;
}

/** `1,234`, and `1.2M` where the axis of a chart has no room for more. */
export function formatAxisNumber(count: number): string {
  return count < 1_000_000
    ? formatNumber(count)
    : count.toLocaleString('en', { notation: 'compact' });
}
