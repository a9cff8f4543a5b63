import { run } from './run.ts';
const [system = 'redis', emails = '200', workers = '8', minutes = '0.3', seed = '1'] =
  process.argv.slice(2);
const result = await run({
  system: system as 'redis',
  seed: Number(seed),
  emails: Number(emails),
  workers: Number(workers),
  forMs: Number(minutes) * 60_000,
  onProgress: (p) => console.log(JSON.stringify(p)),
});
const { violations, ...rest } = result;
console.log(rest);
for (const v of violations.slice(0, 5)) {
  console.log(v.email, v.verdict, v.found);
  for (const l of v.history) console.log('   ', l);
}
console.log(violations.length, 'violations');
