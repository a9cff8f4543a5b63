/** `@sendonce/redis/internal`: for `@sendonce/redlock` only. It may change in every version. */
export { defineScript } from './client.ts';
export { nameOf } from './unavailable.ts';
export { record as recordLua } from './generated/scripts.ts';
export { placesOf } from './places.ts';
export { encodeFields, encodeRecord, STATE_LETTERS, unreadableRecord } from './record.ts';
