/** One minute in milliseconds. See {@link MAX_DURATION_MS}. */
export const MINUTE_MS = 60 * 1000;
/** One hour in milliseconds. See {@link MAX_DURATION_MS}. */
export const HOUR_MS = 60 * MINUTE_MS;
/** One day in milliseconds. See {@link MAX_DURATION_MS}. */
export const DAY_MS = 24 * HOUR_MS;
/**
 * 100 years: the longest duration that every store can keep.
 * See {@link checkDuration}.
 */
export const MAX_DURATION_MS = 100 * 365 * DAY_MS;
