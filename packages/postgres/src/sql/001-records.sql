-- One row per email. The claim is the row; its lease is the advisory lock of the session that made it,
-- which the server frees when that session ends, by whatever cause.

create table :schema.records (
  key text collate "C" primary key,
  state text not null check (state in ('claimed', 'dispatched', 'sent', 'rejected', 'cancelled')),
  -- Which attempt; empty on a cancellation. Every write names it.
  token text collate "C" not null,
  -- The number of the advisory lock of the session that is sending; null where nobody is.
  session bigint,
  at timestamptz not null,
  -- When its sender was last heard.
  seen_at timestamptz not null,
  -- Outcomes and cancellations end with the retention; claims with their session; dispatches never.
  expires_at timestamptz,
  sender text,
  fingerprint text,
  message_id text,
  note text,
  result text,
  check ((expires_at is null) = (state in ('claimed', 'dispatched')))
) with (fillfactor = 85);

-- Whatever is open, also in a state that a later version may add.
create index records_open on :schema.records (state, seen_at) where expires_at is null;
create index records_expiry on :schema.records (expires_at) where expires_at is not null;

-- What a verb is asked, and what it answers. Columns are only ever added, at the end. Who sends is not
-- called `by` as elsewhere: PL/pgSQL finds no field of that name.
create type :schema.operation as (
  i int,
  verb text,
  key text,
  token text,
  dispatched boolean,
  outcome text,
  verdict text,
  retention_ms float8,
  sender text,
  fingerprint text,
  message_id text,
  note text,
  result text
);
create type :schema.reply as (
  i int,
  word text,
  state text,
  token text,
  at_ms float8,
  sender text,
  fingerprint text,
  message_id text,
  note text,
  result text,
  -- How long ago it was dispatched, claimed or settled.
  ago_ms float8
);

-- Whether a session lives. Its lock is exclusive and taken once, so that any number of askers may try
-- for a share of it: they disturb neither the owner nor each other. A session may not ask about itself.
create function :schema.is_alive(session bigint, mine bigint) returns boolean
language plpgsql as $$
begin
  if session is null then
    return false;
  elsif session = mine then
    return true;
  end if;
  return not pg_try_advisory_xact_lock_shared(session);
end
$$;

-- Whether a row counts as absent: an outcome past its retention, a claim whose session ended.
create function :schema.is_over(r :schema.records, mine bigint) returns boolean
language plpgsql as $$
begin
  if r.state = 'claimed' then
    return not :schema.is_alive(r.session, mine);
  end if;
  return coalesce(r.expires_at <= clock_timestamp(), false);
end
$$;

-- The row under a key, locked, or nulls. What counts as absent is removed first.
create function :schema.standing(wanted text, mine bigint) returns :schema.records
language plpgsql as $$
declare
  r :schema.records;
begin
  select * into r from :schema.records where key = wanted for update;
  if r.key is not null and :schema.is_over(r, mine) then
    delete from :schema.records where key = wanted and token = r.token;
    return null;
  end if;
  return r;
end
$$;
