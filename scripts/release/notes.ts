/**
 * Prints the notes of the current version, from the CHANGELOGs of all packages, each entry once.
 */
import { readFileSync } from 'node:fs';
import { published, readManifest, root } from '../published.ts';
import { mergeNotes } from './merge-notes.ts';

const { version } = readManifest('packages/core');
const changelogs = published.map((name) =>
  readFileSync(`${root}packages/${name}/CHANGELOG.md`, 'utf8'),
);
console.log(mergeNotes(version, changelogs));
