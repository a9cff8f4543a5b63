-- What people and dashboards may read: columns keep their names and meaning, and `result` is not
-- shown. `in-doubt` and `claimed` are as true as the moment at which the locks were looked at. A
-- row of another format is shown as `unreadable`: what its other columns mean is not known.
create view :schema.emails as
with alive as materialized (
  select session from :schema.living_sessions() session
)
select
  key,
  case
    when not :schema.is_readable(format, state, at) then 'unreadable'
    when state = 'dispatched' and not exists (select from alive where alive.session = r.session)
      then 'in-doubt'
    else state
  end as state,
  at, job_queue, job_id, sender as by, message_id, note, resolved_by, late_not_sent
from :schema.records r
where not :schema.is_readable(format, state, at)
  or ((expires_at is null or expires_at > clock_timestamp())
    and (state <> 'claimed' or exists (select from alive where alive.session = r.session)));

-- The keys that are past dispatch and without outcome: the doubts first, then the silent for
-- longest. Unreadable rows are among them. The sessions are looked at together: a lock for each
-- would fill the server's table of locks after some thousand crashes.
create function :schema.open_keys(
  only_doubts boolean, mine bigint, caller_format int
) returns setof text
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if not :schema.has_format(caller_format) then
    perform :schema.refuse_format(caller_format);
  end if;
  return query
    select r.key
    from :schema.records r
    left join :schema.living_sessions() alive on alive = r.session
    where r.expires_at is null and r.state <> 'claimed' and not (only_doubts and alive is not null)
    order by alive is not null, r.seen_at, r.key;
end
$$;

-- Removes so many readable rows that count as absent anyway. Locked ones wait for the next time.
create function :schema.sweep(batch int) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  removed int;
  claims int;
begin
  -- As an array: a subquery with a limit may be run once for each row.
  delete from :schema.records where key = any (array(
    select key from :schema.records
    where expires_at <= now() and :schema.is_readable(format, state, at)
    order by expires_at limit batch for update skip locked
  ));
  get diagnostics removed = row_count;
  with alive as materialized (select :schema.living_sessions() as session)
  delete from :schema.records r where key = any (array(
    select key from :schema.records
    where state = 'claimed' and expires_at is null and seen_at < now() - interval '1 hour'
      and :schema.is_readable(format, state, at)
    order by seen_at limit batch for update skip locked
  )) and not exists (select from alive where alive.session = r.session);
  get diagnostics claims = row_count;
  return greatest(removed, claims);
end
$$;
