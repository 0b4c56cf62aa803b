/* Who owns what and who waits for whom. Sets of paths are bit masks: 1 is X, 2 is Y, 4 is Z.
 * OWN(c): lock_files of contender c.  LIST(c): its blocks_on. */

#if defined(MUTEX) /* two jobs with the same lock file */
#define N 2
#define NP 1
#define OWN(c) 1
#define LIST(c) 0

#elif defined(PAIR) /* A owns X and blocks on Y; B owns Y and blocks on X */
#define N 2
#define NP 2
#define OWN(c) ((c) == 0 -> 1 : 2)
#define LIST(c) ((c) == 0 -> 2 : 1)

#elif defined(PAIR_SELF) /* the pair, each listing its own lock too: the own-token rule */
#define N 2
#define NP 2
#define OWN(c) ((c) == 0 -> 1 : 2)
#define LIST(c) 3

#elif defined(TWO_LOCKS) /* A owns X and Y; B owns Y: every lock of a set must protect its owner */
#define N 2
#define NP 2
#define OWN(c) ((c) == 0 -> 3 : 2)
#define LIST(c) 0

#elif defined(TWO_BLOCKS) /* A owns X and Y and blocks on Z; B owns Z and blocks on X and Y */
#define N 2
#define NP 3
#define OWN(c) ((c) == 0 -> 3 : 4)
#define LIST(c) ((c) == 0 -> 4 : 3)

#elif defined(TRIO) /* three that list each other */
#define N 3
#define NP 3
#define OWN(c) (1 << (c))
#define LIST(c) (7 - (1 << (c)))

#elif defined(RING) /* the philosophers: {X,Y} {Y,Z} {X,Z} */
#define N 3
#define NP 3
#define OWN(c) ((c) == 0 -> 3 : ((c) == 1 -> 6 : 5))
#define LIST(c) 0

#elif defined(ONE_SIDED) /* A on B, B on C, C on A: one-sided lists exclude nothing, and must not starve anybody */
#define N 3
#define NP 3
#define OWN(c) (1 << (c))
#define LIST(c) ((c) == 0 -> 2 : ((c) == 1 -> 4 : 1))
#endif

/* At most so many faults of each kind in one history: with no bound, fairness would mean nothing. */
#ifndef CRASHES
#define CRASHES 1 /* a daemon dies at any step, for a while or for good */
#endif
#ifndef UNKNOWNS
#define UNKNOWNS 1 /* a request whose answer is lost, or that runs late, or never */
#endif
#ifndef PAUSES
#define PAUSES 1 /* a live contender does not renew for longer than its lease */
#endif
#ifndef REBOOTS
#define REBOOTS 0 /* the lock host, whose lock directory is a tmpfs, starts again */
#endif

/* 0: no hold lock.  1: P.hold on the host of the lock.  2: the hold is on another host than the lock. */
#ifndef HOLD
#define HOLD 0
#endif

#define G 4 /* tokens that each contender can have in the world at once */
#define HAS(set, p) (((set) >> (p)) & 1)
#define OWNER(t) (((t) - 1) / G)
#define EXCLUDE(c, d) ((OWN(c) & OWN(d)) || ((OWN(c) & LIST(d)) && (OWN(d) & LIST(c))))

/* For the printed histories: A1 is the first token of contender A. */
#define C(c) 65 + (c)
#define P(p) 88 + (p)
#define T(t) 65 + OWNER(t), (t) - OWNER(t) * G
