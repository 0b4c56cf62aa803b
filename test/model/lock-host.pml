/* The lock host: what the script of section 2.4 does under the guard, each operation in one step, and
 * the destination, where writers take the hold lock (section 2.8). */

typedef Lock {
  byte tok;  /* 0: P is absent */
  byte rank; /* the lowest wins */
  bit held   /* 0: a claim */
}
typedef Late {
  mtype op;
  byte at;
  byte tok;
  byte rank
}
typedef Left {
  byte st;
  byte tok
}

Lock lock[NP];
Late late; /* one request that the client gave up on and the host has not run yet */
Left left; /* one writer that outlived the run that started it */

byte pc[N];     /* step of the protocol */
byte idx[N];    /* which path of the set it is at */
byte tok[N];    /* token of this attempt, written down in the intents file before anything else; 0: none */
byte rank[N];
byte obs[N];    /* token that this observer has watched for its whole window */
byte lapsed[N]; /* own paths whose last confirmed beat is older than the lease, by the owner's clock */
byte wst[N];    /* the writer of the running job */
short fenced;   /* tokens written into the hold file as dead (HOLD 2) */
#ifdef LIVENESS
bit turn;       /* flips whenever a job starts */
#endif
byte crashes = CRASHES;
byte unknowns = UNKNOWNS;
byte pauses = PAUSES;

/* Only meaningful inside one atomic step: forgotten at its end, so that they do not multiply the states. */
byte ans;
byte how;
byte spare;
inline forget() {
  ans = 0;
  how = 0;
  spare = 0
}

#define WAIT 0 /* must be 0: where everybody starts */
#define BREAK 1
#define MOVE 2
#define CLAIM 3
#define CLAIM_UNKNOWN 4
#define LOOK 5
#define PROMOTE 6
#define PROMOTE_UNKNOWN 7
#define FRESH 8
#define RUN 9
#define STOP 10
#define RELEASE 11
#define UNLINK 12
#define DEAD 13 /* will be started again */
#define OVER 14 /* never comes back */

#define NONE 0
#define STARTING 1 /* asked for; may begin at any time, however late */
#define HOLDING 2  /* has the hold, has not looked at the lock yet */
#define WRITING 3

#define ANSWERED 0
#define ANSWER_LOST 1
#define RUNS_LATE 2

#define DONE 1
#define REFUSED 2
#define IN_USE 3

mtype = { ACQUIRES, PROMOTES, RELEASES, BREAKS, UNLINKS };

#define UP(c) (pc[c] != DEAD && pc[c] != OVER)
/* What an unchanged token and mtime over the whole window prove (lease.pml shows that they do). */
#define STALE(t, p) ((t) != tok[OWNER(t)] || HAS(lapsed[OWNER(t)], p))

#ifdef HOLD_FIRST_ONLY
#define HELD_BY_WRITER(c) (OWN(c) & -OWN(c))
#else
#define HELD_BY_WRITER(c) OWN(c)
#endif
#define HOLDS(c, p) (wst[c] >= HOLDING && HAS(HELD_BY_WRITER(c), p))
#define LEFT_HOLDS(p) (left.st >= HOLDING && HAS(HELD_BY_WRITER(OWNER(left.tok)), p))
#if N == 2
#define BUSY(p) (HOLDS(0, p) || HOLDS(1, p) || LEFT_HOLDS(p))
#else
#define BUSY(p) (HOLDS(0, p) || HOLDS(1, p) || HOLDS(2, p) || LEFT_HOLDS(p))
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

/* How a request fares. A request that is lost for good is one that runs late and never gets to it. */
inline fare(mayRunLate) {
  if
  :: how = ANSWERED
  :: unknowns > 0 -> unknowns--; how = ANSWER_LOST
  :: mayRunLate && unknowns > 0 && late.op == 0 -> unknowns--; how = RUNS_LATE
  fi
}

inline postpone(what, path, tk, rk) {
  late.op = what;
  late.at = path;
  late.tok = tk;
  late.rank = rk;
}

/* S4 stands here, once for all removals. */
inline removeAs(p, tk, lawful) {
  assert(lock[p].tok == tk && (lawful)); /* S4 */
  lock[p].tok = 0;
  lock[p].rank = 0;
  lock[p].held = 0;
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
  :: lock[p].tok == tk && STALE(tk, p) && !(HOLD == 1 && BUSY(p)) ->
     removeAs(p, tk, true);
     ans = DONE
#endif
  :: else -> ans = REFUSED
  fi
}

#define CLASH(c, d) (wst[c] == WRITING && wst[d] == WRITING && EXCLUDE(c, d))
#define CLASH_LEFT(c) (wst[c] == WRITING && left.st == WRITING && EXCLUDE(c, OWNER(left.tok)))
#if N == 2
#define TWO_WRITERS (CLASH(0, 1) || CLASH_LEFT(0) || CLASH_LEFT(1))
#else
#define TWO_WRITERS \
  (CLASH(0, 1) || CLASH(0, 2) || CLASH(1, 2) || CLASH_LEFT(0) || CLASH_LEFT(1) || CLASH_LEFT(2))
#endif

/* The wrapper around the writer: every hold of the set without waiting, then a look at the locks, then write. */
inline writerStep(w, tk, who) {
  if
  :: w == STARTING && HOLD == 0 ->
     w = WRITING;
     printf("%c: its writer starts (token %c%d)\n", C(who), TOKEN(tk))
#ifdef HOLD_SHARED
  :: w == STARTING && HOLD != 0 ->
#else
  :: w == STARTING && HOLD != 0 && ANY_BUSY(HELD_BY_WRITER(who)) ->
     w = NONE;
     printf("%c: its writer finds the hold taken and ends (token %c%d)\n", C(who), TOKEN(tk))
  :: w == STARTING && HOLD != 0 && !ANY_BUSY(HELD_BY_WRITER(who)) ->
#endif
     w = HOLDING;
     printf("%c: its writer takes the hold (token %c%d)\n", C(who), TOKEN(tk))
  :: w == HOLDING ->
     if
     :: (HOLD == 1 && ALL_OURS(HELD_BY_WRITER(who), tk)) || (HOLD == 2 && !HAS(fenced, tk)) ->
        w = WRITING;
        printf("%c: its writer finds its token %c%d valid and writes\n", C(who), TOKEN(tk));
        assert(!TWO_WRITERS) /* S3 */
     :: else ->
        w = NONE;
        printf("%c: its writer finds its token %c%d gone and ends\n", C(who), TOKEN(tk))
     fi
  :: w == WRITING ->
     w = NONE;
     printf("%c: its writer ends (token %c%d)\n", C(who), TOKEN(tk))
  fi
}
