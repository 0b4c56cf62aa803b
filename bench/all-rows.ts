import type { Area, Row } from "./row.ts";
import { distantNoOp } from "./rows/distant-no-op.ts";
import { flatMemory } from "./rows/flat-memory.ts";
import { idle } from "./rows/idle.ts";
import { largeTree } from "./rows/large-tree.ts";
import { localSyncs } from "./rows/local-syncs.ts";
import { lockCycle } from "./rows/lock-cycle.ts";
import { lockPoll } from "./rows/lock-poll.ts";
import { manyJobs } from "./rows/many-jobs.ts";
import { parallelCopy } from "./rows/parallel-copy.ts";
import { remoteSyncs } from "./rows/remote-syncs.ts";
import { sideBySide } from "./rows/side-by-side.ts";
import { signalToRsync } from "./rows/signal-to-rsync.ts";
import { sshLogin } from "./rows/ssh-login.ts";
import { startUp } from "./rows/start-up.ts";
import { thousandJobs } from "./rows/thousand-jobs.ts";
import { watchLatency } from "./rows/watch-latency.ts";
import { watchPerFile } from "./rows/watch-per-file.ts";
import { watchStart } from "./rows/watch-start.ts";
import { watchStorm } from "./rows/watch-storm.ts";

/** Everything that is measured, in the order in which it is measured and shown. */
export const areas: readonly Area<Row>[] = [
  { title: "Many syncs", rows: [localSyncs, remoteSyncs, sideBySide] },
  { title: "Large trees and distance", rows: [distantNoOp, largeTree, parallelCopy] },
  { title: "Locks", rows: [lockCycle, lockPoll, sshLogin] },
  { title: "The director itself", rows: [startUp, signalToRsync, idle, thousandJobs, manyJobs, flatMemory] },
  { title: "Watched trees", rows: [watchLatency, watchStorm, watchPerFile, watchStart] },
];
