/*
 * The protocol of sendonce for the model checker Spin: one email, its record in the ledger, a few
 * attempts to send it, and a world that does its worst. README.md beside this file explains it.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif

/* ------------------------------------------------------------------ the ledger: one record */

mtype:state = { absent, claimed, dispatched, sent, rejected, skipped, cancelled };

mtype:state state = absent;
byte holder;                    /* the token that stands there: the number of an attempt */
bool silent;                    /* dispatched, and in doubt */
bool lateNotSent;               /* of a doubt: its sender woke up too late and sent nothing */

/* ------------------------------------------------------------------ what is on its way */

/* A command that has left may be executed at any time, any number of times. */
typedef Commands { bool claim, dispatch, heartbeat, release, settleSent, settleRejected, settleSkipped, settleInDoubt };
Commands posted[ATTEMPTS];

/* ------------------------------------------------------------------ what is true, whoever knows it */

byte emails;                    /* how many have left */
bool atSend[ATTEMPTS];          /* the mode, else before-processor */
byte tok[ATTEMPTS];             /* what it writes with: its own token, or that of the doubt it replays */
bool inWindow[ATTEMPTS];        /* from its last look at its claim to its request: the window nobody can close */
bool stale[ATTEMPTS];           /* what it knows of its claim is older than a lease */
bool wasSilent[ATTEMPTS];       /* it was stale once: others may have been told "in doubt" */
bool begun[ATTEMPTS];
bool over[ATTEMPTS];            /* ended, or its process is dead */
bool gaveUp[ATTEMPTS];          /* its job has failed for good, or completed */
bool releasing[ATTEMPTS];       /* gives back what it has claimed */
bool beats[ATTEMPTS];           /* holds its claim by heartbeats */
bool oneJob;                    /* all attempts are runs of one job, else each has a copy of its own */
bool windowIsOpen = true;       /* the provider still knows the key */
#ifdef REPLAY
#define providerKnowsTheKey true
#ifdef FORGETS_THE_WINDOW
#define isInTime true
#else
#define isInTime windowIsOpen
#endif
#else
#define providerKnowsTheKey false
#define isInTime true
#endif
bool isLate[ATTEMPTS];          /* it settles its doubt with lateNotSent */
bool retried;                   /* a person has said "not sent", and retries the jobs that have failed */
bool promised;                  /* somebody was told "cancelled" */
bool decided;                   /* a processor has decided not to send: then nothing is lost */
#ifdef RETURN_IS_SENT
#define isDecided true
#else
#define isDecided decided
#endif

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
  CANCELLED_STAYS,              /* only an email that left is recorded over a cancellation */
  SKIP_BLOCKS_NOTHING,          /* no claim loses against "decided not to send" */
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
  property(CANCELLED_STAYS, state != cancelled || newState == cancelled || (newState == sent && emails > 0));
  property(ON_RECORD,
    emails == 0 || newState == dispatched || newState == sent);
  state = newState; holder = newHolder; silent = newSilent; lateNotSent = false
}

/* A repeat of the same token keeps what stands, and is a new mark "still being sent". */
#ifdef REPEAT_TAKES_BACK
#define repeatKeeps(t) (state == dispatched && !atSend[t])
#else
#define repeatKeeps(t) (state == dispatched)
#endif

/* ------------------------------------------------------------------ the verbs, as ledger.ts has them */

mtype = { Claim, Dispatch, Heartbeat, Release, SettleSent, SettleRejected, SettleSkipped, SettleInDoubt };
mtype = { none, won, good, lost, expired, busy, inDoubt, ownDoubt, isSent, isRejected, isCancelled };

#ifdef CLAIM_FORGETS_TOKEN
#define isOwnClaim(t) false
#else
#define isOwnClaim(t) isStillOpen(t)
#endif
/* In doubt is told even to its own sender: others were told so. */
#define isStillOpen(t) (isOpen(t) && !(state == dispatched && silent))
#define isOpen(t) (holder == (t) && (state == claimed || state == dispatched))
#define isAnothersFact(t) (holder != (t) && (state == sent || state == rejected || state == dispatched))

inline whatStands(t) {
  if
  :: isOpen(t) && state == dispatched && silent -> reply = ownDoubt
  :: state == cancelled -> reply = isCancelled
  :: state == sent -> reply = isSent
  :: state == rejected || state == skipped -> reply = isRejected
  :: state == dispatched && silent && holder != t -> reply = inDoubt
  :: else -> reply = busy
  fi
}

#ifdef SKIP_BLOCKS
#define isFree (state == absent)
#else
#define isFree (state == absent || state == skipped)
#endif

inline doClaim(t) {
  if
  :: isFree || isOwnClaim(t) ->
    if
    :: repeatKeeps(t)
    :: else ->
      if
      :: !atSend[t] -> write(dispatched, t, false, false)
      :: else -> write(claimed, t, false, false)
      fi
    fi;
    reply = won
  :: else ->
    whatStands(t);
    property(SKIP_BLOCKS_NOTHING, state != skipped);
    property(NOT_TURNED_AWAY, holder != t || reply != busy)
  fi
}

inline doDispatch(t) {
  if
  :: state == absent || state == skipped -> reply = expired
#ifdef DISPATCH_WITHOUT_COMPARE
  :: state == claimed || state == dispatched ->
#else
  :: isStillOpen(t) ->
#endif
    if
    :: state == dispatched && holder == t
    :: else -> write(dispatched, t, false, false)
    fi;
    reply = good
  :: else -> whatStands(t)
  fi
}

inline doHeartbeat(t) {
  if
  :: isOpen(t) -> silent = false; reply = good
  :: else -> reply = lost
  fi
}

inline doRelease(t) {
  if
  :: state == skipped -> reply = good
  :: state != absent && state != skipped && !isOpen(t) -> reply = lost
#ifndef RELEASE_FORGETS_DOUBT
  :: isOpen(t) && silent -> reply = ownDoubt
#endif
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

#ifdef DOUBT_OVER_CANCELLATION
#define isCancelledForGood false
#else
#define isCancelledForGood (state == cancelled)
#endif

inline doRejected(t) {
  if
  :: isAnothersFact(t) || isCancelledForGood -> reply = lost
  :: else -> write(rejected, t, false, false); reply = good
  fi
}

#ifdef SKIP_OVER_CANCELLATION
#define forbidsSkip(t) isAnothersFact(t)
#else
#define forbidsSkip(t) (isAnothersFact(t) || state == cancelled)
#endif

inline doSkipped(t) {
  if
  :: forbidsSkip(t) || state == sent || state == rejected || (state == claimed && holder != (t)) -> reply = lost
  :: else -> write(skipped, t, false, false); reply = good
  fi
}

inline doDoubt(t) {
  if
#ifdef DOUBT_OVER_OUTCOME
  :: isAnothersFact(t) || isCancelledForGood -> reply = lost
#else
  :: isAnothersFact(t) || isCancelledForGood || state == sent || state == rejected -> reply = lost
#endif
  :: else -> write(dispatched, t, true, false); lateNotSent = isLate[t]; reply = good
  fi
}

/* ------------------------------------------------------------------ one attempt: core/src/attempt */

/* A process may die at any step; one that is not scheduled is frozen, and may wake up at any step. */
inline mayDie() {
  if
  :: true
  :: goto dead
  fi
}

/*
 * Posts a command. It is answered; or it is executed and its answer lost; or it is never executed: then the
 * caller has repeated it for long enough. What was posted may be executed later, again.
 */
#define ask(verb, command, execute) \
  mayDie(); \
  atomic { \
    posted[tok[me]].command = true; \
    if \
    :: true; execute; printf("%c: %e -> %e\n", name(me), verb, reply) \
    :: true; execute; execute; printf("%c: %e, sent again as its answer was lost -> %e\n", name(me), verb, reply) \
    :: true; execute; reply = none; printf("%c: %e, executed, and its answer is lost\n", name(me), verb) \
    :: reply = none; printf("%c: %e, no answer\n", name(me), verb) \
    fi \
  }

/* The job is done with: completed, or failed for good. */
inline endJob() { mayDie(); gaveUp[me] = true; goto ended }

/* Nothing was sent: the claim is given back, and the queue retries the job. */
inline releaseUnsent(mayHave) { mayHaveDispatched = mayHave; goto releasesUnsent }

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

inline nothingIsOnItsWay(t) {
  posted[t].claim = false; posted[t].dispatch = false; posted[t].heartbeat = false; posted[t].release = false;
  posted[t].settleSent = false; posted[t].settleRejected = false; posted[t].settleSkipped = false;
  posted[t].settleInDoubt = false
}

active [ATTEMPTS] proctype Attempt() {
  byte me = _pid;
  byte seen = 0;
  mtype reply = none;
  bool mayHaveDispatched = false;

  /* One job is run again only while it has not ended. */
  atomic {
    !(oneJob && anyGaveUp);
    begun[me] = true; tok[me] = me;
    if
    :: atSend[me] = true; printf("%c: at-send\n", name(me))
    :: atSend[me] = false; printf("%c: before-processor\n", name(me))
    fi
  };

again: skip;
  releasing[me] = true;
  ask(Claim, claim, doClaim(tok[me]));
  if
#ifdef NO_ANSWER_IS_WON
  :: reply == won || reply == none
#else
  :: reply == won
  :: reply == none -> releaseUnsent(!atSend[me])
#endif
  :: reply == ownDoubt -> goto late
  :: reply == inDoubt ->
    atomic {
      seen = holder;
      if
      /* Its own sender sent nothing: resolved here, and claimed again. */
      :: state == dispatched && silent && lateNotSent -> goto resolveKnown
#ifdef REPLAY
      :: state == dispatched && silent && !lateNotSent && isInTime && holder != tok[me] ->
        printf("%c: replays %c\n", name(me), name(holder));
        tok[me] = holder; seen = 0; beats[me] = true; releasing[me] = false; silent = false; goto send
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

  atomic { beats[me] = true; releasing[me] = false };
  if
  :: true
  /* The processor decides not to send. */
  :: true; goto skips
#ifdef RETURN_IS_SENT
  /* It returns without a dispatch, and that is recorded as sent. */
  :: atSend[me]; goto wasSent
#endif
  fi;
  if
  :: !atSend[me]
  :: atSend[me] ->
    if
    :: true
    /* The processor throws before it sends. */
    :: true; releaseUnsent(false)
    fi;
#ifndef NO_DISPATCH
    stale[me] = false; releasing[me] = true;
    ask(Dispatch, dispatch, doDispatch(tok[me]));
    if
    :: reply == good -> releasing[me] = false
    /* Not sent: the ledger could not answer, and may have executed it. */
    :: reply == none -> releaseUnsent(true)
    :: reply == ownDoubt -> goto late
    :: else -> goto ended
    fi
#endif
  fi;

send: skip;
  mayDie();
  /* The last look: what is known of the claim is asked again where it is old. attempt/dispatch.ts */
  atomic {
    if
#ifdef NO_CONFIRMATION
    :: true -> inWindow[me] = true
#else
    :: !stale[me] && (!providerKnowsTheKey || (tok[me] == me && !wasSilent[me]) || (tok[me] != me && isInTime)) ->
      inWindow[me] = true
#endif
#ifdef REPLAY
    :: tok[me] != me && !isInTime -> goto nobodyKnows
#ifndef NO_CONFIRMATION
    :: tok[me] == me && wasSilent[me] -> printf("%c: may have been replayed, and does not send\n", name(me)); goto ended
    :: tok[me] != me && stale[me] && isInTime -> goto confirmReplay
#endif
#else
    :: stale[me] -> goto confirm
#endif
    fi
  };
  /* From the first byte to the server's reply to the final dot. */
  atomic {
    inWindow[me] = false;
    if
    :: true; leave(); printf("%c: sent, 250\n", name(me)); goto wasSent
    :: true; leave(); printf("%c: sent, and no reply\n", name(me)); goto nobodyKnows
    :: printf("%c: not sent, and no reply\n", name(me)); goto nobodyKnows
    /* What a replay is refused for says nothing about the first request; nor one that may have been replayed. */
    :: !providerKnowsTheKey || (tok[me] == me && !wasSilent[me]) ->
      printf("%c: no connection, or 4xx: surely not sent\n", name(me)); goto notSent
#ifndef REPLAY
    /* Left out with a provider: what it refuses to one request it refuses to the other, with the same key. */
    :: printf("%c: 5xx: rejected\n", name(me)); goto wasRejected
#endif
    fi
  };

#ifdef REPLAY
confirmReplay: skip;
  stale[me] = false;
  ask(Heartbeat, heartbeat, doHeartbeat(tok[me]));
  if
  :: reply == good && state == dispatched && holder == tok[me] -> goto send
  :: reply == none -> goto nobodyKnows
  :: else -> goto ended
  fi;
#else
confirm: skip;
  stale[me] = false;
  ask(Dispatch, dispatch, doDispatch(tok[me]));
  if
  :: reply == good -> goto send
  :: reply == none -> releaseUnsent(true)
  :: reply == ownDoubt -> goto late
  :: else -> goto ended
  fi;
#endif

late: skip;
  wasSilent[me] = true; releaseUnsent(true);

releasesUnsent: skip;           /* attempt/release-unsent.ts */
  atomic {
    beats[me] = false; releasing[me] = false; reply = none;
    if
#ifdef REPLAY
    /* Others may have sent it again under this token, and decide. */
    :: wasSilent[me] && mayHaveDispatched -> goto ended
#elif !defined(RELEASE_AFTER_SILENCE)
    /* It looks first whether it has dispatched; what is executed after that look is in the release below. */
    :: wasSilent[me] && mayHaveDispatched && isOpen(tok[me]) && state == dispatched -> reply = ownDoubt
#endif
    :: else -> releasing[me] = true
    fi
  };
  if
  :: releasing[me] -> ask(Release, release, doRelease(tok[me]))
  :: else
  fi;
#ifndef REPLAY
  if
  :: reply == ownDoubt -> isLate[me] = true; ask(SettleInDoubt, settleInDoubt, doDoubt(tok[me]))
  :: else
  fi;
#endif
  goto ended;

resolveKnown: skip;
  mayDie();
  atomic {
    if
    :: state == dispatched && silent && holder == seen ->
      printf("%c: resolves what its sender knew\n", name(me)); write(absent, 0, false, true)
    :: else
    fi;
    seen = 0
  };
  goto again;

wasSent: skip;
  beats[me] = false;
  ask(SettleSent, settleSent, doSent(tok[me]));
  /* Not recorded: the job fails, and says so; the record falls in doubt. */
  endJob();

notSent: skip;
#ifdef REPLAY
  if :: wasSilent[me] -> goto nobodyKnows :: else fi;
#endif
  releaseUnsent(true);

wasRejected: skip;
  beats[me] = false;
  ask(SettleRejected, settleRejected, doRejected(tok[me]));
  endJob();

skips: skip;                    /* attempt/record-outcome.ts */
  atomic {
    beats[me] = false; decided = true;
    if
#ifdef REPLAY
    /* Others may have sent it under this token. */
    :: wasSilent[me] && !atSend[me] -> goto nobodyKnows
#endif
    /* It gives back, too: the email is free for others. */
    :: else -> releasing[me] = true
    fi
  };
  ask(SettleSkipped, settleSkipped, doSkipped(tok[me]));
  if
  :: reply == good -> endJob()
  /* Another attempt has the email, or the ledger did not answer: the job comes back. */
  :: else -> goto ended
  fi;

nobodyKnows: skip;
#ifndef RELEASE_WITHOUT_PROOF
  beats[me] = false;
#endif
#ifdef RELEASE_WITHOUT_PROOF
  releaseUnsent(true);
#else
  ask(SettleInDoubt, settleInDoubt, doDoubt(tok[me]));
  endJob();
#endif

dead:
  printf("%c: dies\n", name(me));
ended:
  /* What is not needed any more is forgotten, so that there are fewer states. */
  atomic {
    over[me] = true; releasing[me] = false; inWindow[me] = false; beats[me] = false; stale[me] = false;
    wasSilent[me] = false; tok[me] = me; reply = none; seen = 0;
    mayHaveDispatched = false
  }
}

/* ------------------------------------------------------------------ the world */

#define isInWindow(i) inWindow[i]
/* A replay has no token of its own: another one may say "in doubt" while it is on its way to its request. */
#define isReplaying(i) (beats[i] && tok[i] != i && !stale[i])
#define isSending(i) (tok[i] == holder && (inWindow[i] || isReplaying(i)))
#define gives(i) (releasing[i] && tok[i] == holder)

/* Whoever writes with this token has heard nothing for longer than a lease. */
inline growsStale(i) {
  if :: isRunning(i) && tok[i] == holder -> stale[i] = true; wasSilent[i] = true :: else fi
}

active proctype World() {
  mtype reply = none;
  byte t = 0;
  if :: oneJob = true; printf("one job\n") :: oneJob = false fi;
  do
  /* A lease ends. */
  :: atomic { state == claimed -> write(absent, 0, false, false); printf("the lease is over\n") }
  /* Two leases without heartbeat: in doubt. */
  :: atomic {
#ifdef REPLAY
      /* ASSUMED: who gives back has done so before the two leases are over. */
      state == dispatched && !silent && !anyAttempt(gives) ->
#else
      state == dispatched && !silent ->
#endif
      silent = true; printf("%c is silent: in doubt\n", name(holder));
      growsStale(0); growsStale(1);
#if ATTEMPTS == 3
      growsStale(2);
#endif
      /* ASSUMED: what a client sends again comes within two leases. */
      if :: over[holder] -> nothingIsOnItsWay(holder) :: else fi
    }
  /*
   * A heartbeat ends the doubt, and what its process knows is new. But what it keeps may be a mere claim again
   * where a claim comes twice: at-send asks for its dispatch, and a replay looks for itself.
   */
  :: atomic {
      t = 0;
      do :: t < ATTEMPTS - 1 -> t++ :: break od;
      if
      :: beats[t] && isOpen(tok[t]) && (silent || stale[t]) ->
        silent = false; stale[t] = stale[t] && (atSend[t] || tok[t] != t); printf("%c is heard again\n", name(t))
      :: else
      fi;
      t = 0
    }
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
      :: posted[t].heartbeat -> doHeartbeat(t); printf("%c's heartbeat again -> %e\n", name(t), reply)
      :: posted[t].release -> doRelease(t); printf("%c's release again -> %e\n", name(t), reply)
      :: posted[t].settleSent -> doSent(t); printf("%c's SettleSent again -> %e\n", name(t), reply)
      :: posted[t].settleRejected -> doRejected(t); printf("%c's SettleRejected again -> %e\n", name(t), reply)
      :: posted[t].settleSkipped -> doSkipped(t); printf("%c's SettleSkipped again -> %e\n", name(t), reply)
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
      :: state == absent || state == claimed || state == skipped || state == cancelled ->
#endif
        write(cancelled, ATTEMPTS, false, false); promised = true; printf("cancelled\n")
      :: else
      fi
    }
  /* A person who knows whether it has left; ASSUMED: and that nobody is just sending it. */
  :: atomic {
      ((state == dispatched && silent) || state == rejected) && !anyAttempt(isSending) ->
      if
      :: emails > 0 && state == dispatched -> write(sent, holder, false, true); printf("a person: sent\n")
      :: emails == 0 -> write(absent, 0, false, true); printf("a person: not sent\n"); retried = true
      :: else
      fi
    }
#ifdef REPLAY
  /* ASSUMED: nobody is frozen between its last look and its request until the window ends. */
  :: atomic { windowIsOpen && !anyAttempt(isInWindow) -> windowIsOpen = false; printf("the provider forgets the key\n") }
#endif
  :: atomic { nobodyComesAgain -> property(NOT_LOST, emails > 0 || state == dispatched || state == rejected || state == cancelled ||
      isDecided); break }
  od
}
