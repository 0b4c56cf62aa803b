/* The lock protocol as a model for spin. README.md says how it maps to the protocol and what it leaves out.
 * spin -a -DPAIR -DHOLD=1 locks.pml && gcc -O2 -o pan pan.c && ./pan -m100000 */

#include "scenarios.pml"
#include "lock-host.pml"
#include "contender.pml"

inline crash(who) {
  crashes--;
  printf("%c: killed\n", C(who));
  if
  :: wst[who] != NONE && left.st == NONE ->
     left.st = wst[who];
     left.tok = tok[who];
     printf("%c: its writer lives on\n", C(who))
  :: true
  fi;
  wst[who] = NONE;
  obs[who] = 0;
  idx[who] = 0;
  lapsed[who] = OWN(who);
  if
  :: pc[who] = DEAD
  :: pc[who] = OVER; printf("%c: for good\n", C(who))
  fi
}

/* A live contender that does not renew for longer than its lease. While its job runs it stops the job
 * first (contender.pml, step 7), unless the whole daemon hangs: then only the hold lock is left. */
#define MAY_LAPSE(c) (pauses > 0 && UP(c) && tok[c] != 0 && lapsed[c] == 0 && (HOLD != 0 || pc[c] != RUN))
inline lapse(who) {
  pauses--;
  lapsed[who] = OWN(who);
  printf("%c: pauses for longer than its lease\n", C(who))
}

/* The reaper of a live daemon sends release for tokens of attempts that are over. */
#define ORPHAN(p) (!GUARDED(p) && lock[p].tok != 0 && UP(OWNER(lock[p].tok)) && lock[p].tok != tok[OWNER(lock[p].tok)])
inline reap(p) {
  printf("%c: reaper: releases token %c%d on %c\n", C(OWNER(lock[p].tok)), TOKEN(lock[p].tok), P(p));
  releaseAt(p, lock[p].tok);
  forget()
}

inline runLate() {
  printf("late: %e %c with token %c%d runs now\n", late.op, P(late.at), TOKEN(late.tok));
  if
  :: late.op == ACQUIRES -> acquireAt(late.at, late.tok, late.rank)
  :: late.op == PROMOTES -> promoteAt(late.at, late.tok)
  :: late.op == RELEASES -> releaseAt(late.at, late.tok)
  :: late.op == BREAKS -> breakAt(late.at, late.tok)
  :: late.op == UNLINKS && lock[late.at].tok != 0 -> removeAs(late.at, late.tok, true)
  :: late.op == UNLINKS && lock[late.at].tok == 0
  fi;
  postpone(0, 0, 0, 0);
  forget()
}

/* Everything that is nobody's plan: late requests, left writers, death, sleep; and every daemon's reaper. */
proctype World() {
end:
  do
  :: atomic { late.op != 0 && !GUARDED(late.at) -> runLate() }
  :: atomic { late.op != 0 -> printf("late: the request never runs\n"); postpone(0, 0, 0, 0) }
  :: atomic { left.st != NONE ->
       writerStep(left.st, left.tok, OWNER(left.tok));
       if
       :: left.st == NONE -> left.tok = 0
       :: else
       fi
     }
  :: atomic { crashes > 0 && UP(0) -> crash(0) }
  :: atomic { crashes > 0 && UP(1) -> crash(1) }
  :: atomic { MAY_LAPSE(0) -> lapse(0) }
  :: atomic { MAY_LAPSE(1) -> lapse(1) }
#if N > 2
  :: atomic { crashes > 0 && UP(2) -> crash(2) }
  :: atomic { MAY_LAPSE(2) -> lapse(2) }
#endif
  :: atomic { ORPHAN(0) -> reap(0) }
#if NP > 1
  :: atomic { ORPHAN(1) -> reap(1) }
#endif
#if NP > 2
  :: atomic { ORPHAN(2) -> reap(2) }
#endif
  od
}

#ifdef LIVENESS
/* L1: whatever happened, some job starts again, for ever. */
ltl L1 { ([] <> turn) && ([] <> !turn) }
#endif

init {
  atomic {
    run World();
    run Contender(0);
    run Contender(1);
#if N > 2
    run Contender(2)
#endif
  }
}
