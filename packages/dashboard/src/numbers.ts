/** `1,234` */
export function formatNumber(count: number): string {
  return count.toLocaleString('en');
}

/** `1 email`, `2 emails` */
export function countEmails(count: number): string {
  return `${formatNumber(count)} ${count === 1 ? 'email' : 'emails'}`;
}
