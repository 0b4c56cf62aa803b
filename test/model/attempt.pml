/* What the steps of a contender (contender.pml) share. `me` is the contender. */

#define LOCK lock[idx[me]]
#define AT(step) (pc[me] == step)

#ifdef WATCH_BLOCKS_ONLY
#define WATCH(c) LIST(c)
#else
#define WATCH(c) (OWN(c) | LIST(c))
#endif

#ifdef LOOK_BEFORE_CLAIM
#define LOOKS_AGAIN false
#else
#define LOOKS_AGAIN true
#endif

#ifdef HOLD_TESTED_BEFORE_MOVE /* the only operation of more than one step: the others wait for its guard */
#define GUARDED (pc[0] == MOVING || pc[1] == MOVING)
#else
#define GUARDED false
#endif

/* Step 4: it must yield to us; and as long as it lives and is reached in time, it does within claim_wait. */
#define SEES_OTHER (AT(LOOKING) && idx[me] < NP && LOCK.tok != 0 && LOCK.tok != tok[me])
#define MUST_YIELD (!LOCK.held && LOCK.rank > rank[me])
#define CAN_YIELD (UP(OWNER(LOCK.tok)) && pc[OWNER(LOCK.tok)] != STOPPING && LOCK.tok == tok[OWNER(LOCK.tok)])

#define EXCLUDED_RUNS(c) ((c) != me && EXCLUDE(me, c) && pc[c] == RUNNING && lapsed[c] == 0)
#if N == 2
#define ANOTHER_RUNS (EXCLUDED_RUNS(0) || EXCLUDED_RUNS(1))
#else
#define ANOTHER_RUNS (EXCLUDED_RUNS(0) || EXCLUDED_RUNS(1) || EXCLUDED_RUNS(2))
#endif

/* Moves idx to the next path of the set; NP when there is none. */
inline skipTo(set) {
  do
  :: idx[me] < NP && !HAS(set, idx[me]) -> idx[me]++
  :: else -> break
  od
}
inline first(set) {
  idx[me] = 0;
  skipTo(set)
}
inline next(set) {
  idx[me]++;
  skipTo(set)
}

/* A random token has never been used before: here, one that nothing in the world still knows. */
#if NP == 1
#define ON_PATH(t) (lock[0].tok == (t))
#elif NP == 2
#define ON_PATH(t) (lock[0].tok == (t) || lock[1].tok == (t))
#else
#define ON_PATH(t) (lock[0].tok == (t) || lock[1].tok == (t) || lock[2].tok == (t))
#endif
#if N == 2
#define WATCHED(t) (obs[0] == (t) || obs[1] == (t))
#else
#define WATCHED(t) (obs[0] == (t) || obs[1] == (t) || obs[2] == (t))
#endif
#define KNOWN(t) (ON_PATH(t) || WATCHED(t) || late.tok == (t) || left.tok == (t))
inline freshToken() {
  spare = me * G + 1;
#ifndef TOKEN_REUSED
  do
  :: KNOWN(spare) -> spare++
  :: else -> break
  od;
  DEMAND(spare <= me * G + G, ENOUGH_TOKENS);
  fenced = fenced & ~(1 << spare);
#endif
  tok[me] = spare
}

/* Any order of ranks: attempts and random tokens can produce each of them. */
inline anyRank() {
  if
  :: rank[me] = me
  :: rank[me] = N + me
#if N == 3
  :: rank[me] = 2 * N + me
#endif
  fi
}

inline claimed() {
  next(OWN(me));
  if
  :: idx[me] == NP && LOOKS_AGAIN -> pc[me] = LOOKING; first(LIST(me))
  :: idx[me] == NP && !LOOKS_AGAIN -> pc[me] = PROMOTING; first(OWN(me))
  :: else -> pc[me] = CLAIMING
  fi
}

inline promoted() {
  next(OWN(me));
  if
  :: idx[me] == NP -> pc[me] = CHECKING_AGE; idx[me] = 0
  :: else -> pc[me] = PROMOTING
  fi
}

inline withdraw() {
  pc[me] = RELEASING;
  idx[me] = NP - 1
}

inline endAttempt() {
  tok[me] = 0;
  rank[me] = 0;
  lapsed[me] = 0;
  pc[me] = WAITING;
  first(WATCH(me))
}

inline released() {
  if
  :: idx[me] == 0 -> endAttempt()
  :: else -> idx[me]--
  fi
}
