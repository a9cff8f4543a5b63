import { readdir, readFile } from 'node:fs/promises';

/**
 * All words of the package's SQL, among them the names of the functions, types and tables in it.
 */
export async function wordsOfTheSource(): Promise<string[]> {
  const folder = new URL('../src/', import.meta.url);
  const words = new Set<string>();
  for (const file of await readdir(folder, { recursive: true })) {
    if (!/\.(ts|sql)$/.test(file)) continue;
    const text = await readFile(new URL(file, folder), 'utf8');
    for (const [word] of text.matchAll(/[a-z_0-9]+/g)) words.add(word);
  }
  return [...words];
}

/**
 * A schema "traps" with a trap for each of these functions, types and tables, and for every
 * operator of PostgreSQL: an error as soon as it is used.
 */
export function trapsFor(words: readonly string[]): string {
  return `
    CREATE FUNCTION traps.trap(name pg_catalog.text) RETURNS pg_catalog.int4 LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'trap: %', name; END $$;
    DO $do$
    DECLARE
      words pg_catalog.text[] := '{${words.join(',')}}';
      r record;
    BEGIN
      FOR r IN SELECT p.oid, proname, p.proretset,
          (SELECT coalesce(string_agg(t::oid::regtype::text, ','), '') FROM unnest(proargtypes) t) AS args,
          CASE WHEN prorettype = 'pg_catalog.record'::regtype THEN 'record'
            ELSE prorettype::regtype::text END AS result
        FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
          AND proname = ANY (words) AND provariadic = 0
      LOOP
        BEGIN
          EXECUTE format('CREATE FUNCTION traps.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS
            $body$ BEGIN PERFORM traps.trap(%L); END $body$', r.proname, r.args,
            CASE WHEN r.proretset THEN 'SETOF' ELSE '' END, r.result, r.proname);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
      FOR r IN SELECT o.oid, oprname, oprleft, oprright, oprleft::regtype AS l, oprright::regtype AS r,
          oprresult::regtype AS result
        FROM pg_operator o WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
      LOOP
        BEGIN
          EXECUTE format('CREATE FUNCTION traps.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS
            $body$ BEGIN PERFORM traps.trap(%L); END $body$', r.oid, r.l, r.r, r.result, r.oprname);
          EXECUTE format('CREATE OPERATOR traps.%s (LEFTARG = %s, RIGHTARG = %s,
            FUNCTION = traps.operator_%s)', r.oprname, r.l, r.r, r.oid);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
      FOR r IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
        AND relname = ANY (words) AND relkind IN ('r', 'v')
      LOOP
        EXECUTE format('CREATE VIEW traps.%I AS SELECT traps.trap(%L) AS trap', r.relname, r.relname);
      END LOOP;
      FOR r IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
        AND typname = ANY (words) AND typtype = 'b' AND typname !~ '^_'
      LOOP
        EXECUTE format('CREATE DOMAIN traps.%I AS pg_catalog.%I CONSTRAINT trap CHECK (false)',
          r.typname, r.typname);
      END LOOP;
    END $do$`;
}
