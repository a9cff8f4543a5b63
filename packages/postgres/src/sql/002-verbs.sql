-- The verbs of the ledger, one function each; packages/core/src/ledger.ts says what they must do.
-- `mine` is the session that asks, null where none is held.

create function :schema.say(o :schema.operation, word text) returns :schema.reply
language plpgsql as $$
declare
  a :schema.reply;
begin
  a.i := o.i;
  a.word := word;
  return a;
end
$$;

-- What stands under the key. Dispatched, and nobody is sending: in doubt.
create function :schema.show(
  o :schema.operation, word text, r :schema.records, mine bigint
) returns :schema.reply
language plpgsql as $$
declare
  a :schema.reply;
begin
  a.i := o.i;
  a.word := word;
  a.state := r.state;
  if r.state = 'dispatched' and not :schema.is_alive(r.session, mine) then
    a.state := 'in-doubt';
  end if;
  a.token := r.token;
  a.at_ms := floor(extract(epoch from r.at) * 1000);
  a.sender := r.sender;
  a.fingerprint := r.fingerprint;
  a.message_id := r.message_id;
  a.note := r.note;
  a.result := r.result;
  a.ago_ms := extract(epoch from clock_timestamp() - r.at) * 1000;
  return a;
end
$$;

-- Writes a row where none stands; false where another session was faster. On a conflict it waits for the
-- other's transaction, so the caller then finds that row.
create function :schema.insert_row(
  o :schema.operation, new_state text, new_token text, mine bigint
) returns boolean
language plpgsql as $$
declare
  moment timestamptz := clock_timestamp();
  open boolean := new_state in ('claimed', 'dispatched');
begin
  insert into :schema.records
    (key, state, token, session, at, seen_at, expires_at,
     sender, fingerprint, message_id, note, result)
  values
    (o.key, new_state, new_token, mine, moment, moment,
     case when not open then moment + o.retention_ms * interval '1 millisecond' end,
     o.sender, o.fingerprint, o.message_id, o.note, o.result)
  on conflict (key) do nothing;
  return found;
end
$$;

-- Writes over a row that the caller has locked and whose token it names.
create function :schema.replace_row(
  o :schema.operation, over_token text, new_state text, new_token text, mine bigint
) returns void
language plpgsql as $$
declare
  moment timestamptz := clock_timestamp();
  open boolean := new_state in ('claimed', 'dispatched');
begin
  update :schema.records set
    state = new_state, token = new_token, session = mine, seen_at = moment,
    -- A doubt keeps the time of its dispatch: from then on counts what a provider remembers.
    at = case when o.outcome = 'in-doubt' and token = new_token and state = 'dispatched' then at else moment end,
    expires_at = case when not open then moment + o.retention_ms * interval '1 millisecond' end,
    sender = o.sender, fingerprint = o.fingerprint, message_id = o.message_id, note = o.note,
    result = o.result
  where key = o.key and token = over_token;
end
$$;

-- It holds the record open, and nobody was told yet that it is in doubt.
create function :schema.may_go_on(r :schema.records, token text, mine bigint) returns boolean
language plpgsql as $$
begin
  return r.token = may_go_on.token
    and (r.state = 'claimed' or (r.state = 'dispatched' and :schema.is_alive(r.session, mine)));
end
$$;

-- The own record as it is, held by this session from now on.
create function :schema.go_on(o :schema.operation, word text, mine bigint) returns :schema.reply
language plpgsql as $$
begin
  update :schema.records set session = mine, seen_at = clock_timestamp()
    where key = o.key and token = o.token;
  return :schema.say(o, word);
end
$$;

create function :schema.claim(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records;
  wanted text := case when o.dispatched then 'dispatched' else 'claimed' end;
begin
  loop
    if :schema.insert_row(o, wanted, o.token, mine) then
      return :schema.say(o, 'won');
    end if;
    r := :schema.standing(o.key, mine);
    exit when r.key is not null;
  end loop;
  if :schema.may_go_on(r, o.token, mine) then
    -- The repeat of a claim whose reply was lost. It neither takes a dispatch back, nor its time or its texts.
    if r.state = 'dispatched' then
      return :schema.go_on(o, 'won', mine);
    end if;
    perform :schema.replace_row(o, o.token, wanted, o.token, mine);
    return :schema.say(o, 'won');
  end if;
  return :schema.show(o, 'stands', r, mine);
end
$$;

-- The point of no return: compare-and-set on the token. A claim whose session ended is not found.
create function :schema.dispatch(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records := :schema.standing(o.key, mine);
begin
  if r.key is null then
    return :schema.say(o, 'expired');
  elsif :schema.may_go_on(r, o.token, mine) then
    update :schema.records set
      state = 'dispatched', session = mine, seen_at = clock_timestamp(),
      -- A repeat keeps the time: from then on counts what a provider remembers.
      at = case when state = 'claimed' then clock_timestamp() else at end
      where key = o.key and token = o.token;
    return :schema.say(o, 'dispatched');
  end if;
  return :schema.show(o, 'stands', r, mine);
end
$$;

-- Lost where another attempt has dispatched or settled; only "sent" replaces a cancellation, and a doubt
-- never an outcome. A state that this version does not know is shown, and found unreadable by the caller.
create function :schema.settle(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records;
  doubt boolean := o.outcome = 'in-doubt';
  wanted text := case when o.outcome = 'in-doubt' then 'dispatched' else o.outcome end;
begin
  loop
    r := :schema.standing(o.key, mine);
    exit when r.key is not null;
    -- Nobody is sending any more: no session.
    if :schema.insert_row(o, wanted, o.token, null) then
      return :schema.say(o, 'settled');
    end if;
  end loop;
  if (r.token <> o.token and r.state in ('dispatched', 'sent', 'rejected'))
    or (doubt and r.state in ('sent', 'rejected'))
    or (r.state = 'cancelled' and o.outcome <> 'sent')
    or r.state not in ('claimed', 'dispatched', 'sent', 'rejected', 'cancelled')
  then
    return :schema.show(o, 'stands', r, mine);
  end if;
  perform :schema.replace_row(o, r.token, wanted, o.token, null);
  return :schema.say(o, 'settled');
end
$$;

-- One in doubt stays: others were told so.
create function :schema.release(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records := :schema.standing(o.key, mine);
begin
  if r.key is null then
    return :schema.say(o, 'released');
  elsif r.token = o.token and r.state in ('claimed', 'dispatched') then
    if not :schema.may_go_on(r, o.token, mine) then
      return :schema.say(o, 'in-doubt');
    end if;
    delete from :schema.records where key = o.key and token = o.token;
    return :schema.say(o, 'released');
  end if;
  return :schema.say(o, 'lost');
end
$$;

-- A dispatch whose session ended is taken over by the session in which its sender goes on. Of no session
-- (`mine` is null), it says that nobody is sending any more.
create function :schema.heartbeat(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records := :schema.standing(o.key, mine);
begin
  if r.token = o.token and r.state in ('claimed', 'dispatched') then
    return :schema.go_on(o, 'kept', mine);
  end if;
  return :schema.say(o, 'lost');
end
$$;

create function :schema.read(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records;
begin
  select * into r from :schema.records where key = o.key;
  if r.key is null or :schema.is_over(r, mine) then
    return :schema.say(o, 'absent');
  end if;
  return :schema.show(o, 'stands', r, mine);
end
$$;

-- "not-sent" removes a doubt, and a rejected email as well: its cause is mended.
create function :schema.resolve(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records := :schema.standing(o.key, mine);
  a :schema.reply;
begin
  if r.key is null then
    -- The repeat of a "not-sent" whose reply was lost.
    return :schema.say(o, case when o.verdict = 'not-sent' then 'resolved' else 'absent' end);
  end if;
  a := :schema.show(o, 'stands', r, mine);
  if r.token <> o.token then
    return a;
  elsif a.state = 'sent' and o.verdict = 'sent' then
    return :schema.say(o, 'resolved');
  elsif o.verdict = 'not-sent' and a.state in ('in-doubt', 'rejected') then
    delete from :schema.records where key = o.key and token = o.token;
    return :schema.say(o, 'resolved');
  elsif o.verdict = 'sent' and a.state = 'in-doubt' then
    update :schema.records set
      state = 'sent', session = null, at = clock_timestamp(), note = o.note,
      expires_at = clock_timestamp() + o.retention_ms * interval '1 millisecond'
      where key = o.key and token = o.token;
    return :schema.say(o, 'resolved');
  end if;
  return a;
end
$$;

-- Only before dispatch: from absent, or over another attempt's mere claim, or again.
create function :schema.cancel(o :schema.operation, mine bigint) returns :schema.reply
language plpgsql as $$
declare
  r :schema.records;
begin
  loop
    r := :schema.standing(o.key, mine);
    exit when r.key is not null;
    if :schema.insert_row(o, 'cancelled', '', null) then
      return :schema.say(o, 'cancelled');
    end if;
  end loop;
  if r.state in ('claimed', 'cancelled') then
    perform :schema.replace_row(o, r.token, 'cancelled', '', null);
    return :schema.say(o, 'cancelled');
  end if;
  return :schema.show(o, 'stands', r, mine);
end
$$;

-- Many operations in one statement and one transaction, in the order of their keys, so that two
-- sessions never wait for each other in a circle; those of one key in the order in which they came.
-- `expected_pid`: the backend that holds the session's lock. Behind a pooler that shares backends
-- another one may answer.
create function :schema.act(
  expected_pid int, mine bigint, durable boolean, operations json
) returns setof :schema.reply
language plpgsql as $$
declare
  o :schema.operation;
begin
  if expected_pid <> pg_backend_pid() then
    raise exception 'backend % answered, the lock is held by %', pg_backend_pid(), expected_pid
      using errcode = 'SND01';
  end if;
  if not durable then
    -- A claim, a heartbeat: a server that crashes frees their locks, so their rows are worth nothing.
    perform set_config('synchronous_commit', 'off', true);
  end if;
  for o in
    select * from json_populate_recordset(cast(null as :schema.operation), operations) order by key collate "C", i
  loop
    case o.verb
      when 'claim' then return next :schema.claim(o, mine);
      when 'dispatch' then return next :schema.dispatch(o, mine);
      when 'settle' then return next :schema.settle(o, mine);
      when 'release' then return next :schema.release(o, mine);
      when 'heartbeat' then return next :schema.heartbeat(o, mine);
      when 'read' then return next :schema.read(o, mine);
      when 'resolve' then return next :schema.resolve(o, mine);
      when 'cancel' then return next :schema.cancel(o, mine);
    end case;
  end loop;
end
$$;
