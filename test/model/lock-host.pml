/* The lock host: what the script of section 2.4 does under the guard, each operation one step; and the
 * destination, where writers take the hold lock (section 2.8). */

mtype = { ACQUIRE, PROMOTE, RELEASE, BREAK, UNLINK, DONE, REFUSED, IN_USE };
mtype = { S1_S2, S3, S4, ENOUGH_TOKENS };

/* An assertion that says in the history which property it stands for. */
#define DEMAND(ok, property) \
  if \
  :: ok \
  :: else -> printf("violated: %e\n", property); assert(false) \
  fi

typedef Lock {
  byte tok;  /* 0: P is absent */
  byte rank; /* the lowest wins */
  bit held   /* 0: a claim */
}
typedef Request {
  mtype op; /* 0: there is none */
  byte at;
  byte tok;
  byte rank
}
typedef Left {
  byte state;
  byte tok
}

Lock lock[NP];
Request late; /* one request that the client gave up on and the host has not run yet */
Left left;    /* one writer that outlived the run that started it */

byte pc[N];     /* step of the protocol */
byte idx[N];    /* which path of the set it is at */
byte tok[N];    /* token of this attempt, in the intents file before anything else; 0: none */
byte rank[N];
byte obs[N];    /* token that this observer has watched for its whole window */
byte lapsed[N]; /* own paths whose last confirmed beat is older than the lease, by the owner's clock */
byte writer[N]; /* of the running job */
short fenced;   /* tokens that the hold file names as dead (HOLD 2) */
byte crashes = CRASHES;
byte unknowns = UNKNOWNS;
byte pauses = PAUSES;
byte reboots = REBOOTS;
#ifdef LIVENESS
bit turn; /* flips whenever a job starts */
#endif

/* Only meaningful inside one atomic step: forgotten at its end, so that they do not multiply the states. */
mtype ans;
byte how;
byte spare;
inline forget() {
  ans = 0;
  how = 0;
  spare = 0
}

#define WAITING 0 /* where everybody starts */
#define BREAKING 1
#define MOVING 2
#define CLAIMING 3
#define CLAIM_UNKNOWN 4
#define LOOKING 5
#define PROMOTING 6
#define PROMOTE_UNKNOWN 7
#define CHECKING_AGE 8
#define RUNNING 9
#define STOPPING 10
#define RELEASING 11
#define UNLINKING 12
#define UNLINK_SENT 15
#define DEAD 13 /* will be started again */
#define OVER 14 /* never comes back */
#define UP(c) (pc[c] != DEAD && pc[c] != OVER)

#define NONE 0
#define STARTING 1 /* asked for; may begin at any time, however late */
#define HOLDING 2  /* has the hold, has not looked at the lock yet */
#define WRITING 3

/* What an unchanged token and mtime over the whole window prove (lease.pml shows that they do). */
#define STALE(t, p) ((t) != tok[OWNER(t)] || HAS(lapsed[OWNER(t)], p))

/* The holds that a writer takes. */
#ifdef HOLD_FIRST_ONLY
#define HOLDS_OF(c) (OWN(c) & -OWN(c))
#else
#define HOLDS_OF(c) OWN(c)
#endif
#define HELD_BY(c, p) (writer[c] >= HOLDING && HAS(HOLDS_OF(c), p))
#define HELD_BY_LEFT(p) (left.state >= HOLDING && HAS(HOLDS_OF(OWNER(left.tok)), p))
#if N == 2
#define BUSY(p) (HELD_BY(0, p) || HELD_BY(1, p) || HELD_BY_LEFT(p))
#else
#define BUSY(p) (HELD_BY(0, p) || HELD_BY(1, p) || HELD_BY(2, p) || HELD_BY_LEFT(p))
#endif
#define OURS(set, t, p) (!HAS(set, p) || lock[p].tok == (t))
#if NP == 1
#define ANY_BUSY(set) BUSY(0)
#define ALL_OURS(set, t) OURS(set, t, 0)
#elif NP == 2
#define ANY_BUSY(set) ((HAS(set, 0) && BUSY(0)) || (HAS(set, 1) && BUSY(1)))
#define ALL_OURS(set, t) (OURS(set, t, 0) && OURS(set, t, 1))
#else
#define ANY_BUSY(set) ((HAS(set, 0) && BUSY(0)) || (HAS(set, 1) && BUSY(1)) || (HAS(set, 2) && BUSY(2)))
#define ALL_OURS(set, t) (OURS(set, t, 0) && OURS(set, t, 1) && OURS(set, t, 2))
#endif

/* How a request fares. One that is lost for good is one that runs late and never gets to it. */
#define ANSWERED 0
#define ANSWER_LOST 1
#define RUNS_LATE 2
inline fare() {
  if
  :: how = ANSWERED
  :: unknowns > 0 -> unknowns--; how = ANSWER_LOST
  :: unknowns > 0 && late.op == 0 -> unknowns--; how = RUNS_LATE
  fi
}

inline postpone(what, path, tk, rk) {
  late.op = what;
  late.at = path;
  late.tok = tk;
  late.rank = rk
}

/* Every removal of a lock passes here. */
inline removeAs(p, tk, lawful) {
  DEMAND(lock[p].tok == tk && (lawful), S4);
  lock[p].tok = 0;
  lock[p].rank = 0;
  lock[p].held = 0
}

inline acquireAt(p, tk, rk) {
  if
  :: lock[p].tok == 0 ->
     lock[p].tok = tk;
     lock[p].rank = rk;
     ans = DONE
  :: lock[p].tok == tk -> ans = DONE
  :: else -> ans = REFUSED
  fi
}

inline promoteAt(p, tk) {
  if
  :: lock[p].tok == tk -> lock[p].held = 1; ans = DONE
  :: else -> ans = REFUSED
  fi
}

/* Removes while it holds the hold: no writer of this token can then be between its two looks. */
inline releaseAt(p, tk) {
  if
#ifdef RELEASE_WITHOUT_TOKEN
  :: lock[p].tok != 0 -> removeAs(p, tk, true); ans = DONE
#elif defined(RELEASE_IGNORES_HOLD)
  :: lock[p].tok == tk -> removeAs(p, tk, true); ans = DONE
#else
  :: lock[p].tok == tk && HOLD == 1 && BUSY(p) -> ans = IN_USE
  :: lock[p].tok == tk && !(HOLD == 1 && BUSY(p)) -> removeAs(p, tk, true); ans = DONE
#endif
  :: else -> ans = DONE
  fi
}

inline breakAt(p, tk) {
  if
#ifdef BREAK_BY_UNLINK
  :: lock[p].tok != 0 -> removeAs(p, tk, STALE(tk, p)); ans = DONE
#else
  :: lock[p].tok == tk && STALE(tk, p) && !(HOLD == 1 && BUSY(p)) -> removeAs(p, tk, true); ans = DONE
#endif
  :: else -> ans = REFUSED
  fi
}
