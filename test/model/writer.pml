/* The writer on the destination, inside the wrapper of section 2.8: take every hold of the set without
 * waiting, look whether the token still stands, write. It can start late and outlive everybody. */

#define CLASH(c, d) (writer[c] == WRITING && writer[d] == WRITING && EXCLUDE(c, d))
#define CLASH_LEFT(c) (writer[c] == WRITING && left.state == WRITING && EXCLUDE(c, OWNER(left.tok)))
#if N == 2
#define TWO_WRITERS (CLASH(0, 1) || CLASH_LEFT(0) || CLASH_LEFT(1))
#else
#define TWO_WRITERS \
  (CLASH(0, 1) || CLASH(0, 2) || CLASH(1, 2) || CLASH_LEFT(0) || CLASH_LEFT(1) || CLASH_LEFT(2))
#endif

#if HOLD == 1
#define STILL_VALID(c, t) ALL_OURS(HOLDS_OF(c), t)
#elif defined(NO_FENCE)
#define STILL_VALID(c, t) true
#else
#define STILL_VALID(c, t) (!HAS(fenced, t))
#endif

inline writerStep(w, tk, who) {
  if
#if HOLD == 0
  :: w == STARTING -> w = WRITING; printf("%c: its writer starts (token %c%d)\n", C(who), T(tk))
#else
#ifdef HOLD_SHARED
  :: w == STARTING ->
#else
  :: w == STARTING && ANY_BUSY(HOLDS_OF(who)) ->
     w = NONE;
     printf("%c: its writer finds the hold taken and ends (token %c%d)\n", C(who), T(tk))
  :: w == STARTING && !ANY_BUSY(HOLDS_OF(who)) ->
#endif
     w = HOLDING;
     printf("%c: its writer takes the hold (token %c%d)\n", C(who), T(tk))
  :: w == HOLDING && STILL_VALID(who, tk) ->
     w = WRITING;
     printf("%c: its writer finds its token %c%d valid and writes\n", C(who), T(tk));
     DEMAND(!TWO_WRITERS, S3)
  :: w == HOLDING && !STILL_VALID(who, tk) ->
     w = NONE;
     printf("%c: its writer finds its token %c%d gone and ends\n", C(who), T(tk))
#endif
  :: w == WRITING -> w = NONE; printf("%c: its writer ends (token %c%d)\n", C(who), T(tk))
  fi
}

/* The local processes are gone; what runs on the destination may not be, and nobody here can know. */
inline loseWriter(who) {
  if
  :: writer[who] != NONE && left.state == NONE ->
     left.state = writer[who];
     left.tok = tok[who];
     printf("%c: its writer lives on\n", C(who))
  :: true
  fi;
  writer[who] = NONE
}
