import type { LockView } from "../../model/status.ts";
import { html, nothing, type Html } from "./html.ts";
import { badge, jobLinks, placeText, table } from "./parts.ts";
import { plural, roughDuration, type Tone } from "./words.ts";

const states: Readonly<Record<LockView["state"], { word: string; tone: Tone }>> = {
  free: { word: "Free", tone: "good" },
  claim: { word: "Being taken", tone: "busy" },
  held: { word: "Held", tone: "busy" },
  foreign: { word: "Of another program", tone: "warn" },
  unknown: { word: "Unknown, counts as held", tone: "bad" },
};

/** Every lock file that the configuration names; those that nobody could look at, and the held ones, first. */
export function locksPage(locks: readonly LockView[]): Html {
  const order: readonly LockView["state"][] = ["unknown", "foreign", "held", "claim", "free"];
  const sorted = locks.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  const held = locks.filter(({ state }) => state !== "free").length;
  const columns = ["Lock", "State", "Held by", "Age", "Last sign of life", "Taken by", "Keeps back"];
  return html`<section aria-labelledby="locks">
    <header class="title"><h1 id="locks">Locks</h1></header>
    <p>
      ${
        locks.length === 0
          ? "The configuration names no lock files."
          : `${held} of ${plural(locks.length, "lock")} ${held === 1 ? "is" : "are"} not free.`
      }
      They were looked at just now, on their hosts.
    </p>
    ${
      locks.length > 0 &&
      table(
        "Lock files of this configuration",
        columns.map((title) => ({ title })),
        sorted.map((lock) => [
          placeText(lock.place),
          badge(states[lock.state].tone, states[lock.state].word),
          ownerView(lock),
          lock.ageSeconds === null ? "–" : roughDuration(lock.ageSeconds * 1000),
          lock.silentSeconds === null ? "–" : `${roughDuration(lock.silentSeconds * 1000)} ago`,
          lock.takenBy.length === 0 ? "–" : jobLinks(lock.takenBy),
          lock.blocks.length === 0 ? "–" : jobLinks(lock.blocks),
        ]),
      )
    }
  </section>`;
}

function ownerView({ owner, ours, job, detail }: LockView): Html {
  const whose = ours ? html` <b>(this director${job !== null && `, job ${job}`})</b>` : nothing;
  if (owner === null && detail === null && !ours) return html`–`;
  return html`${owner}${whose}${detail !== null && html` <span class="message">${detail}</span>`}`;
}
