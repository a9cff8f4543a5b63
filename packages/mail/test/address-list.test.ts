import { domainToASCII } from 'node:url';
import { expect, it } from 'vitest';
import { explainAmbiguity, readAddressList } from '../../core/src/mail/address-list.ts';
import { email, majors, nodemailerOf } from './helpers.ts';

const fragments = [
  'a@x.example',
  'b@y.example',
  'ä@exämple.example',
  'x..y@x.example',
  'Ann',
  '[EXT]',
  '[192.0.2.1]',
  '"Smith, Ann"',
  '"c@z.example d"',
  '(Sales)',
  '<a@x.example>',
  '<b@y.example>',
  'Team:',
  '\\"',
  '\\',
  '"',
  "'",
  '(',
  ')',
  '<',
  '>',
  ',',
  ',',
  ';',
  ':',
  '@',
  '.',
  '[',
  ']',
  ' ',
  ' ',
  '\u00a0',
  '\ufeff',
];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function readableTexts(count: number, seed: number): string[] {
  const random = randomNumbers(seed);
  const texts = new Set<string>();
  while (texts.size < count) {
    const length = 1 + Math.floor(random() * 9);
    const pick = () => fragments[Math.floor(random() * fragments.length)];
    const text = Array.from({ length }, pick).join('');
    const addresses = readAddressList(text);
    if (!addresses?.length || addresses.some(explainAmbiguity)) continue;
    texts.add(text);
  }
  return [...texts];
}

/** nodemailer 9 and 10 quote `x..y` and keep the domain of `ä@…` as it is. */
function normalise(address: string): string {
  const [user, domain] = address.replaceAll('"', '').split('@');
  return `${user}@${domainToASCII(domain!)}`;
}

const seed = Number(process.env['SENDONCE_SEED'] ?? Date.now() % 1e9);

it(`every nodemailer reads what is read here in the same way, seed ${seed}`, async () => {
  const texts = readableTexts(1000, seed);
  for (const major of majors) {
    const transporter = nodemailerOf(major).createTransport({ jsonTransport: true });
    for (const text of texts) {
      const { envelope } = await transporter.sendMail(email({ to: text }));
      const wanted = new Set(readAddressList(text)!.map(normalise));
      expect([major, text, envelope.to.map(normalise)]).toEqual([major, text, [...wanted]]);
    }
  }
}, 120_000);

it('a long text is read, or refused, in no time that depends on its square', () => {
  const startMs = performance.now();
  for (const part of ['"', '(', '<', 'a@b.example,', ' ', 'g:', ':', '\\', '(x)', '"x" ', 'a']) {
    readAddressList(part.repeat(200_000));
    readAddressList(`g:${part.repeat(200_000)}@`);
    explainAmbiguity(part.repeat(200_000));
  }
  expect(performance.now() - startMs).toBeLessThan(20_000);
});
