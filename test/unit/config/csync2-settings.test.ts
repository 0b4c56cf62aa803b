import { describe, expect, it } from "vitest";
import { clusterOf } from "../../../src/config/csync2-peers.ts";
import { readCsync2Settings } from "../../../src/config/csync2-settings.ts";

const file = "/etc/csync2.cfg";

const cluster = `
# a comment; with "signs" { }
nossl *-sync *-sync;
lock-timeout 30;
ignore uid gid;
config /etc/csync2.more;
group www
{
  host Web1 web2@web2-sync (web3);   # web3 only gets
  host web4;
  key /etc/csync2.key;
  include /srv/www/;
  include %homedir%/bob /etc/app/*.conf;
  exclude %homedir%/bob/temp *~ .*;
  action
  {
    pattern /etc/app/*;
    exec "/usr/bin/systemctl reload app; echo }";
    logfile "/var/log/app.log";
    do-local;
  }
  backup-directory /var/backups/csync2;
  auto none;
}
group { host web1 db1; key /k; include /srv/db; }
group other { host db1 db2; key /k; include /srv/other; }
prefix homedir { on web[12]: /export/users; on *: /home; }
`;
const files: Record<string, string> = {
  [file]: cluster,
  "/etc/csync2.more": "group more { host web1 web9; key /k; include /m; }",
};

const settingsOf = (texts: Record<string, string>) =>
  readCsync2Settings(file, async (name) => texts[name] ?? Promise.reject(new Error(`no ${name}`)));

async function clusterFor(ownName: string, wanted: string[] = []) {
  return clusterOf(await settingsOf(files), { ownName, wanted, file });
}

describe("a configuration of csync2", () => {
  it("is read with its groups, hosts, patterns and prefixes", async () => {
    const settings = await settingsOf(files);
    expect(settings.groups.map(({ name }) => name)).toEqual(["more", "www", "group_3", "other"]);
    expect(settings.groups[1]?.hosts).toEqual([
      { host: "web1", peer: "web1", slave: false },
      { host: "web2", peer: "web2-sync", slave: false },
      { host: "web3", peer: "web3", slave: true },
      { host: "web4", peer: "web4", slave: false },
    ]);
    expect(settings.groups[1]?.patterns).toEqual([
      { kind: "include", pattern: "/srv/www" },
      { kind: "include", pattern: "%homedir%/bob" },
      { kind: "include", pattern: "/etc/app/*.conf" },
      { kind: "exclude", pattern: "%homedir%/bob/temp" },
      { kind: "exclude", pattern: "*~" },
      { kind: "exclude", pattern: ".*" },
    ]);
  });

  it.each([
    ["group x { host a", "/etc/csync2.cfg: ends in the middle of a statement"],
    ["group x {\n  host a b }", '/etc/csync2.cfg:2: "}" is not understood'],
    ["group x { }\nnonsense y;", '/etc/csync2.cfg:2: "nonsense" is not understood'],
    ["prefix p { off a: /b; }", '/etc/csync2.cfg:1: "off" is not understood'],
    ["config /etc/csync2.cfg;", "nested too deeply"],
  ])("is refused with its place when it is not understood: %s", async (text, message) => {
    await expect(settingsOf({ [file]: text })).rejects.toThrow(message);
  });
});

describe("the cluster of a host", () => {
  it("is who shares a group with it, by the names csync2 connects to", async () => {
    expect(await clusterFor("WEB1")).toEqual({
      peers: ["web9", "web2-sync", "web3", "web4", "db1"],
      roots: ["/m", "/srv/www", "/export/users/bob", "/etc/app", "/srv/db"],
    });
    expect((await clusterFor("web4")).roots).toContain("/home/bob");
  });

  it("can be narrowed to some, named as host or as interface", async () => {
    expect((await clusterFor("web1", ["web2", "DB1"])).peers).toEqual(["web2-sync", "db1"]);
    expect((await clusterFor("web1", ["web2-sync"])).peers).toEqual(["web2-sync"]);
  });

  it("is refused for a name that is not there, one that may not send, and an unknown peer", async () => {
    await expect(clusterFor("nobody")).rejects.toThrow("this host is not in a group of /etc/csync2.cfg under the name");
    await expect(clusterFor("web3")).rejects.toThrow("such a host only gets updates");
    await expect(clusterFor("web1", ["db2"])).rejects.toThrow("has no peer db2 in a group that web1 sends to");
  });
});
