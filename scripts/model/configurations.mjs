// What spin is asked. `holds`: the protocol as it is to be built; an exhaustive search must find nothing.
// `breaks`: one switch away from it; the same search must find the property that the switch costs.

/** Faults of one history: crashes, lost or late answers, pauses longer than the lease (see scenarios.pml). */
const faults = (crashes, unknowns, pauses) => `CRASHES=${crashes} UNKNOWNS=${unknowns} PAUSES=${pauses}`;

const holds = [
  ["mutex", `MUTEX ${faults(2, 1, 1)}`, "one lock file for both"],
  ["mutex-hold", `MUTEX HOLD=1 ${faults(1, 1, 1)}`, "the same, writers hold it too"],
  ["mutex-hold-elsewhere", `MUTEX HOLD=2 ${faults(1, 1, 1)}`, "the hold is on another host than the lock"],
  ["pair", `PAIR ${faults(1, 1, 1)}`, "each blocks on the other's lock"],
  ["pair-hold", `PAIR HOLD=1 ${faults(1, 1, 1)}`, "the same with hold locks", { doesEverything: true }],
  ["pair-hold-elsewhere", `PAIR HOLD=2 ${faults(1, 1, 1)}`, "hold and lock on different hosts, with fencing"],
  ["pair-hold-shared", `PAIR HOLD=1 HOLD_SHARED ${faults(1, 1, 1)}`, "writers share the hold, removal takes it alone"],
  ["pair-hold-reboot", `PAIR HOLD=1 REBOOTS=1 ${faults(0, 1, 1)}`, "the destination, which has the locks, reboots"],
  ["pair-own-lock-listed", `PAIR_SELF HOLD=1 ${faults(1, 1, 1)}`, "each blocks on its own lock too"],
  ["two-locks", `TWO_LOCKS HOLD=1 ${faults(1, 1, 1)}`, "one owns two locks, the other one of them"],
  ["two-blocks", `TWO_BLOCKS HOLD=1 ${faults(1, 0, 1)}`, "a pair of which one owns two locks"],
  ["two-blocks-unknown", `TWO_BLOCKS HOLD=1 ${faults(0, 1, 1)}`, "the same"],
  [
    "sftp-unlink-once",
    `PAIR RELEASE_BY_UNLINK NO_BREAK UNLINK_ONCE ${faults(0, 1, 1)}`,
    "sftp only: no token is unlinked twice, at the price of waiting for a person",
    { mayStop: true },
  ],
  ["trio-crash", `TRIO HOLD=1 ${faults(1, 0, 0)}`, "three that list each other"],
  ["trio-unknown", `TRIO HOLD=1 ${faults(0, 1, 0)}`, "the same"],
  ["trio-pause", `TRIO HOLD=1 ${faults(0, 0, 1)}`, "the same"],
  ["ring-crash", `RING HOLD=1 ${faults(1, 0, 0)}`, "three philosophers with two locks each"],
  ["ring-unknown", `RING ${faults(0, 1, 0)}`, "the same"],
  ["one-sided-crash", `ONE_SIDED ${faults(1, 0, 0)}`, "a ring of one-sided lists: no deadlock"],
  ["mutex-progress", `MUTEX LIVENESS ${faults(1, 1, 0)}`, "some job always runs again"],
  ["mutex-hold-progress", `MUTEX HOLD=1 LIVENESS ${faults(1, 0, 1)}`, "the same"],
  ["pair-progress", `PAIR LIVENESS ${faults(1, 1, 0)}`, "the same"],
  ["pair-progress-pause", `PAIR LIVENESS ${faults(0, 1, 1)}`, "the same"],
  ["trio-progress", `TRIO LIVENESS ${faults(0, 0, 0)}`, "the same"],
  ["ring-progress", `RING LIVENESS ${faults(0, 0, 0)}`, "the same"],
  ["one-sided-progress", `ONE_SIDED LIVENESS ${faults(0, 0, 0)}`, "the same"],
  ["lease", "", "a window on one's own clock proves that the owner's job has stopped", { model: "lease" }],
];

/** Searches of minutes each, only with --deep. */
const deep = [
  ["mutex-deep", `MUTEX ${faults(2, 2, 1)}`, "more faults"],
  ["pair-deep", `PAIR ${faults(2, 2, 1)}`, "more faults"],
  ["pair-hold-deep", `PAIR HOLD=1 ${faults(2, 2, 1)}`, "more faults"],
  ["trio-deep", `TRIO ${faults(1, 0, 1)}`, "more faults"],
  ["ring-deep", `RING ${faults(1, 0, 1)}`, "more faults"],
  ["mutex-progress-deep", `MUTEX LIVENESS ${faults(1, 1, 1)}`, "more faults"],
  ["two-blocks-deep", `TWO_BLOCKS HOLD=1 ${faults(1, 1, 1)}`, "more faults"],
  ["pair-progress-deep", `PAIR LIVENESS ${faults(1, 1, 1)}`, "more faults"],
  ["trio-progress-deep", `TRIO LIVENESS ${faults(1, 0, 0)}`, "more faults"],
  ["ring-progress-deep", `RING LIVENESS ${faults(1, 0, 0)}`, "more faults"],
];

const breaks = [
  ["look-before-claim", "PAIR LOOK_BEFORE_CLAIM", "S1_S2", "blocks_on is checked before the claim only"],
  ["break-by-unlink", "MUTEX BREAK_BY_UNLINK", "S4", "a stale lock is looked at, then unlinked"],
  ["unknown-is-free", "PAIR UNKNOWN_IS_FREE", "S1_S2", "a check without an answer counts as absent"],
  ["release-without-token", "MUTEX RELEASE_WITHOUT_TOKEN", "S4", "release removes whatever is there"],
  ["token-reused", "MUTEX TOKEN_REUSED", "S1_S2", "an attempt uses the token of the one before"],
  ["acquire-asked-again", "PAIR ACQUIRE_ASKED_AGAIN", "S1_S2", "an acquire without an answer is sent again"],
  ["no-last-check", "MUTEX NO_LAST_CHECK", "S1_S2", "the age of the beats is not checked before the job"],
  ["wait-while-holding", `PAIR WAIT_WHILE_HOLDING ${faults(0, 0, 0)}`, "L4", "nobody withdraws"],
  ["no-rank", `PAIR NO_RANK LIVENESS ${faults(0, 0, 0)}`, "L1", "everybody withdraws"],
  ["watch-blocks-only", `MUTEX WATCH_BLOCKS_ONLY LIVENESS ${faults(1, 0, 0)}`, "L1", "own paths are not watched"],
  [
    "release-ignores-hold",
    "PAIR HOLD=1 RELEASE_IGNORES_HOLD",
    "S3",
    "the hold is looked at before the release, not in it",
  ],
  ["hold-tested-before-move", "PAIR HOLD=1 HOLD_TESTED_BEFORE_MOVE", "S3", "break tests the hold, lets go, then moves"],
  ["hold-first-only", "TWO_LOCKS HOLD=1 HOLD_FIRST_ONLY", "S3", "the writer holds one lock of its set"],
  ["no-fence", "PAIR HOLD=2 NO_FENCE", "S3", "lock and hold on two hosts, break looks at the lock's alone"],
  [
    "reboot-of-third-host",
    `PAIR HOLD=2 REBOOTS=1 ${faults(0, 0, 0)}`,
    "S3",
    "locks on a tmpfs of a host that is not written",
  ],
  [
    "sftp-release",
    "MUTEX RELEASE_BY_UNLINK NO_BREAK CRASHES=0",
    "S4",
    "two unlinks for one token, the first runs late",
  ],
  [
    "sftp-beside-break",
    `MUTEX RELEASE_BY_UNLINK ${faults(0, 0, 1)}`,
    "S4",
    "sftp-only peers whose locks others may break",
  ],
  [
    "server-clock-forward",
    "AGE_BY_SERVER_CLOCK",
    "S1",
    "the lock host's clock shortens the window",
    { model: "lease" },
  ],
  ["server-clock-back", "AGE_BY_SERVER_CLOCK ONLY_BACKWARD", "L2", "break insists on that clock", { model: "lease" }],
  ["clock-stops-in-suspend", "CLOCK_STOPS_IN_SUSPEND", "S1", "age by a clock that suspend stops", { model: "lease" }],
];

const build = (name, switches, about, more) => ({
  name,
  about,
  model: more?.model ?? "locks",
  switches: switches.split(" ").filter((word) => word !== ""),
  progress: switches.includes("LIVENESS"),
  mayStop: more?.mayStop ?? false,
  doesEverything: more?.doesEverything ?? false,
});

export const configurations = [
  ...holds.map(([name, switches, about, more]) => ({ ...build(name, switches, about, more), breaks: null })),
  ...breaks.map(([name, switches, property, about, more]) => ({
    ...build(name, switches, about, more),
    breaks: property,
  })),
  ...deep.map(([name, switches, about]) => ({ ...build(name, switches, about), breaks: null, deep: true })),
];
