import { readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { LogOutput } from "../../../src/config/resolved.ts";
import { createStreamSink } from "../../../src/daemon/log-sinks.ts";
import { formatLogfmt } from "../../../src/daemon/logfmt.ts";
import { createLogger } from "../../../src/daemon/logging.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

function createOutput() {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => text, lines: () => text.split("\n").slice(0, -1) };
}

const stdoutOutput = (format: "auto" | "json" | "text" | "logfmt", level: "debug" | "info" = "info"): LogOutput => ({
  type: "stdout",
  level,
  format,
});

test("writes JSON lines to a pipe", () => {
  const output = createOutput();
  const log = createLogger([stdoutOutput("auto")], { stdout: output.stream, isTTY: false, fields: { instance: "a" } });
  log.child({ run: "r1" }).info({ job: "home", n: 3 }, "job finished");
  const line = JSON.parse(output.lines()[0] ?? "") as Record<string, unknown>;
  expect(line).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    instance: "a",
    run: "r1",
    job: "home",
    n: 3,
    msg: "job finished",
  });
});

test("writes for people on a terminal, without what could steer it", () => {
  const output = createOutput();
  const log = createLogger([stdoutOutput("auto")], { stdout: output.stream, isTTY: true });
  log.warn({ line: "a\u001b[2Jb\u009bc\r\\f" }, "action output");
  expect(output.text()).toContain("action output");
  expect(output.text().split("action output")[1]).not.toMatch(
    /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u009b]|\u001b\[2J/,
  );
  expect(output.text()).toContain("c\ufffd\\f");
});

test("each output has its own level", async () => {
  const output = createOutput();
  const path = join(await makeTempDir(), "logs", "all.log");
  const file: LogOutput = { type: "file", path, level: "debug", format: "json" };
  const log = createLogger([stdoutOutput("json"), file], { stdout: output.stream, isTTY: false });
  log.debug({}, "small");
  log.error({}, "big");
  expect(output.lines()).toHaveLength(1);
  expect(readFileSync(path, "utf8").match(/"msg":"\w+"/g)).toEqual(['"msg":"small"', '"msg":"big"']);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("640");
});

test("appends to a log file, and opens it anew after logrotate has moved it", async () => {
  const path = join(await makeTempDir(), "a.log");
  const outputs: LogOutput[] = [{ type: "file", path, level: "info", format: "logfmt" }];
  createLogger(outputs).info({}, "one");
  const log = createLogger(outputs);
  log.info({}, "two");
  renameSync(path, `${path}.1`);
  log.reopen();
  log.info({}, "three");
  await log.close();
  expect(readFileSync(`${path}.1`, "utf8").match(/msg=\w+/g)).toEqual(["msg=one", "msg=two"]);
  expect(readFileSync(path, "utf8").match(/msg=\w+/g)).toEqual(["msg=three"]);
});

test("a log file that cannot be opened is an error for the operator", async () => {
  const path = await makeTempDir();
  const outputs: LogOutput[] = [{ type: "file", path, level: "info", format: "json" }];
  expect(() => createLogger(outputs)).toThrow(`logging: cannot open the log file ${path} (EISDIR)`);
});

test("standard error gets one listener for all loggers of the process", () => {
  createLogger([]);
  const before = process.stderr.listenerCount("error");
  expect(before).toBeGreaterThan(0);
  createLogger([]);
  expect(process.stderr.listenerCount("error")).toBe(before);
});

test("secrets are not written, not from fields, children or nested values", () => {
  const output = createOutput();
  const log = createLogger([stdoutOutput("json")], { stdout: output.stream, isTTY: false });
  log
    .child({ token: "s1" })
    .info({ argv: ["curl", "https://u:s2@h", "--password", "s3"], smtp: { passphrase: "s4" } }, "x");
  expect(output.text()).not.toMatch(/s[1234]/);
  expect(output.text().match(/\[redacted\]/g)).toHaveLength(4);
});

test("a reader that does not read costs a bounded memory, and later a line says what is missing", () => {
  let unread = 0;
  const written: string[] = [];
  const stream = {
    destroyed: false,
    get writableLength() {
      return unread;
    },
    write: (text: string) => written.push(text) > 0,
    on: () => undefined,
    off: () => undefined,
    once: () => undefined,
  };
  const sink = createStreamSink(stream, (lost) => `lost ${lost}\n`);
  unread = 5 * 1024 * 1024;
  for (let number = 0; number < 3; number += 1) sink.write("line\n");
  expect(written).toEqual([]);
  unread = 0;
  sink.write("again\n");
  expect(written).toEqual(["lost 3\n", "again\n"]);
});

test.each([
  [{ level: "info", msg: "job finished" }, 'level=info msg="job finished"\n'],
  [{ path: "/a b", quote: 'a"b', empty: "" }, 'path="/a b" quote="a\\"b" empty=""\n'],
  [{ forged: "a\nlevel=error" }, 'forged="a\\nlevel=error"\n'],
  [{ n: 1, none: null, list: ["a", "b"], "odd key": true }, 'n=1 none=null list="[\\"a\\",\\"b\\"]" odd_key=true\n'],
])("logfmt writes %j as one line", (fields, expected) => {
  expect(formatLogfmt(fields)).toBe(expected);
});
