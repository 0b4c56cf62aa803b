import { processesMentioning } from "../../test/support/process-state.ts";

/** One thing that must never happen while another does, and how to know its processes. */
export interface Activity {
  readonly name: string;
  isDoneBy(argv: readonly string[]): boolean;
}

export interface Testimony {
  /** In the order of their first appearance. */
  readonly seen: readonly string[];
  /** Looks at which more than one activity was going on. */
  readonly overlaps: number;
  readonly looks: number;
}

/**
 * Looks at the processes of this machine again and again and notes which activities are going on. It
 * believes nobody's log: what it says comes from the kernel alone.
 */
export function startWitness(activities: readonly Activity[], mention: string): { testify(): Testimony; stop(): void } {
  const seen: string[] = [];
  let overlaps = 0;
  let looks = 0;
  const look = () => {
    const processes = processesMentioning(mention);
    const now = activities.filter((activity) => processes.some(({ argv }) => activity.isDoneBy(argv)));
    for (const { name } of now) if (!seen.includes(name)) seen.push(name);
    if (now.length > 1) overlaps += 1;
    looks += 1;
  };
  const timer = setInterval(look, 20);
  return { testify: () => ({ seen: [...seen], overlaps, looks }), stop: () => clearInterval(timer) };
}
