/* The lock protocol as a model for spin. README.md says how it maps to the protocol and what it leaves
 * out; scripts/model/run.mjs runs it. By hand, in an empty directory:
 * spin -a -DPAIR -DHOLD=1 .../locks.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m1000000 */

#include "scenarios.pml"
#include "lock-host.pml"
#include "writer.pml"
#include "attempt.pml"
#include "contender.pml"

inline crash(who) {
  crashes--;
  printf("%c: killed\n", C(who));
  loseWriter(who);
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
#define MAY_LAPSE(c) (pauses > 0 && UP(c) && tok[c] != 0 && lapsed[c] == 0 && (HOLD != 0 || pc[c] != RUNNING))
inline lapse(who) {
  pauses--;
  lapsed[who] = OWN(who);
  printf("%c: hangs for longer than its lease\n", C(who))
}

/* The reaper of a live daemon sends release for tokens of attempts that are over, and for no others. */
#define ORPHAN(p) (!GUARDED && lock[p].tok != 0 && UP(OWNER(lock[p].tok)) && lock[p].tok != tok[OWNER(lock[p].tok)])
inline reap(p) {
  printf("%c: reaper: releases token %c%d on %c\n", C(OWNER(lock[p].tok)), T(lock[p].tok), P(p));
#ifdef RELEASE_BY_UNLINK
  removeAs(p, lock[p].tok, true);
#else
  releaseAt(p, lock[p].tok);
#endif
  forget()
}

inline runLate() {
  printf("late: %e %c with token %c%d runs now\n", late.op, P(late.at), T(late.tok));
  if
  :: late.op == ACQUIRE -> acquireAt(late.at, late.tok, late.rank)
  :: late.op == PROMOTE -> promoteAt(late.at, late.tok)
  :: late.op == RELEASE -> releaseAt(late.at, late.tok)
  :: late.op == BREAK -> breakAt(late.at, late.tok)
  :: late.op == UNLINK && lock[late.at].tok != 0 -> removeAs(late.at, late.tok, true)
  :: late.op == UNLINK && lock[late.at].tok == 0
  fi;
  postpone(0, 0, 0, 0);
  forget()
}

/* The lock host starts again: every lock is gone, and with HOLD 1 every writer, which ran there. */
inline wipe(p) {
  lock[p].tok = 0;
  lock[p].rank = 0;
  lock[p].held = 0
}
inline loseLeaseAndWriter(who) {
  lapsed[who] = (tok[who] != 0 -> OWN(who) : 0);
#if HOLD == 1
  writer[who] = NONE
#endif
}
inline reboot() {
  reboots--;
  printf("lock host: starts again, no lock is left\n");
  wipe(0);
#if NP > 1
  wipe(1);
#endif
#if NP > 2
  wipe(2);
#endif
  postpone(0, 0, 0, 0);
#if HOLD == 1
  left.state = NONE;
  left.tok = 0;
#endif
  loseLeaseAndWriter(0);
  loseLeaseAndWriter(1)
}

/* Everything that is nobody's plan: late requests, left writers, death, sleep; and every daemon's reaper. */
proctype World() {
end:
  do
  :: atomic { late.op != 0 && !GUARDED -> runLate() }
  :: atomic { late.op != 0 -> printf("late: the request never runs\n"); postpone(0, 0, 0, 0) }
  :: atomic { left.state != NONE ->
       writerStep(left.state, left.tok, OWNER(left.tok));
       left.tok = (left.state == NONE -> 0 : left.tok)
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
#if REBOOTS > 0
  :: atomic { reboots > 0 -> reboot() }
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
