import { describe, expect, it } from "vitest";
import { meaningOfAnswer, meaningOfComplaints } from "../../../../src/action/csync2/csync2-remedies.ts";
import { createCauseReader, createUpdateReader } from "../../../../src/action/csync2/update-output.ts";
import { csync2ExitCodes, csync2Lines } from "../../../support/csync2-fixtures.ts";

function readUpdate(lines: readonly string[]) {
  const reader = createUpdateReader();
  for (const line of lines) reader.addLine(line);
  return reader.output();
}

function readCase(name: string) {
  return readUpdate([...csync2Lines(name, "txt"), ...csync2Lines(name)]);
}

function readCauses(name: string) {
  const reader = createCauseReader();
  for (const line of csync2Lines(name)) reader.addLine(line);
  return reader.causes();
}

describe("the output of an update", () => {
  it("is clean when every file was sent, whatever the files are called", () => {
    for (const name of ["update", "update-deletion", "update-forced", "update-strange-names"]) {
      expect(readCase(name)).toMatchObject({ errors: 0, left: [], complaints: [], connected: true });
    }
    expect(readCase("update-strange-names").handled).toBe(3);
  });

  it("names the file that stays, also where csync2 forgets a line break", () => {
    expect(readCase("conflict")).toMatchObject({ errors: 1, left: ["/data/both"] });
    expect(readCase("conflict-deletion")).toMatchObject({ errors: 1, left: ["/data/both"] });
  });

  it("names a file that was left out although csync2 counts no error", () => {
    expect(csync2ExitCodes().get("update-unknown-directory")).toBe(0);
    expect(readCase("update-unknown-directory")).toMatchObject({ errors: 0, left: ["/data/unknown/dir/file"] });
  });

  it("forgets a file that a second try brings over", () => {
    const lines = [
      "Updating /data/d/file on beta ...",
      "File stays in dirty state. Try again later...",
      "missing parent dir : /data/d",
      "Marking file as dirty: /data/d",
      "Updating /data/d on beta ...",
      "Updating /data/d/file on beta ...",
      "Finished with 0 errors.",
    ];
    expect(readUpdate(lines)).toMatchObject({ errors: 0, left: [], complaints: [] });
  });

  it("is never clean in a case that failed", () => {
    const failed = [...csync2ExitCodes()].filter(([, code]) => code !== 0 && code !== 2);
    expect(failed.length).toBeGreaterThan(12);
    for (const [name] of failed) {
      const { errors, left, complaints } = readCase(name);
      expect([name, errors === 0 && left.length === 0 && complaints.length === 0]).toEqual([name, false]);
    }
  });

  it("takes a complaint that it does not know for a complaint", () => {
    expect(readUpdate(["Cannot do something new", "Finished with 0 errors."]).complaints).toEqual([
      "Cannot do something new",
    ]);
  });

  it("does not take the name of a file for a complaint", () => {
    const lines = ["Updating /data/ERROR: failed", "Finished with 2 errors on beta ...", "Finished with 0 errors."];
    // A line break in the name: the line that ends like an update belongs to it.
    expect(readUpdate(lines).complaints).toEqual([]);
  });
});

describe("the answers of a peer", () => {
  it("tell a conflict from a refusal", () => {
    expect([...readCauses("conflict-causes")]).toEqual([["/data/both", { kind: "conflict" }]]);
    expect([...readCauses("wrong-key-causes")]).toEqual([["/data/k", { kind: "other", answer: "Permission denied!" }]]);
  });

  it("keep the key that csync2 prints beside them to themselves", () => {
    expect(csync2Lines("conflict-causes").join("\n")).toContain("EXAMPLE_KEY");
    expect(JSON.stringify([...readCauses("conflict-causes"), ...readCauses("wrong-key-causes")])).not.toContain("KEY");
  });

  it("get their meaning in words", () => {
    expect(meaningOfAnswer("Permission denied!", "beta")).toMatch(/^beta denies it: its key file differs/);
    expect(meaningOfAnswer("Permission denied for slave!", "beta")).toContain("in brackets");
    expect(meaningOfAnswer("No space left on device", "beta")).toBe("beta answered: No space left on device");
  });
});

describe("a complaint of csync2", () => {
  it.each([
    ["refused", "beta cannot be reached (Connection refused): its csync2 has to answer on TCP port 30865", true],
    ["no-address", "the name beta has no address here", true],
    ["no-config-there", "beta refused the configuration: it needs csync2_lab.cfg and the key file", false],
    ["no-certificate", "csync2 has no certificate of its own: make /etc/csync2_ssl_key.pem", false],
    ["other-certificate", "beta has another certificate than the first time", false],
    ["lock-file", "csync2 does nothing while /etc/csync2.lock is there: remove it", true],
    ["syntax", "csync2 does not understand /etc/csync2_lab.cfg (Near line", false],
    ["no-key", "csync2 cannot use the key file /etc/key of /etc/csync2_lab.cfg", false],
    ["no-database", "csync2 cannot open its database sqlite3:///nowhere/alpha_lab.db3", false],
    ["not-member", "this host is not in a group of /etc/csync2_lab.cfg under the name delta", false],
    ["no-config", "csync2 cannot open its configuration file /etc/csync2_lab.cfg (No such file", false],
  ])("in the case %s comes with what to do", (name, expected, passing) => {
    const about = { file: "/etc/csync2_lab.cfg", config: "lab", peer: "beta" };
    const meaning = meaningOfComplaints(readCase(name).complaints, about);
    expect(meaning?.message).toContain(expected);
    expect(meaning?.passing).toBe(passing);
  });
});
