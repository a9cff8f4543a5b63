/*
 * The protocol of sendonce for the model checker Spin: one email, its record in the ledger, a few
 * attempts to send it, and a world that does its worst. README.md beside this file explains it.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif

/* ------------------------------------------------------------------ the ledger: one record */

mtype:state = { absent, claimed, dispatched, sent, rejected, cancelled };

mtype:state state = absent;
byte holder;                    /* the token that stands there: the number of an attempt */
bool silent;                    /* dispatched, and in doubt */
bool knownNotSent;              /* in doubt, with the note of a sender that woke up too late */

/* ------------------------------------------------------------------ what is on its way */

/* A command that has left may be executed at any time, any number of times. */
typedef Commands { bool claim, dispatch, release, settleSent, settleRejected, settleInDoubt };
Commands posted[ATTEMPTS];

/* ------------------------------------------------------------------ what is true, whoever knows it */

byte emails;                    /* how many have left */
bool atSend[ATTEMPTS];          /* the mode, else before-processor */
bool maySend[ATTEMPTS];         /* on its way from its dispatch to its request */
bool wasSilent[ATTEMPTS];       /* its two leases have passed once */
bool begun[ATTEMPTS];
bool over[ATTEMPTS];            /* ended, or its process is dead */
bool gaveUp[ATTEMPTS];          /* its job has failed for good, or completed */
bool releasing[ATTEMPTS];       /* waits for its claim, or gives it back */
bool oneJob;                    /* all attempts are runs of one job, else each has a copy of its own */
byte replaying;                 /* how many act for the sender of a doubt */
bool windowIsOpen = true;       /* the provider still knows the key */
bool noted[ATTEMPTS];           /* its doubt carries the note "surely not sent" */
bool retried;                   /* a person has said "not sent", and retries the jobs that have failed */
bool promised;                  /* somebody was told "cancelled" */

#define name(i) ('A' + (i))

#if ATTEMPTS == 2
#define anyAttempt(holds) (holds(0) || holds(1))
#else
#define anyAttempt(holds) (holds(0) || holds(1) || holds(2))
#endif
#define hasGivenUp(i) gaveUp[i]
#define anyGaveUp anyAttempt(hasGivenUp)
#define isRunning(i) (begun[i] && !over[i])
#define mayComeAgain(i) (!gaveUp[i] && !oneJob)
/* Nobody runs, and no job is left in the queue that would begin another attempt. */
#define nobodyComesAgain (!retried && !anyAttempt(isRunning) && anyGaveUp && !anyAttempt(mayComeAgain))

/* ------------------------------------------------------------------ the properties */

mtype = {
  NEVER_TWICE,                  /* never two emails */
  ON_RECORD,                    /* an email that left is in the ledger: dispatched, in doubt or sent */
  STAYS_SETTLED,                /* an outcome stays what it is; a person may lift a rejection */
  CANCELLED_IS_KEPT,            /* after "cancelled" no email leaves */
  NO_FALSE_DUPLICATE,           /* a job completes as a duplicate only if the email left */
  NOT_TURNED_AWAY,              /* nobody loses against his own claim */
  NOT_LOST                      /* an email that no job will send has left, or the ledger tells of it */
};

/* Which one it is, is printed before the assertion fails. */
#define property(which, holds) if :: (holds) :: else -> printf("BROKEN %e\n", which); assert(false) fi

/* Every change of the record passes here. */
inline write(newState, newHolder, newSilent, byPerson) {
  property(STAYS_SETTLED,
    !(state == sent && newState != sent) && !(state == rejected && newState != rejected && !byPerson));
  property(ON_RECORD,
    emails == 0 || newState == dispatched || newState == sent);
  state = newState; holder = newHolder; silent = newSilent; knownNotSent = false
}

/* ------------------------------------------------------------------ the verbs, as ledger.ts has them */

mtype = { Claim, Dispatch, Release, SettleSent, SettleRejected, SettleInDoubt };
mtype = { none, won, good, lost, expired, busy, inDoubt, isSent, isRejected, isCancelled };

#ifdef CLAIM_FORGETS_TOKEN
#define isOwnClaim(t) false
#else
#define isOwnClaim(t) isOpen(t)
#endif
#define isOpen(t) (holder == (t) && (state == claimed || state == dispatched))
#define isAnothersFact(t) (holder != (t) && (state == sent || state == rejected || state == dispatched))

inline whatStands() {
  if
  :: state == cancelled -> reply = isCancelled
  :: state == sent -> reply = isSent
  :: state == rejected -> reply = isRejected
  :: state == dispatched && silent -> reply = inDoubt
  :: else -> reply = busy
  fi
}

inline doClaim(t) {
  if
  :: state == absent || isOwnClaim(t) ->
    if
#ifdef REPEAT_TAKES_BACK
    :: !atSend[t] -> write(dispatched, t, false, false)
#else
    :: !atSend[t] || state == dispatched -> write(dispatched, t, false, false)
#endif
    :: else -> write(claimed, t, false, false)
    fi;
    reply = won
  :: else ->
    whatStands();
    property(NOT_TURNED_AWAY, holder != t || !(reply == busy || reply == inDoubt))
  fi
}

inline doDispatch(t) {
  if
  :: state == absent -> reply = expired
#ifdef DISPATCH_WITHOUT_COMPARE
  :: state == claimed || state == dispatched ->
#else
  :: isOpen(t) ->
#endif
    write(dispatched, t, false, false); reply = good
  :: else -> whatStands()
  fi
}

inline doRelease(t) {
  if
  :: state != absent && !isOpen(t) -> reply = lost
  :: else -> write(absent, 0, false, false); reply = good
  fi
}

inline doSent(t) {
  if
  :: isAnothersFact(t) -> reply = lost
#ifdef LOCK_ONLY
  :: else -> write(absent, 0, false, false); reply = good
#else
  :: else -> write(sent, t, false, false); reply = good
#endif
  fi
}

inline doRejected(t) {
  if
  :: isAnothersFact(t) -> reply = lost
  :: else -> write(rejected, t, false, false); reply = good
  fi
}

inline doDoubt(t) {
  if
#ifdef DOUBT_OVER_OUTCOME
  :: isAnothersFact(t) -> reply = lost
#else
  :: isAnothersFact(t) || state == sent || state == rejected -> reply = lost
#endif
  :: else -> write(dispatched, t, true, false); wasSilent[t] = true; knownNotSent = noted[t]; reply = good
  fi
}

/* ------------------------------------------------------------------ one attempt: perform.ts */

/* A process may die at any step; one that is not scheduled is frozen, and may wake up at any step. */
inline mayDie() {
  if
  :: true
  :: goto dead
  fi
}

/*
 * Posts a command. It is answered; or it is executed and its answer lost; or it is never executed: then the
 * caller has insisted for long enough. What was posted may be executed later, again.
 */
#define ask(verb, command, execute) \
  mayDie(); \
  atomic { \
    posted[tok].command = true; \
    if \
    :: true; execute; printf("%c: %e -> %e\n", name(me), verb, reply) \
    :: true; execute; execute; printf("%c: %e, sent again as its answer was lost -> %e\n", name(me), verb, reply) \
    :: true; execute; reply = none; printf("%c: %e, executed, and its answer is lost\n", name(me), verb) \
    :: reply = none; printf("%c: %e, no answer\n", name(me), verb) \
    fi \
  }; \
  mayDie()

/* The job is done with: completed, or failed for good. */
inline endJob() { gaveUp[me] = true; goto ended }

/* Nothing was sent: the claim is given back, and the queue retries the job. conclude.ts, giveBack() */
inline giveBack() {
  atomic {
    maySend[me] = false;
    if
#ifndef RELEASE_AFTER_SILENCE
    :: wasSilent[me] && wasDispatched -> noted[me] = true
#endif
    :: else -> releasing[me] = true
    fi
  };
  if
  :: noted[me] -> ask(SettleInDoubt, settleInDoubt, doDoubt(tok))
  :: else -> ask(Release, release, doRelease(tok))
  fi;
  goto ended
}

/* The provider takes a second request under a key that it knows for the same email; a mail server does not. */
inline leave() {
#ifdef REPLAY
  if :: emails == 0 || !windowIsOpen -> emails++ :: else fi;
#else
  emails++;
#endif
  property(NEVER_TWICE, emails < 2);
  property(CANCELLED_IS_KEPT, !promised)
}

/* ASSUMED: who decides about an attempt that is over, decides when none of its commands can arrive any more. */
inline nothingIsOnItsWay(t) {
  posted[t].claim = false; posted[t].dispatch = false; posted[t].release = false;
  posted[t].settleSent = false; posted[t].settleRejected = false; posted[t].settleInDoubt = false
}

active [ATTEMPTS] proctype Attempt() {
  byte me = _pid;
  byte tok = _pid;              /* what it writes with: its own token, or that of the doubt it replays */
  mtype reply = none;
  bool wasDispatched = false;

  /* One job is run again only while it has not ended. */
  atomic {
    !(oneJob && anyGaveUp);
    begun[me] = true;
    if
    :: atSend[me] = true; printf("%c: at-send\n", name(me))
    :: atSend[me] = false; printf("%c: before-processor\n", name(me))
    fi
  };

again: skip;
  releasing[me] = true;
  ask(Claim, claim, doClaim(tok));
  if
#ifdef NO_ANSWER_IS_WON
  :: reply == won || reply == none
#else
  :: reply == won
  :: reply == none -> ask(Release, release, doRelease(tok)); goto ended
#endif
  :: reply == inDoubt ->
    atomic {
      if
      /* The note of its own sender: resolved here, and asked again. */
      :: state == dispatched && silent && knownNotSent ->
        printf("%c: resolves what its sender knew\n", name(me)); nothingIsOnItsWay(holder); write(absent, 0, false, true); goto again
#ifdef REPLAY
      :: state == dispatched && silent && !knownNotSent && windowIsOpen ->
        printf("%c: replays %c\n", name(me), name(holder));
        releasing[me] = false; tok = holder; replaying++; silent = false; maySend[me] = true; goto send
#endif
      :: else
      fi
    };
    endJob()
  :: reply == isSent ->
    property(NO_FALSE_DUPLICATE, emails > 0); endJob()
  :: reply == isCancelled -> endJob()
  :: reply == isRejected -> endJob()
  /* It comes back later, as another attempt. */
  :: else -> goto ended
  fi;

  atomic { releasing[me] = false; maySend[me] = !atSend[me]; wasDispatched = !atSend[me] };
  if
  :: !atSend[me]
  :: atSend[me] ->
    if
    :: true
    /* The processor throws before it sends. */
    :: true; giveBack()
    fi;
    maySend[me] = true;
#ifndef NO_DISPATCH
    ask(Dispatch, dispatch, doDispatch(tok));
    if
    :: reply == good -> wasDispatched = true
    /* Not sent: the ledger could not answer, and may have executed it. */
    :: reply == none -> wasDispatched = true; giveBack()
    :: else -> goto ended
    fi
#endif
  fi;

send: skip;
  mayDie();
  /* From the first byte to the server's reply to the final dot. */
  atomic {
    maySend[me] = false;
    if
    :: true; leave(); printf("%c: sent, 250\n", name(me)); goto wasSent
    :: true; leave(); printf("%c: sent, and no reply\n", name(me)); goto nobodyKnows
    :: printf("%c: not sent, and no reply\n", name(me)); goto nobodyKnows
    /* What a replay is refused for says nothing about the first request. */
    :: tok == me -> printf("%c: no connection, or 4xx: surely not sent\n", name(me)); goto notSent
#ifndef REPLAY
    /* Left out with a provider: what it refuses to one request it refuses to the other, with the same key. */
    :: printf("%c: 5xx: rejected\n", name(me)); goto wasRejected
#endif
    fi
  };

wasSent: skip;
  ask(SettleSent, settleSent, doSent(tok));
  /* Not recorded: the job fails, and says so; the record falls in doubt. */
  endJob();

notSent: skip;
  giveBack();

wasRejected: skip;
  ask(SettleRejected, settleRejected, doRejected(tok));
  endJob();

nobodyKnows: skip;
#ifdef RELEASE_WITHOUT_PROOF
  giveBack();
#else
  ask(SettleInDoubt, settleInDoubt, doDoubt(tok));
  endJob();
#endif

dead:
  printf("%c: dies\n", name(me));
ended:
  atomic {
    maySend[me] = false; over[me] = true; releasing[me] = false;
    if :: tok != me -> replaying-- :: else fi
  }
}

/* ------------------------------------------------------------------ the world */

#define sends(i) (maySend[i] || releasing[i])

active proctype World() {
  mtype reply = none;
  byte t = 0;
  if :: oneJob = true; printf("one job\n") :: oneJob = false fi;
  do
  /* A lease ends. */
  :: atomic { state == claimed -> write(absent, 0, false, false); printf("the lease is over\n") }
  /* Two leases without heartbeat: in doubt. A heartbeat ends it. */
  :: atomic {
      /* ASSUMED: who gets no answer, or gives back, has done so before the two leases are over. */
      state == dispatched && !silent && !releasing[holder] ->
      silent = true; wasSilent[holder] = true; printf("%c is silent: in doubt\n", name(holder));
      /* ASSUMED: what a client sends again comes within two leases. */
      if :: over[holder] -> nothingIsOnItsWay(holder) :: else fi
    }
  :: atomic { state == dispatched && silent && (!over[holder] || replaying > 0) -> silent = false; knownNotSent = false; printf("%c is heard again\n", name(holder)) }
#ifdef TTL_ON_DISPATCHED
  :: atomic { state == dispatched -> write(absent, 0, false, false); printf("the record of the dispatch expires\n") }
#endif
  /* What was posted is executed again, or late. */
  :: atomic {
      t = 0;
      do :: t < ATTEMPTS - 1 -> t++ :: break od;
      if
      :: posted[t].claim -> doClaim(t); printf("%c's claim again -> %e\n", name(t), reply)
      :: posted[t].dispatch -> doDispatch(t); printf("%c's dispatch again -> %e\n", name(t), reply)
      :: posted[t].release -> doRelease(t); printf("%c's release again -> %e\n", name(t), reply)
      :: posted[t].settleSent -> doSent(t); printf("%c's SettleSent again -> %e\n", name(t), reply)
      :: posted[t].settleRejected -> doRejected(t); printf("%c's SettleRejected again -> %e\n", name(t), reply)
      :: posted[t].settleInDoubt -> doDoubt(t); printf("%c's SettleInDoubt again -> %e\n", name(t), reply)
      :: else
      fi;
      t = 0; reply = none
    }
  /* Somebody cancels. */
  :: atomic {
      if
#ifdef CANCEL_AFTER_DISPATCH
      :: state != sent && state != rejected ->
#else
      :: state == absent || state == claimed || state == cancelled ->
#endif
        write(cancelled, ATTEMPTS, false, false); promised = true; printf("cancelled\n")
      :: else
      fi
    }
  /* A person who knows: the sender is over, and nothing of it is on its way any more. */
  :: atomic {
      ((state == dispatched && silent) || state == rejected) && over[holder] && replaying == 0 ->
      nothingIsOnItsWay(holder);
      if
      :: emails > 0 && state == dispatched -> write(sent, holder, false, true); printf("a person: sent\n")
      :: emails == 0 -> write(absent, 0, false, true); printf("a person: not sent\n"); retried = true
      :: else
      fi
    }
  #ifdef REPLAY
  /* ASSUMED: nobody is frozen between dispatch and request, or replay and request, until the window ends. */
  :: atomic { windowIsOpen && !anyAttempt(sends) -> windowIsOpen = false; printf("the provider forgets the key\n") }
#endif
  :: atomic { nobodyComesAgain -> property(NOT_LOST, emails > 0 || state == dispatched || state == rejected || state == cancelled); break }
  od
}
