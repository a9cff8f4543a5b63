import { expect, test } from 'vitest';
import { deriveKey } from '../src/index.ts';
import { digestOf } from '../src/store/index.ts';

const key = deriveKey('order-7');
const job = { queue: 'notices', name: 'notice', data: { orderId: 7, to: 'ada', lines: [1, 2] } };

test('the same job has the same digest in any order of its fields', () => {
  const { orderId, to, lines } = job.data;
  const digest = digestOf(job, key);
  expect(digest).toMatch(/^[\w-]{3}$/);
  expect(digestOf({ ...job, data: { lines, to, orderId, nothing: undefined } }, key)).toBe(digest);
});

test('another queue, name, value, field, order in a list, or key has another one', () => {
  const { data } = job;
  const others = [
    { ...job, queue: 'others' },
    { ...job, name: 'reminder' },
    { ...job, data: { ...data, to: 'bob' } },
    { ...job, data: { ...data, orderId: '7' } },
    { ...job, data: { ...data, more: null } },
    { ...job, data: { ...data, lines: [2, 1] } },
    // What the fields exchange does not cancel out.
    { ...job, data: { ...data, orderId: 'ada', to: 7 } },
    { ...job, data: 'text' },
    { ...job, data: undefined },
  ].map((other) => digestOf(other, key));
  const all = [digestOf(job, key), digestOf(job, deriveKey('order-8')), ...others];
  expect(new Set(all).size).toBe(all.length);
});

test('similar jobs collide about as seldom as 18 bits allow', () => {
  const digests = Array.from({ length: 2_000 }, (_, orderId) =>
    digestOf({ ...job, data: { ...job.data, orderId } }, key),
  );
  // Among 2,000 of 262,144 values, 7.6 collisions are to be expected.
  expect(new Set(digests).size).toBeGreaterThan(2_000 - 25);
});

test('what has no JSON form has none', () => {
  expect(digestOf({ ...job, data: { id: 7n } }, key)).toBeUndefined();
});
