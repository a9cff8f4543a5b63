import { deepStrictEqual } from 'node:assert/strict';

/** @throws {AssertionError} that shows both, in a test as well as in the dry run. */
export function expectEqual<T>(actual: T, wanted: T): void {
  deepStrictEqual(actual, wanted);
}
