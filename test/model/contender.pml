/* One contender: the client algorithm of section 2.6. Every option is one atomic step; between any two
 * of them the others act, answers get lost, machines sleep and daemons die. */

proctype Contender(byte me) {
  first(WATCH(me));
  do
  /* 0: wait until every path is absent, holding nothing. UNKNOWN is one more reason to wait. */
  :: atomic { AT(WAITING) && idx[me] < NP && LOCK.tok == 0 -> next(WATCH(me)) }
#ifndef NO_BREAK
  :: atomic { AT(WAITING) && idx[me] < NP && LOCK.tok != 0 && OWNER(LOCK.tok) != me && STALE(LOCK.tok, idx[me]) ->
       obs[me] = LOCK.tok;
       pc[me] = BREAKING;
       printf("%c: has watched token %c%d on %c for its whole window\n", C(me), T(LOCK.tok), P(idx[me]))
     }
#endif
#if HOLD == 2 && !defined(NO_FENCE)
  /* The hold is on another host: the token must be dead there before its lock may be broken here. */
  :: atomic { AT(BREAKING) && !HAS(fenced, obs[me]) && BUSY(idx[me]) -> obs[me] = 0; pc[me] = WAITING }
  :: atomic { AT(BREAKING) && !HAS(fenced, obs[me]) && !BUSY(idx[me]) ->
       fenced = fenced | (1 << obs[me]);
       printf("%c: takes the free hold and writes into it that token %c%d is dead\n", C(me), T(obs[me]))
     }
  :: atomic { AT(BREAKING) && HAS(fenced, obs[me]) ->
#else
  :: atomic { AT(BREAKING) && !GUARDED ->
#endif
#ifdef HOLD_TESTED_BEFORE_MOVE
       if
       :: LOCK.tok == obs[me] && STALE(obs[me], idx[me]) && !BUSY(idx[me]) ->
          pc[me] = MOVING;
          printf("%c: break %c: token %c%d unchanged, hold free\n", C(me), P(idx[me]), T(obs[me]))
       :: else -> obs[me] = 0; pc[me] = WAITING
       fi
     }
  :: atomic { AT(MOVING) ->
       printf("%c: break %c: moves it aside\n", C(me), P(idx[me]));
       removeAs(idx[me], obs[me], true);
       obs[me] = 0;
       pc[me] = WAITING
     }
#else
       fare();
       if
       :: how == RUNS_LATE ->
          printf("%c: break token %c%d on %c: no answer, not executed yet\n", C(me), T(obs[me]), P(idx[me]));
          postpone(BREAK, idx[me], obs[me], 0)
       :: else ->
          breakAt(idx[me], obs[me]);
          printf("%c: break token %c%d on %c: %e\n", C(me), T(obs[me]), P(idx[me]), ans)
       fi;
       obs[me] = 0;
       pc[me] = WAITING;
       forget()
     }
#endif

  /* 1: a new token and rank for every attempt, written down before the first request. */
  :: atomic { AT(WAITING) && idx[me] == NP ->
       freshToken();
       anyRank();
       printf("%c: nothing is in its way; intent: token %c%d, rank %d\n", C(me), T(tok[me]), rank[me]);
       pc[me] = CLAIMING;
       first(OWN(me));
       forget()
     }

  /* 2: claim the own paths in the global order. */
  :: atomic { AT(CLAIMING) && !GUARDED ->
       fare();
       if
       :: how == RUNS_LATE ->
          printf("%c: acquire %c with token %c%d: no answer, not executed yet\n", C(me), P(idx[me]), T(tok[me]));
          postpone(ACQUIRE, idx[me], tok[me], rank[me]);
          pc[me] = CLAIM_UNKNOWN
       :: how == ANSWER_LOST ->
          acquireAt(idx[me], tok[me], rank[me]);
          printf("%c: acquire %c with token %c%d: no answer, executed\n", C(me), P(idx[me]), T(tok[me]));
          pc[me] = CLAIM_UNKNOWN
       :: how == ANSWERED ->
          acquireAt(idx[me], tok[me], rank[me]);
          printf("%c: acquire %c with token %c%d: %e\n", C(me), P(idx[me]), T(tok[me]), ans);
          if
          :: ans == DONE -> claimed()
          :: else -> withdraw()
          fi
       fi;
       forget()
     }
  /* A token whose acquire may still run must not be asked for again: it could come back from the dead. */
  :: atomic { AT(CLAIM_UNKNOWN) ->
       if
       :: LOCK.tok == tok[me] -> printf("%c: check %c: its claim is there\n", C(me), P(idx[me])); claimed()
#ifdef ACQUIRE_ASKED_AGAIN
       :: LOCK.tok == 0 -> printf("%c: check %c: absent, asks again\n", C(me), P(idx[me])); pc[me] = CLAIMING
#endif
       :: LOCK.tok != tok[me] -> printf("%c: check %c: not its own, withdraws\n", C(me), P(idx[me])); withdraw()
       :: unknowns > 0 -> printf("%c: check %c: no answer, withdraws\n", C(me), P(idx[me])); unknowns--; withdraw()
       /* A claim that was to look first may be given up without another look, as a look without an answer is. */
       :: printf("%c: withdraws %c without a look\n", C(me), P(idx[me])); withdraw()
       fi
     }

  /* 4: look again, now that everybody who looks after this sees the own claims. */
  :: atomic { AT(LOOKING) && idx[me] == NP -> pc[me] = PROMOTING; first(OWN(me)) }
  :: atomic { AT(LOOKING) && idx[me] < NP && (LOCK.tok == 0 || LOCK.tok == tok[me]) ->
       printf("%c: looks at %c: absent or its own\n", C(me), P(idx[me]));
       next(LIST(me))
     }
  :: atomic { AT(LOOKING) && idx[me] < NP && unknowns > 0 ->
       unknowns--;
#ifdef UNKNOWN_IS_FREE
       printf("%c: looks at %c: no answer, goes on\n", C(me), P(idx[me]));
       next(LIST(me))
#else
       printf("%c: looks at %c: no answer, withdraws\n", C(me), P(idx[me]));
       withdraw()
#endif
     }
#if defined(NO_RANK)
  :: atomic { SEES_OTHER -> printf("%c: looks at %c: taken, withdraws\n", C(me), P(idx[me])); withdraw() }
#elif !defined(WAIT_WHILE_HOLDING)
  :: atomic { SEES_OTHER && !MUST_YIELD ->
       printf("%c: looks at %c: held, or claimed with a lower rank: withdraws\n", C(me), P(idx[me]));
       withdraw()
     }
  :: atomic { SEES_OTHER && MUST_YIELD && (!CAN_YIELD || pauses > 0) ->
       pauses = (CAN_YIELD -> pauses - 1 : pauses);
       printf("%c: looks at %c: a claim that must yield and does not in time: withdraws\n", C(me), P(idx[me]));
       withdraw()
     }
#endif

  /* 5: promote. */
  :: atomic { AT(PROMOTING) && !GUARDED ->
       fare();
       if
       :: how == RUNS_LATE ->
          printf("%c: promote %c: no answer, not executed yet\n", C(me), P(idx[me]));
          postpone(PROMOTE, idx[me], tok[me], 0);
          pc[me] = PROMOTE_UNKNOWN
       :: how == ANSWER_LOST ->
          promoteAt(idx[me], tok[me]);
          printf("%c: promote %c: no answer, executed\n", C(me), P(idx[me]));
          pc[me] = PROMOTE_UNKNOWN
       :: how == ANSWERED ->
          promoteAt(idx[me], tok[me]);
          printf("%c: promote %c: %e\n", C(me), P(idx[me]), ans);
          if
          :: ans == DONE -> lapsed[me] = lapsed[me] & ~(1 << idx[me]); promoted()
          :: else -> withdraw()
          fi
       fi;
       forget()
     }
  :: atomic { AT(PROMOTE_UNKNOWN) ->
       if
       :: LOCK.tok == tok[me] && LOCK.held -> printf("%c: check %c: promoted\n", C(me), P(idx[me])); promoted()
       :: LOCK.tok == tok[me] && !LOCK.held -> printf("%c: check %c: not yet\n", C(me), P(idx[me])); pc[me] = PROMOTING
       :: LOCK.tok != tok[me] || !LOCK.held -> printf("%c: check %c: withdraws\n", C(me), P(idx[me])); withdraw()
       :: unknowns > 0 -> printf("%c: check %c: no answer, withdraws\n", C(me), P(idx[me])); unknowns--; withdraw()
       fi
     }

  /* 6: no confirmed beat may be old when the job starts. */
  :: atomic { AT(CHECKING_AGE) && HAS(lapsed[me], idx[me]) && LOCK.tok == tok[me] && !GUARDED ->
       printf("%c: beat %c: ok\n", C(me), P(idx[me]));
       lapsed[me] = lapsed[me] & ~(1 << idx[me])
     }
  :: atomic { AT(CHECKING_AGE) && HAS(lapsed[me], idx[me]) && LOCK.tok != tok[me] ->
       printf("%c: beat %c: lost\n", C(me), P(idx[me]));
       withdraw()
     }
  :: atomic { AT(CHECKING_AGE) && lapsed[me] != 0 && !HAS(lapsed[me], idx[me]) -> idx[me] = (idx[me] + 1) % NP }
#ifdef NO_LAST_CHECK
  :: atomic { AT(CHECKING_AGE) -> lapsed[me] = 0;
#else
  :: atomic { AT(CHECKING_AGE) && lapsed[me] == 0 ->
#endif
       printf("%c: starts its job\n", C(me));
       DEMAND(!ANOTHER_RUNS, S1_S2);
       pc[me] = RUNNING;
       writer[me] = STARTING;
       idx[me] = 0;
#ifdef LIVENESS
       turn = !turn;
#endif
     }

  /* 7: the job: one writer after the other. Each is a message to another host and may start late. */
  :: atomic { AT(RUNNING) && writer[me] != NONE -> writerStep(writer[me], tok[me], me) }
#ifndef LIVENESS
  :: atomic { AT(RUNNING) && writer[me] == NONE -> printf("%c: its next action\n", C(me)); writer[me] = STARTING }
#endif
  :: atomic { AT(RUNNING) && writer[me] == NONE -> printf("%c: its job is done\n", C(me)); pc[me] = STOPPING }
  :: atomic { AT(RUNNING) && pauses > 0 ->
       pauses--;
       printf("%c: no beat confirmed before the renew deadline: stops its job\n", C(me));
       loseWriter(me);
       lapsed[me] = OWN(me);
       pc[me] = STOPPING
     }
  :: atomic { AT(RUNNING) && lapsed[me] != 0 && !ALL_OURS(OWN(me), tok[me]) ->
       printf("%c: beat: lost: stops its job\n", C(me));
       loseWriter(me);
       pc[me] = STOPPING
     }
  :: atomic { AT(RUNNING) && lapsed[me] != 0 && ALL_OURS(OWN(me), tok[me]) && !GUARDED ->
       printf("%c: beat: still its own\n", C(me));
       lapsed[me] = 0
     }

  /* 8: no writer may be left when the first path is released. After a crash, likewise, from the intent. */
  :: atomic { AT(STOPPING) && !(HOLD != 0 && ANY_BUSY(OWN(me))) ->
       printf("%c: no writer is left as far as it can see\n", C(me));
#if HOLD == 2
       fenced = fenced | (1 << tok[me]); /* and none can begin any more */
#endif
       withdraw()
     }
  :: atomic { AT(RELEASING) && !HAS(OWN(me), idx[me]) -> released() }
#ifndef RELEASE_BY_UNLINK
  :: atomic { AT(RELEASING) && HAS(OWN(me), idx[me]) && !GUARDED ->
       fare();
       if
       :: how == RUNS_LATE ->
          printf("%c: release %c: no answer, not executed yet\n", C(me), P(idx[me]));
          postpone(RELEASE, idx[me], tok[me], 0)
       :: else ->
          releaseAt(idx[me], tok[me]);
          if
          :: how == ANSWER_LOST -> printf("%c: release %c: no answer, executed\n", C(me), P(idx[me]))
          :: how == ANSWERED -> printf("%c: release %c: %e\n", C(me), P(idx[me]), ans)
          fi;
          if
          :: how == ANSWERED && ans == IN_USE -> pc[me] = STOPPING
          :: how == ANSWERED && ans != IN_USE -> released()
          :: else /* asks again */
          fi
       fi;
       forget()
     }
#else
  /* sftp only (section 2.5): nothing there removes a path under a condition. */
  :: atomic { AT(RELEASING) && HAS(OWN(me), idx[me]) && LOCK.tok != tok[me] -> released() }
  :: atomic { AT(RELEASING) && HAS(OWN(me), idx[me]) && LOCK.tok == tok[me] ->
       printf("%c: reads %c: its own token\n", C(me), P(idx[me]));
       pc[me] = UNLINKING
     }
  :: atomic { AT(UNLINKING) && LOCK.tok != 0 ->
       fare();
#ifdef UNLINK_ONCE
       pc[me] = UNLINK_SENT;
#else
       pc[me] = RELEASING;
#endif
       if
       :: how == RUNS_LATE ->
          printf("%c: unlink %c: no answer, not executed yet\n", C(me), P(idx[me]));
          postpone(UNLINK, idx[me], tok[me], 0)
       :: else ->
          printf("%c: unlink %c\n", C(me), P(idx[me]));
          removeAs(idx[me], tok[me], true)
       fi;
       forget()
     }
  :: atomic { AT(UNLINKING) && LOCK.tok == 0 -> pc[me] = RELEASING }
  :: atomic { AT(UNLINK_SENT) && LOCK.tok != tok[me] -> pc[me] = RELEASING } /* or a person has to help */
#endif

  /* A daemon that was killed starts again and recovers from its intent (section 2.9). */
  :: atomic { AT(DEAD) ->
       printf("%c: starts again\n", C(me));
       if
       :: tok[me] == 0 -> endAttempt()
       :: tok[me] != 0 -> pc[me] = STOPPING
       fi
     }
  :: atomic { AT(OVER) -> break }
  od
}
