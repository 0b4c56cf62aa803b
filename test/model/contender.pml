/* One contender: the client algorithm of section 2.6, step by step. Every option of the loop is one
 * atomic step, and between any two of them the others act, answers get lost and daemons die. */

#ifdef WATCH_BLOCKS_ONLY
#define WATCH(c) LIST(c)
#else
#define WATCH(c) (OWN(c) | LIST(c))
#endif

/* Moves idx to the next path of the set; NP when there is none. */
inline first(set) {
  idx[me] = 0;
  skipTo(set)
}
inline next(set) {
  idx[me]++;
  skipTo(set)
}
inline skipTo(set) {
  do
  :: idx[me] < NP && !HAS(set, idx[me]) -> idx[me]++
  :: else -> break
  od
}

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

/* A random token has never been used: here, one that nothing in the world still knows. */
inline freshToken() {
  spare = me * G + 1;
  do
  :: KNOWN(spare) -> spare++
  :: else -> break
  od;
  assert(spare <= me * G + G);
  fenced = fenced & ~(1 << spare)
}
inline withdraw() {
  pc[me] = RELEASE;
  idx[me] = NP - 1
}

inline endAttempt() {
  tok[me] = 0;
  rank[me] = 0;
  lapsed[me] = 0;
  pc[me] = WAIT;
  first(WATCH(me))
}

inline released() {
  if
  :: idx[me] == 0 -> endAttempt()
  :: else -> idx[me]--
  fi
}

#ifdef LOOK_BEFORE_CLAIM
#define AFTER_CLAIM PROMOTE
#else
#define AFTER_CLAIM LOOK
#endif

inline claimed() {
  next(OWN(me));
  if
  :: idx[me] == NP && AFTER_CLAIM == LOOK -> pc[me] = LOOK; first(LIST(me))
  :: idx[me] == NP && AFTER_CLAIM != LOOK -> pc[me] = PROMOTE; first(OWN(me))
  :: else -> pc[me] = CLAIM
  fi
}

inline promoted() {
  next(OWN(me));
  if
  :: idx[me] == NP -> pc[me] = FRESH; idx[me] = 0
  :: else -> pc[me] = PROMOTE
  fi
}

/* The local processes are gone; what runs on the destination may not be, and nobody here can know. */
inline abandonWriter() {
  if
  :: wst[me] != NONE && left.st == NONE ->
     left.st = wst[me];
     left.tok = tok[me];
     printf("%c: its writer lives on, on the destination\n", C(me))
  :: true
  fi;
  wst[me] = NONE
}

#define LOCK lock[idx[me]]
#ifdef HOLD_TESTED_BEFORE_MOVE /* the only operation of more than one step: the others wait for its guard */
#define GUARDED(p) (pc[0] == MOVE || pc[1] == MOVE)
#else
#define GUARDED(p) false
#endif
#define MUST_YIELD(p) (lock[p].held == 0 && lock[p].rank > rank[me])
/* Within claim_wait a contender that is alive and reached in time yields, so waiting longer is a fault. */
#define CLAIMANT_LIVES(p) (pc[OWNER(lock[p].tok)] != DEAD && pc[OWNER(lock[p].tok)] != OVER \
  && pc[OWNER(lock[p].tok)] != STOP && lock[p].tok == tok[OWNER(lock[p].tok)])
#define EXCLUDED_RUNS(c) ((c) != me && EXCLUDE(me, c) && pc[c] == RUN && lapsed[c] == 0)
#if N == 2
#define ANOTHER_RUNS (EXCLUDED_RUNS(0) || EXCLUDED_RUNS(1))
#else
#define ANOTHER_RUNS (EXCLUDED_RUNS(0) || EXCLUDED_RUNS(1) || EXCLUDED_RUNS(2))
#endif

proctype Contender(byte me) {
  first(WATCH(me));
  do
  /* 0: wait until every path is absent, holding nothing. UNKNOWN is one more reason to wait. */
  :: atomic { pc[me] == WAIT && idx[me] < NP && LOCK.tok == 0 -> next(WATCH(me)) }
  :: atomic { pc[me] == WAIT && idx[me] < NP && LOCK.tok != 0 && OWNER(LOCK.tok) != me && STALE(LOCK.tok, idx[me]) ->
       obs[me] = LOCK.tok;
       pc[me] = BREAK;
       printf("%c: has watched token %c%d on %c for the whole window\n", C(me), TOKEN(LOCK.tok), P(idx[me]))
     }
#if HOLD == 2 && !defined(BREAK_WITHOUT_FENCE)
  :: atomic { pc[me] == BREAK && !HAS(fenced, obs[me]) && BUSY(idx[me]) -> obs[me] = 0; pc[me] = WAIT }
  :: atomic { pc[me] == BREAK && !HAS(fenced, obs[me]) && !BUSY(idx[me]) ->
       fenced = fenced | (1 << obs[me]);
       printf("%c: takes the free hold and writes into it that token %c%d is dead\n", C(me), TOKEN(obs[me]))
     }
  :: atomic { pc[me] == BREAK && HAS(fenced, obs[me]) ->
#else
  :: atomic { pc[me] == BREAK && !GUARDED(idx[me]) ->
#endif
#ifdef HOLD_TESTED_BEFORE_MOVE
       if
       :: LOCK.tok == obs[me] && STALE(obs[me], idx[me]) && !BUSY(idx[me]) ->
          pc[me] = MOVE;
          printf("%c: break %c: token %c%d unchanged, hold free\n", C(me), P(idx[me]), TOKEN(obs[me]))
       :: else -> obs[me] = 0; pc[me] = WAIT
       fi
     }
  :: atomic { pc[me] == MOVE ->
       removeAs(idx[me], obs[me], true);
       printf("%c: break %c: moves it aside\n", C(me), P(idx[me]));
       obs[me] = 0;
       pc[me] = WAIT
     }
#else
       fare(true);
       if
       :: how == RUNS_LATE -> postpone(BREAKS, idx[me], obs[me], 0); ans = REFUSED
       :: else ->
          breakAt(idx[me], obs[me]);
          printf("%c: break token %c%d on %c: %d (1 broken, 2 refused)\n", C(me), TOKEN(obs[me]), P(idx[me]), ans)
       fi;
       obs[me] = 0;
       pc[me] = WAIT;
       forget()
     }
#endif

  /* 1: a new token and rank for every attempt, written down before the first request. */
  :: atomic { pc[me] == WAIT && idx[me] == NP ->
#ifdef TOKEN_REUSED
       tok[me] = me * G + 1;
#else
       freshToken();
       tok[me] = spare;
#endif
       if
       :: rank[me] = me
       :: rank[me] = N + me
#if N == 3
       :: rank[me] = 2 * N + me
#endif
       fi;
       printf("%c: writes its intent: token %c%d, rank %d\n", C(me), TOKEN(tok[me]), rank[me]);
       pc[me] = CLAIM;
       first(OWN(me));
       forget()
     }

  /* 2: claim the own paths in the global order. */
  :: atomic { pc[me] == CLAIM && !GUARDED(idx[me]) ->
       fare(true);
       if
       :: how == RUNS_LATE ->
          postpone(ACQUIRES, idx[me], tok[me], rank[me]);
          pc[me] = CLAIM_UNKNOWN;
          printf("%c: acquire %c with token %c%d: no answer (not executed yet)\n", C(me), P(idx[me]), TOKEN(tok[me]))
       :: how == ANSWER_LOST ->
          acquireAt(idx[me], tok[me], rank[me]);
          pc[me] = CLAIM_UNKNOWN;
          printf("%c: acquire %c with token %c%d: no answer (executed)\n", C(me), P(idx[me]), TOKEN(tok[me]))
       :: how == ANSWERED ->
          acquireAt(idx[me], tok[me], rank[me]);
          printf("%c: acquire %c with token %c%d: %d (1 acquired, 2 held)\n", C(me), P(idx[me]), TOKEN(tok[me]), ans);
          if
          :: ans == DONE -> claimed()
          :: else -> withdraw()
          fi
       fi;
       forget()
     }
  :: atomic { pc[me] == CLAIM_UNKNOWN ->
       if
       :: LOCK.tok == tok[me] -> claimed(); printf("%c: check: the claim is there\n", C(me))
#ifdef ACQUIRE_ASKED_AGAIN
       :: LOCK.tok == 0 -> pc[me] = CLAIM; printf("%c: check: absent, asks again\n", C(me))
#endif
       :: LOCK.tok == 0 -> withdraw(); printf("%c: check: absent, withdraws\n", C(me))
       :: LOCK.tok != 0 && LOCK.tok != tok[me] -> withdraw(); printf("%c: check: not its own, withdraws\n", C(me))
       :: unknowns > 0 -> unknowns--; withdraw(); printf("%c: check: no answer, withdraws\n", C(me))
       fi
     }

  /* 4: look again, now that the own claims are seen by everybody who looks after this. */
  :: atomic { pc[me] == LOOK && idx[me] == NP -> pc[me] = PROMOTE; first(OWN(me)) }
  :: atomic { pc[me] == LOOK && idx[me] < NP && (LOCK.tok == 0 || LOCK.tok == tok[me]) ->
       printf("%c: looks at %c: absent or its own\n", C(me), P(idx[me]));
       next(LIST(me))
     }
  :: atomic { pc[me] == LOOK && idx[me] < NP && unknowns > 0 ->
       unknowns--;
#ifdef UNKNOWN_IS_FREE
       printf("%c: looks at %c: no answer, goes on\n", C(me), P(idx[me]));
       next(LIST(me))
#else
       printf("%c: looks at %c: no answer, withdraws\n", C(me), P(idx[me]));
       withdraw()
#endif
     }
#define SEES_OTHER (pc[me] == LOOK && idx[me] < NP && LOCK.tok != 0 && LOCK.tok != tok[me])
#if defined(NO_RANK)
  :: atomic { SEES_OTHER ->
       printf("%c: looks at %c: taken, withdraws\n", C(me), P(idx[me]));
       withdraw()
     }
#elif !defined(WAIT_WHILE_HOLDING)
  :: atomic { SEES_OTHER && !MUST_YIELD(idx[me]) ->
       printf("%c: looks at %c: held, or claimed with a lower rank: withdraws\n", C(me), P(idx[me]));
       withdraw()
     }
  :: atomic { SEES_OTHER && MUST_YIELD(idx[me]) && !CLAIMANT_LIVES(idx[me]) ->
       printf("%c: looks at %c: a claim that must yield and does not: withdraws\n", C(me), P(idx[me]));
       withdraw()
     }
  :: atomic { SEES_OTHER && MUST_YIELD(idx[me]) && CLAIMANT_LIVES(idx[me]) && pauses > 0 ->
       pauses--;
       printf("%c: looks at %c: a claim that must yield and is too slow: withdraws\n", C(me), P(idx[me]));
       withdraw()
     }
#endif

  /* 5: promote. */
  :: atomic { pc[me] == PROMOTE && !GUARDED(idx[me]) ->
       fare(true);
       if
       :: how == RUNS_LATE ->
          postpone(PROMOTES, idx[me], tok[me], 0);
          pc[me] = PROMOTE_UNKNOWN;
          printf("%c: promote %c: no answer (not executed yet)\n", C(me), P(idx[me]))
       :: how == ANSWER_LOST ->
          promoteAt(idx[me], tok[me]);
          pc[me] = PROMOTE_UNKNOWN;
          printf("%c: promote %c: no answer (executed)\n", C(me), P(idx[me]))
       :: how == ANSWERED ->
          promoteAt(idx[me], tok[me]);
          printf("%c: promote %c: %d (1 ok, 2 lost)\n", C(me), P(idx[me]), ans);
          if
          :: ans == DONE -> lapsed[me] = lapsed[me] & ~(1 << idx[me]); promoted()
          :: else -> withdraw()
          fi
       fi;
       forget()
     }
  :: atomic { pc[me] == PROMOTE_UNKNOWN ->
       if
       :: LOCK.tok == tok[me] && LOCK.held -> promoted()
       :: LOCK.tok == tok[me] && !LOCK.held -> pc[me] = PROMOTE
       :: LOCK.tok == tok[me] && !LOCK.held -> withdraw()
       :: LOCK.tok != tok[me] -> withdraw()
       :: unknowns > 0 -> unknowns--; withdraw()
       fi
     }

  /* 6: no step of the claim may be older than the lease when the job starts. */
  :: atomic { pc[me] == FRESH && HAS(lapsed[me], idx[me]) && !GUARDED(idx[me]) ->
       if
       :: LOCK.tok == tok[me] -> lapsed[me] = lapsed[me] & ~(1 << idx[me]); printf("%c: beat %c: ok\n", C(me), P(idx[me]))
       :: LOCK.tok != tok[me] -> printf("%c: beat %c: lost\n", C(me), P(idx[me])); withdraw()
       fi
     }
  :: atomic { pc[me] == FRESH && lapsed[me] != 0 && !HAS(lapsed[me], idx[me]) -> idx[me] = (idx[me] + 1) % NP }
#ifdef NO_LAST_CHECK
  :: atomic { pc[me] == FRESH -> lapsed[me] = 0;
#else
  :: atomic { pc[me] == FRESH && lapsed[me] == 0 ->
#endif
       printf("%c: starts its job\n", C(me));
       assert(!ANOTHER_RUNS); /* S1, S2 */
       pc[me] = RUN;
       wst[me] = STARTING;
#ifdef LIVENESS
       turn = !turn;
#endif
       idx[me] = 0
     }

  /* 7: the job. Its writer is a message to another host: it may start late. */
  :: atomic { pc[me] == RUN && wst[me] != NONE -> writerStep(wst[me], tok[me], me) }
  :: atomic { pc[me] == RUN && wst[me] == NONE -> pc[me] = STOP }
  :: atomic { pc[me] == RUN && pauses > 0 ->
       pauses--;
       printf("%c: renew deadline passed: stops its job\n", C(me));
       abandonWriter();
       lapsed[me] = OWN(me);
       pc[me] = STOP
     }
  :: atomic { pc[me] == RUN && lapsed[me] != 0 && !ALL_OURS(OWN(me), tok[me]) ->
       printf("%c: beat: lost: stops its job\n", C(me));
       abandonWriter();
       pc[me] = STOP
     }
  :: atomic { pc[me] == RUN && lapsed[me] != 0 && ALL_OURS(OWN(me), tok[me]) && !GUARDED(0) ->
       lapsed[me] = 0;
       printf("%c: beat: still its own\n", C(me))
     }

  /* 8: no writer may live when the first path is released (R8). The same after a crash, from the intent. */
  :: atomic { pc[me] == STOP && !(HOLD != 0 && ANY_BUSY(OWN(me))) ->
       printf("%c: no writer is left as far as it can see\n", C(me));
#if HOLD == 2
       fenced = fenced | (1 << tok[me]); /* and none can begin */
#endif
       pc[me] = RELEASE;
       idx[me] = NP - 1
     }
  :: atomic { pc[me] == RELEASE && !HAS(OWN(me), idx[me]) -> released() }
  :: atomic { pc[me] == RELEASE && HAS(OWN(me), idx[me]) && !GUARDED(idx[me]) ->
#ifdef RELEASE_BY_UNLINK
       if
       :: LOCK.tok == tok[me] -> pc[me] = UNLINK; printf("%c: reads %c: its own token\n", C(me), P(idx[me]))
       :: else -> released()
       fi
#else
       fare(true);
       if
       :: how == RUNS_LATE ->
          postpone(RELEASES, idx[me], tok[me], 0);
          printf("%c: release %c: no answer (not executed yet)\n", C(me), P(idx[me]))
       :: else ->
          releaseAt(idx[me], tok[me]);
          if
          :: how == ANSWER_LOST -> printf("%c: release %c: no answer (executed)\n", C(me), P(idx[me]))
          :: how == ANSWERED && ans == IN_USE -> pc[me] = STOP; printf("%c: release %c: in use\n", C(me), P(idx[me]))
          :: how == ANSWERED && ans == DONE -> printf("%c: release %c: released or gone\n", C(me), P(idx[me])); released()
          fi
       fi;
#endif
       forget()
     }
#ifdef RELEASE_BY_UNLINK
  :: atomic { pc[me] == UNLINK ->
       fare(true);
       pc[me] = RELEASE;
       if
       :: how == RUNS_LATE ->
          postpone(UNLINKS, idx[me], tok[me], 0);
          printf("%c: unlinks %c: no answer (not executed yet)\n", C(me), P(idx[me]))
       :: else ->
          printf("%c: unlinks %c\n", C(me), P(idx[me]));
          if
          :: lock[idx[me]].tok != 0 -> removeAs(idx[me], tok[me], true)
          :: else
          fi
       fi;
       forget()
     }
#endif

  /* A daemon that was killed starts again and recovers from its intent. */
  :: atomic { pc[me] == DEAD ->
       printf("%c: starts again\n", C(me));
       if
       :: tok[me] == 0 -> endAttempt()
#ifdef RECOVER_WITHOUT_HOLD_CHECK
       :: tok[me] != 0 -> withdraw()
#else
       :: tok[me] != 0 -> pc[me] = STOP
#endif
       fi
     }
  :: atomic { pc[me] == OVER -> break }
  od
}
