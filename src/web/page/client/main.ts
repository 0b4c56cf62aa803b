import { listenForCommands } from "./commands.ts";
import { createConnectionView, followStatus } from "./connection.ts";
import { refresh } from "./refresh.ts";
import { followRun } from "./run-log.ts";

const main = element("main");
const { live, run, at } = document.body.dataset;
const assets = new URL(".", import.meta.url).pathname.replace(/\/$/, "");
const connection = createConnectionView(element("connection"), Number(at));

document.documentElement.classList.add("js");
listenForCommands(element("result"), () => void look());
if (live !== undefined) followStatus(live, look, () => connection.lost());
const log = document.getElementById("log");
if (run !== undefined && log !== null) followRun(log, run);

/** Whether the director has answered. */
async function look(): Promise<boolean> {
  const answeredAt = await refresh(main, assets);
  if (answeredAt !== undefined) connection.alive(answeredAt);
  return answeredAt !== undefined;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
