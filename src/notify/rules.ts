import { namesJob, type NoticeEvent } from "../config/notice-words.ts";
import type { ChannelRules } from "../config/resolved-notify.ts";
import type { Ended, FreshnessReport, Happening } from "./happening.ts";
import {
  type Memory,
  remember,
  subjectKey,
  subjectOf,
  type Trouble,
  type TroubleKind,
  type Troubles,
} from "./memory.ts";

/** Something to tell; the words for it come later. */
export interface News {
  readonly event: NoticeEvent;
  readonly jobId: string;
  readonly targetId: string;
  readonly runId: string | null;
  readonly at: number;
  readonly message: string;
  readonly log: string;
  readonly exitCode: number | null;
  readonly durationMs: number | null;
  /** How long it has been wrong, and how often that was seen; null: it is told for the first time. */
  readonly history: { readonly since: number; readonly times: number } | null;
}

export interface Rules extends ChannelRules {
  /** Tells of every single run, good or bad, for a server that does the thinking. */
  readonly tellsEachTime: boolean;
}

interface Judgement {
  readonly memory: Memory;
  readonly news: readonly News[];
}

/**
 * What one channel tells of something that happened, and what it remembers afterwards. A trouble is told once, and
 * again only as a reminder; its end is told when it was a failure, staleness or a row of skipped runs.
 */
export function judge(rules: Rules, memory: Memory, happening: Happening): Judgement {
  if (!namesJob(rules.jobs, happening.jobId)) return { memory, news: [] };
  const tell = (news: readonly News[]) => news.filter(({ event }) => wants(rules, event));
  switch (happening.kind) {
    case "started":
      return { memory, news: tell([newsOf("start", happening)]) };
    case "blocked":
      return { memory, news: tell([newsOf("blocked", { ...happening, message: happening.detail })]) };
    case "freshness":
      return judgeFreshness(rules, memory, happening);
    case "ended":
      if (!rules.tellsEachTime) return judgeEnd(rules, memory, happening);
      return { memory, news: happening.targetId === "" ? tell([newsOf(eventOf(happening), happening)]) : [] };
  }
}

/** What is still wrong and was told too long ago. */
export function remind(rules: Rules, memory: Memory, now: number): Judgement {
  const { repeatEveryMs } = rules;
  if (repeatEveryMs === undefined) return { memory, news: [] };
  let after = memory;
  const news: News[] = [];
  for (const [key, troubles] of Object.entries(memory)) {
    for (const [kind, trouble] of Object.entries(troubles) as [TroubleKind, Trouble][]) {
      if (trouble.toldAt === null || now - trouble.toldAt < repeatEveryMs) continue;
      const { since, times, message, runId } = trouble;
      const about = { ...subjectOf(key), runId, at: now, message };
      news.push({ ...newsOf(kind, about), history: { since, times } });
      after = remember(after, key, { ...after[key], [kind]: { ...trouble, toldAt: now } });
    }
  }
  return { memory: after, news };
}

function judgeEnd(rules: Rules, memory: Memory, end: Ended): Judgement {
  const key = subjectKey(end.jobId, end.targetId);
  const before = memory[key] ?? {};
  switch (end.outcome) {
    case "failed": {
      if (end.isToldOfTargets) return { memory, news: [] };
      const { skipped: _, ...others } = before;
      return addTrouble(rules, remember(memory, key, others), key, { kind: "failure", about: end });
    }
    case "skipped":
      return addTrouble(rules, memory, key, { kind: "skipped", about: end });
    case "cancelled": {
      const news = end.targetId === "" && wants(rules, "aborted") ? [newsOf("aborted", end)] : [];
      return { memory, news };
    }
    case "ok":
    case "warning": {
      const ended = judgeRecovery(rules, memory, key, end);
      const isJob = end.targetId === "";
      if (end.outcome === "warning" && isJob) {
        const again = { ...ended.memory, [key]: { ...ended.memory[key], ...pick(before, "warning") } };
        const warned = addTrouble(rules, again, key, { kind: "warning", about: end });
        return { memory: warned.memory, news: [...ended.news, ...warned.news] };
      }
      const news = isJob && wants(rules, "success") ? [newsOf("success", end)] : [];
      return { memory: ended.memory, news: [...ended.news, ...news] };
    }
  }
}

function judgeFreshness(rules: Rules, memory: Memory, report: FreshnessReport): Judgement {
  const key = subjectKey(report.jobId, report.targetId);
  const { stale, ...others } = memory[key] ?? {};
  switch (report.freshness) {
    case "stale": {
      if (stale !== undefined) return { memory, news: [] };
      const { lastSuccessAt } = report;
      const last = lastSuccessAt === null ? "it never succeeded" : `it last succeeded at ${timeOf(lastSuccessAt)}`;
      const message = `Its schedule came due, and it has not succeeded since: ${last}.`;
      return addTrouble(rules, memory, key, { kind: "stale", about: { ...report, runId: null, message } });
    }
    case "fresh":
      return judgeRecovery(rules, memory, key, { ...report, runId: null, message: "" }, others);
    case "unmeasured":
      // Nothing is promised any more.
      return { memory: remember(memory, key, others), news: [] };
    case "never":
    case "unknown":
      // Neither is known to be right or wrong.
      return { memory, news: [] };
  }
}

type About = Pick<News, "jobId" | "targetId" | "runId" | "at" | "message"> & Partial<News>;

/** Notes that something is wrong (again), and tells it the first time. */
function addTrouble(
  rules: Rules,
  memory: Memory,
  key: string,
  { kind, about }: { kind: TroubleKind; about: About },
): Judgement {
  const { [kind]: known, ...others } = memory[key] ?? {};
  const times = (known?.times ?? 0) + 1;
  const isDue = kind !== "skipped" || (rules.afterSkips !== undefined && times >= rules.afterSkips);
  const isFirst = (known?.toldAt ?? null) === null && isDue && wants(rules, kind);
  const { message, runId, at } = about;
  const since = known?.since ?? at;
  const trouble = { since, times, toldAt: isFirst ? at : (known?.toldAt ?? null), message, runId };
  const news = isFirst ? [{ ...newsOf(kind, about), ...(times > 1 && { history: { since, times } }) }] : [];
  return { memory: remember(memory, key, { ...others, [kind]: trouble }), news };
}

/** All is well with a subject; `left`: troubles that this does not end. */
function judgeRecovery(rules: Rules, memory: Memory, key: string, about: About, left: Troubles = {}): Judgement {
  const before = memory[key] ?? {};
  const ended = (["failure", "stale", "skipped"] as const).flatMap((kind) => {
    const trouble = left[kind] === undefined ? before[kind] : undefined;
    // A few skipped runs of which nobody was told are nothing to recover from.
    return trouble === undefined || (kind === "skipped" && trouble.toldAt === null) ? [] : [trouble];
  });
  const after = remember(memory, key, left);
  const [first] = ended.toSorted((one, other) => one.since - other.since);
  if (first === undefined || !wants(rules, "recovery")) return { memory: after, news: [] };
  const times = Math.max(...ended.map((trouble) => trouble.times));
  return { memory: after, news: [{ ...newsOf("recovery", about), history: { since: first.since, times } }] };
}

function wants({ on, afterSkips }: Rules, event: NoticeEvent): boolean {
  return on.includes(event) || (event === "skipped" && afterSkips !== undefined);
}

function eventOf({ outcome }: Ended): NoticeEvent {
  const events = {
    ok: "success",
    warning: "warning",
    failed: "failure",
    cancelled: "aborted",
    skipped: "skipped",
  } as const;
  return events[outcome];
}

function newsOf(event: NoticeEvent, about: Partial<About> & { jobId: string; at: number }): News {
  const { jobId, at, targetId = "", runId = null, message = "" } = about;
  const { log = "", exitCode = null, durationMs = null } = about;
  return { event, jobId, targetId, runId, at, message, log, exitCode, durationMs, history: null };
}

function pick(troubles: Troubles, kind: TroubleKind): Troubles {
  return troubles[kind] === undefined ? {} : { [kind]: troubles[kind] };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
