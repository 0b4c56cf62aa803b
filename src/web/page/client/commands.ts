import { askConfirm, askPause } from "./dialogs.ts";

/** Buttons send what they say; what came of it is told in the line that screen readers read out. */
export function listenForCommands(result: HTMLElement, onDone: () => void): void {
  const underWay = new Set<string>();
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("button[data-post]") : null;
    if (button === null) return;
    const url = button.dataset["post"] ?? "";
    if (underWay.has(url + (button.dataset["body"] ?? ""))) return;
    void perform(button, { url, result, underWay, onDone });
  });
}

interface Performing {
  readonly url: string;
  readonly result: HTMLElement;
  readonly underWay: Set<string>;
  readonly onDone: () => void;
}

async function perform(button: HTMLElement, { url, result, underWay, onDone }: Performing): Promise<void> {
  const label = (button.textContent ?? "").trim().replaceAll(/\s+/g, " ").replace("…", "");
  const body = await bodyOf(button);
  if (body === undefined) return;
  const key = url + (button.dataset["body"] ?? "");
  underWay.add(key);
  button.setAttribute("aria-disabled", "true");
  tell(result, "busy", `${label}: sent, waiting for the answer…`);
  const answer = await post(url, body);
  underWay.delete(key);
  button.removeAttribute("aria-disabled");
  tell(result, answer.ok ? "good" : "bad", `${label}: ${answer.text}`);
  onDone();
}

/** undefined: the reader has thought better of it. */
async function bodyOf(button: HTMLElement): Promise<string | undefined> {
  const { body = "{}", confirm, pause } = button.dataset;
  if (pause !== undefined) {
    const asked = await askPause(pause);
    return asked === undefined ? undefined : JSON.stringify(asked);
  }
  if (confirm !== undefined && !(await askConfirm(confirm))) return undefined;
  return body;
}

async function post(url: string, body: string): Promise<{ ok: boolean; text: string }> {
  try {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    return { ok: response.ok, text: response.ok ? describeDone(answer) : describeRefusal(answer, response.status) };
  } catch {
    return { ok: false, text: "the director could not be reached; nobody knows whether it was done" };
  }
}

function describeDone({ message, warnings }: Record<string, unknown>): string {
  const more = Array.isArray(warnings) && warnings.length > 0 ? ` (${warnings.map(String).join("; ")})` : "";
  return typeof message === "string" ? `${message}${more}` : "done";
}

function describeRefusal({ error, message, problems }: Record<string, unknown>, status: number): string {
  const why = typeof error === "string" ? error : typeof message === "string" ? message : `refused (${status})`;
  return Array.isArray(problems) ? [why, ...problems.map(String)].join("\n") : why;
}

function tell(result: HTMLElement, tone: string, text: string): void {
  result.className = `result ${tone}`;
  result.textContent = text;
}
