/* Why a lock that nobody touched for the whole window may be broken (section 2.7): one owner, one
 * observer, one lock host whose clock may jump, in discrete time.
 * locks.pml builds on the result: a lock is only ever stale when its owner's job has stopped. */

/* The default timings in units of 30 s, rounded against us. What counts are the inequalities of section
 * 2.13: OP <= HB; 4 HB <= RENEW; RENEW + STOP_BUDGET + HB + DRIFT <= TTL. */
#define HB 1
#define OP 1
#define RENEW 16
#define STOP_BUDGET 1
#define DRIFT 1 /* the observer's clock gains this much on the owner's over one window */
#define TTL 20
#define WINDOW 22 /* 1.1 TTL */
#define SHORT_WINDOW 4 /* max(3 HB, 120 s): what the lock host's clock was trusted to allow */
#define NEVER 25 /* counters stop here */
#define LATER(x) ((x) < NEVER -> (x) + 1 : NEVER)

mtype = { S1, L2 };
#define DEMAND(ok, property) \
  if \
  :: ok \
  :: else -> printf("violated: %e\n", property); assert(false) \
  fi

#define RUNNING 0
#define STOPPING 1
#define STOPPED 2

#define RIGHT 0
#define FORWARD 1
#define BACKWARD 2

byte job;            /* the owner's */
byte stopping;       /* time since it began to stop its job */
byte sinceConfirmed; /* since the start of the last beat that was confirmed, by the owner's clock */
byte sinceBeat;      /* since the mtime really changed */
byte mtimeLooks;     /* how the lock host's clock, jumped or not, makes that mtime look */
byte asked;          /* a beat is under way since; NEVER: none is */
bit queued;          /* a beat that nobody waits for any more and that may still run */
bit asleep;          /* the owner's machine is suspended, its job with it */
bit crashed;
byte sinceCrash;
byte window = DRIFT; /* how long the observer has seen the same token and mtime, by its own clock */
bit changed;         /* the mtime has changed since it last looked */
bit broken;
byte jumps = 1;

#define SERVER_AGE_OVER_TTL (mtimeLooks == FORWARD || (mtimeLooks == RIGHT && sinceBeat > TTL))
#ifdef AGE_BY_SERVER_CLOCK /* as first specified: the lock host's clock shortens the window, and break insists on it */
#define MAY_BREAK (!broken && !changed && SERVER_AGE_OVER_TTL && window >= SHORT_WINDOW)
#else
#define MAY_BREAK (!broken && !changed && window >= WINDOW)
#endif
#define MUST_STOP (job == RUNNING && sinceConfirmed >= RENEW)
#define AWAKE (!asleep && !crashed)

inline beatRuns() {
  if
  :: !broken -> sinceBeat = 0; mtimeLooks = RIGHT; changed = 1
  :: else
  fi
}

active proctype Lease() {
  asked = NEVER;
end:
  do
  /* The owner beats when it likes; each beat is confirmed, executed unheard, or left in some queue. */
  :: atomic { AWAKE && job == RUNNING && asked == NEVER && !MUST_STOP -> asked = 0; printf("owner: sends a beat\n") }
  :: atomic { AWAKE && asked <= OP ->
       beatRuns();
       printf("owner: the beat is confirmed\n");
       sinceConfirmed = (broken -> sinceConfirmed : asked);
       asked = NEVER
     }
  :: atomic { asked != NEVER && !queued -> beatRuns(); asked = NEVER; printf("owner: the beat runs, its answer is lost\n") }
  :: atomic { asked != NEVER && !queued -> queued = 1; asked = NEVER; printf("owner: gives the beat up; it is still queued\n") }
  :: atomic { queued -> beatRuns(); queued = 0; printf("lock host: a beat given up long ago runs\n") }

  :: atomic { AWAKE && MUST_STOP -> job = STOPPING; stopping = 0; printf("owner: renew deadline: stops its job\n") }
  :: atomic { job == STOPPING && !asleep -> job = STOPPED; printf("owner: its job has stopped\n") }
  :: atomic { !crashed && !asleep -> asleep = 1; printf("owner: its machine is suspended\n") }
  :: atomic { asleep ->
       asleep = 0;
       printf("owner: its machine wakes up and verifies before anything else\n");
       if
       :: job != STOPPED && (sinceConfirmed >= RENEW) -> job = STOPPED
       :: else
       fi;
       DEMAND(!broken || job == STOPPED, S1)
     }
  :: atomic { !crashed && !asleep -> crashed = 1; job = STOPPED; sinceCrash = 0; printf("owner: dies\n") }

#ifndef ONLY_BACKWARD
  :: atomic { jumps > 0 && !broken -> jumps--; mtimeLooks = FORWARD; printf("lock host: its clock jumps forward\n") }
#endif
  :: atomic { jumps > 0 && !broken -> jumps--; mtimeLooks = BACKWARD; printf("lock host: its clock jumps back\n") }

  :: atomic { changed -> changed = 0; window = DRIFT; printf("observer: sees a new mtime: its window starts again\n") }
  :: atomic { MAY_BREAK ->
       broken = 1;
       printf("observer: breaks the lock after a window of %d\n", window);
       DEMAND(job == STOPPED || asleep, S1)
     }

  /* Time passes unless something is due now. */
  :: atomic { !(AWAKE && MUST_STOP || !asleep && job == STOPPING && stopping >= STOP_BUDGET
         || asked == OP || crashed && (changed || MAY_BREAK)) ->
       printf("time: half a minute\n");
       sinceBeat = LATER(sinceBeat);
       window = LATER(window);
       stopping = (job == STOPPING -> LATER(stopping) : 0);
       asked = (asked < OP -> asked + 1 : asked);
       sinceCrash = (crashed -> LATER(sinceCrash) : 0);
#ifdef CLOCK_STOPS_IN_SUSPEND
       sinceConfirmed = (asleep -> sinceConfirmed : LATER(sinceConfirmed));
#else
       sinceConfirmed = LATER(sinceConfirmed);
#endif
       /* L2: the lock of a dead owner goes away in bounded time, whatever the lock host's clock says. */
       DEMAND(!(crashed && !broken && sinceCrash > WINDOW && sinceBeat > WINDOW), L2)
     }
  od
}
