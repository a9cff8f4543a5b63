-- One row per email. The claim is the row; its lease is the advisory lock of the session that made
-- it. The server frees that lock when the session ends.

create table :schema.records (
  key text collate "C" primary key,
  -- The version of the form in which the row is stored:
  -- docs/decisions/0024-postgres-record-format.md.
  format smallint not null,
  state text not null check (
    state in ('claimed', 'dispatched', 'sent', 'rejected', 'skipped', 'cancelled')
  ),
  -- Which attempt; empty on a cancellation. Every write names it.
  token text collate "C" not null,
  -- The number of the advisory lock of the session that is sending, the process of its backend in
  -- the upper half; null if no session is.
  session bigint,
  at timestamptz not null,
  -- When its sender last gave a sign of life.
  seen_at timestamptz not null,
  -- Outcomes and cancellations end with the retention; claims with their session; dispatches never.
  expires_at timestamptz,
  job_queue text,
  job_id text,
  digest text,
  sender text,
  fingerprint text,
  message_id text,
  note text,
  result text,
  resolved_by text,
  late_not_sent boolean,
  check ((expires_at is null) = (state in ('claimed', 'dispatched')))
) with (fillfactor = 85);

-- All open records, also those in a state that a later version may add.
create index records_open on :schema.records (state, seen_at) where expires_at is null;
create index records_expiry on :schema.records (expires_at) where expires_at is not null;

-- The input and the output of a verb. `operation` and the record of a reply get new fields only at
-- the end: a process of an older release may be running. The name of the one who
-- sends, cancels or resolves is not called `by` as elsewhere: PL/pgSQL finds no field of that name.
create type :schema.operation as (
  i int,
  verb text,
  key text,
  token text,
  dispatched boolean,
  -- What settle records, or the verdict of resolve.
  outcome text,
  retention_ms float8,
  job_queue text,
  job_id text,
  sender text,
  fingerprint text,
  message_id text,
  note text,
  result text,
  late_not_sent boolean,
  -- Of "sent": no dispatch of this attempt was acknowledged.
  undispatched boolean,
  digest text
);
create type :schema.reply as (
  i int,
  status text,
  -- The fields of the record under the key, if the reply shows it.
  record json
);

-- Another role may create functions and operators in a schema on the caller's search_path. So a
-- function sets its own. Two kinds do not, because a `set` clause would be felt, and name the
-- schema of each operator, function and type instead: the small ones below, expressions in SQL that
-- PostgreSQL inlines (12 to 20 % of a claim and its settlement), and those that run for each email
-- or each busy copy (2 % of it each on PostgreSQL 13 to 16). They compare with `= any (array[…])`:
-- `in (…)` cannot name a schema.

-- Whether these functions store and read records of this format.
create function :schema.has_format(format int) returns boolean
language sql immutable as $$
  select format operator(pg_catalog.=) 1
$$;

-- Whether these functions can read a row, and a program its time. They change and remove no other
-- row.
create function :schema.is_readable(format int, state text, at timestamptz) returns boolean
language sql immutable as $$
  select :schema.has_format(format)
    and state operator(pg_catalog.=) any (array[
      'claimed', 'dispatched', 'sent', 'rejected', 'skipped', 'cancelled'
    ])
    and at operator(pg_catalog.>=) timestamp with time zone '1970-01-01 00:00:00+00'
    and at operator(pg_catalog.<) timestamp with time zone '10000-01-01 00:00:00+00'
$$;

-- Whether a role may change the records itself, or become one that may. The table is named by its
-- type, because a name inside a string would need other quotes.
create function :schema.may_write(role oid) returns boolean
language plpgsql stable as $$
declare
  records pg_catalog.text := pg_catalog.pg_typeof(cast(null as :schema.records));
begin
  return pg_catalog.has_table_privilege(role, records, 'UPDATE') or exists (
    select from pg_catalog.pg_roles
    where pg_catalog.pg_has_role(role, pg_roles.oid, 'MEMBER')
      and pg_catalog.has_table_privilege(pg_roles.oid, records, 'UPDATE')
  );
end
$$;

-- Any role may take any advisory lock once its owner has ended, and a role without rights could so
-- hide a doubt. The upper half of a lock's number is therefore the process of its owner, and the
-- owner is a role that may write the records.

-- Whether the owner of a lock is connected.
create function :schema.has_owner(session bigint) returns boolean
language plpgsql as $$
begin
  -- PostgreSQL looks at the backends once in a transaction: one that came later is not among them.
  for look in 1..2 loop
    if exists (
      select from pg_catalog.pg_stat_get_activity(cast(session operator(pg_catalog.>>) 32 as int))
      where :schema.may_write(usesysid)
    ) then
      return true;
    end if;
    perform pg_catalog.pg_stat_clear_snapshot();
  end loop;
  return false;
end
$$;

-- The sessions that live. One look at all locks costs as much as some tries for one of them.
create function :schema.living_sessions() returns setof bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  return query
    with held as materialized (
      select (classid::bigint << 32) | objid::bigint as session
      from pg_locks
      where locktype = 'advisory' and objsubid = 1 and granted and mode = 'ExclusiveLock'
        and database = (select oid from pg_database where datname = current_database())
        and classid::bigint = pid
    )
    select session from held where :schema.has_owner(session);
end
$$;

-- Whether a session lives. Its lock is exclusive and taken once, so that any number of sessions may
-- try for a share of it: they disturb neither the owner nor each other. A session must not try for
-- its own.
create function :schema.is_alive(session bigint, mine bigint) returns boolean
language sql as $$
  select case
    when session is null then false
    when session operator(pg_catalog.=) mine then true
    when pg_catalog.pg_try_advisory_xact_lock_shared(session) then false
    else :schema.has_owner(session)
  end
$$;

-- Whether a readable row counts as absent: an outcome past its retention, a claim whose session
-- ended.
create function :schema.is_over(
  state text, session bigint, expires_at timestamptz, mine bigint
) returns boolean
language sql as $$
  select case
    when state operator(pg_catalog.=) 'claimed' then not :schema.is_alive(session, mine)
    else coalesce(expires_at operator(pg_catalog.<=) pg_catalog.clock_timestamp(), false)
  end
$$;

-- The row under a key, locked, or nulls. What counts as absent is removed first. An unreadable row
-- has no token and the state `unreadable` here, so that no verb takes it for a row that it may
-- change.
create function :schema.existing_record(wanted text, mine bigint) returns :schema.records
language plpgsql as $$
declare
  r :schema.records;
begin
  select * into r from :schema.records where key operator(pg_catalog.=) wanted for update;
  if r.key is null then
    return null;
  elsif not :schema.is_readable(r.format, r.state, r.at) then
    r.state := 'unreadable';
    r.token := null;
  elsif :schema.is_over(r.state, r.session, r.expires_at, mine) then
    delete from :schema.records where key operator(pg_catalog.=) wanted and token operator(pg_catalog.=) r.token;
    return null;
  end if;
  return r;
end
$$;

-- Refuses a process that stores records in another format than these functions.
create function :schema.refuse_format(caller_format int) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'this process stores records in format %, and the functions of the schema do not',
    caller_format using errcode = 'SND02';
end
$$;
