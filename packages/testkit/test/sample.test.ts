import { describe, expect, it } from 'vitest';
import { everything, oneOf, sampleOf } from '../src/sample.ts';

const cases = Array.from({ length: 23 }, (_, index) => index);
const commits = Array.from({ length: 200 }, (_, index) => `commit ${index}`);
const choose = (sample: string, name = 'a table') => sampleOf(cases, { name, oneIn: 5, sample });

describe('the sample of a run', () => {
  it('is the same each time for one commit', () => {
    expect(choose('8b7256b')).toEqual(choose('8b7256b'));
  });

  it('has one case in five, in the order of the table', () => {
    for (const commit of commits) {
      expect([4, 5]).toContain(choose(commit).length);
      expect(choose(commit)).toEqual(choose(commit).toSorted((a, b) => a - b));
    }
  });

  it('has each case at some commit', () => {
    expect(new Set(commits.flatMap((commit) => choose(commit)))).toEqual(new Set(cases));
    const single = commits.map((commit) => oneOf(['first', 'second', 'third'], 'a kind', commit));
    expect(new Set(single)).toEqual(new Set(['first', 'second', 'third']));
  });

  it('differs between two tables of one commit', () => {
    expect(commits.some((commit) => choose(commit, 'one')[0] !== choose(commit, 'two')[0])).toBe(
      true,
    );
  });

  it('is every case with the name "all"', () => {
    expect(choose(everything)).toEqual(cases);
  });
});
