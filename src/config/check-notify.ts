import { fillTemplate, placeholdersOf } from "../base/template.ts";
import { splitWords } from "../base/shell-words.ts";
import { namesJob, noticeFields } from "./notice-words.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { suggest } from "./spelling.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/** The rules about `notify` that the schema cannot express; `jobIds`: those of all jobs. */
export function checkNotify(root: Tree, jobIds: readonly string[], log: ProblemLog): void {
  const ids = new Map<string, KeyPath>();
  for (const [index, channel] of recordsOf(root["notify"])) {
    const path: KeyPath = ["notify", index];
    const id = textOf(channel["id"]) ?? textOf(channel["type"]) ?? "";
    const first = ids.get(id);
    if (first !== undefined) {
      const message = `${JSON.stringify(id)} is the channel at ${log.placeOf(first)} too: give each channel an id of its own`;
      log.error(channel["id"] === undefined ? path : [...path, "id"], message);
    }
    ids.set(id, first ?? path);
    checkJobs(channel, { path, jobIds, log });
    checkKind(channel, { path, jobIds, log });
  }
}

interface Context {
  readonly path: KeyPath;
  readonly jobIds: readonly string[];
  readonly log: ProblemLog;
}

/** A pattern that names no job would keep a message from anybody. */
function checkJobs(channel: Tree, { path, jobIds, log }: Context): void {
  for (const [index, pattern] of [channel["jobs"] ?? []].flat().entries()) {
    const where: KeyPath = Array.isArray(channel["jobs"]) ? [...path, "jobs", index] : [...path, "jobs"];
    if (typeof pattern !== "string" || !log.isSound(where) || jobIds.some((id) => namesJob([pattern], id))) continue;
    const meant = suggest(pattern, jobIds);
    log.error(where, `names no job${meant === undefined ? "" : `. Did you mean ${meant}?`}`);
  }
}

function checkKind(channel: Tree, context: Context): void {
  switch (channel["type"]) {
    case "webhook":
      return checkWebhook(channel, context);
    case "healthchecks":
      return checkHealthchecks(channel, context);
    case "email":
      return checkEmail(channel, context);
    case "command":
      return checkCommandWords(channel["command"], channel, context);
  }
}

function checkWebhook(channel: Tree, { path, log }: Context): void {
  const secrets = isRecord(channel["secrets"]) ? Object.keys(channel["secrets"]) : [];
  const known = [...noticeFields, ...secrets.map((name) => `secret.${name}`)];
  const headers = isRecord(channel["headers"]) ? Object.entries(channel["headers"]) : [];
  checkPlaceholders(channel["url"], known, { where: [...path, "url"], log });
  checkPlaceholders(channel["body"], known, { where: [...path, "body"], log });
  for (const [name, value] of headers) {
    const where: KeyPath = [...path, "headers", name];
    if (!/^[A-Za-z0-9-]+$/.test(name)) log.error(where, "is not the name of a header", { at: "key" });
    checkPlaceholders(value, known, { where, log });
  }
  for (const name of secrets.filter((each) => !/^[\w-]+$/.test(each))) {
    log.error([...path, "secrets", name], "cannot be used in {{secret.NAME}}: only letters, digits, _ and -", {
      at: "key",
    });
  }
  const body = channel["body"];
  if (typeof body !== "string" || !log.isSound([...path, "body"])) return;
  if (channel["method"] === "GET") {
    log.error([...path, "body"], "cannot be sent with GET: remove it, or use another method", { at: "key" });
  } else if (isJson(headers) && !parses(fillTemplate(body, () => "x"))) {
    const remedy =
      "put placeholders between double quotes, or name another type in headers: {Content-Type: text/plain}";
    log.error([...path, "body"], `is no JSON when its placeholders are filled in: ${remedy}`);
  }
}

/** Whether the body of a request with these headers is JSON; it is unless they say something else. */
function isJson(headers: readonly [string, unknown][]): boolean {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1];
  return typeof type !== "string" || /\bjson\b/i.test(type);
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function checkHealthchecks(channel: Tree, { path, jobIds, log }: Context): void {
  const url = channel["url"];
  const names = typeof url === "string" ? placeholdersOf(url) : ["key"];
  checkPlaceholders(url, ["key", "job"], { where: [...path, "url"], log });
  const hasKey = channel["key_file"] !== undefined;
  if (names.includes("key") && !hasKey) {
    log.error([...path, "key_file"], "is missing: a file with the UUID of the check, or the whole address as url");
  } else if (!names.includes("key") && hasKey) {
    log.error([...path, "key_file"], "is not used: url has no {{key}} in it", { at: "key" });
  }
  const patterns = [channel["jobs"] ?? "*"].flat().filter((pattern) => typeof pattern === "string");
  const covered = jobIds.filter((id) => namesJob(patterns, id));
  if (covered.length < 2 || names.includes("job")) return;
  const message = `covers ${covered.length} jobs with one check, so that the success of one hides that another fails`;
  log.warning(path, `${message}: put {{job}} into url, or give each job a channel with jobs`);
}

function checkEmail(channel: Tree, { path, log }: Context): void {
  const { user, host, tls } = channel;
  if (channel["password_file"] !== undefined && user === undefined) {
    log.error([...path, "user"], "is missing: the account that password_file belongs to");
  }
  if (user !== undefined && channel["password_file"] === undefined) {
    log.error([...path, "password_file"], "is missing: a file with the password of user");
  }
  if (user !== undefined && tls === "none" && !/^(?:localhost|127\.|::1$)/.test(String(host))) {
    log.error([...path, "tls"], "would send the password in clear over the network: use starttls or implicit");
  }
}

/** A program with its arguments in one text, of a channel or a hook. */
export function checkCommandWords(
  command: unknown,
  owner: Tree,
  { path, log, key = [] }: Pick<Context, "path" | "log"> & { key?: KeyPath },
): void {
  const where = [...path, ...(key.length === 0 ? ["command"] : key)];
  if (owner["shell"] === true) {
    if (owner["args"] !== undefined) {
      log.error([...path, "args"], "cannot be used with shell: true: write the arguments into command");
    }
    return;
  }
  if (typeof command !== "string" || !log.isSound(where) || !log.isSound([...path, "shell"])) return;
  const result = splitWords(command);
  if ("problem" in result) {
    const remedy = "quote it, or use shell: true if a shell is to run it";
    log.error(where, `${result.problem} (character ${result.index + 1}): ${remedy}`);
  } else if (result.words[0] === undefined || result.words[0] === "") {
    log.error(where, "names no program");
  }
}

function checkPlaceholders(
  template: unknown,
  known: readonly string[],
  { where, log }: { where: KeyPath; log: ProblemLog },
): void {
  if (typeof template !== "string" || !log.isSound(where)) return;
  for (const name of new Set(placeholdersOf(template))) {
    if (known.includes(name)) continue;
    const meant = suggest(name, known);
    const remedy = meant === undefined ? `Known here: ${known.join(", ")}` : `Did you mean {{${meant}}}?`;
    log.error(where, `{{${name}}} is not known. ${remedy}`);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
